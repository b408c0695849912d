//! One series on a board.

use leptos::prelude::*;
use shared::{Millis, SeriesName};

use super::glance::{Glance, NumberGlance};
use crate::browser;
use crate::chart::frames::Frames;
use crate::chart::spark::Spark;
use crate::format::duration::ago;
use crate::live::Live;
use crate::stream::clock::ServerClock;

/// A value that changes more often than this, in milliseconds, does not glow each time: it would never rest.
const GLOW_MS: u64 = 1_000;

/// A series: its name, its value now, how it moved, how old it is.
#[component]
pub fn Tile(
    /// Which series.
    name: SeriesName,
    /// Where its track is.
    live: Live,
    /// The loop that moves its line.
    frames: Frames,
    /// The server's clock as the page knows it.
    #[prop(into)]
    clock: Signal<ServerClock>,
    /// The server's time, to the second.
    #[prop(into)]
    server_now: Signal<u64>,
) -> impl IntoView {
    // A series that is gone has no glance; its tile goes with the next run of effects.
    let glance = RwSignal::from(live.glance(&name).unwrap_or_else(|| ArcRwSignal::new(Glance::default())));
    let is_text = Memo::new(move |_| glance.with(|glance| glance.text().is_some()));
    let age = move || ago(server_now.get().saturating_sub(glance.with(|glance| glance.at.0)));
    let range = move || glance.with(|glance| glance.number().and_then(|number| number.range.clone()));
    let skipped = move || match glance.with(|glance| glance.text().map_or(0, |text| text.skipped)) {
        0 => String::new(),
        skipped => format!("{skipped} skipped"),
    };

    let series = name.to_string();
    let title = name.within_board().to_owned();
    let body = move || {
        if is_text.get() {
            view! { <TextBody glance server_now /> }.into_any()
        } else {
            view! {
                <NumberBody glance />
                <Spark name=name.clone() live frames clock />
            }
            .into_any()
        }
    };
    view! {
        <article class="tile" data-testid="tile" data-series=series>
            <h2 class="tile-name" title=title.clone()>
                {title.clone()}
            </h2>
            {body}
            <p class="tile-foot">
                <span class="range">
                    {range}
                    <span
                        data-testid="skipped"
                        title="Lines that came and went since this page was opened, too fast or too late for it"
                    >
                        {skipped}
                    </span>
                </span>
                <span class="age" data-testid="age">
                    {age}
                </span>
            </p>
        </article>
    }
}

// The parts below are plain functions of one signal: a text that is as it was is not set anew, so nothing would be
// gained by remembering each in between.

#[component]
fn NumberBody(glance: RwSignal<Glance>) -> impl IntoView {
    let part = move |of: fn(&NumberGlance) -> String| glance.with(|glance| glance.number().map(of).unwrap_or_default());
    let value = move || part(|number| number.value.clone());
    let glow = glow(value);
    // The figures get as large as their place allows, by the style sheet; it has to know how many there are.
    let figures =
        move || part(|number| format!("--figures: {}; --unit: {}", number.width, number.unit.chars().count()));
    let change = move || {
        part(|number| match &number.change {
            Some(change) => format!("{} {} in {}", change.arrow, change.by, change.over),
            None => String::new(),
        })
    };
    view! {
        <p class=move || format!("reading {}", glow.get()) style=figures>
            <span class="value" data-testid="value" data-value=move || part(|number| number.raw.to_string())>
                {value}
            </span>
            <span class="unit">{move || part(|number| number.unit.clone())}</span>
        </p>
        <p class="change" data-testid="change">
            {change}
        </p>
    }
}

#[component]
fn TextBody(glance: RwSignal<Glance>, server_now: Signal<u64>) -> impl IntoView {
    let latest = move || glance.with(|glance| glance.text().map(|text| text.text.clone()).unwrap_or_default());
    let glow = glow(latest);
    let earlier = move || {
        let lines = glance.with(|glance| glance.text().map(|text| text.earlier.clone()).unwrap_or_default());
        let line = move |(at, text): (Millis, String)| {
            let age = move || ago(server_now.get().saturating_sub(at.0));
            view! {
                <li class="line">
                    <span class="line-text">{text}</span>
                    <span class="line-age">{age}</span>
                </li>
            }
        };
        lines.into_iter().map(line).collect_view()
    };
    view! {
        <p class=move || format!("reading reading-text {}", glow.get())>
            <span class="value value-text" data-testid="value">
                {latest}
            </span>
        </p>
        <ol class="lines">{earlier}</ol>
    }
}

/// A class that makes the reading glow once each time that what it shows changes: two classes with the same
/// animation in turn, since setting the same one again would not start it.
fn glow(shown: impl Fn() -> String + Send + Sync + 'static) -> ReadSignal<&'static str> {
    let (class, set_class) = signal("");
    let mut last_at = 0;
    Effect::new(move |before: Option<String>| {
        let now = shown();
        let at = browser::now();
        if before.is_some_and(|before| before != now) && at.saturating_sub(last_at) >= GLOW_MS {
            last_at = at;
            set_class.set(if class.get_untracked() == "glow-a" { "glow-b" } else { "glow-a" });
        }
        now
    });
    class
}
