//! The lookback of a widget: requests and reads history where a reading needs more than the newest points, such as a
//! change or an extent.
//!
//! A track covers some minutes. Where the range of the board or the time of the change is longer, the widget requests
//! history. Until it arrives, the widget shows no number that would be of less than the whole lookback.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use shared::board::{Show, Source, Span};
use shared::{Bucket, SeriesName, Track};

use leptos::prelude::set_timeout;

use crate::board::stage::Stage;
use crate::dynamic::{LocalValue, Memo, RwSignal, StoredValue, effect};
use crate::history::Asker;
use crate::history::asking::{self, Hand, Shown};
use crate::history::cell::Detail;
use crate::history::recent::{Glued, Recent, needed_until};
use crate::range::Range;

/// Least number of buckets for the shorter of range and change, so that the result is exact to some hundredths.
const POINTS: u64 = 400;
/// Most buckets for the longer of range and change.
const MOST: u64 = 2_000;
/// Delay before history is checked again where a request had to wait.
const AGAIN: Duration = Duration::from_millis(150);
/// Most series of one request.
const AT_ONCE: usize = 100;

/// The lookback of a widget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// None: only the newest points.
    Newest,
    /// The range of the board, and a change over this time; with `None`, over the range.
    Range(Option<Span>),
}

/// The lookback of one widget's series; cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Past {
    stage: Stage,
    tells: Tells,
    detail: Detail,
    asker: Asker,
    recents: LocalValue<HashMap<SeriesName, Recent>>,
}

/// The lookback in milliseconds before the newest point of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Back {
    /// Stretch of the mean, the extremes and the like.
    pub range_ms: u64,
    /// Time of the change.
    pub change_ms: u64,
}

/// The buckets of a lookback.
#[derive(Clone, Debug)]
pub enum Stretch<'a> {
    /// The track has all of it.
    Track,
    /// It is longer than the track; all of its buckets, oldest first.
    Whole(Glued<'a>),
    /// It is longer than the track, and history has not arrived yet.
    Awaited,
}

impl Back {
    fn longest(self) -> u64 {
        self.range_ms.max(self.change_ms)
    }

    /// Width of the buckets, in milliseconds.
    #[must_use]
    pub fn width(self) -> u64 {
        let fine = asking::width(self.range_ms.min(self.change_ms), POINTS);
        fine.max(asking::width(self.longest(), MOST))
    }

    /// Returns the moment from which history is needed for a series with the newest point at `newest`, in
    /// milliseconds. The bucket before the lookback is part of it.
    fn from(self, newest: u64) -> u64 {
        newest.saturating_sub(self.longest()).saturating_sub(self.width())
    }
}

impl Past {
    /// Requests missing history of `names` from now on, for the number that `source` asks for.
    #[must_use]
    pub fn follow(source: &Source, tells: Tells, names: Memo<Vec<SeriesName>>, stage: Stage) -> Self {
        let of_range = !matches!(source.show.unwrap_or(Show::Value), Show::Value | Show::Rate);
        let detail = match source.show {
            Some(Show::P50 | Show::P95 | Show::P99) => Detail::Bins,
            _ => Detail::Figures,
        };
        let tells = if tells == Tells::Newest && of_range { Tells::Range(None) } else { tells };
        let past = Self { stage, tells, detail, asker: Asker::new(), recents: LocalValue::new(HashMap::new()) };
        if tells != Tells::Newest {
            let (again, waits) = (RwSignal::new(0_u8), StoredValue::new(false));
            effect(move || {
                stage.server_now.track();
                stage.history.arrivals.track();
                stage.live.loaded.track();
                let back = past.back();
                again.track();
                // Checks again after a short delay, so that a range that has come to rest is noticed before the next
                // second.
                if names.with(|names| past.ask(names, back))
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
        past
    }

    /// Returns the lookback; tracked.
    #[must_use]
    pub fn back(self) -> Back {
        self.back_over(self.stage.view.range.get())
    }

    /// Returns the lookback untracked, for painters; `None` after the board is gone.
    #[must_use]
    pub fn back_untracked(self) -> Option<Back> {
        self.stage.view.range.try_get_untracked().map(|range| self.back_over(range))
    }

    fn back_over(self, range: Range) -> Back {
        let range_ms = match range {
            Range::Live(span) => span.millis(),
            Range::Fixed { from, to } => to.since(from),
        };
        let change_ms = match self.tells {
            Tells::Range(Some(change)) => change.millis(),
            Tells::Range(None) | Tells::Newest => range_ms,
        };
        Back { range_ms, change_ms }
    }

    /// True if the lookback of a series is longer than its track.
    #[must_use]
    pub fn goes_beyond(self, buckets: &VecDeque<Bucket>, back: Back) -> bool {
        self.tells != Tells::Newest && is_longer(buckets, back)
    }

    /// Calls `look` with the buckets of a series; tracked. The caller tracks the series itself.
    pub fn with<T>(
        self,
        name: &SeriesName,
        buckets: &VecDeque<Bucket>,
        back: Back,
        look: impl FnOnce(Stretch<'_>) -> T,
    ) -> Option<T> {
        if self.tells == Tells::Newest {
            return Some(look(Stretch::Track));
        }
        self.stage.history.arrivals.track();
        self.peek(name, buckets, back, look)
    }

    /// Does the same untracked, for painters.
    pub fn peek<T>(
        self,
        name: &SeriesName,
        buckets: &VecDeque<Bucket>,
        back: Back,
        look: impl FnOnce(Stretch<'_>) -> T,
    ) -> Option<T> {
        let newest = buckets.back()?.last.at.ts.0;
        let (width, from) = (back.width(), back.from(newest));
        if !self.goes_beyond(buckets, back) {
            return Some(look(Stretch::Track));
        }
        let looked = self.recents.try_update_value(|recents| {
            let recent = match recents.get_mut(name) {
                Some(recent) if recent.width() == width => recent,
                _ => {
                    recents.insert(name.clone(), Recent::new(width, self.detail));
                    recents.get_mut(name)?
                }
            };
            recent.follow(buckets);
            self.stage.history.with(name, |known| {
                let shelf = known.shelf(width, self.detail);
                let lacks = shelf.told().missing(from, needed_until(buckets, width)).is_some();
                let stretch =
                    if lacks { Stretch::Awaited } else { Stretch::Whole(recent.glue(shelf, buckets, from, u64::MAX)) };
                look(stretch)
            })
        });
        looked.flatten()
    }

    /// Number of changes of a series' buckets of a width; not tracked.
    #[must_use]
    pub fn version(self, name: &SeriesName, width: u64) -> u64 {
        self.stage.history.with(name, |known| known.shelf(width, self.detail).version).unwrap_or_default()
    }

    /// Requests what is missing. Returns true if anything is missing. Series that still report share one request, up
    /// to now. A series that stopped before its lookback has a stretch of its own, so it has a request of its own,
    /// after the others.
    fn ask(self, names: &[SeriesName], back: Back) -> bool {
        let now = self.stage.now();
        let (mut together, mut from) = (Vec::new(), u64::MAX);
        let mut alone = None;
        for name in names {
            let Some((begins, ends)) = self.lacks(name, back, now) else { continue };
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
        let (series, moved) = (names.len() as u64, self.stage.view.moved());
        let shown = Shown { from, to, width: back.width(), series, moved, hand: Hand::Off };
        self.stage.history.tend(self.asker, &names, shown, self.detail, self.stage);
        true
    }

    /// Returns the stretch of history that a series needs, if any of it is missing, in milliseconds.
    fn lacks(self, name: &SeriesName, back: Back, now: u64) -> Option<(u64, u64)> {
        let lacks = self.stage.live.with_track(name, |track| {
            let Track::Numbers(buckets) = track else { return None };
            let newest = buckets.back().filter(|_| is_longer(buckets, back))?.last.at.ts.0;
            let stopped = newest.saturating_add(back.longest()) < now;
            let (from, to) = (back.from(newest), if stopped { newest + back.width() } else { now });
            let shown = Shown { from, to, width: back.width(), series: 1, moved: 0, hand: Hand::Off };
            self.stage.history.lacks(name, track, shown, self.detail, now).ask.map(|_| (from, to))
        });
        lacks.flatten()
    }
}

/// True if the lookback of a series is longer than its track.
fn is_longer(buckets: &VecDeque<Bucket>, back: Back) -> bool {
    let Some(newest) = buckets.back() else { return false };
    crate::history::recent::reach(buckets) > newest.last.at.ts.0.saturating_sub(back.longest())
}
