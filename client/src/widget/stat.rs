//! A number in large, with how it changed and a small line of its past.

use leptos::prelude::*;
use shared::SeriesName;
use shared::board::Source;
use shared::board::stat::Stat;

use super::glance::{Glance, NumberGlance};
use super::names::names;
use crate::board::stage::Stage;
use crate::browser;
use crate::chart::spark::Spark;

/// A value that changes more often than this, in milliseconds, does not glow each time: it would never rest.
const GLOW_MS: u64 = 1_000;

/// The value of each series.
#[expect(clippy::needless_pass_by_value, reason = "a component owns its properties")]
#[component]
pub fn StatWidget(
    /// How they are shown.
    options: Stat,
    /// Which.
    source: Source,
    /// What all widgets share.
    stage: Stage,
) -> impl IntoView {
    let names = names(&source, stage);
    view! {
        <For each=move || names.get() key=Clone::clone let:name>
            <Reading name options stage/>
        </For>
    }
}

// What is shown is made of functions of one memo: a text that is as it was is not set anew, so nothing would be gained by
// remembering each in between.

#[component]
fn Reading(name: SeriesName, options: Stat, stage: Stage) -> impl IntoView {
    let of = name.clone();
    let glance = Memo::new(move |_| stage.live.track(&of, |track| Glance::of(&of, track)));
    let part = move |of: fn(&NumberGlance) -> String| {
        glance.with(|glance| glance.as_ref().and_then(Glance::number).map(of).unwrap_or_default())
    };
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
        {options.sparkline.then(|| view! { <Spark name stage/> })}
        <p class="range">{move || part(|number| number.range.clone().unwrap_or_default())}</p>
    }
}

/// A class that makes the reading glow once each time that what it shows changes: two classes with the same
/// animation in turn, since setting the same one again would not start it.
pub(super) fn glow(shown: impl Fn() -> String + Send + Sync + 'static) -> ReadSignal<&'static str> {
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
