//! The bar below the head of a board that shows the past: a slider for the end of the range, steps, and a player.

use std::time::Duration;

use leptos::html::Input;
use leptos::prelude::*;

use super::follow::follow;
use super::player::{Speed, Step, step};
use super::scale::Scale;
use crate::board::context::BoardContext;
use crate::board::page::Screen;
use crate::browser;
use crate::range::Range;

/// Interval between two steps of the player.
const TICK: Duration = Duration::from_millis(250);

/// The bar. A wall screen has none, but shows the past all the same.
#[must_use]
pub fn view(context: BoardContext, screen: Screen) -> AnyView {
    follow(context);
    match screen {
        Screen::Desk => view! { <PastBar context/> }.into_any(),
        Screen::Wall => ().into_any(),
    }
}

/// The player of a board.
#[derive(Clone, Copy)]
struct Player {
    context: BoardContext,
    speed: RwSignal<Speed>,
    playing: RwSignal<bool>,
    /// The range of the last step, and its time by the browser's clock, in milliseconds.
    last: StoredValue<(Range, u64)>,
}

impl Player {
    fn new(context: BoardContext) -> Self {
        let range = context.view.range.get_untracked();
        let player = Self {
            context,
            speed: RwSignal::new(Speed::ALL[0]),
            playing: RwSignal::new(false),
            last: StoredValue::new((range, 0)),
        };
        let pace = context.view.past.pace;
        Effect::new(move |_| pace.set(if player.playing.get() { player.speed.get().factor() } else { 0 }));
        let ticking = set_interval_with_handle(move || player.tick(), TICK);
        on_cleanup(move || {
            pace.try_set(0);
            if let Ok(ticking) = ticking {
                ticking.clear();
            }
        });
        player
    }

    fn turn(self) {
        self.last.set_value((self.context.view.range.get_untracked(), browser::now()));
        self.playing.update(|playing| *playing = !*playing);
    }

    fn tick(self) {
        if self.playing.try_get_untracked() != Some(true) {
            return;
        }
        let (range, now) = (self.context.view.range.get_untracked(), browser::now());
        let (last, at) = self.last.get_value();
        // The user has chosen another range.
        if range != last {
            return self.playing.set(false);
        }
        let next = match step(
            range,
            self.speed.get_untracked(),
            now.saturating_sub(at),
            self.context.server_now_untracked(),
        ) {
            Step::Continue(next) => next,
            Step::ReachedNow(next) => {
                self.playing.set(false);
                next
            }
        };
        self.last.set_value((next, now));
        self.context.view.play(next);
    }
}

/// The bar at a desk.
#[component]
fn PastBar(context: BoardContext) -> impl IntoView {
    let view = context.view;
    let player = Player::new(context);
    let scale = RwSignal::new(Scale::around(view.range.get_untracked(), context.server_now_untracked()));
    let length = Memo::new(move |_| {
        let (from, to) = view.range.get().at(0);
        to - from
    });
    Effect::new(move |before: Option<u64>| {
        let (range, length) = (view.range.get(), length.get());
        let fits = before == Some(length);
        let now = context.server_now_untracked();
        let next = scale.get_untracked().holding(range, now);
        scale.set(if fits { next } else { Scale::around(range, now) });
        length
    });
    let to = move || view.range.get().at(0).1;
    let slider = NodeRef::<Input>::new();
    // In this order, since the browser keeps a value within the ends that there are.
    Effect::new(move |_| {
        let (Some(slider), scale) = (slider.get(), scale.get()) else { return };
        slider.set_min(&scale.low.to_string());
        slider.set_max(&scale.high.to_string());
        slider.set_step(&scale.step().to_string());
        slider.set_value(&to().to_string());
    });
    let slide = move |event| {
        if let Ok(to) = event_target_value(&event).parse::<u64>() {
            view.choose(view.range.get_untracked().ending_at(context.server_now_untracked(), to));
        }
    };
    let release = move |_| {
        scale.update(|scale| *scale = scale.released(view.range.get_untracked(), context.server_now_untracked()));
    };
    let move_by =
        move |windows: f64| view.choose(view.range.get_untracked().moved(context.server_now_untracked(), windows));
    let moment = move || browser::moment_of(to(), 0, context.server_now.get());
    let end = move |of: fn(Scale) -> u64| {
        move || {
            let scale = scale.get();
            browser::moment_of(of(scale), scale.high - scale.low, context.server_now.get())
        }
    };
    let speed = |speed: Speed| {
        view! {
            <button
                class="button past-speed"
                type="button"
                data-testid="past-speed"
                aria-pressed=move || (player.speed.get() == speed).to_string()
                on:click=move |_| player.speed.set(speed)
            >
                {speed.label()}
            </button>
        }
        .into_any()
    };
    view! {
        <section class="past-bar" aria-label="The past" data-testid="past-bar">
            <button
                class="button"
                type="button"
                data-testid="past-play"
                aria-pressed=move || player.playing.get().to_string()
                on:click=move |_| player.turn()
            >
                {move || if player.playing.get() { "Pause" } else { "Play" }}
            </button>
            <span class="past-speeds" role="group" aria-label="Speed">
                {Speed::ALL.map(speed).into_iter().collect_view()}
            </span>
            <button
                class="button"
                type="button"
                data-testid="past-earlier"
                aria-label="Earlier by the length of the range"
                title="Earlier by the length of the range"
                on:click=move |_| move_by(-1.0)
            >
                "◀"
            </button>
            <span class="past-way">
                <input
                    type="range"
                    class="past-slider"
                    data-testid="past-slider"
                    aria-label="Shown moment"
                    aria-valuetext=moment
                    node_ref=slider
                    on:input=slide
                    on:change=release
                />
                <span class="past-ends" aria-hidden="true">
                    <span>{end(|scale| scale.low)}</span>
                    <span>{end(|scale| scale.high)}</span>
                </span>
            </span>
            <button
                class="button"
                type="button"
                data-testid="past-later"
                aria-label="Later by the length of the range"
                title="Later by the length of the range"
                on:click=move |_| move_by(1.0)
            >
                "▶"
            </button>
            <span class="past-moment" data-testid="past-moment">{move || format!("as of {}", moment())}</span>
        </section>
    }
}
