//! One series on a board.

use leptos::prelude::*;
use shared::{Millis, SeriesName};

use super::glance::{Glance, NumberGlance, Shown, TextGlance};
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
    let glance: Signal<Option<Glance>> = match live.glance(&name) {
        Some(signal) => Signal::derive(move || Some(signal.get())),
        None => None.into(),
    };
    let number = Memo::new(move |_| match glance.get()?.shown {
        Shown::Number(number) => Some(number),
        Shown::Text(_) => None,
    });
    let text = Memo::new(move |_| match glance.get()?.shown {
        Shown::Text(text) => Some(text),
        Shown::Number(_) => None,
    });
    let is_text = Memo::new(move |_| text.with(Option::is_some));
    let at = Memo::new(move |_| glance.get().map_or(Millis(0), |glance| glance.at));
    let age = Memo::new(move |_| ago(server_now.get().saturating_sub(at.get().0)));

    let series = name.to_string();
    let title = name.within_board().to_owned();
    let body = move || {
        if is_text.get() {
            view! { <TextBody text=text server_now/> }.into_any()
        } else {
            view! { <NumberBody number=number/> <Spark name=name.clone() live frames clock/> }.into_any()
        }
    };
    let range = move || number.get().and_then(|number| number.range);
    view! {
        <article class="tile" data-testid="tile" data-series=series>
            <h2 class="tile-name" title=title.clone()>{title.clone()}</h2>
            {body}
            <p class="tile-foot">
                <span class="range">{range}</span>
                <span class="age" data-testid="age">{age}</span>
            </p>
        </article>
    }
}

#[component]
fn NumberBody(#[prop(into)] number: Signal<Option<NumberGlance>>) -> impl IntoView {
    let value = Memo::new(move |_| number.get().map(|number| number.value).unwrap_or_default());
    let unit = Memo::new(move |_| number.get().map(|number| number.unit).unwrap_or_default());
    let raw = Memo::new(move |_| number.get().map(|number| number.raw.to_string()));
    let glow = glow(value.into());
    // The figures get as large as their place allows, by the style sheet; it has to know how many there are.
    let figures = move || {
        let width = number.get().map_or(1, |number| number.width);
        format!("--figures: {}; --unit: {}", width, unit.get().chars().count())
    };
    let change = move || {
        let change = number.get().and_then(|number| number.change);
        change.map(|change| format!("{} {} in {}", change.arrow, change.by, change.over))
    };
    view! {
        <p class=move || format!("reading {}", glow.get()) style=figures>
            <span class="value" data-testid="value" data-value=raw>{value}</span>
            <span class="unit">{unit}</span>
        </p>
        <p class="change" data-testid="change">{change}</p>
    }
}

#[component]
fn TextBody(#[prop(into)] text: Signal<Option<TextGlance>>, server_now: Signal<u64>) -> impl IntoView {
    let latest = Memo::new(move |_| text.get().map(|text| text.text).unwrap_or_default());
    let glow = glow(latest.into());
    let earlier = move || {
        let lines = text.get().map(|text| text.earlier).unwrap_or_default();
        let line = move |(at, text): (Millis, String)| {
            let age = Memo::new(move |_| ago(server_now.get().saturating_sub(at.0)));
            view! {
                <li class="line"><span class="line-text">{text}</span> <span class="line-age">{age}</span></li>
            }
        };
        lines.into_iter().map(line).collect_view()
    };
    view! {
        <p class=move || format!("reading reading-text {}", glow.get())>
            <span class="value value-text" data-testid="value">{latest}</span>
        </p>
        <ol class="lines">{earlier}</ol>
    }
}

/// A class that makes the reading glow once each time that what it shows changes: two classes with the same
/// animation in turn, since setting the same one again would not start it.
fn glow(shown: Signal<String>) -> ReadSignal<&'static str> {
    let (class, set_class) = signal("");
    let mut last_at = 0;
    Effect::new(move |before: Option<String>| {
        let now = shown.get();
        let at = browser::now();
        if before.is_some_and(|before| before != now) && at.saturating_sub(last_at) >= GLOW_MS {
            last_at = at;
            set_class.set(if class.get_untracked() == "glow-a" { "glow-b" } else { "glow-a" });
        }
        now
    });
    class
}
