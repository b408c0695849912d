//! The lookback of a widget: requests and reads history where a reading needs more than the newest points, such as a
//! change or an extent.
//!
//! A board that shows the past has all of a lookback from history ([`past::lookback`](crate::past::lookback)).
//!
//! A track covers some minutes. Where the range of the board or the time of the change is longer, the widget requests
//! history. Until it arrives, the widget shows no number that would be of less than the whole lookback.

use leptos::prelude::*;
use leptos::reactive::traits::Track as _;
use std::collections::{HashMap, VecDeque};

use shared::Duration;
use shared::board::{SeriesSource, Show};
use shared::reading::{Detail, Lookback, LookbackBuckets, needed_until};
use shared::{Bucket, SeriesName, Track};

use crate::board::context::BoardContext;
use crate::history::Requester;
use crate::history::live_cells::LiveCells;
use crate::history::request::{Margin, VisibleRange};
use crate::past::PAST;
use crate::range::Range;

/// Delay before history is checked again where a request had to wait.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(150);
/// Most series of one request.
pub const AT_ONCE: usize = 100;

/// The lookback of a widget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookbackKind {
    /// None: only the newest points.
    Newest,
    /// The range of the board, and a change over this time; with `None`, over the range.
    Range(Option<Duration>),
}

/// The lookback of one widget's series; cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct WidgetHistory {
    /// The shared context of the board's widgets.
    pub context: BoardContext,
    kind: LookbackKind,
    /// The amount of data of each bucket.
    pub detail: Detail,
    /// The requests of the widget.
    pub requester: Requester,
    recents: StoredValue<HashMap<SeriesName, LiveCells>, LocalStorage>,
}

impl WidgetHistory {
    /// Requests missing history of `names` from now on, for the number that `source` asks for.
    #[must_use]
    pub fn follow(
        source: &SeriesSource,
        kind: LookbackKind,
        names: Memo<Vec<SeriesName>>,
        context: BoardContext,
    ) -> Self {
        let of_range = !matches!(source.show.unwrap_or(Show::Value), Show::Value | Show::Rate);
        let kind = if kind == LookbackKind::Newest && of_range { LookbackKind::Range(None) } else { kind };
        let history = Self::of_other(source, kind, context);
        if kind != LookbackKind::Newest {
            let (again, waits) = (RwSignal::new(0_u8), StoredValue::new(false));
            Effect::new(move |_| {
                context.server_now.track();
                context.history.arrivals.track();
                context.live.loaded.track();
                let lookback = history.lookback();
                again.track();
                // Checks again after a short delay, so that a range that has come to rest is noticed before the next
                // second.
                if names.with(|names| history.ask(names, lookback))
                    && waits.try_update_value(|waits| std::mem::replace(waits, true)) == Some(false)
                {
                    set_timeout(
                        move || {
                            waits.try_set_value(false);
                            again.try_update(|again| *again = again.wrapping_add(1));
                        },
                        AGAIN,
                    );
                }
            });
        }
        history
    }

    /// Reads the history that another widget requests for the number that `source` asks for.
    #[must_use]
    pub fn of_other(source: &SeriesSource, kind: LookbackKind, context: BoardContext) -> Self {
        let detail = match source.show {
            Some(Show::P50 | Show::P95 | Show::P99) => Detail::Bins,
            _ => Detail::Figures,
        };
        let (requester, recents) = (Requester::new(), StoredValue::new_local(HashMap::new()));
        Self { context, kind, detail, requester, recents }
    }

    /// Returns the lookback; tracked.
    #[must_use]
    pub fn lookback(self) -> Lookback {
        self.lookback_over(self.context.view.range.get())
    }

    /// Returns the lookback untracked, for painters; `None` after the board is gone.
    #[must_use]
    pub fn lookback_untracked(self) -> Option<Lookback> {
        self.context.view.range.try_get_untracked().map(|range| self.lookback_over(range))
    }

    fn lookback_over(self, range: Range) -> Lookback {
        let range_ms = match range {
            Range::Live(span) => span.as_millis(),
            Range::Fixed { from, to } => to.since(from),
        };
        let change_ms = match self.kind {
            LookbackKind::Range(Some(change)) => change.as_millis(),
            LookbackKind::Range(None) | LookbackKind::Newest => range_ms,
        };
        Lookback { range_ms, change_ms }
    }

    /// True if the lookback of a series is longer than its track.
    #[must_use]
    pub fn goes_beyond(self, buckets: &VecDeque<Bucket>, lookback: Lookback) -> bool {
        self.kind != LookbackKind::Newest && (self.context.view.past.is_shown() || lookback.is_longer_than(buckets))
    }

    /// Calls `look` with the buckets of a series; tracked. The caller tracks the series itself.
    pub fn with<T>(
        self,
        name: &SeriesName,
        buckets: &VecDeque<Bucket>,
        lookback: Lookback,
        look: impl FnOnce(LookbackBuckets<'_>) -> T,
    ) -> Option<T> {
        if self.kind == LookbackKind::Newest {
            return Some(look(LookbackBuckets::Track));
        }
        self.context.history.arrivals.track();
        self.peek(name, buckets, lookback, look)
    }

    /// Does the same untracked, for painters.
    pub fn peek<T>(
        self,
        name: &SeriesName,
        buckets: &VecDeque<Bucket>,
        lookback: Lookback,
        look: impl FnOnce(LookbackBuckets<'_>) -> T,
    ) -> Option<T> {
        let newest = buckets.back()?.last.at.ts.0;
        if self.context.view.past.is_shown() {
            // The tracks come from the module too, so it is there.
            let Some(join) = PAST.loaded_untracked().map(|past| past.join) else {
                return Some(look(LookbackBuckets::Awaited));
            };
            return self.context.history.with(name, |known| {
                let joined = join(known, lookback, newest, self.detail);
                look(joined.map_or(LookbackBuckets::Awaited, LookbackBuckets::Whole))
            });
        }
        let (width, from) = (lookback.width(), lookback.needed_from(newest));
        if !self.goes_beyond(buckets, lookback) {
            return Some(look(LookbackBuckets::Track));
        }
        let looked = self.recents.try_update_value(|recents| {
            let recent = match recents.get_mut(name) {
                Some(recent) if recent.width() == width => recent,
                _ => {
                    recents.insert(name.clone(), LiveCells::new(width, self.detail));
                    recents.get_mut(name)?
                }
            };
            recent.follow(buckets);
            self.context.history.with(name, |known| {
                let cells = known.cells(width, self.detail);
                let lacks = cells.answered().missing(from, needed_until(buckets, width)).is_some();
                let stretch = if lacks {
                    LookbackBuckets::Awaited
                } else {
                    LookbackBuckets::Whole(recent.join(cells, buckets, from, u64::MAX))
                };
                look(stretch)
            })
        });
        looked.flatten()
    }

    /// Number of changes of a series' buckets of a width; not tracked.
    #[must_use]
    pub fn version(self, name: &SeriesName, width: u64) -> u64 {
        self.context.history.with(name, |known| known.cells(width, self.detail).version).unwrap_or_default()
    }

    /// Requests what is missing. Returns true if anything is missing. Series that still report share one request, up
    /// to now. A series that stopped before its lookback has a stretch of its own, so it has a request of its own,
    /// after the others.
    fn ask(self, names: &[SeriesName], lookback: Lookback) -> bool {
        if let Some(to) = self.context.view.past.at.get() {
            return PAST.get().is_some_and(|past| (past.ask)(self, names, lookback, to));
        }
        let now = self.context.server_now_untracked();
        let (mut together, mut from) = (Vec::new(), u64::MAX);
        let mut alone = None;
        for name in names {
            let Some((begins, ends)) = self.lacks(name, lookback, now) else { continue };
            if ends == now && together.len() < AT_ONCE {
                from = from.min(begins);
                together.push(name.clone());
            } else if ends < now {
                alone.get_or_insert((name.clone(), begins, ends));
            }
        }
        let (names, from, to) = match (together.is_empty(), alone) {
            (false, _) => (together, from, now),
            (true, Some((name, begins, ends))) => (vec![name], begins, ends),
            (true, None) => return false,
        };
        let (series, moved) = (names.len() as u64, self.context.view.moved());
        let shown = VisibleRange { from, to, width: lookback.width(), series, moved, margin: Margin::None };
        self.context.history.request_missing(self.requester, &names, shown, self.detail, self.context);
        true
    }

    /// Returns the stretch of history that a series needs, if any of it is missing, in milliseconds.
    fn lacks(self, name: &SeriesName, lookback: Lookback, now: u64) -> Option<(u64, u64)> {
        let lacks = self.context.live.with_track_untracked(name, |track| {
            let Track::Numbers(buckets) = track else { return None };
            let newest = buckets.back().filter(|_| lookback.is_longer_than(buckets))?.last.at.ts.0;
            let stopped = newest.saturating_add(lookback.longest()) < now;
            let (from, to) = (lookback.needed_from(newest), if stopped { newest + lookback.width() } else { now });
            let shown = VisibleRange { from, to, width: lookback.width(), series: 1, moved: 0, margin: Margin::None };
            self.context.history.lacks(name, track, shown, self.detail, now).ask.map(|_| (from, to))
        });
        lacks.flatten()
    }
}
