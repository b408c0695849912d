//! The states of boards for the page of all boards: the worst level of their numbers, and how many series are stale.
//!
//! Only newest points are looked at. So a number over a range, such as a rate or a quantile, has no level here.

use shared::Millis;
use shared::board::{Board, Content, SeriesSource, Show};
use shared::reading::{BoardState, default_show};

use crate::hub::driver::HubHandle;
use crate::names::listeners::Listeners;
use crate::rollup::SeriesIndex;
use shared::SeriesName;

/// Most series whose state is looked at: some milliseconds of work.
const MAX_SERIES: usize = 20_000;

/// The series of boards that have thresholds or an expected interval.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// The index of each source's board.
    sources: Vec<(usize, SeriesSource)>,
    sources_of: Listeners<usize>,
    /// The series that were found, with the index of the source that shows them.
    found: Vec<(SeriesIndex, usize)>,
}

/// Returns the sources of a board that have thresholds or an expected interval.
pub(super) fn watched_sources(board: &Board) -> Vec<SeriesSource> {
    let source = |widget: &shared::board::Widget| match &widget.content {
        Content::Series(shown) => Some(shown.source.clone()),
        _ => None,
    };
    let sources = board.widgets.iter().filter_map(source);
    sources.filter(|source| !source.thresholds.is_empty() || source.expect.is_some()).collect()
}

impl Watched {
    /// Adds the sources of the board with this index.
    pub(super) fn add(&mut self, board: usize, sources: Vec<SeriesSource>) {
        for source in sources {
            source.series.iter().for_each(|selector| self.sources_of.add(selector, self.sources.len()));
            self.sources.push((board, source));
        }
    }

    /// Remembers a series if a source shows it.
    pub(super) fn see(&mut self, index: SeriesIndex, name: &SeriesName) {
        let room = MAX_SERIES.saturating_sub(self.found.len());
        self.found.extend(self.sources_of.of(name).into_iter().take(room).map(|source| (index, source)));
    }

    /// Returns the states of `count` boards, by their indexes.
    pub(super) fn states(self, hub: &HubHandle, count: usize, now: Millis) -> Vec<BoardState> {
        let mut states = vec![BoardState::default(); count];
        for (index, source) in self.found {
            let (board, source) = &self.sources[source];
            hub.each_newest(&[index], |name, declared, track| {
                let is_newest = source.show.unwrap_or_else(|| default_show(declared)) == Show::Value;
                if is_newest {
                    states[*board].add(name, track, source, declared, 0, now);
                } else {
                    let only_expected = SeriesSource { thresholds: Vec::new(), ..source.clone() };
                    states[*board].add(name, track, &only_expected, declared, 0, now);
                }
            });
        }
        states
    }
}
