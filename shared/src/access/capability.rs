//! A capability: everything that the holder of a credential may do, and until when.

use serde::{Deserialize, Serialize};

use super::grant::Grant;
use super::scope::SeriesScope;
use crate::{BoardId, Millis, Selector};

/// The most grants of a capability. It bounds the work of checking one, also under the lock of the hub.
pub const MAX_GRANTS: usize = 32;

/// The grants of a token or of the anonymous visitor, until they expire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    grants: Vec<Grant>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    expires: Option<Millis>,
}

/// Error: the grants are no capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CapabilityError {
    /// There is no grant.
    #[error(
        "it grants nothing; name at least one of push:SELECTOR, read:SELECTOR, read-series:SELECTOR, read-board:BOARD, edit:BOARD, admin"
    )]
    Empty,
    /// There are more than [`MAX_GRANTS`] grants.
    #[error("it has {0} grants; at most {MAX_GRANTS} are allowed: use wildcards")]
    TooMany(usize),
}

impl Capability {
    /// Makes a capability of these grants, in any order.
    ///
    /// # Errors
    /// [`CapabilityError`].
    pub fn new(mut grants: Vec<Grant>, expires: Option<Millis>) -> Result<Self, CapabilityError> {
        grants.sort();
        grants.dedup();
        match grants.len() {
            0 => Err(CapabilityError::Empty),
            count if count > MAX_GRANTS => Err(CapabilityError::TooMany(count)),
            _ => Ok(Self { grants, expires }),
        }
    }

    /// Makes the capability that permits everything, for ever.
    #[must_use]
    pub fn admin() -> Self {
        Self { grants: vec![Grant::Admin], expires: None }
    }

    /// Makes the capability that permits nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self { grants: Vec::new(), expires: None }
    }

    /// Makes the capability of a link: to read the document of a board and these series, and no other board. It may have more
    /// than [`MAX_GRANTS`] grants, as many as the board has selectors.
    #[must_use]
    pub fn of_board(board: &BoardId, series: Vec<Selector>, expires: Option<Millis>) -> Self {
        let mut grants: Vec<_> = series.into_iter().map(Grant::ReadSeries).collect();
        grants.push(Grant::ReadBoard(board.into()));
        grants.sort();
        grants.dedup();
        Self { grants, expires }
    }

    /// The grants, in order and without repeats.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// The time at which it ends, if it does.
    #[must_use]
    pub fn expires(&self) -> Option<Millis> {
        self.expires
    }

    /// Returns true if it has ended at the time `now`.
    #[must_use]
    pub fn is_expired(&self, now: Millis) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Returns true if it permits everything.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.grants.contains(&Grant::Admin)
    }

    /// Returns the series that it permits pushing to.
    #[must_use]
    pub fn push_scope(&self) -> SeriesScope {
        self.scope(|grant| match grant {
            Grant::Push(selector) => Some(selector),
            _ => None,
        })
    }

    /// Returns the series that it permits reading.
    #[must_use]
    pub fn read_scope(&self) -> SeriesScope {
        self.scope(|grant| match grant {
            Grant::Read(selector) | Grant::ReadSeries(selector) => Some(selector),
            _ => None,
        })
    }

    fn scope<'a>(&'a self, of: impl Fn(&'a Grant) -> Option<&'a Selector>) -> SeriesScope {
        if self.is_admin() { SeriesScope::All } else { SeriesScope::of(self.grants.iter().filter_map(of)) }
    }

    /// Returns true if it permits reading the document of a board.
    #[must_use]
    pub fn reads_board(&self, id: &BoardId) -> bool {
        self.grants.iter().any(|grant| grant.reads_board(id))
    }

    /// Returns true if it permits changing the document of a board.
    #[must_use]
    pub fn edits_board(&self, id: &BoardId) -> bool {
        self.grants.iter().any(|grant| grant.edits_board(id))
    }

    /// Returns true if it permits reading anything.
    #[must_use]
    pub fn reads_something(&self) -> bool {
        self.grants.iter().any(|grant| !matches!(grant, Grant::Push(_)))
    }

    /// Returns true if it permits changing some board.
    #[must_use]
    pub fn edits_something(&self) -> bool {
        self.grants.iter().any(|grant| matches!(grant, Grant::Edit(_) | Grant::Admin))
    }

    /// Returns true if it permits everything that `other` permits, for as long. Each grant of `other` must be covered by
    /// a single grant of this capability.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let lasts = match (self.expires, other.expires) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(other)) => other <= own,
        };
        lasts && other.grants.iter().all(|other| self.grants.iter().any(|own| own.covers(other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeriesName;
    use proptest::prelude::*;

    fn capability(grants: &[&str], expires: Option<u64>) -> Capability {
        let grants = grants.iter().map(|grant| grant.parse().unwrap()).collect();
        Capability::new(grants, expires.map(Millis)).unwrap()
    }

    #[test]
    fn capability_has_grants_in_bounded_number() {
        assert_eq!(Capability::new(Vec::new(), None), Err(CapabilityError::Empty));
        let many = (0..=MAX_GRANTS).map(|n| format!("push:s{n}").parse().unwrap()).collect();
        assert_eq!(Capability::new(many, None), Err(CapabilityError::TooMany(MAX_GRANTS + 1)));
        let text = serde_json::to_string(&capability(&["read:b/*", "admin"], Some(7))).unwrap();
        assert_eq!(text, r#"{"grants":["read:b/*","admin"],"expires":7}"#);
        assert_eq!(serde_json::from_str::<Capability>(&text).unwrap(), capability(&["admin", "read:b/*"], Some(7)));
    }

    #[test]
    fn maker_cannot_grant_more_than_it_has_nor_for_longer() {
        let admin = capability(&["admin"], Some(10));
        assert!(admin.covers(&capability(&["admin", "push:**"], Some(10))));
        assert!(!admin.covers(&capability(&["push:a"], None)) && !admin.covers(&capability(&["push:a"], Some(11))));
        let some = capability(&["read:a/**", "edit:w*"], None);
        assert!(some.covers(&capability(&["read:a/b", "read-board:a", "read-board:wall", "edit:w"], Some(1))));
        for more in ["push:a/b", "read:**", "read-series:b", "read-board:b", "edit:*", "admin"] {
            assert!(!some.covers(&capability(&[more], Some(1))), "{more}");
        }
    }

    fn grants() -> impl Strategy<Value = Grant> {
        let grant = "(push|read|read-series):(a|b|\\*)(/(a|b|\\*|\\*\\*))?|(read-board|edit):[ab]{0,2}\\*|(read-board|edit):[ab]{1,2}|(push|read):\\*\\*|admin";
        grant.prop_map(|text| text.parse().unwrap())
    }

    proptest! {
        #[test]
        fn capability_that_covers_another_permits_all_that_it_permits(
            own in prop::collection::vec(grants(), 1..4), other in prop::collection::vec(grants(), 1..4),
            name in "(a|b|c)(/(a|b|c)){0,2}", board in "[abc]{1,3}"
        ) {
            let (own, other) = (Capability::new(own, None).unwrap(), Capability::new(other, None).unwrap());
            let (name, board): (SeriesName, BoardId) = (name.parse().unwrap(), board.parse().unwrap());
            let permits = |capability: &Capability| [
                capability.push_scope().contains(&name),
                capability.read_scope().contains(&name),
                capability.reads_board(&board),
                capability.edits_board(&board),
                capability.is_admin(),
            ];
            if own.covers(&other) {
                for (own, other) in permits(&own).into_iter().zip(permits(&other)) {
                    prop_assert!(own || !other);
                }
            }
            prop_assert!(own.covers(&own));
        }
    }
}
