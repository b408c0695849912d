//! The legend of a chart, and its values at a moment.

use shared::Millis;
use shared::board::threshold::level;

use super::ChartContent;
use crate::chart::lanes::Lane;
use crate::chart::legend::{Entry, LegendValue, Line};
use crate::chart::look::Look;
use crate::chart::number_labels;
use crate::chart::trace::{Role, Trace};
use crate::widget::series::stale_words;

impl ChartContent {
    /// The value of each line and row at a moment, or the newest one as of `now`.
    #[must_use]
    pub fn readings(&self, look: &Look, at: Option<u64>, now: u64) -> Vec<LegendValue> {
        let style = self.value_format(look);
        // Thresholds are in the unit of the series, so they do not apply to shares.
        let measured = !look.is_share();
        let none = || LegendValue { text: "–".to_owned(), ..LegendValue::default() };
        let greatest = self.traces.iter().filter_map(|trace| trace.newest).map(f64::abs).fold(0.0, f64::max);
        // A value that would vanish in the prefix of a greater one gets its own prefix: `70.4`, not `0.000 G`.
        let written = |value: f64| match value.abs() {
            small if measured && small > 0.0 && small * 1e3 < greatest => {
                number_labels::number_format(self.unit(), &[value], &look.source).text(value)
            }
            _ => style.text(value),
        };
        let stale = |since: Option<u64>| since.filter(|_| at.is_none()).map(|at| stale_words(Millis(at), now));
        let of_trace = |trace: &Trace| {
            let dot = at.map(|at| trace.near(at));
            let value = match dot {
                Some(dot) => dot.map(|dot| dot.value),
                None => trace.newest,
            };
            let range = dot.flatten().filter(|dot| measured && dot.low < dot.high && !look.is_stacked());
            value.map_or_else(none, |value| LegendValue {
                text: written(value),
                raw: Some(value),
                level: level(&look.source.thresholds, value).filter(|_| measured),
                range: range.map(|dot| format!("{} to {}", written(dot.low), written(dot.high))),
                stale: stale(trace.stale_since),
            })
        };
        let of_lane = |lane: &Lane| {
            let text = match at {
                Some(at) => lane.at(at),
                None => lane.newest(),
            };
            text.map_or_else(none, |text| LegendValue {
                text: text.to_owned(),
                stale: stale(lane.stale_since),
                ..LegendValue::default()
            })
        };
        self.traces.iter().map(of_trace).chain(self.lanes.iter().map(of_lane)).collect()
    }

    /// The legend entries of the lines and rows.
    #[must_use]
    pub fn legend(&self) -> Vec<Entry> {
        let entry = |label: &String, series: usize, line| {
            Some(Entry { label: label.clone(), series: self.names.get(series)?.clone(), line })
        };
        let line =
            |trace: &Trace| Line { colour: trace.colour, dash: trace.dash, is_earlier: trace.role == Role::Earlier };
        let traces = self.traces.iter().map(|trace| entry(&trace.label, trace.series, Some(line(trace))));
        traces.chain(self.lanes.iter().map(|lane| entry(&lane.label, lane.series, None))).flatten().collect()
    }
}
