//! Bounds the memory of pushes in progress: the bytes of their bodies and of the points parsed from them, over all
//! requests.
//!
//! A request grows its [`Share`] as bytes arrive and as points are parsed, and releases it when the push is answered.
//! So a slow sender holds only the bytes that it has sent, and a compressed body only the bytes unpacked so far. The
//! pushes of one address can use half of the budget, so that it leaves some to others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytesize::ByteSize;

use crate::limits::client::{ClientQuota, LimitedClient, QuotaShare};

/// Shares of up to this many bytes are small: some hundred points.
const SMALL: usize = 64 << 10;

/// A budget of bytes for all pushes in progress. Clones share one budget.
#[derive(Clone, Debug)]
pub struct PushMemory(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    /// Bytes that only small shares may take, so that large pushes cannot keep out a push of a single point.
    reserved: usize,
    used: AtomicUsize,
    by_client: ClientQuota,
}

impl PushMemory {
    /// Creates a budget of `most` bytes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let by_client = ClientQuota::new(most / 2);
        Self(Arc::new(Inner { most, reserved: most / 8, used: AtomicUsize::new(0), by_client }))
    }

    /// Creates an empty share for a push of a client.
    #[must_use]
    pub fn share_of(&self, LimitedClient(client): LimitedClient) -> Share {
        let own = client.map(|client| self.0.by_client.take(client, 0));
        Share { memory: self.clone(), held: 0, own }
    }

    /// Creates an empty share for a push without a bound per address.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share_of(LimitedClient(None))
    }

    /// Returns the bytes in use now.
    #[must_use]
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Returns the size of the budget in bytes.
    #[must_use]
    pub fn most(&self) -> usize {
        self.0.most
    }
}

/// The part of a [`PushMemory`] that one push holds; released when dropped.
#[derive(Debug)]
pub struct Share {
    memory: PushMemory,
    held: usize,
    /// The same bytes among those of the client, if it is bounded.
    own: Option<QuotaShare>,
}

impl Share {
    /// Creates a share of an unlimited budget of its own, for tests and benchmarks.
    #[must_use]
    pub fn unbounded() -> Self {
        PushMemory::new(usize::MAX).share()
    }

    /// Reserves `bytes` more.
    ///
    /// # Errors
    /// [`Exhausted`] if too few bytes are left; the share is then unchanged.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let Inner { most, reserved, used, by_client } = &*self.memory.0;
        let held = self.held.saturating_add(bytes);
        if let Some(own) = &mut self.own
            && !own.grow(bytes)
        {
            let most = by_client.most();
            return Err(Exhausted { most, of: Of::Client, for_ever: held > most });
        }
        let most_used = if held <= SMALL { *most } else { most - reserved };
        let more = |used: usize| used.checked_add(bytes).filter(|&used| used <= most_used);
        match used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => {
                self.held = held;
                Ok(())
            }
            Err(_) => {
                if let Some(own) = &mut self.own {
                    own.shrink(bytes);
                }
                Err(Exhausted { most: *most, of: Of::All, for_ever: held > most_used })
            }
        }
    }

    /// Releases `bytes`, at most as many as the share holds.
    pub fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.held);
        self.held -= bytes;
        self.memory.0.used.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(own) = &mut self.own {
            own.shrink(bytes);
        }
    }

    /// Returns the bytes that the share holds.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink(self.held);
    }
}

/// The budget has too few bytes left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pushes in progress{of} may use {} of memory in total (--max-queue)", ByteSize::b(*.most as u64))]
pub struct Exhausted {
    /// Bytes that these pushes may take.
    pub most: usize,
    /// The pushes that share the budget.
    pub of: Of,
    /// True if this push alone exceeds the budget, so that sending it again cannot help.
    pub for_ever: bool,
}

/// The pushes that share a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// All pushes.
    All,
    /// The pushes of one address.
    Client,
}

impl std::fmt::Display for Of {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::All => "",
            Self::Client => " of your address",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MOST: usize = 80 * SMALL;

    #[test]
    fn large_shares_leave_room_for_small_ones() {
        let memory = PushMemory::new(MOST);
        let mut large = memory.share();
        assert_eq!(large.grow(MOST), Err(Exhausted { most: MOST, of: Of::All, for_ever: true }));
        large.grow(MOST - MOST / 8).unwrap();
        let mut other = memory.share();
        assert_eq!(other.grow(SMALL + 1), Err(Exhausted { most: MOST, of: Of::All, for_ever: false }));
        other.grow(SMALL).unwrap();
        assert_eq!(other.grow(1), Err(Exhausted { most: MOST, of: Of::All, for_ever: false }));
        drop(large);
        other.grow(1).unwrap();
    }

    #[test]
    fn pushes_of_one_address_leave_half_of_the_budget_to_others() {
        let memory = PushMemory::new(MOST);
        let of = |last| LimitedClient(Some(crate::limits::client::Client::at([10, 0, 0, last].into())));
        let mut shares: Vec<Share> = (0..50).map(|_| memory.share_of(of(1))).collect();
        let held = shares.iter_mut().map(|share| share.grow(SMALL)).filter(Result::is_ok).count();
        assert_eq!(held, MOST / 2 / SMALL);
        let refused = shares[held].grow(1).unwrap_err();
        assert_eq!(refused, Exhausted { most: MOST / 2, of: Of::Client, for_ever: false });
        assert!(refused.to_string().contains("of your address"), "{refused}");
        memory.share_of(of(2)).grow(MOST / 4).unwrap();
        memory.share().grow(MOST / 4).unwrap();
        shares.pop();
        shares.remove(0);
        shares.last_mut().unwrap().grow(SMALL).unwrap();
        drop(shares);
        assert_eq!(memory.used(), 0);
    }

    proptest! {
        #[test]
        fn bytes_in_use_are_the_sum_of_all_shares_and_within_the_budget(
            steps in prop::collection::vec((0..4_usize, 0..3 * MOST / 2, any::<bool>()), 1..50)
        ) {
            let memory = PushMemory::new(MOST);
            let mut shares: Vec<Share> = (0..4).map(|_| memory.share()).collect();
            for (index, bytes, grows) in steps {
                if grows {
                    let before = shares[index].held();
                    let grown = shares[index].grow(bytes).is_ok();
                    prop_assert_eq!(shares[index].held(), if grown { before + bytes } else { before });
                } else {
                    shares[index].shrink(bytes);
                }
                prop_assert_eq!(memory.used(), shares.iter().map(Share::held).sum::<usize>());
                prop_assert!(memory.used() <= MOST);
            }
            drop(shares);
            prop_assert_eq!(memory.used(), 0);
        }
    }
}
