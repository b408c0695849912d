//! `GET /api/overview`: every board with its state, the number of its series and the time of their newest point.
//!
//! The page of all boards asks for it every few seconds. Counting looks at every series, so it is done once for all
//! clients: never twice at once, and less often the longer it takes. So all open pages together take a fiftieth of one
//! processor at most, however many series there are. The names are collected a few at a time under the hub's lock, and
//! everything else is done without it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use parking_lot::Mutex;
use serde::Serialize;
use shared::access::SeriesScope;
use shared::board::keyword::Keyword as _;
use shared::board::{Board, Level};
use shared::reading::BoardState;
use shared::{BoardId, Millis, Selector, SeriesName};

use super::watched::{ReadPast, Watched, WatchedBoard};
use crate::access::{ReadAccess, ReadScope};
use crate::board::BoardRegistry;
use crate::clock;
use crate::history::History;
use crate::http::problem::ApiError;
use crate::hub::driver::HubHandle;
use crate::limits::client::LimitedClient;
use crate::names::listeners::Listeners;

/// A count is used again for this many times the time that it took.
const REST: u32 = 50;

/// Series that are collected in one hold of the hub's lock: a tenth of a millisecond.
const AT_ONCE: usize = 512;

/// Most counts that are kept: one for all readers that may see the same.
const MAX_KEPT: usize = 16;

/// Most automatic boards of an answer: those with the newest points. The page has a search, and any other board is there
/// by its address.
const MAX_AUTOMATIC: usize = 1_000;

/// Most automatic boards that are counted at all, which bounds the memory of a count. Only a store whose series each
/// have another first segment has more.
const MAX_COUNTED: usize = 100_000;

/// Counts the series of all boards. Clones share the last count.
#[derive(Clone, Debug)]
pub struct Overview {
    hub: HubHandle,
    boards: BoardRegistry,
    history: History,
    /// The last counts, by the series and boards that their readers may see.
    last: Arc<Mutex<KeptCounts>>,
    /// Held while the series are counted.
    counting: Arc<tokio::sync::Mutex<()>>,
}

/// Counts, each with the scope of its readers.
type KeptCounts = Vec<(Arc<ReadScope>, Arc<Count>)>;

/// The series of each board at some time.
#[derive(Debug)]
struct Count {
    /// The boards with a document.
    made: HashMap<BoardId, (Tally, BoardState)>,
    /// The automatic boards with the newest points.
    automatic: Vec<(BoardId, Tally)>,
    /// The number of all other automatic boards.
    left_out: usize,
    /// The count is used until then.
    until: Instant,
}

/// The series of one board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Tally {
    last: Option<Millis>,
    series: usize,
}

impl Tally {
    fn add(&mut self, newest: Millis) {
        self.series += 1;
        self.last = self.last.max(Some(newest));
    }
}

/// The answer.
#[derive(Debug, Serialize)]
pub struct OverviewAnswer {
    /// The boards, by id.
    boards: Vec<Listed>,
    /// The number of automatic boards that are not listed.
    left_out: usize,
}

#[derive(Debug, Serialize)]
struct Listed {
    id: BoardId,
    /// The title of the document, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    series: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Millis>,
    /// The worst level that is known, if there are thresholds.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
    /// The number of stale series, if there are any.
    #[serde(skip_serializing_if = "is_zero")]
    stale: usize,
    /// The number of series whose level is not known, if there are any.
    #[serde(skip_serializing_if = "is_zero")]
    unknown: usize,
}

impl Listed {
    fn new(id: BoardId, title: Option<String>, Tally { last, series }: Tally, state: BoardState) -> Self {
        let BoardState { level, stale, unknown } = state;
        Self { id, title, series, last, level: level.map(Level::keyword), stale, unknown }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// A board with a document, before its series are counted.
#[derive(Debug)]
struct MadeBoard {
    id: BoardId,
    selectors: Vec<Selector>,
    watched: WatchedBoard,
}

impl MadeBoard {
    fn of(id: BoardId, board: &Board) -> Self {
        Self { id, selectors: board.selectors(), watched: WatchedBoard::of(board) }
    }
}

impl Overview {
    /// Makes an overview that has counted nothing yet.
    #[must_use]
    pub fn new(hub: HubHandle, boards: BoardRegistry, history: History) -> Self {
        Self { hub, boards, history, last: Arc::default(), counting: Arc::default() }
    }

    /// Returns the last count if it is still to be used.
    fn fresh(&self, scope: &ReadScope) -> Option<Arc<Count>> {
        self.last(scope).filter(|last| Instant::now() < last.until)
    }

    /// Returns the last count of readers that may see the same.
    fn last(&self, scope: &ReadScope) -> Option<Arc<Count>> {
        let last = self.last.lock();
        last.iter().find(|(known, _)| known.sees_the_same_as(scope)).map(|(_, count)| count.clone())
    }

    /// Keeps a count. The count that was made first makes room.
    fn keep(&self, scope: Arc<ReadScope>, count: Arc<Count>) {
        let mut last = self.last.lock();
        last.retain(|(known, _)| !known.sees_the_same_as(&scope));
        if last.len() == MAX_KEPT {
            last.remove(0);
        }
        last.push((scope, count));
    }

    /// Returns a count; a new one if the last is no longer to be used and no other request counts.
    async fn count(&self, scope: Arc<ReadScope>, client: LimitedClient) -> Result<Arc<Count>, ApiError> {
        if let Some(fresh) = self.fresh(&scope) {
            return Ok(fresh);
        }
        let last = self.last(&scope);
        let turn = match (Arc::clone(&self.counting).try_lock_owned(), last) {
            (Ok(turn), _) => turn,
            (Err(_), Some(last)) => return Ok(last),
            (Err(_), None) => Arc::clone(&self.counting).lock_owned().await,
        };
        if let Some(fresh) = self.fresh(&scope) {
            return Ok(fresh);
        }
        let permit = self.hub.selecting().permit(client).await?;
        let overview = self.clone();
        let work = move || {
            let made = overview.boards.list().into_iter().filter(|(id, _)| scope.sees_board(id));
            let made = made.map(|(id, edition)| MadeBoard::of(id, edition.document.board())).collect();
            let now = clock::now().wall;
            let read = |index, lookback| {
                let named = overview.hub.selecting().names().named(&[index]);
                let series = named.first()?.series;
                // The error is in the log of the store; the level is counted as unknown.
                overview.history.newest(series, lookback, now).ok()
            };
            let mut count = count(&overview.hub, &read, made, scope.series());
            // All kept counts together rest as long as one would alone.
            let kept = u32::try_from(overview.last.lock().len()).unwrap_or(u32::MAX);
            count.until += count.until.saturating_duration_since(Instant::now()) * kept;
            let count = Arc::new(count);
            overview.keep(scope, count.clone());
            drop((permit, turn));
            count
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::Unreadable(error.to_string()))
    }
}

/// Counts those series of each board that are in `scope`. `made` are the boards with a document.
fn count(hub: &HubHandle, read: ReadPast<'_>, mut made: Vec<MadeBoard>, scope: &SeriesScope) -> Count {
    let began = Instant::now();
    let mut boards_of = Listeners::default();
    let mut watched = Watched::default();
    for (at, board) in made.iter_mut().enumerate() {
        board.selectors.iter().for_each(|selector| boards_of.add(selector, at));
        watched.add(at, std::mem::take(&mut board.watched));
    }
    let now = clock::now().wall;
    let mut counts = Counts { of_made: vec![Tally::default(); made.len()], ..Counts::default() };
    let names: HashMap<&str, ()> = made.iter().map(|board| (board.id.as_str(), ())).collect();
    let mut from = 0;
    loop {
        let newest = hub.newest_from(from, AT_ONCE, now);
        for (index, name, newest) in newest.series.into_iter().filter(|(_, name, _)| scope.contains(name)) {
            watched.see(index, &name);
            boards_of.of(&name).into_iter().for_each(|at: usize| counts.of_made[at].add(newest));
            if !names.contains_key(first_segment(&name)) {
                counts.add_automatic(&name, newest);
            }
        }
        match newest.next {
            Some(next) => from = next,
            None => break,
        }
    }
    let Counts { of_made, automatic, mut left_out } = counts;
    let mut automatic: Vec<_> =
        automatic.into_iter().filter_map(|(id, tally)| Some((id.parse::<BoardId>().ok()?, tally))).collect();
    if automatic.len() > MAX_AUTOMATIC {
        automatic
            .sort_unstable_by(|(id, tally), (other, of_other)| Reverse((tally, other)).cmp(&Reverse((of_other, id))));
        left_out += automatic.len() - MAX_AUTOMATIC;
        automatic.truncate(MAX_AUTOMATIC);
    }
    let states = watched.states(hub, read, made.len(), now);
    let made = made.into_iter().map(|board| board.id).zip(of_made.into_iter().zip(states)).collect();
    Count { made, automatic, left_out, until: Instant::now() + began.elapsed() * REST }
}

#[derive(Default)]
struct Counts {
    of_made: Vec<Tally>,
    /// By the first segment of the names.
    automatic: HashMap<Box<str>, Tally>,
    left_out: usize,
}

impl Counts {
    fn add_automatic(&mut self, name: &SeriesName, newest: Millis) {
        if let Some(tally) = self.automatic.get_mut(first_segment(name)) {
            tally.add(newest);
        } else if self.automatic.len() < MAX_COUNTED {
            self.automatic.entry(first_segment(name).into()).or_default().add(newest);
        } else {
            self.left_out += 1;
        }
    }
}

fn first_segment(name: &SeriesName) -> &str {
    name.segments().next().unwrap_or_default()
}

/// Lists every board that is there, made or automatic: `{"boards": [{"id", "title", "series", "last", "level", "stale",
/// "unknown"}], "left_out"}`.
///
/// # Errors
/// [`ApiError::Overloaded`] if the client's address has too many requests that look at all names.
pub async fn overview(
    State(overview): State<Overview>,
    access: ReadAccess,
    client: LimitedClient,
) -> Result<Json<OverviewAnswer>, ApiError> {
    let count = overview.count(access.scope(), client).await?;
    let made = overview.boards.list().into_iter().filter(|(id, _)| access.sees_board(id)).map(|(id, edition)| {
        // A board that was made since then is counted next time.
        let (tally, state) = count.made.get(&id).copied().unwrap_or_default();
        let title = Some(edition.document.board().title.clone().unwrap_or_else(|| id.to_string()));
        (id.clone(), Listed::new(id, title, tally, state))
    });
    let mut boards: BTreeMap<BoardId, Listed> = made.collect();
    for (id, tally) in &count.automatic {
        let listed = || Listed::new(id.clone(), None, *tally, BoardState::default());
        boards.entry(id.clone()).or_insert_with(listed);
    }
    Ok(Json(OverviewAnswer { boards: boards.into_values().collect(), left_out: count.left_out }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::reading::Lookback;
    use shared::{Seq, Stamp};

    use super::super::tests::{hub_of, name_of};
    use super::*;
    use crate::history::newest::NewestPast;
    use crate::log::Committed;
    use crate::rollup::SeriesIndex;

    /// Reads no history.
    fn unread(_: SeriesIndex, _: Option<Lookback>) -> Option<NewestPast> {
        None
    }

    fn made(id: &str, selectors: &[&str]) -> MadeBoard {
        let selectors = selectors.iter().map(|selector| selector.parse().unwrap()).collect();
        MadeBoard { id: id.parse().unwrap(), selectors, watched: WatchedBoard::default() }
    }

    fn summaries(count: &Count) -> Vec<(String, usize)> {
        let automatic = count.automatic.iter().map(|(id, tally)| (id.to_string(), tally.series));
        let made = count.made.iter().map(|(id, (tally, _))| (format!("{id}!"), tally.series));
        let mut all: Vec<_> = automatic.chain(made).collect();
        all.sort();
        all
    }

    #[test]
    fn each_first_segment_is_a_board_and_a_made_board_counts_what_it_shows() {
        let hub = hub_of(["shop/orders", "ops/temp", "ops/deploy", "ops"].map(str::to_owned).into_iter());
        assert_eq!(
            summaries(&count(&hub, &unread, Vec::new(), &SeriesScope::All)),
            [("ops".to_owned(), 3), ("shop".to_owned(), 1)]
        );
        let made = vec![made("ops", &["shop/*", "ops/temp", "**"]), made("wall", &[])];
        let count = count(&hub, &unread, made, &SeriesScope::All);
        assert_eq!(
            summaries(&count),
            [("ops!".to_owned(), 4), ("shop".to_owned(), 1), ("wall!".to_owned(), 0)],
            "a series that two selectors match counts once"
        );
        assert_eq!(count.made[&"wall".parse().unwrap()].0.last, None);
        assert!(count.automatic[0].1.last.is_some());
    }

    #[test]
    fn board_has_the_worst_level_of_its_newest_numbers_and_counts_its_stale_series() {
        let document = |show: &str, expect: &str| {
            let options = json!({
                "id": "w", "type": "stat", "series": ["ops/*"], "show": show, "expect": expect,
                "thresholds": [{ "above": 0.5, "level": "warn" }, { "above": 5, "level": "bad" }],
            });
            Board::read(&json!({ "widgets": [options] })).board
        };
        // Each series has one point, and its number is 1.
        let hub = hub_of(["ops/a", "ops/b", "shop/c"].map(str::to_owned).into_iter());
        let state = |board: &Board| {
            let id: BoardId = "ops".parse().unwrap();
            count(&hub, &unread, vec![MadeBoard::of(id.clone(), board)], &SeriesScope::All).made[&id].1
        };
        assert_eq!(state(&document("value", "1h")), BoardState { level: Some(Level::Warn), ..BoardState::default() });
        let rate = BoardState { unknown: 2, ..BoardState::default() };
        assert_eq!(state(&document("rate", "1h")), rate, "a rate needs more than the newest point");
        assert_eq!(state(&Board::default()), BoardState::default());
        let old = Stamp { ts: Millis(clock::now().wall.0 - 60_000), seq: Seq(4) };
        hub.publish(&[Committed { at: old, ..name_of(4, "ops/old") }]);
        assert_eq!(state(&document("rate", "30s")), BoardState { level: None, stale: 1, unknown: 3 });
    }

    #[test]
    fn boards_with_the_newest_points_are_listed_and_the_others_are_counted() {
        let boards = MAX_AUTOMATIC + 7;
        let hub = hub_of((1..=boards).map(|n| format!("b{n}/x")));
        hub.publish(&[name_of(boards + 1, "b1/y")]);
        let count = count(&hub, &unread, Vec::new(), &SeriesScope::All);
        assert_eq!((count.automatic.len(), count.left_out), (MAX_AUTOMATIC, 7));
        let newest = count.automatic.iter().map(|(_, tally)| tally.last).min();
        assert!(count.automatic.iter().any(|(id, tally)| id.as_str() == "b1" && tally.series == 2) && newest.is_some());
    }

    #[test]
    fn count_rests_for_many_times_the_time_that_it_took() {
        let hub = hub_of((1..=20_000).map(|n| format!("s/{n}")));
        let before = Instant::now();
        let count = count(&hub, &unread, Vec::new(), &SeriesScope::All);
        let took = before.elapsed();
        assert!(count.until > before + took, "it is used again");
        assert!(count.until <= Instant::now() + took * REST);
        assert_eq!(summaries(&count), [("s".to_owned(), 20_000)]);
    }
}
