//! The content of a chart: made from the data of its series, and drawn.

use shared::board::lines::{Band, Stack};
use shared::board::threshold::level;
use shared::{Duration, SeriesName, Track};

use super::heat::{self, Pile};
use super::lanes::{self, Lane};
use super::legend::{Entry, LegendValue, Line};
use super::lines::{self, Fill};
use super::look::{Look, Shape};
use super::palette::Palette;
use super::pen::Pen;
use super::plot::Plot;
use super::trace::{Trace, Upon, break_ms, dots, stack};
use super::value_axis::{Ground, Upright};
use super::wording;
use super::{bars, time_axis};
use crate::board::context::BoardContext;
use crate::history::live_cells::LiveCells;
use shared::format::number::NumberFormat;
use shared::format::unit::UnitFormat;
use shared::reading::Detail;

/// The room for a label of the time axis, as a multiple of the label size.
const TICK: f64 = 8.0;

/// One series of a chart, and its live buckets.
#[derive(Debug)]
pub struct Strand {
    name: SeriesName,
    label: String,
    colour: usize,
    width: u64,
    detail: Detail,
    recent: LiveCells,
    /// True if the user hid the series.
    pub hidden: bool,
}

impl Strand {
    /// Makes the strand of a series, in buckets of `width` milliseconds.
    #[must_use]
    pub fn new(name: SeriesName, label: String, colour: usize, width: u64, detail: Detail) -> Self {
        Self { name, label, colour, width, detail, recent: LiveCells::new(width, detail), hidden: false }
    }

    /// The name of the series.
    #[must_use]
    pub fn name(&self) -> &SeriesName {
        &self.name
    }
}

/// The content of a chart.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// Lines.
    pub traces: Vec<Trace>,
    /// Rows of states.
    pub lanes: Vec<Lane>,
    /// The moment before which entries were left out, if there were too many.
    pub cut: Option<u64>,
    /// The names of the series.
    names: Vec<SeriesName>,
    piles: Vec<Pile>,
    unit: Option<UnitFormat>,
    width: u64,
}

impl Picture {
    /// Takes the content of these series within a time range.
    #[must_use]
    pub fn take(look: &Look, strands: &mut [Strand], (from, to): (u64, u64), now: u64, context: BoardContext) -> Self {
        let mut picture = Self::default();
        let several = strands.len() > 1;
        for (series, strand) in strands.iter_mut().enumerate() {
            let Strand { name, label, colour, width, detail, recent, hidden } = strand;
            picture.width = *width;
            picture.names.push(name.clone());
            let numbers = look.numbers(context.live.declared(name));
            let called = |word: &str| match (several, word) {
                (_, "") => label.clone(),
                (false, word) => word.to_owned(),
                (true, word) => format!("{label} {word}"),
            };
            if *hidden {
                // The lines of a hidden series stay in the legend, so that the user can show them again.
                let gone = |(dash, &(_, word)): (usize, &(_, &str))| Trace {
                    label: called(word),
                    series,
                    colour: *colour,
                    dash,
                    ..Trace::default()
                };
                picture.traces.extend(numbers.iter().enumerate().map(gone));
                continue;
            }
            let looked = context.live.with_track(name, |track| {
                context.history.with(name, |known| match (track, &look.shape) {
                    (Track::Numbers(buckets), Shape::States(colours)) => {
                        recent.follow(buckets);
                        let glued = recent.join(known.cells(*width, *detail), buckets, from, to);
                        let states = glued.iter().flat_map(|cell| {
                            let last = (cell.middle(), cell.last.to_string());
                            [(cell.start, cell.first.to_string()), last]
                        });
                        picture.lanes.push(Lane::new(label.clone(), states, to.min(now), colours));
                    }
                    (Track::Numbers(buckets), shape) => {
                        recent.follow(buckets);
                        let glued = recent.join(known.cells(*width, *detail), buckets, from, to);
                        if matches!(shape, Shape::Heat) {
                            heat::pile(&mut picture.piles, &mut glued.iter());
                        }
                        let band = match shape {
                            Shape::Lines { band, .. } => *band,
                            _ => None,
                        };
                        for (dash, &(show, word)) in numbers.iter().enumerate() {
                            let dots = dots(&glued, show, band.filter(|_| dash == 0));
                            let unit = wording::unit(&look.source, name, show);
                            // One axis has one unit: if two series have different units, the axis has none.
                            let common = picture.unit.is_none_or(|common| common == unit);
                            picture.unit = Some(if common { unit } else { wording::none() });
                            let expect = look.source.expect.map(Duration::as_millis);
                            let label = called(word);
                            let break_ms = break_ms(&dots, *width, expect);
                            picture.traces.push(Trace { label, series, colour: *colour, dash, dots, break_ms });
                        }
                    }
                    (Track::Texts(log), Shape::States(colours)) => {
                        picture.cut = picture.cut.max(known.texts().cut.filter(|cut| *cut > from));
                        let states = known.texts().join(log, from, to).into_iter();
                        let states = states.map(|(at, state)| (at, state.to_owned()));
                        picture.lanes.push(Lane::new(label.clone(), states, to.min(now), colours));
                    }
                    // A text has no position on an axis of numbers.
                    (Track::Texts(_), _) => {}
                })
            });
            _ = looked;
        }
        match look.shape {
            Shape::Areas(Stack::Sum) => stack(&mut picture.traces, Upon::Sum),
            Shape::Areas(Stack::Share) => stack(&mut picture.traces, Upon::Share),
            Shape::Areas(Stack::None) => {
                let each = picture.traces.iter_mut().flat_map(|trace| &mut trace.dots);
                each.for_each(|dot| (dot.low, dot.high) = (dot.value.min(0.0), dot.value.max(0.0)));
            }
            _ => {}
        }
        picture
    }

    /// Returns true if there is nothing to draw.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lanes.iter().all(|lane| lane.states.is_empty()) && self.traces.iter().all(|trace| trace.dots.is_empty())
    }

    /// The axis for the content from a moment on.
    #[must_use]
    pub fn axis(&self, look: &Look, from: u64) -> Upright {
        let ground = match look.shape {
            Shape::Areas(_) | Shape::Bars => Ground::Zero,
            _ => Ground::Free,
        };
        let hull = |a: (f64, f64), b: (f64, f64)| (a.0.min(b.0), a.1.max(b.1));
        let shown = match look.shape {
            Shape::Heat => heat::extent(&self.piles),
            _ => self.traces.iter().filter_map(|trace| trace.extent(from)).reduce(hull),
        };
        // Shares add up to 100. The axis adds its margin of 8 % to 92.6, which gives 100.
        let shown = if matches!(look.shape, Shape::Areas(Stack::Share)) { Some((0.0, 92.6)) } else { shown };
        Upright::new(look.axis, shown, ground)
    }

    /// The number format of the axis.
    #[must_use]
    pub fn style(&self, look: &Look, axis: &Upright) -> NumberFormat {
        let values = axis.ticks(5);
        match look.shape {
            Shape::Areas(Stack::Share) => wording::percent(&values),
            _ => wording::style(self.unit.unwrap_or(wording::none()), &values, &look.source),
        }
    }

    /// The number format of single values.
    #[must_use]
    pub fn fine(&self, look: &Look) -> NumberFormat {
        let newest = self.traces.iter().filter_map(|trace| trace.dots.last());
        let values: Vec<f64> = newest.map(|dot| dot.value).collect();
        match look.shape {
            Shape::Areas(Stack::Share) => wording::percent(&values),
            _ => wording::style(self.unit.unwrap_or(wording::none()), &values, &look.source),
        }
    }

    /// Draws the content.
    pub fn draw(&self, look: &Look, pen: &Pen, plot: &Plot, palette: &Palette) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
        let most = (plot.width / (pen.label * TICK)) as u64;
        let ticks = time_axis::ticks(plot.from, plot.to, most.max(2), &offset);
        plot.draw_time(pen, palette, &ticks);
        if let Shape::States(_) = look.shape {
            return lanes::draw(pen, plot, palette, &self.lanes);
        }
        let axis = self.axis(look, plot.from);
        let style = self.style(look, &axis);
        plot.draw_grid(pen, palette, &axis);
        if let Shape::Heat = look.shape {
            heat::draw(pen, plot, palette, &axis, &self.piles);
            return plot.draw_values(pen, palette, &axis, &style);
        }
        plot.draw_thresholds(pen, palette, &axis, &look.source.thresholds);
        match &look.shape {
            Shape::Bars => bars::draw(pen, plot, palette, &axis, &self.traces, self.width.max(1)),
            Shape::Areas(_) => lines::draw(pen, plot, palette, &axis, &self.traces, Fill::Area),
            Shape::Lines { band: Some(Band::MinMax | Band::P50P95 | Band::P50P99), .. } => {
                lines::draw(pen, plot, palette, &axis, &self.traces, Fill::Band);
            }
            _ => {
                let fill = if self.traces.len() == 1 { Fill::Ground } else { Fill::None };
                lines::draw(pen, plot, palette, &axis, &self.traces, fill);
            }
        }
        plot.draw_values(pen, palette, &axis, &style);
    }

    /// The value of each line and row at a moment, or the newest one.
    #[must_use]
    pub fn readings(&self, look: &Look, at: Option<u64>) -> Vec<LegendValue> {
        let style = self.fine(look);
        // Thresholds are in the unit of the series, so they do not apply to shares.
        let measured = !matches!(look.shape, Shape::Areas(Stack::Share));
        let none = || LegendValue { text: "–".to_owned(), level: None };
        let newest = self.traces.iter().filter_map(|trace| Some(trace.dots.last()?.value.abs()));
        let greatest = newest.fold(0.0, f64::max);
        // A value that would vanish in the prefix of a greater one gets its own prefix: `70.4`, not `0.000 G`.
        let written = |value: f64| match value.abs() {
            small if measured && small > 0.0 && small * 1e3 < greatest => {
                wording::written(&wording::style(self.unit.unwrap_or(wording::none()), &[value], &look.source), value)
            }
            _ => wording::written(&style, value),
        };
        let of_trace = |trace: &Trace| {
            let dot = match at {
                Some(at) => trace.near(at),
                None => trace.dots.last(),
            };
            dot.map_or_else(none, |dot| LegendValue {
                text: written(dot.value),
                level: level(&look.source.thresholds, dot.value).filter(|_| measured),
            })
        };
        let of_lane = |lane: &Lane| match at {
            Some(at) => lane.at(at).map(str::to_owned),
            None => lane.states.last().map(|state| state.state.clone()),
        };
        let of_lane = |lane: &Lane| of_lane(lane).map_or_else(none, |text| LegendValue { text, level: None });
        self.traces.iter().map(of_trace).chain(self.lanes.iter().map(of_lane)).collect()
    }

    /// The legend entries of the lines and rows.
    #[must_use]
    pub fn legend(&self) -> Vec<Entry> {
        let line = |trace: &Trace| {
            let series = self.names.get(trace.series)?.clone();
            Some(Line { series, colour: trace.colour, dash: trace.dash })
        };
        let traces = self.traces.iter().map(|trace| Entry { label: trace.label.clone(), line: line(trace) });
        traces.chain(self.lanes.iter().map(|lane| Entry { label: lane.label.clone(), line: None })).collect()
    }
}

/// The offset of local time from UTC at a moment, in milliseconds; positive if local time is ahead.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "times stay below 2^53, offsets below a day"
)]
pub fn offset(at: u64) -> i64 {
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at as f64));
    -(date.get_timezone_offset() * 60_000.0) as i64
}
