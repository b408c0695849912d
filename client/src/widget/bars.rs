//! Bars: one for each series, as long as its value.

use leptos::prelude::*;
use shared::SeriesName;
use shared::board::SeriesSource;
use shared::board::axis::{Axis, Scale};
use shared::board::bars::BarOptions;

use super::head::StaleMark;
use super::lookback::LookbackKind;
use super::series::WidgetSeries;
use super::unfit::Unfit;
use crate::board::context::BoardContext;
use crate::icon::{LevelMark, level_word};
use shared::format::digits::{fixed, shortest};
use shared::reading::Reading;

/// A bar for each series.
#[expect(clippy::needless_pass_by_value, reason = "a component owns its properties")]
#[component]
pub fn BarsWidget(
    /// The options of the document.
    options: BarOptions,
    /// The series and how to read them.
    source: SeriesSource,
    /// The shared context of the board's widgets.
    context: BoardContext,
) -> impl IntoView {
    let series = WidgetSeries::new(source, LookbackKind::Newest, context);
    let reach = Memo::new(move |_| {
        let numbers = series.names.get().into_iter().filter_map(|name| Some(series.reading(&name)?.number()?.raw));
        Reach::of(options.axis, numbers)
    });
    view! {
        <ul class="bars" tabindex="0">
            <For each=move || series.names.get() key=SeriesName::clone let(name)>
                <BarRow name series reach/>
            </For>
        </ul>
        <Unfit rows=".bar" context/>
    }
}

#[component]
fn BarRow(name: SeriesName, series: WidgetSeries, reach: Memo<Reach>) -> impl IntoView {
    let reading = series.reading_memo(name.clone());
    let level = WidgetSeries::level(reading);
    let raw = move || reading.with(|reading| Some(reading.as_ref()?.number()?.raw));
    let absent = name.clone();
    let text = move || {
        reading.with(|reading| reading.as_ref().map(Reading::text)).unwrap_or_else(|| series.absent(&absent).to_owned())
    };
    // The left end and the length of the bar, as fractions of the row.
    let ends = Memo::new(move |_| raw().map(|raw| reach.get().bar(raw)));
    let left = move || ends.get().map(|(from, _)| percent(from));
    let width = move || ends.get().map(|(from, to)| percent(to - from));
    let (of, named) = (name.clone(), name.clone());
    view! {
        <li class="bar" data-level=move || level_word(level.get()) data-stale=move || series.stale_flag(&of)>
            <span class="bar-name" title=name.to_string()>{move || series.name(&named)}</span>
            <StaleMark name series/>
            <span class="bar-value">
                <LevelMark level/>
                <span data-testid="value" data-value=move || raw().map(shortest).unwrap_or_default()>
                    {move || text()}
                </span>
            </span>
            <span class="bar-way" aria-hidden="true">
                <span class="bar-share" style:left=left style:width=width></span>
            </span>
        </li>
    }
}

fn percent(fraction: f64) -> String {
    format!("{}%", fixed(100.0 * fraction, 2))
}

/// The range of numbers that the bars cover.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Reach {
    low: f64,
    high: f64,
    scale: Scale,
}

impl Reach {
    /// Uses the ends of the document. An end that it does not give follows from `numbers`, so that all are within. A
    /// linear range includes zero, since the user compares the lengths of bars. A logarithmic range has no zero; it
    /// begins at the power of ten below the least number.
    fn of(axis: Axis, numbers: impl Iterator<Item = f64>) -> Self {
        let scale = axis.scale.unwrap_or(Scale::Linear);
        let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
        for number in numbers.filter(|number| scale == Scale::Linear || *number > 0.0) {
            (least, greatest) = (least.min(number), greatest.max(number));
        }
        if least > greatest {
            (least, greatest) = (1.0, 1.0);
        }
        let (low, high) = match scale {
            Scale::Linear => (least.min(0.0), greatest.max(0.0)),
            Scale::Log => (10_f64.powf((least.log10() - 1e-9).floor()), greatest),
        };
        let (low, high) = (axis.min.unwrap_or(low), axis.max.unwrap_or(high));
        // An end of the document may lie beyond the other end, which follows from the numbers.
        Self { low, high: if high > low { high } else { low + low.abs().max(1.0) }, scale }
    }

    /// Returns the fraction of the range at which a number is, from 0 to 1. A number beyond an end is at that end.
    fn share(self, number: f64) -> f64 {
        let of = |number: f64| match self.scale {
            Scale::Linear => number / 2.0,
            Scale::Log => number.max(f64::MIN_POSITIVE).log10(),
        };
        ((of(number) - of(self.low)) / (of(self.high) - of(self.low))).clamp(0.0, 1.0)
    }

    /// Returns the fractions at which the bar of a number begins and ends.
    fn bar(self, number: f64) -> (f64, f64) {
        let base = match self.scale {
            Scale::Linear => self.share(0.0),
            Scale::Log => 0.0,
        };
        let end = self.share(number);
        (base.min(end), base.max(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_begin_at_zero_and_the_longest_reaches_the_end() {
        let reach = Reach::of(Axis::default(), [5.0, 20.0, 10.0].into_iter());
        assert_eq!([0.0, 10.0, 20.0].map(|number| reach.bar(number)), [(0.0, 0.0), (0.0, 0.5), (0.0, 1.0)]);
        let both = Reach::of(Axis::default(), [-10.0, 30.0].into_iter());
        assert_eq!([-10.0, 30.0].map(|number| both.bar(number)), [(0.0, 0.25), (0.25, 1.0)]);
    }

    #[test]
    fn by_ratios_each_power_of_ten_is_as_long_as_the_others() {
        let axis = Axis { scale: Some(Scale::Log), ..Axis::default() };
        let reach = Reach::of(axis, [10.0, 1_000.0, 0.0].into_iter());
        assert_eq!(reach.low, 1.0, "the least is seen too");
        let ends = [1_000.0, 10.0, 0.0].map(|number| reach.bar(number).1);
        assert!((ends[0] - 1.0).abs() < 1e-9 && (ends[1] - 1.0 / 3.0).abs() < 1e-9 && ends[2] == 0.0, "{ends:?}");
    }

    #[test]
    fn whatever_the_numbers_and_ends_a_bar_is_somewhere() {
        let ends = [None, Some(-5.0), Some(50.0)];
        for (min, max) in ends
            .into_iter()
            .flat_map(|min| ends.map(|max| (min, max)))
            .filter(|(a, b)| a.is_none() || b.is_none() || a < b)
        {
            for numbers in [vec![], vec![0.0], vec![7.0, 7.0], vec![f64::MIN, f64::MAX]] {
                let reach = Reach::of(Axis { min, max, scale: None }, numbers.iter().copied());
                for number in numbers {
                    let (from, to) = reach.bar(number);
                    assert!((0.0..=1.0).contains(&from) && from <= to && to <= 1.0, "{number} in {reach:?}");
                }
            }
        }
    }
}
