//! A stat: the value of each series in large figures.

use shared::SeriesName;
use shared::board::SeriesSource;
use shared::board::stat::StatOptions;

use super::lookback::LookbackKind;
use super::series::WidgetSeries;
use crate::board::context::BoardContext;
use crate::browser;
use crate::chart::spark::spark;
use crate::dynamic::{RwSignal, effect};
use crate::icon::level_mark;
use crate::part::Part;
use shared::format::digits::shortest;
use shared::reading::{NumberReading, Reading, ReadingValue};

/// Least time between two glows, in milliseconds: a value that changes more often would never rest.
pub(super) const GLOW_MS: u64 = 1_000;

/// Builds a stat for each series.
#[must_use]
pub fn stat(options: StatOptions, source: SeriesSource, context: BoardContext) -> Part {
    let series = WidgetSeries::new(source, LookbackKind::Range(options.change), context);
    series.each(Part::new("div", "stats"), move |name| reading(name, options, series))
}

// All parts are closures over one memo. A text that did not change is not set again, so memos in between would not
// save anything.

fn reading(name: &SeriesName, options: StatOptions, series: WidgetSeries) -> Part {
    let reading = series.remembered(name.clone());
    let value = move || reading.with(|reading| reading.as_ref().map(Reading::value).unwrap_or_default());
    let number = move |of: fn(&NumberReading) -> String| {
        move || reading.with(|reading| reading.as_ref().and_then(Reading::number).map(of).unwrap_or_default())
    };
    let is_text = move || reading.with(|reading| matches!(reading, Some(Reading { shown: ReadingValue::Text(_), .. })));
    let level = WidgetSeries::level(reading);
    let glow = glow(value);
    let class =
        move || format!("reading {} {}", if is_text() { "reading-text" } else { "" }, glow.get().unwrap_or_default());
    let show = series.show(name);
    // The style sheet makes the figures as large as fits, so it must know their number. The icon of a level before
    // them is some figures wide.
    let figures = number(|number| {
        let figures = number.width + if number.level.is_some() { 1 } else { 0 };
        format!("--figures: {figures}; --unit: {}", number.unit.chars().count())
    });
    let arrow = number(|number| number.change.as_ref().map_or("", |change| change.arrow).to_owned());
    let change = number(|number| match &number.change {
        Some(change) => format!(" {} in {}", change.by, change.over),
        None => String::new(),
    });
    let figure = Part::new("span", "value").with("data-testid", "value");
    let figure = figure.live("data-value", number(|number| shortest(number.raw))).live_text(value);
    let reading = Part::new("p", "")
        .live("class", class)
        .live("data-level", move || level.get())
        .live_style(figures)
        .put(&Part::new("span", "host").live_inside(move || level_mark(&level.get())))
        .put(&figure)
        .put(&Part::new("span", "unit").live_text(number(|number| number.unit.clone())));
    let change = Part::new("p", "change")
        .with("data-testid", "change")
        .hidden(is_text)
        .put(&Part::new("span", "arrow").with("aria-hidden", "true").live_text(arrow))
        .put(&Part::new("span", "").live_text(change));
    let range = number(|number| number.range.as_ref().map(|range| range.text.clone()).unwrap_or_default());
    Part::new("div", "stat")
        .live("data-stale", series.stale_flag(name))
        .put(&series.head(name))
        .put(&reading)
        .put(&change)
        .put_all(options.sparkline.then(|| spark(name.clone(), show, series.history, series.context)))
        .put(&Part::new("p", "range").live_text(range))
}

/// Returns a class that makes the reading glow once at each change of `shown`. Two classes with the same animation
/// alternate, since setting the same class again would not restart it.
fn glow(shown: impl Fn() -> String + Send + Sync + 'static) -> RwSignal<Option<String>> {
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
