//! The content of a chart, made from the data of its series.
//!
//! - [`drawing`] draws it; [`readings`] are its legend and its values at a moment; [`notes`] are messages about it.

pub mod drawing;
pub mod notes;
pub mod readings;

use shared::board::Show;
use shared::board::lines::Stack;
use shared::reading::{Cell, Detail, is_stale};
use shared::{Duration, Millis, SeriesName, Track};

use super::heat::{self, HeatColumn};
use super::lanes::{BucketStates, Lane, StateStyle};
use super::look::{Look, Shape};
use super::number_labels;
use super::stack::{Upon, stack};
use super::trace::{Anchor, Dot, Role, Trace, break_ms, dots, later};
use crate::board::context::BoardContext;
use crate::history::SeriesCache;
use crate::history::live_cells::LiveCells;
use notes::Coverage;
use shared::format::duration::duration;
use shared::format::unit::UnitFormat;

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

    /// The label of one of its lines; `word` is empty if it has only one.
    fn called(&self, word: &str, several: bool) -> String {
        match (several, word) {
            (_, "") => self.label.clone(),
            (false, word) => word.to_owned(),
            (true, word) => format!("{} {word}", self.label),
        }
    }
}

/// The time range of a chart, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The left edge.
    pub from: u64,
    /// The right edge.
    pub to: u64,
    /// The right edge, but not after now: nothing is known of the time after it.
    pub end: u64,
}

/// The content of a chart.
#[derive(Clone, Debug, Default)]
pub struct ChartContent {
    /// Lines.
    pub traces: Vec<Trace>,
    /// Rows of states.
    pub lanes: Vec<Lane>,
    /// The moment before which entries were left out, if there were too many.
    pub cut: Option<u64>,
    /// The points that there are in the range.
    pub coverage: Coverage,
    /// The names of the series.
    names: Vec<SeriesName>,
    heat_columns: Vec<HeatColumn>,
    unit: Option<UnitFormat>,
    width: u64,
}

impl ChartContent {
    /// The unit of the axis; none where the series have different ones.
    fn unit(&self) -> UnitFormat {
        self.unit.unwrap_or(UnitFormat::none())
    }

    /// Takes the content of these series within a time range.
    #[must_use]
    pub fn take(look: &Look, strands: &mut [Strand], (from, to): (u64, u64), now: u64, context: BoardContext) -> Self {
        let mut content = Self::default();
        let span = Span { from, to, end: to.min(now) };
        let several = strands.len() > 1;
        // The number that the other widgets of a past board show.
        let shown_last = |name: &SeriesName| {
            let last = |track: &Track| match track {
                Track::Numbers(buckets) => buckets.back().map(|bucket| bucket.last.value),
                Track::Texts(_) => None,
            };
            context.view.past.is_shown().then(|| context.with_track_untracked(name, last).flatten()).flatten()
        };
        for strand in strands {
            content.width = strand.width;
            content.names.push(strand.name.clone());
            let numbers = look.numbers(context.live.declared(&strand.name));
            if strand.hidden {
                content.add_hidden(look, strand, &numbers, several);
                continue;
            }
            let name = strand.name.clone();
            _ = context.live.with_track_untracked(&name, |track| {
                context.history.with(&name, |known| match track {
                    Track::Numbers(buckets) => {
                        strand.recent.follow(buckets);
                        let width = strand.width;
                        let cells = known.cells(width, strand.detail);
                        let glued = strand.recent.join(cells, buckets, from, to);
                        content.coverage.add_cells(glued.iter(), span);
                        match &look.shape {
                            Shape::States(colours) => {
                                let style = StateStyle {
                                    colours,
                                    thresholds: &look.source.thresholds,
                                    expect: look.source.expect.map(Duration::as_millis),
                                };
                                content.add_lane(
                                    strand,
                                    Lane::new(glued.iter().map(BucketStates::of_cell), span.end, style),
                                );
                            }
                            Shape::Heat => {
                                content.add_unit(number_labels::unit(&look.source, &name, Show::Value));
                                heat::merge_into_columns(&mut content.heat_columns, &mut glued.iter());
                            }
                            Shape::Lines { .. } | Shape::Areas(_) | Shape::Bars => {
                                // The last bucket of a past board may have points after the shown moment.
                                let newest = glued.iter().next_back().cloned().map(|cell| match shown_last(&name) {
                                    Some(last) => Cell { last, ..cell },
                                    None => cell,
                                });
                                let anchor = if look.is_stacked() { Anchor::Bucket(span.end) } else { Anchor::Points };
                                for (dash, &(show, word)) in numbers.iter().enumerate() {
                                    let band = look.band(show).filter(|_| dash == 0);
                                    let dots = dots(&glued, show, band, anchor);
                                    let trace = Trace { dots, dash, ..content.trace(strand, word, several) };
                                    content.add_line(look, trace, show, newest.as_ref(), span);
                                }
                                if let (Some(earlier), Some(&(show, _))) = (look.compare, numbers.first()) {
                                    let ms = earlier.distance().as_millis();
                                    let (from, to) = (from.saturating_sub(ms), to.saturating_sub(ms));
                                    let glued = strand.recent.join(cells, buckets, from, to);
                                    let dots = later(dots(&glued, show, None, anchor), ms);
                                    content.add_earlier(look, strand, dots, ms, several);
                                }
                            }
                        }
                    }
                    Track::Texts(log) => content.add_texts(look, strand, known, log, span),
                })
            });
        }
        match look.shape {
            Shape::Areas(Stack::Sum) => stack(&mut content.traces, Upon::Sum),
            Shape::Areas(Stack::Share) => stack(&mut content.traces, Upon::Share),
            _ => {}
        }
        content
    }

    /// A line of the series that was added last, without points.
    fn trace(&self, strand: &Strand, word: &str, several: bool) -> Trace {
        let series = self.names.len().saturating_sub(1);
        Trace { label: strand.called(word, several), series, colour: strand.colour, ..Trace::default() }
    }

    /// The lines of a hidden series stay in the legend, so that the user can show them again.
    fn add_hidden(&mut self, look: &Look, strand: &Strand, numbers: &[(Show, &'static str)], several: bool) {
        if let Shape::States(_) = look.shape {
            return self.add_lane(strand, Lane::default());
        }
        for (dash, (_, word)) in numbers.iter().enumerate() {
            let trace = Trace { dash, ..self.trace(strand, word, several) };
            self.traces.push(trace);
        }
    }

    fn add_line(&mut self, look: &Look, trace: Trace, show: Show, newest: Option<&Cell>, span: Span) {
        let unit =
            self.names.last().map_or_else(UnitFormat::none, |name| number_labels::unit(&look.source, name, show));
        self.add_unit(unit);
        let expect = look.source.expect;
        let break_ms = break_ms(&trace.dots, self.width, expect.map(Duration::as_millis));
        // A mean that the document does not select is that of a bucket, while the newest number is the last value.
        let last = newest.filter(|_| look.source.show.is_none() && show == Show::Mean);
        let value = last.map(|cell| cell.last).or_else(|| trace.dots.last().map(|dot| dot.value));
        let is_stale = |at: u64| expect.is_some_and(|expect| is_stale(expect, Millis(at), Millis(span.end)));
        let stale_since = newest.map(|cell| cell.at).filter(|at| is_stale(*at));
        self.traces.push(Trace { newest: value, stale_since, ..trace }.broken_at(break_ms));
    }

    /// Adds the unit of a series. One axis has one unit: if two series have different units, the axis has none.
    fn add_unit(&mut self, unit: UnitFormat) {
        let common = self.unit.is_none_or(|common| common == unit);
        self.unit = Some(if common { unit } else { UnitFormat::none() });
    }

    /// Adds the line of an earlier time, whose points are shifted to the shown range.
    fn add_earlier(&mut self, look: &Look, strand: &Strand, dots: Vec<Dot>, ms: u64, several: bool) {
        let break_ms = break_ms(&dots, self.width, look.source.expect.map(Duration::as_millis));
        let label = strand.called(&format!("{} before", duration(ms)), several);
        let trace = Trace { label, dots, role: Role::Earlier, ..self.trace(strand, "", several) };
        self.traces.push(trace.broken_at(break_ms));
    }

    fn add_texts(&mut self, look: &Look, strand: &Strand, known: &SeriesCache, log: &shared::TextLog, span: Span) {
        let Shape::States(colours) = &look.shape else {
            // A text has no position on an axis of numbers.
            self.coverage.texts.push(strand.label.clone());
            return;
        };
        let texts = known.texts();
        self.cut = self.cut.max(texts.cut.filter(|cut| *cut > span.from));
        let lines = texts.join(log, span.from, span.to);
        self.coverage.add(lines.iter().map(|line| (line.0, line.0)), span);
        let style = StateStyle { colours, thresholds: &[], expect: look.source.expect.map(Duration::as_millis) };
        self.add_lane(strand, Lane::new(lines.into_iter().map(BucketStates::of_text), span.end, style));
    }

    fn add_lane(&mut self, strand: &Strand, lane: Lane) {
        let series = self.names.len().saturating_sub(1);
        self.lanes.push(Lane { label: strand.label.clone(), series, is_hidden: strand.hidden, ..lane });
    }
}
