//! The series and boards that a reader may see, as the hub needs them.

use std::sync::Arc;

use shared::access::SeriesScope;
use shared::{BoardId, Capability, Seq};

use super::lease::Lease;

/// The series and boards that a reader may see, until its lease is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadScope {
    series: SeriesScope,
    capability: Capability,
    since: Seq,
    lease: Lease,
}

impl ReadScope {
    /// Makes the scope of a capability, which its holder has since this position of the log.
    #[must_use]
    pub fn new(capability: Capability, since: Seq) -> Self {
        Self { series: capability.read_scope(), capability, since, lease: Lease::default() }
    }

    /// Makes a scope of everything, for ever.
    #[must_use]
    pub fn everything() -> Arc<Self> {
        Arc::new(Self::new(Capability::admin(), Seq::ZERO))
    }

    /// The series that the reader may see.
    #[must_use]
    pub fn series(&self) -> &SeriesScope {
        &self.series
    }

    /// Returns true if the reader may see the document of a board. Any other board is for it one that nobody made.
    #[must_use]
    pub fn sees_board(&self, id: &BoardId) -> bool {
        self.capability.reads_board(id)
    }

    /// Returns true if both readers may see the same.
    #[must_use]
    pub fn sees_the_same_as(&self, other: &Self) -> bool {
        self.capability.grants() == other.capability.grants()
    }

    /// The highest cursor that may belong to another scope of the same reader.
    #[must_use]
    pub fn since(&self) -> Seq {
        self.since
    }

    /// The lease of the reader.
    #[must_use]
    pub fn lease(&self) -> &Lease {
        &self.lease
    }
}
