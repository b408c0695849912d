//! The selectors of each board, and the point since which they apply.
//!
//! A board's selection comes from its document, and changes with it. So a cursor alone does not show which series the
//! subscriber's picture contains. Hence each board has a **since**: the last point that was committed before its
//! selection last changed. Every frame after that point belongs to the present selection. So a subscriber whose cursor
//! is beyond it can go on. Any other subscriber begins with a snapshot, because its picture may have other series. The
//! same holds for a connected subscriber that was not stepped while the selection changed, even if the selection
//! changed back in between.

use std::collections::HashMap;
use std::sync::Arc;

use shared::board::Etag;
use shared::{BoardEdition, BoardId, Selector, Seq};

use super::{Rate, Selection};
use crate::access::ReadScope;

/// Maximum number of selectors of one subscriber, including those of its boards.
pub const MAX_SELECTORS: usize = 1_024;

/// The subscription that a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Selectors of series.
    pub series: Vec<Selector>,
    /// Boards; the series of each board's present document are selected as well.
    pub boards: Vec<BoardId>,
    /// The maximum rate of frames.
    pub rate: Rate,
    /// The series and boards that the client may see. All others are for it as if they did not exist.
    pub scope: Arc<ReadScope>,
}

/// The hub's record of a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardRecord {
    /// The series that it selects.
    pub selectors: Vec<Selector>,
    /// The tag of its document; `None` where it has no document.
    pub etag: Option<Etag>,
    /// The last point that was committed before its selection became this one.
    pub since: Seq,
}

/// All boards that were ever made, except some that were deleted long ago.
#[derive(Debug, Default)]
pub struct Boards {
    records: HashMap<BoardId, BoardRecord>,
    /// [`BoardRecord::since`] of every board that is not in `records`, because it may have been forgotten.
    forgotten: Seq,
    /// The server's warnings. Subscribers get them in the same way as changes of boards, since both are rare.
    warnings: Arc<[String]>,
    /// Counts the changes, so that a subscriber can see with one comparison that there was none.
    changes: u64,
    /// The value of `changes` at the last change of each board in `records`.
    changed: HashMap<BoardId, u64>,
    /// The same for every board that is not in `records`: it may have been forgotten then.
    forgotten_at: u64,
    /// The same for the warnings.
    warned_at: u64,
    /// The same for the end of leases.
    access_changed_at: u64,
}

impl Boards {
    /// Replaces the record of a board.
    pub fn set(&mut self, id: BoardId, record: BoardRecord) {
        self.changes += 1;
        self.changed.insert(id.clone(), self.changes);
        self.records.insert(id, record);
    }

    /// Forgets a board that was deleted; without `id`, only records that boards were forgotten earlier. From now on,
    /// every board that is not in memory may have selected other series up to `since`.
    pub fn forget(&mut self, id: Option<&BoardId>, since: Seq) {
        if let Some(id) = id {
            self.records.remove(id);
            self.changed.remove(id);
            // A subscriber may not have been stepped since the board was deleted.
            self.forgotten_at = self.changes;
        }
        self.forgotten = self.forgotten.max(since);
    }

    /// Replaces the server's warnings. Returns true if they changed.
    pub fn warn(&mut self, warnings: Vec<String>) -> bool {
        let is_new = *self.warnings != *warnings;
        if is_new {
            self.warnings = warnings.into();
            self.changes += 1;
            self.warned_at = self.changes;
        }
        is_new
    }

    /// Records that some leases may be over.
    pub fn access_changed(&mut self) {
        self.changes += 1;
        self.access_changed_at = self.changes;
    }

    /// The server's warnings.
    #[must_use]
    pub fn warnings(&self) -> Arc<[String]> {
        self.warnings.clone()
    }

    /// Returns the number of changes so far.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Returns true if the warnings or a board of `subscription` may have changed after the first `seen` changes.
    #[must_use]
    pub fn concern(&self, subscription: &Subscription, seen: u64) -> bool {
        let changed = |id| self.changed.get(id).copied().unwrap_or(self.forgotten_at);
        self.warned_at > seen
            || (self.access_changed_at > seen && subscription.scope.lease().is_over())
            || subscription.boards.iter().any(|id| subscription.scope.sees_board(id) && changed(id) > seen)
    }

    /// Returns the record of a board of the subscription. A board that the client may not see is one that nobody made.
    fn record(&self, subscription: &Subscription, id: &BoardId) -> Option<&BoardRecord> {
        self.records.get(id).filter(|_| subscription.scope.sees_board(id))
    }

    /// Counts the selectors of `subscription` at present, repeats included.
    #[must_use]
    pub fn count(&self, subscription: &Subscription) -> usize {
        let of_board = |id| self.record(subscription, id).map_or(1, |record| record.selectors.len());
        subscription.series.len() + subscription.boards.iter().map(of_board).sum::<usize>()
    }

    /// Returns the present selection of `subscription`.
    #[must_use]
    pub fn selection(&self, subscription: &Subscription) -> Selection {
        let mut selectors = subscription.series.clone();
        for id in &subscription.boards {
            match self.record(subscription, id) {
                Some(record) => selectors.extend_from_slice(&record.selectors),
                None => selectors.push(id.selector()),
            }
        }
        Selection::new(subscription.scope.series().narrow(selectors), subscription.rate)
    }

    /// Returns the highest cursor that may belong to another selection than the present one.
    #[must_use]
    pub fn since(&self, subscription: &Subscription) -> Seq {
        let since = |id| self.records.get(id).map_or(self.forgotten, |record| record.since);
        let seen = subscription.boards.iter().filter(|id| subscription.scope.sees_board(id));
        seen.map(since).chain([subscription.scope.since()]).max().unwrap_or(Seq::ZERO)
    }

    /// Returns the tag of the document of a board; `None` if it has none.
    #[must_use]
    pub fn etag(&self, board: &BoardId) -> Option<Etag> {
        self.records.get(board).and_then(|record| record.etag)
    }

    /// Returns the edition of each board in the subscription.
    #[must_use]
    pub fn editions(&self, subscription: &Subscription) -> Vec<BoardEdition> {
        let edition = |id: &BoardId| BoardEdition {
            id: id.clone(),
            etag: self.record(subscription, id).and_then(|record| record.etag),
        };
        subscription.boards.iter().map(edition).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(selector: &str) -> BoardRecord {
        BoardRecord { selectors: vec![selector.parse().unwrap()], etag: None, since: Seq::ZERO }
    }

    fn reader_of(board: &str) -> Subscription {
        let boards = vec![board.parse().unwrap()];
        Subscription { series: Vec::new(), boards, rate: Rate::of_hz(1).unwrap(), scope: ReadScope::everything() }
    }

    /// A reader of the board with these grants.
    fn reader_with(board: &str, grants: &[&str]) -> Subscription {
        let grants = grants.iter().map(|grant| grant.parse().unwrap()).collect();
        let capability = shared::Capability::new(grants, None).unwrap();
        Subscription { scope: Arc::new(ReadScope::new(capability, Seq(5))), ..reader_of(board) }
    }

    #[test]
    fn board_that_a_reader_may_not_see_is_for_it_one_that_nobody_made() {
        let mut boards = Boards::default();
        boards.set("a".parse().unwrap(), BoardRecord { etag: Some(Etag::stored(7)), since: Seq(9), ..record("x/*") });
        let seen = boards.changes();
        let (some, all) =
            (reader_with("a", &["read:a/b", "read:x/y"]), reader_with("a", &["read-board:a", "read:x/y"]));
        let selectors =
            |reader: &Subscription| boards.selection(reader).selectors.iter().map(ToString::to_string).collect();
        let (of_some, of_all): (Vec<String>, Vec<String>) = (selectors(&some), selectors(&all));
        assert_eq!((of_some, of_all), (vec!["a/b".to_owned()], vec!["x/y".to_owned()]));
        assert_eq!((boards.since(&some), boards.since(&all)), (Seq(5), Seq(9)));
        assert_eq!(boards.editions(&some)[0].etag, None);
        assert!(boards.editions(&all)[0].etag.is_some());
        boards.set("a".parse().unwrap(), record("y/*"));
        assert!(!boards.concern(&some, seen) && boards.concern(&all, seen));
    }

    #[test]
    fn end_of_a_lease_concerns_only_its_reader() {
        let mut boards = Boards::default();
        let (one, other) = (reader_with("a", &["read:a/**"]), reader_with("a", &["read:a/**"]));
        let seen = boards.changes();
        one.scope.lease().end();
        boards.access_changed();
        assert!(boards.concern(&one, seen) && !boards.concern(&other, seen));
        assert_eq!(boards.selection(&one), boards.selection(&other), "readers with equal grants share a topic");
    }

    #[test]
    fn change_concerns_only_readers_of_its_board_and_a_warning_all() {
        let mut boards = Boards::default();
        let concerned = |boards: &Boards, seen| ["a", "b"].map(|id| boards.concern(&reader_of(id), seen));
        boards.set("a".parse().unwrap(), record("x/*"));
        boards.set("b".parse().unwrap(), record("x/*"));
        let seen = boards.changes();
        assert_eq!(concerned(&boards, seen), [false, false]);
        boards.set("a".parse().unwrap(), record("y/*"));
        assert_eq!(concerned(&boards, seen), [true, false]);
        let seen = boards.changes();
        assert!(boards.warn(vec!["the clock jumped".to_owned()]));
        assert_eq!(concerned(&boards, seen), [true, true]);
    }

    #[test]
    fn board_that_was_deleted_and_forgotten_concerns_readers_that_have_not_looked_since() {
        let mut boards = Boards::default();
        boards.set("a".parse().unwrap(), record("x/*"));
        let seen = boards.changes();
        boards.set("a".parse().unwrap(), record("a/**"));
        boards.forget(Some(&"a".parse().unwrap()), Seq(1));
        assert!(boards.concern(&reader_of("a"), seen));
        assert!(!boards.concern(&reader_of("a"), boards.changes()));
    }
}
