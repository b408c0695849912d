//! A number in large.

use leptos::prelude::*;
use shared::SeriesName;
use shared::board::Source;
use shared::board::stat::Stat;

use super::glance::{Glance, NumberGlance, Shown};
use super::past::Tells;
use super::told::Told;
use crate::board::stage::Stage;
use crate::browser;
use crate::chart::spark::Spark;
use crate::dynamic::{effect, flag, part, text};
use crate::icon::level_mark;

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
    let told = Told::new(source, Tells::Range(options.change), stage);
    view! { <div class="stats">{told.each(move |name| reading(&name, options, told))}</div> }
}

// What is shown is made of functions of one memo: a text that is as it was is not set anew, so nothing would be gained by
// remembering each in between.

fn reading(name: &SeriesName, options: Stat, told: Told) -> AnyView {
    let glance = told.remembered(name.clone());
    let value = move || glance.with(|glance| glance.as_ref().map(Glance::value).unwrap_or_default());
    let number = move |of: fn(&NumberGlance) -> String| {
        text(move || glance.with(|glance| glance.as_ref().and_then(Glance::number).map(of).unwrap_or_default()))
    };
    let is_text = move || glance.with(|glance| matches!(glance, Some(Glance { shown: Shown::Text(_), .. })));
    let level = Told::level(glance);
    let glow = glow(value);
    let class =
        move || format!("reading {} {}", if is_text() { "reading-text" } else { "" }, glow.get().unwrap_or_default());
    let show = told.show(name);
    let spark =
        options.sparkline.then(|| view! { <Spark name=name.clone() show past=told.past stage=told.stage/> }.into_any());
    // The figures get as large as their place allows, by the style sheet; it has to know how many there are.
    let figures = number(|number| format!("--figures: {}; --unit: {}", number.width, number.unit.chars().count()));
    let arrow = number(|number| number.change.as_ref().map_or("", |change| change.arrow).to_owned());
    let change = number(|number| match &number.change {
        Some(change) => format!(" {} in {}", change.by, change.over),
        None => String::new(),
    });
    view! {
        <div class="stat" data-stale=told.stale_flag(name)>
            {told.head(name)}
            <p class=text(class) data-level=text(move || level.get()) style=figures>
                {part(move || level_mark(&level.get()))}
                <span class="value" data-testid="value" data-value=number(|number| number.raw.to_string())>
                    {text(value)}
                </span>
                <span class="unit">{number(|number| number.unit.clone())}</span>
            </p>
            <p class="change" data-testid="change" hidden=flag(is_text)>
                <span class="arrow" aria-hidden="true">
                    {arrow}
                </span>
                {change}
            </p>
            {spark}
            <p class="range">
                {number(|number| number.range.as_ref().map(|range| range.text.clone()).unwrap_or_default())}
            </p>
        </div>
    }
    .into_any()
}

/// A class that makes the reading glow once each time that what it shows changes: two classes with the same
/// animation in turn, since setting the same one again would not start it.
pub(super) fn glow(shown: impl Fn() -> String + Send + Sync + 'static) -> RwSignal<Option<String>> {
    let class = RwSignal::new(None::<String>);
    let (mut before, mut last_at) = (None, 0);
    effect(move || {
        let now = Some(shown());
        let at = browser::now();
        if before.is_some() && before != now && at.saturating_sub(last_at) >= GLOW_MS {
            last_at = at;
            let next = if class.get_untracked().as_deref() == Some("glow-a") { "glow-b" } else { "glow-a" };
            class.set(Some(next.to_owned()));
        }
        before = now;
    });
    class
}
