//! The states of boards for the page of all boards: the worst level of their numbers, and how many series are stale.
//!
//! A level that follows from the newest point is always there. One of a rate, a mean or a quantile needs history, which is
//! read for a bounded time; the levels that are left are counted as unknown.

use std::time::{Duration, Instant};

use shared::board::Board;
use shared::reading::{BoardState, JoinedCells, LevelNeeds, Lookback, LookbackBuckets, WatchedSource};
use shared::{Declared, Millis, SeriesName};

use crate::history::newest::NewestPast;
use crate::hub::driver::HubHandle;
use crate::names::listeners::Listeners;
use crate::rollup::SeriesIndex;

/// Most series whose state is looked at: some milliseconds of work.
const MAX_SERIES: usize = 20_000;

/// Longest time for which history is read in one count. With the rest after a count, it is a fiftieth of one processor.
const READ_FOR: Duration = Duration::from_millis(100);

/// Reads the newest past of a series; with a lookback, also the cells of it if it is longer than the track. Returns
/// `None` if it cannot be read.
pub(super) type ReadPast<'a> = &'a dyn Fn(SeriesIndex, Option<Lookback>) -> Option<NewestPast>;

/// The watched series of a board.
#[derive(Clone, Debug, Default)]
pub(super) struct WatchedBoard {
    range_ms: u64,
    sources: Vec<WatchedSource>,
}

impl WatchedBoard {
    pub(super) fn of(board: &Board) -> Self {
        Self { range_ms: board.range().as_millis(), sources: WatchedSource::all_of(board) }
    }
}

/// A source of a board.
#[derive(Debug)]
struct Source {
    /// The index of its board.
    board: usize,
    watched: WatchedSource,
    lookback: Lookback,
}

/// The series of boards that have thresholds or an expected interval.
#[derive(Debug, Default)]
pub(super) struct Watched {
    sources: Vec<Source>,
    sources_of: Listeners<usize>,
    /// The series that were found, with the index of the source that shows them.
    found: Vec<(SeriesIndex, usize)>,
}

impl Watched {
    /// Adds the sources of the board with this index.
    pub(super) fn add(&mut self, board: usize, WatchedBoard { range_ms, sources }: WatchedBoard) {
        for watched in sources {
            watched.source.series.iter().for_each(|selector| self.sources_of.add(selector, self.sources.len()));
            let lookback = watched.lookback(range_ms);
            self.sources.push(Source { board, watched, lookback });
        }
    }

    /// Remembers a series if a source shows it.
    pub(super) fn see(&mut self, index: SeriesIndex, name: &SeriesName) {
        let room = MAX_SERIES.saturating_sub(self.found.len());
        self.found.extend(self.sources_of.of(name).into_iter().take(room).map(|source| (index, source)));
    }

    /// Returns the states of `count` boards, by their indexes.
    pub(super) fn states(self, hub: &HubHandle, read: ReadPast<'_>, count: usize, now: Millis) -> Vec<BoardState> {
        let mut states = vec![BoardState::default(); count];
        let mut to_read: Vec<(SeriesIndex, &Source, SeriesName, Option<Declared>)> = Vec::new();
        for (index, source) in self.found {
            let source = &self.sources[source];
            let Source { board, watched, lookback } = source;
            hub.each_newest(&[index], |name, declared, track| {
                states[*board].add_freshness(watched, track, now);
                if watched.needs(declared) == LevelNeeds::Point {
                    states[*board].add_level(watched, name, track, declared, *lookback, LookbackBuckets::Track);
                } else {
                    to_read.push((index, source, name.clone(), declared));
                }
            });
        }
        let until = Instant::now() + READ_FOR;
        for (index, Source { board, watched, lookback }, name, declared) in to_read {
            let wanted = Some(*lookback).filter(|_| watched.needs(declared) == LevelNeeds::Range);
            let past = Some(()).filter(|()| Instant::now() < until).and_then(|()| read(index, wanted));
            let Some(NewestPast { track, cells }) = past else {
                states[*board].unknown += 1;
                continue;
            };
            let Some(track) = track else { continue };
            let past = cells
                .as_ref()
                .map_or(LookbackBuckets::Track, |cells| LookbackBuckets::Whole(JoinedCells::new(cells, None, &[])));
            states[*board].add_level(watched, &name, &track, declared, *lookback, past);
        }
        states
    }
}
