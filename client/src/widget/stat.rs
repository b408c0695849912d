//! A number in large.

use leptos::prelude::*;
use shared::SeriesName;
use shared::board::stat::Stat;
use shared::board::{Show, Source};

use super::glance::NumberGlance;
use super::told::Told;
use crate::board::stage::Stage;
use crate::browser;
use crate::chart::spark::Spark;
use crate::icon::{Icon, icon, level_mark, level_word};

/// A value that changes more often than this, in milliseconds, does not glow each time: it would never rest.
const GLOW_MS: u64 = 1_000;

/// The value of each series.
#[component]
pub fn StatWidget(
    /// How they are shown.
    options: Stat,
    /// Which.
    source: Source,
    /// What all widgets share.
    stage: Stage,
) -> impl IntoView {
    let told = Told::new(source, options.change, stage);
    view! {
        <div class="stats">
            <For each=move || told.names.get() key=Clone::clone let:name>
                <Reading name options told/>
            </For>
        </div>
    }
}

// What is shown is made of functions of one memo: a text that is as it was is not set anew, so nothing would be gained by
// remembering each in between.

#[component]
fn Reading(name: SeriesName, options: Stat, told: Told) -> impl IntoView {
    let glance = told.remembered(name.clone());
    let value = move || glance.with(|glance| glance.as_ref().map(super::glance::Glance::value).unwrap_or_default());
    let part = move |of: fn(&NumberGlance) -> String| {
        glance.with(|glance| glance.as_ref().and_then(super::glance::Glance::number).map(of).unwrap_or_default())
    };
    let level = Memo::new(move |_| glance.with(|glance| glance.as_ref()?.level()));
    let is_text = Memo::new(move |_| {
        glance
            .with(|glance| glance.as_ref().is_some_and(|glance| matches!(glance.shown, super::glance::Shown::Text(_))))
    });
    let glow = glow(value);
    // The figures get as large as their place allows, by the style sheet; it has to know how many there are.
    let figures =
        move || part(|number| format!("--figures: {}; --unit: {}", number.width, number.unit.chars().count()));
    let arrow = move || part(|number| number.change.as_ref().map(|change| change.arrow.to_owned()).unwrap_or_default());
    let change = move || {
        part(|number| match &number.change {
            Some(change) => format!(" {} in {}", change.by, change.over),
            None => String::new(),
        })
    };
    let show = told.source.with_value(|source| source.show.unwrap_or(Show::Value));
    let stale = stale_flag(told, name.clone());
    view! {
        <div class="stat" data-stale=stale>
            <Label name=name.clone() told/>
            <p
                class=move || format!("reading {}", glow.get())
                class:reading-text=move || is_text.get()
                data-level=move || level_word(level.get())
                style=figures
            >
                {move || level_mark(level.get())}
                <span class="value" data-testid="value" data-value=move || part(|number| number.raw.to_string())>
                    {value}
                </span>
                <span class="unit">{move || part(|number| number.unit.clone())}</span>
            </p>
            <p class="change" data-testid="change" hidden=move || is_text.get()>
                <span class="arrow" aria-hidden="true">{arrow}</span>
                {change}
            </p>
            {options.sparkline.then(|| view! { <Spark name show stage=told.stage/> })}
            <p class="range">
                {move || part(|number| number.range.as_ref().map(|range| range.text.clone()).unwrap_or_default())}
            </p>
        </div>
    }
}

/// What a series is called beside the others of its widget, and that it is stale where it alone is; nothing where it
/// is alone: then its frame says so.
#[component]
pub(super) fn Label(
    /// Which series.
    name: SeriesName,
    /// Among which.
    told: Told,
) -> impl IntoView {
    let of = name.clone();
    let label = Memo::new(move |_| told.label(&of));
    move || {
        let name = name.clone();
        label.get().map(move |label| {
            view! {
                <p class="label">
                    <span class="label-name" title=name.to_string()>{label}</span>
                    <StaleMark name told/>
                </p>
            }
        })
    }
}

/// That a series is stale, by a sign and in words; nothing where it reports.
#[component]
pub(super) fn StaleMark(
    /// Which series.
    name: SeriesName,
    /// Where it is told.
    told: Told,
) -> impl IntoView {
    let words = Memo::new(move |_| told.stale_words(&name));
    move || {
        let words = words.get();
        (!words.is_empty())
            .then(|| view! { <span class="stale-mark" data-testid="stale">{icon(Icon::Stale)} {words}</span> })
    }
}

/// The attribute by which the style sheet knows that a series is stale.
pub(super) fn stale_flag(told: Told, name: SeriesName) -> impl Fn() -> Option<&'static str> + Send + Sync + 'static {
    move || told.stale_since(&name).map(|_| "true")
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
