//! A gauge: a number between two ends, on a half circle.

use leptos::prelude::*;
use shared::SeriesName;
use shared::board::gauge::GaugeOptions;
use shared::board::threshold::{Limit, Threshold};
use shared::board::{Level, SeriesSource};

use super::head::SeriesHead;
use super::lookback::LookbackKind;
use super::series::WidgetSeries;
use crate::board::context::BoardContext;
use crate::chart::value_axis::nice;
use crate::icon::{Icon, level_word};
use shared::format::digits::{fixed, shortest};
use shared::format::number::{Figures, NumberFormat};
use shared::format::unit::{Scaling, UnitFormat};
use shared::reading::{NumberReading, Reading};

/// The half circle. Its attribute `pathLength` is 100, so that a percentage is the length of a dash.
const ARC: &str = "M9 50A41 41 0 0 1 91 50";

/// A gauge for the newest value of each series.
#[component]
pub fn GaugeWidget(
    /// The options of the document.
    options: GaugeOptions,
    /// The series and how to read them.
    source: SeriesSource,
    /// The shared context of the board's widgets.
    context: BoardContext,
) -> impl IntoView {
    // Where the document gives both ends, the past is not needed.
    let reach = if options.min.and(options.max).is_some() { LookbackKind::Newest } else { LookbackKind::Range(None) };
    let series = WidgetSeries::new(source, reach, context);
    view! {
        <div class="stats" tabindex=move || series.names.with(|names| (names.len() > 1).then_some("0"))>
            <For each=move || series.names.get() key=SeriesName::clone let(name)>
                <Dial name options series/>
            </For>
        </div>
    }
}

/// The ends of a gauge.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Ends {
    min: f64,
    max: f64,
}

impl Ends {
    /// Returns the ends of the document, or else those that fit the unit or the numbers of the range.
    fn of(options: GaugeOptions, unit: UnitFormat, number: &NumberReading) -> Self {
        let greatest = number.range.as_ref().map_or(number.raw, |range| range.max.max(number.raw));
        let least = number.range.as_ref().map_or(number.raw, |range| range.min.min(number.raw));
        let min = options.min.unwrap_or_else(|| least.min(0.0));
        let max = options.max.unwrap_or_else(|| match unit.scaling {
            Scaling::Ratio => 1.0,
            _ if unit.symbol.as_str() == "%" => 100.0,
            // The greatest value so far is not the end: the gauge would be full.
            _ if greatest > 0.0 => nice((greatest * 1.2).min(f64::MAX)).min(f64::MAX),
            _ => greatest,
        });
        // A series that always was at its lower end has no range yet.
        Self { min, max: if max > min { max } else { min + 1.0 } }
    }

    /// Returns the fraction of the way at which a value is, from 0 to 1. A value beyond an end is at that end.
    fn share(self, value: f64) -> f64 {
        // Halves before it subtracts: the difference of the extreme floats overflows.
        ((value / 2.0 - self.min / 2.0) / (self.max / 2.0 - self.min / 2.0)).clamp(0.0, 1.0)
    }
}

/// The content of a gauge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DialContent {
    Number,
    Text,
    /// There is no reading, which only a board that shows the past says.
    Absent,
}

#[component]
fn Dial(name: SeriesName, options: GaugeOptions, series: WidgetSeries) -> impl IntoView {
    let reading = series.reading_memo(name.clone());
    let content = Memo::new(move |_| {
        let of = |reading: &Reading| if reading.number().is_some() { DialContent::Number } else { DialContent::Text };
        let absent = || series.context.view.past.at.get().map(|_| DialContent::Absent);
        reading.with(|reading| reading.as_ref().map(of)).or_else(absent)
    });
    let of = name.clone();
    let unit = series.source.with_value(|source| UnitFormat::of(source.unit.as_ref(), &name));
    let label = name.to_string();
    let face = move |content: DialContent| match content {
        DialContent::Number => view! { <Face label=label.clone() reading options unit series/> }.into_any(),
        DialContent::Text => view! {
            <p class="reading reading-text">
                <span class="value" data-testid="value">
                    {move || reading.with(|reading| reading.as_ref().map(Reading::value).unwrap_or_default())}
                </span>
            </p>
        }
        .into_any(),
        DialContent::Absent => {
            let of = of.clone();
            view! {
                <p class="reading">
                    <span class="value" data-testid="value">{move || series.absent(&of)}</span>
                </p>
            }
            .into_any()
        }
    };
    let for_stale = name.clone();
    view! {
        <div class="stat dial" data-stale=move || series.stale_flag(&for_stale)>
            <SeriesHead name series/>
            {move || content.get().map(&face)}
        </div>
    }
}

/// The face of a gauge with a number. A new number changes texts and attributes; only other ends change the limits.
#[component]
fn Face(
    label: String,
    reading: Memo<Option<Reading>>,
    options: GaugeOptions,
    unit: UnitFormat,
    series: WidgetSeries,
) -> impl IntoView {
    let ends = Memo::new(move |_| reading.with(|reading| Some(Ends::of(options, unit, reading.as_ref()?.number()?))));
    let end = move |of: fn(Ends) -> f64| move || ends.get().map(|ends| shortest(of(ends))).unwrap_or_default();
    let level = WidgetSeries::level(reading);
    let number = move |of: fn(&NumberReading) -> String| {
        reading.with(|reading| reading.as_ref().and_then(Reading::number).map(of).unwrap_or_default())
    };
    let text = move || {
        let word = match level.get() {
            Some(Level::Bad) => ", bad",
            Some(Level::Warn) => ", warning",
            _ => "",
        };
        reading.with(|reading| reading.as_ref().map(Reading::text).unwrap_or_default()) + word
    };
    let share = move || {
        let share = ends.get().zip(reading.with(|reading| Some(reading.as_ref()?.number()?.raw)));
        share.map(|(ends, raw)| format!("{} 200", fixed(100.0 * ends.share(raw), 2))).unwrap_or_default()
    };
    let end_text = move |of: fn(Ends) -> f64| {
        move || {
            let written = |number: &NumberReading| {
                let end = end_figures(&number.style, of(ends.get()?));
                // The unit of the value stands in the middle.
                Some(if end.unit == number.unit { end.number } else { end.text() })
            };
            reading.with(|reading| written(reading.as_ref()?.number()?)).unwrap_or_default()
        }
    };
    let sign = move || {
        level.get().map(|level| {
            view! {
                <g class="dial-sign" transform="translate(45.8 13.5) scale(.525)" inner_html=Icon::of(level).drawing()></g>
            }
            .into_any()
        })
    };
    view! {
        <svg
            class="dial-face"
            viewBox="0 0 100 61"
            role="meter"
            data-level=move || level_word(level.get())
            aria-label=label
            aria-valuenow=move || number(|number| shortest(number.raw))
            aria-valuemin=end(|ends| ends.min)
            aria-valuemax=end(|ends| ends.max)
            aria-valuetext=text
        >
            <path class="dial-way" d=ARC></path>
            <path class="dial-share" d=ARC pathLength="100" stroke-dasharray=share></path>
            {move || ends.get().map(|ends| limits(ends, series))}
            {sign}
            <text
                class="dial-value"
                x="50"
                y="46"
                font-size=move || number(|number| shortest((62.0 / glyphs(&number.value)).min(24.0)))
                data-testid="value"
                data-value=move || number(|number| shortest(number.raw))
            >
                {move || number(|number| number.value.clone())}
            </text>
            <text class="dial-end" x="50" y="58">{move || number(|number| number.unit.clone())}</text>
            <text class="dial-end" x="9" y="58">{end_text(|ends| ends.min)}</text>
            <text class="dial-end" x="91" y="58">{end_text(|ends| ends.max)}</text>
        </svg>
    }
}

/// Formats an end of a gauge, without decimals that are all zero.
fn end_figures(style: &NumberFormat, end: f64) -> Figures {
    let (exact, whole) = (style.figures(end), style.with_decimals(Some(0)).figures(end));
    let is_same = |rest: &str| !rest.contains(|c: char| c.is_ascii_digit() && c != '0');
    if exact.number.strip_prefix(&whole.number).is_some_and(is_same) { whole } else { exact }
}

/// Draws an arc for each threshold, over the numbers that have its level; the most severe is on top.
fn limits(ends: Ends, series: WidgetSeries) -> Vec<AnyView> {
    let mark = |threshold: &Threshold| {
        let (from, to) = match threshold.limit {
            Limit::Above(limit) => (ends.share(limit), 1.0),
            Limit::Below(limit) => (0.0, ends.share(limit)),
        };
        let (offset, length) = (fixed(-100.0 * from, 2), fixed(100.0 * (to - from), 2));
        let level = level_word(Some(threshold.level));
        (to > from).then(|| {
            view! {
                <path
                    class="dial-limit"
                    data-level=level
                    d="M3.5 50A46.5 46.5 0 0 1 96.5 50"
                    pathLength="100"
                    stroke-dasharray=format!("{length} 200")
                    stroke-dashoffset=offset
                ></path>
            }
            .into_any()
        })
    };
    series.source.with_value(|source| {
        let mut thresholds: Vec<&Threshold> = source.thresholds.iter().collect();
        thresholds.sort_by_key(|threshold| threshold.level);
        thresholds.into_iter().filter_map(mark).collect()
    })
}

/// Estimates the width of bold figures, in sizes of their font, as an upper bound. Separators are half as wide.
fn glyphs(figures: &str) -> f64 {
    figures.chars().map(|c| if matches!(c, '.' | ',') { 0.36 } else { 0.7 }).sum::<f64>().max(0.7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::board::Show;
    use shared::reading::ReadingQuery;
    use shared::reading::{Lookback, LookbackBuckets};
    use shared::{Millis, Number, Seq, Stamp, Track, Value};

    fn ends(options: GaugeOptions, name: &str, values: &[f64]) -> Ends {
        let name = name.parse().unwrap();
        let point = |seq: u64, value| {
            (Stamp { ts: Millis(seq * 1_000), seq: Seq(seq) }, Value::Number(Number::new(value).unwrap()))
        };
        let (at, value) = point(1, values[0]);
        let mut track = Track::of(at, value);
        for (seq, &value) in (2..).zip(&values[1..]) {
            let (at, value) = point(seq, value);
            track.push(at, value);
        }
        let source = SeriesSource::default();
        let lookback = Lookback { range_ms: 60_000, change_ms: 60_000 };
        let reading = Reading::of(
            &name,
            &track,
            ReadingQuery { source: &source, show: Show::Value, lookback, past: LookbackBuckets::Track },
        );
        Ends::of(options, UnitFormat::of(None, &name), reading.number().unwrap())
    }

    #[test]
    fn the_ends_are_as_the_document_says_or_as_fits() {
        let none = GaugeOptions::default();
        assert_eq!(ends(none, "ops/cpu_pct", &[3.0]), Ends { min: 0.0, max: 100.0 });
        assert_eq!(ends(none, "ops/hit_ratio", &[0.3]), Ends { min: 0.0, max: 1.0 });
        assert_eq!(ends(none, "ops/depth", &[3.0, 12.0, 7.0]), Ends { min: 0.0, max: 20.0 });
        assert_eq!(ends(none, "ops/temp", &[-3.0, 12.0]), Ends { min: -3.0, max: 20.0 });
        assert_eq!(ends(none, "ops/depth", &[0.0]), Ends { min: 0.0, max: 1.0 });
        assert_eq!(ends(none, "ops/depth", &[f64::MAX]), Ends { min: 0.0, max: f64::MAX });
        let options = GaugeOptions { min: Some(10.0), max: Some(20.0) };
        assert_eq!(ends(options, "ops/depth", &[3.0]), Ends { min: 10.0, max: 20.0 });
    }

    #[test]
    fn end_has_no_decimals_that_are_all_zero() {
        let style = |unit: &str| {
            let name = format!("ops/x_{unit}").parse().unwrap();
            NumberFormat::of(UnitFormat::of(None, &name), 49.25, std::iter::once(49.25))
        };
        for (end, text) in [(0.0, "0"), (100.0, "100"), (62.5, "62.5"), (-3.0, "−3")] {
            assert!(end_figures(&style("pct"), end).number.starts_with(text), "{end}");
        }
        assert_eq!(end_figures(&style("pct"), 100.0).number, "100");
        assert_eq!(end_figures(&style("pct"), 0.0).number, "0");
    }

    #[test]
    fn what_is_beyond_an_end_is_at_it_and_extremes_are_somewhere() {
        let ends = Ends { min: 10.0, max: 20.0 };
        assert_eq!([0.0, 10.0, 15.0, 20.0, 99.0].map(|value| ends.share(value)), [0.0, 0.0, 0.5, 1.0, 1.0]);
        assert_eq!(Ends { min: f64::MIN, max: f64::MAX }.share(0.0), 0.5);
    }
}
