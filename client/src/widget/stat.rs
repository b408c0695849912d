//! A stat: the value of each series in large figures.

use leptos::prelude::*;
use shared::SeriesName;
use shared::board::SeriesSource;
use shared::board::stat::StatOptions;

use super::glow::{GLOW_MS, glow_once};
use super::head::SeriesHead;
use super::lookback::LookbackKind;
use super::series::WidgetSeries;
use crate::board::context::BoardContext;
use crate::browser;
use crate::chart::spark::Spark;
use crate::icon::{LevelMark, level_word};
use shared::format::digits::shortest;
use shared::reading::{NumberReading, Reading, ReadingValue};

/// The value of each series in large figures.
#[component]
pub fn StatWidget(
    /// The options of the document.
    options: StatOptions,
    /// The series and how to read them.
    source: SeriesSource,
    /// The shared context of the board's widgets.
    context: BoardContext,
) -> impl IntoView {
    let series = WidgetSeries::new(source, LookbackKind::Range(options.change), context);
    // All numbers of the widget are as large as the widest one allows. Follows them once a second.
    let widest = Memo::new(move |_| {
        context.server_now.track();
        series.names.with(|names| if names.len() > 1 { untrack(|| widest(names, series)) } else { Extents::default() })
    });
    view! {
        <div class="stats" tabindex=move || series.names.with(|names| (names.len() > 1).then_some("0"))>
            <For each=move || series.names.get() key=SeriesName::clone let(name)>
                <StatReading name options series widest/>
            </For>
        </div>
    }
}

#[component]
fn StatReading(name: SeriesName, options: StatOptions, series: WidgetSeries, widest: Memo<Extents>) -> impl IntoView {
    let reading = series.reading_memo(name.clone());
    let of = name.clone();
    let value = Memo::new(move |_| {
        reading.with(|reading| reading.as_ref().map(Reading::value)).unwrap_or_else(|| series.absent(&of).to_owned())
    });
    let is_text = move || reading.with(|reading| matches!(reading, Some(Reading { shown: ReadingValue::Text(_), .. })));
    // A text that did not change is not set again, so memos of the other parts would not save anything.
    let number = move |of: fn(&NumberReading) -> String| {
        reading.with(|reading| reading.as_ref().and_then(Reading::number).map(of).unwrap_or_default())
    };
    let extents = move || {
        let own = reading.with(|reading| reading.as_ref().and_then(Reading::number).map(Extents::of));
        own.unwrap_or_default().max(widest.get())
    };
    let level = WidgetSeries::level(reading);
    let glow = glow(value);
    let show = series.show(&name);
    let of = name.clone();
    view! {
        <div class="stat" data-stale=move || series.stale_flag(&of)>
            <SeriesHead name=name.clone() series/>
            // The style sheet makes the figures as large as fits, so it must know their number.
            <p
                class="reading"
                class:reading-text=is_text
                class:glow=move || glow.get()
                data-level=move || level_word(level.get())
                style=("--figures", move || extents().figures.to_string())
                style=("--unit", move || extents().unit.to_string())
            >
                <LevelMark level/>
                <span class="value" data-testid="value" data-value=move || number(|number| shortest(number.raw))>
                    {move || value.get()}
                </span>
                <span class="unit">{move || number(|number| number.unit.clone())}</span>
            </p>
            <p class="change" data-testid="change" hidden=is_text>
                <span class="arrow" aria-hidden="true">{move || number(arrow)}</span>
                <span>{move || number(change)}</span>
            </p>
            {options.sparkline.then(|| view! { <Spark name show history=series.history context=series.context/> })}
            <p class="range">{move || number(range)}</p>
        </div>
    }
}

/// The space that a number needs, in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Extents {
    /// The figures. The icon of a level before them is some figures wide.
    figures: usize,
    /// The unit.
    unit: usize,
}

impl Extents {
    fn of(number: &NumberReading) -> Self {
        Self { figures: number.width + usize::from(number.level.is_some()), unit: number.unit_width }
    }

    fn max(self, other: Self) -> Self {
        Self { figures: self.figures.max(other.figures), unit: self.unit.max(other.unit) }
    }
}

/// Returns the space that holds each number of the widget.
fn widest(names: &[SeriesName], series: WidgetSeries) -> Extents {
    let readings = names.iter().filter_map(|name| series.reading(name));
    let of = |reading: Reading| reading.number().map(Extents::of);
    readings.filter_map(of).fold(Extents::default(), Extents::max)
}

fn arrow(number: &NumberReading) -> String {
    number.change.as_ref().map_or("", |change| change.arrow).to_owned()
}

fn change(number: &NumberReading) -> String {
    number.change.as_ref().map(|change| format!(" {} in {}", change.by, change.over)).unwrap_or_default()
}

fn range(number: &NumberReading) -> String {
    let range = number.range.as_ref().map(|range| &range.text);
    range.or(number.counted.as_ref()).cloned().unwrap_or_default()
}

/// Makes the reading glow at each change of `value`.
fn glow(value: Memo<String>) -> RwSignal<bool> {
    let glow = RwSignal::new(false);
    let mut last_at = 0;
    Effect::new(move |before: Option<String>| {
        let now = value.get();
        let at = browser::now();
        if before.is_some_and(|before| before != now) && at.saturating_sub(last_at) >= GLOW_MS {
            last_at = at;
            glow_once(glow);
        }
        now
    });
    glow
}
