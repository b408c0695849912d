//! The links among the principals. A link permits reading its board and those of its series that the maker could read, so
//! its capability follows the document of the board.

use std::fmt;
use std::sync::Arc;

use shared::access::Grant;
use shared::{BoardId, Capability, Millis, Selector, Seq};

use super::{Authority, Table, is_valid};
use crate::access::principal::{Principal, Who};
use crate::log::{LinkRecord, NewLink, TokenHash};

/// A function that returns the selectors of a board.
type SelectorsOf = dyn Fn(&BoardId) -> Vec<Selector> + Send + Sync;

/// Returns the selectors of a board as it is shown now.
#[derive(Clone)]
pub struct BoardSelectors(Arc<SelectorsOf>);

impl BoardSelectors {
    /// Makes it of a function.
    pub fn new(of: impl Fn(&BoardId) -> Vec<Selector> + Send + Sync + 'static) -> Self {
        Self(Arc::new(of))
    }

    pub(super) fn of(&self, board: &BoardId) -> Vec<Selector> {
        (self.0)(board)
    }
}

impl fmt::Debug for BoardSelectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoardSelectors(…)")
    }
}

/// A link, valid or ended.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) record: LinkRecord,
    pub(super) principal: Arc<Principal>,
}

/// Returns the selectors that a link shows of a board with these `selectors`: those series that `scope` permits.
fn seen(scope: &[Grant], selectors: Vec<Selector>) -> Vec<Selector> {
    Capability::new(scope.to_vec(), None).map_or_else(|_| Vec::new(), |maker| maker.read_scope().narrow(selectors))
}

fn capability(link: &NewLink, selectors: Vec<Selector>) -> Capability {
    Capability::of_board(&link.board, seen(&link.scope, selectors), Some(link.expires))
}

impl Table {
    /// Adds a link, or replaces it. `selectors` are those of its board, and `since` is the position since which it has them.
    pub(super) fn set_link(&mut self, record: LinkRecord, selectors: Vec<Selector>, since: Seq) {
        if let Some(before) = self.links.get(&record.link.id) {
            self.by_hash.remove(&before.record.link.hash);
        }
        let who = Who::Link(record.link.id.clone());
        let principal = Arc::new(Principal::new(who, capability(&record.link, selectors), since));
        if record.revoked.is_none() {
            self.by_hash.insert(record.link.hash, principal.clone());
        }
        self.links.insert(record.link.id.clone(), Link { record, principal });
    }
}

impl Authority {
    pub(super) fn apply_link(&self, record: &LinkRecord) {
        let former = self.0.table.load().links.get(&record.link.id).map(|link| link.principal.clone());
        let selectors = self.0.boards.of(&record.link.board);
        self.change(|table| table.set_link(record.clone(), selectors.clone(), record.since));
        if let Some(former) = former {
            former.read_scope().lease().end();
        }
    }

    /// Adjusts the links of a board whose selectors changed. Their streams begin anew.
    pub(super) fn apply_board(&self, board: &BoardId, selectors: &[Selector], position: Seq) {
        let before = self.0.table.load_full();
        let is_other = |link: &&Link| {
            link.record.link.board == *board
                && link.record.revoked.is_none()
                && *link.principal.capability() != capability(&link.record.link, selectors.to_vec())
        };
        let others: Vec<_> = before.links.values().filter(is_other).collect();
        if others.is_empty() {
            return;
        }
        self.change(|table| {
            others.iter().for_each(|link| table.set_link(link.record.clone(), selectors.to_vec(), position));
        });
        others.iter().for_each(|link| link.principal.read_scope().lease().end());
    }

    /// Returns every link, also ended ones, by id.
    #[must_use]
    pub fn links(&self) -> Vec<LinkRecord> {
        self.0.table.load().links.values().map(|link| link.record.clone()).collect()
    }

    /// Returns the link of a secret with this hash, if it is valid at `now`.
    #[must_use]
    pub fn link_of(&self, hash: &TokenHash, now: Millis) -> Option<LinkRecord> {
        let table = self.0.table.load();
        let principal = table.by_hash.get(hash).filter(|principal| is_valid(principal, now))?;
        match principal.who() {
            Who::Link(id) => table.links.get(id).map(|link| link.record.clone()),
            _ => None,
        }
    }

    /// Returns true if a board selects series, and a maker with these grants may read none of them.
    #[must_use]
    pub fn hides_all(&self, board: &BoardId, scope: &[Grant]) -> bool {
        let selectors = self.0.boards.of(board);
        !selectors.is_empty() && seen(scope, selectors).is_empty()
    }
}
