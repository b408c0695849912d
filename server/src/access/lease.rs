//! Tells work that outlives its request, such as a stream, that its permission has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A permission that can end. Clones share it; two leases are equal if they are clones.
#[derive(Clone, Debug, Default)]
pub struct Lease(Arc<AtomicBool>);

impl Lease {
    /// Ends the permission.
    pub fn end(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Returns true if the permission has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl PartialEq for Lease {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Lease {}
