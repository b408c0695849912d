//! The past of series in the page: answers of `GET /api/history`, kept and continued by the live track.
//!
//! - [`request`] decides when to request history, and how much of it. [`answer`] reads an answer, by means of
//!   [`node`].
//! - [`cell_cache`] keeps the buckets of a series of numbers as [`Cell`](shared::reading::Cell)s, and the [`time_ranges`] that are
//!   complete. [`texts`] does the same for a series of texts.
//! - [`live_cells`] adds up the live seconds to buckets of the same width, and joins both.
//!
//! A bucket is made of the track alone where the track has all of its points. Older buckets come from history. Where
//! a bucket is wider than the track reaches, the bucket in which both meet is the one of history plus the seconds
//! that came after the request. Until it is requested again, its count may be wrong by the points of one second.

pub mod answer;
pub mod cell_cache;
pub mod live_cells;
mod node;
pub mod request;
pub mod texts;
pub mod time_ranges;

use leptos::prelude::*;
use std::collections::HashMap;

use leptos::task::spawn_local;
use shared::{SeriesName, Track};

use crate::board::context::BoardContext;
use crate::fetch;
use crate::live::Live;
use answer::{HistoryContent, SeriesHistory};
use cell_cache::CellCache;
use request::{HistoryRequest, RequestTimer, VisibleRange};
use shared::reading::Detail;
use texts::Texts;

/// Least number of lines to request for each series, where all series of the request hold texts.
const LINES: u64 = 1_000;

/// Most pairs of width and detail for which the buckets of a series are kept: more than any board shows at the same
/// time.
const WIDTHS: usize = 12;

/// A handle on the history that the page has fetched.
#[derive(Clone, Copy, Debug)]
pub struct History {
    inner: StoredValue<Inner, LocalStorage>,
    /// Number of answers that arrived, for any widget: a widget may be waiting for an answer that another one
    /// requested.
    pub arrivals: RwSignal<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    series: HashMap<SeriesName, SeriesCache>,
    /// Number of snapshots that [`Live`] had applied at the last look. After a new snapshot, all that was fetched
    /// before is out of date.
    generation: u64,
}

/// All that is known of one series.
#[derive(Debug, Default)]
pub struct SeriesCache {
    /// Buckets of numbers by width and detail, in the order of use: the one used last is at the end.
    numbers: Vec<(u64, Detail, CellCache)>,
    /// Lines of texts.
    texts: Texts,
}

impl SeriesCache {
    /// Returns the buckets of a width and detail. Drops the least recently used ones where there are too many.
    pub fn cells(&mut self, width: u64, detail: Detail) -> &mut CellCache {
        let found = self.numbers.iter().position(|known| known.0 == width && known.1 == detail);
        let cells = match found {
            Some(at) => self.numbers.remove(at),
            None => {
                if self.numbers.len() >= WIDTHS {
                    self.numbers.remove(0);
                }
                (width, detail, CellCache::default())
            }
        };
        self.numbers.push(cells);
        let last = self.numbers.len() - 1;
        &mut self.numbers[last].2
    }

    /// Number of pairs of width and detail that it has buckets of.
    #[must_use]
    pub fn widths(&self) -> usize {
        self.numbers.len()
    }

    /// Returns the lines of texts.
    #[must_use]
    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    fn forget(&mut self, from: u64, to: u64) {
        self.numbers.iter_mut().for_each(|known| known.2.forget(from, to));
        self.texts.forget(from, to);
    }
}

/// The parts of an answer that a widget needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Width of the buckets, in milliseconds.
    pub width: u64,
    /// The amount of data of each bucket.
    pub detail: Detail,
    /// Number of the newest buckets before the stretch.
    pub before: u64,
}

/// The part of a shown range that history has not answered yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MissingHistory {
    /// True if a part of the visible range is missing.
    pub in_sight: bool,
    /// The stretch to request, in milliseconds; `None` where nothing should be requested now.
    pub ask: Option<(u64, u64)>,
}

/// State of one widget's requests for history, and their outcome.
#[derive(Clone, Copy, Debug)]
pub struct Requester {
    timer: StoredValue<RequestTimer>,
    /// Reason for which the last request failed; `None` after a success.
    pub trouble: RwSignal<Option<String>>,
    /// True once an answer arrived, or once nothing in sight was missing.
    pub answered: RwSignal<bool>,
}

impl Requester {
    /// The state of a widget that has requested nothing yet.
    #[must_use]
    pub fn new() -> Self {
        let timer = StoredValue::new(RequestTimer::default());
        Self { timer, trouble: RwSignal::new(None), answered: RwSignal::new(false) }
    }
}

impl Default for Requester {
    fn default() -> Self {
        Self::new()
    }
}

impl History {
    /// A history without any series.
    #[must_use]
    pub fn new() -> Self {
        Self { inner: StoredValue::new_local(Inner::default()), arrivals: RwSignal::new(0) }
    }

    /// Calls `look` with all that is known of a series.
    pub fn with<T>(self, name: &SeriesName, look: impl FnOnce(&mut SeriesCache) -> T) -> Option<T> {
        self.inner.try_update_value(|inner| match inner.series.get_mut(name) {
            Some(known) => look(known),
            None => look(inner.series.entry(name.clone()).or_default()),
        })
    }

    /// Marks what late points changed as out of date. After a new snapshot it does so with everything, and drops the
    /// series that are gone.
    pub fn follow(self, live: Live) {
        let (generation, revised) = live.take_revised();
        self.inner.try_update_value(|inner| {
            if inner.generation != generation {
                inner.generation = generation;
                inner.series.retain(|name, _| live.with_track_untracked(name, |_| ()).is_some());
                inner.series.values_mut().for_each(|known| known.forget(0, u64::MAX));
            }
            for (name, span) in revised {
                if let Some(known) = inner.series.get_mut(&name) {
                    known.forget(span.from.0, span.to.0);
                }
            }
        });
    }

    /// Returns the missing part of the shown range of a series, and if any of it is in sight.
    #[must_use]
    pub fn lacks(
        self,
        name: &SeriesName,
        track: &Track,
        shown: VisibleRange,
        detail: Detail,
        now: u64,
    ) -> MissingHistory {
        let needed = match track {
            Track::Numbers(buckets) => shared::reading::needed_until(buckets, shown.width),
            Track::Texts(log) => texts::reach(log),
        };
        let needed = needed.min(now);
        let lack = self.with(name, |known| {
            let known = match track {
                Track::Numbers(_) => known.cells(shown.width, detail).known(),
                Track::Texts(_) => known.texts.known(),
            };
            MissingHistory { in_sight: shown.lacks_in_sight(known, needed), ask: shown.lacks(known, needed, now) }
        });
        lack.unwrap_or_default()
    }

    /// Requests the missing parts of the shown range of `names`, unless [`RequestTimer`] says to wait. All series share one
    /// request.
    pub fn request_missing(
        self,
        requester: Requester,
        names: &[SeriesName],
        shown: VisibleRange,
        detail: Detail,
        context: BoardContext,
    ) {
        let now = context.server_now_untracked();
        let (mut missing, mut in_sight) = (None::<(u64, u64)>, false);
        for name in names {
            let lacks = context.live.with_track_untracked(name, |track| self.lacks(name, track, shown, detail, now));
            let Some(lacks) = lacks else { continue };
            in_sight |= lacks.in_sight;
            if let Some((from, to)) = lacks.ask {
                missing = Some(missing.map_or((from, to), |(low, high)| (low.min(from), high.max(to))));
            }
        }
        if !in_sight && requester.answered.try_get_untracked() == Some(false) {
            requester.answered.set(true);
        }
        let all_texts = names.iter().all(|name| {
            context.live.with_track_untracked(name, |track| matches!(track, Track::Texts(_))).unwrap_or_default()
        });
        let request = requester.timer.try_update_value(|timer| timer.due(now, shown, missing)).flatten();
        let Some(mut request) = request else { return };
        // Texts have no buckets, so the number of lines does not follow from the width.
        if all_texts {
            request.points = request.points.max(LINES);
        }
        self.send(requester, names, request, Parts { width: shown.width, detail, before: 0 }, context);
    }

    /// Requests a stretch of `names`, if [`RequestTimer`] says that it is time. All series share one request.
    pub fn request(
        self,
        requester: Requester,
        names: &[SeriesName],
        shown: VisibleRange,
        missing: (u64, u64),
        parts: Parts,
        context: BoardContext,
    ) {
        let due = |timer: &mut RequestTimer| timer.due(context.server_now_untracked(), shown, Some(missing));
        if let Some(request) = requester.timer.try_update_value(due).flatten() {
            self.send(requester, names, request, parts, context);
        }
    }

    /// Requests the newest lines of a stretch, `points` of each of `names`, if [`RequestTimer`] says that it is time.
    pub fn request_lines(
        self,
        requester: Requester,
        names: &[SeriesName],
        shown: VisibleRange,
        points: u64,
        context: BoardContext,
    ) {
        let VisibleRange { from, to, width, .. } = shown;
        let due = |timer: &mut RequestTimer| timer.due(context.server_now_untracked(), shown, Some((from, to)));
        if requester.timer.try_update_value(due).flatten().is_some() {
            let parts = Parts { width, detail: Detail::Figures, before: 0 };
            self.send(requester, names, HistoryRequest { from, to, points }, parts, context);
        }
    }

    fn send(
        self,
        requester: Requester,
        names: &[SeriesName],
        request: HistoryRequest,
        parts: Parts,
        context: BoardContext,
    ) {
        let now = context.server_now_untracked();
        let address = address(names, request, parts);
        spawn_local(async move {
            let answer = fetch::get(&address).await;
            let result = match &answer {
                Err(error) => Err(error.to_string()),
                Ok(answer) if !answer.is_ok() => Err(format!("the server answers {}", answer.status)),
                Ok(answer) => answer::read(&answer.body).ok_or_else(|| "it cannot be read".to_owned()),
            };
            requester.timer.try_update_value(|timer| timer.done(context.server_now_untracked(), result.is_ok()));
            match result {
                Ok(answer) => {
                    self.put(request, now - now % 1_000, parts, answer);
                    requester.trouble.try_set(None);
                    requester.answered.try_set(true);
                }
                Err(why) => _ = requester.trouble.try_set(Some(why)),
            }
        });
    }

    fn put(self, request: HistoryRequest, as_of: u64, parts: Parts, answer: Vec<SeriesHistory>) {
        let HistoryRequest { from, to, .. } = request;
        let Parts { width, detail, before: most } = parts;
        for SeriesHistory { name, mut before, content } in answer {
            self.with(&name, |known| match content {
                HistoryContent::Numbers(cells) => {
                    // Nothing lies between the buckets before and the stretch, and before fewer than requested.
                    let from = match before.first() {
                        _ if most == 0 => from,
                        Some(first) if before.len() as u64 >= most => first.start,
                        _ => 0,
                    };
                    before.extend(cells);
                    known.cells(width, detail).put(from, to, as_of, before);
                }
                HistoryContent::Texts(lines) => known.texts.put(from, to, as_of, lines),
            });
        }
        self.arrivals.try_update(|arrivals| *arrivals += 1);
    }
}

impl Default for History {
    fn default() -> Self {
        Self::new()
    }
}

fn address(names: &[SeriesName], request: HistoryRequest, parts: Parts) -> String {
    let HistoryRequest { from, to, points } = request;
    let mut address = format!("api/history?from={from}&to={to}&points={points}");
    if parts.detail == Detail::Bins {
        address.push_str("&sketch=1");
    }
    if parts.before > 0 {
        address.push_str("&before=");
        address.push_str(&parts.before.to_string());
    }
    for name in names {
        address.push_str("&series=");
        address.push_str(name.as_str());
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_far_someone_zooms_only_the_widths_looked_at_last_are_kept() {
        let mut known = SeriesCache::default();
        for width in 1..=100 {
            known.cells(1_000, Detail::Figures).version = 7;
            known.cells(width * 86_400_000, Detail::Figures);
        }
        assert_eq!(known.widths(), WIDTHS);
        assert_eq!(known.cells(1_000, Detail::Figures).version, 7, "what is always looked at stays");
    }
}
