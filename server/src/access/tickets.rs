//! Tickets: secrets that open one stream, for an `EventSource` on a page of another origin, which can send neither a
//! header nor a cookie. A ticket is in the address, and so in logs; it is worthless there, because it was used.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use shared::Millis;

use super::principal::Principal;
use crate::log::TokenHash;

/// Milliseconds for which a ticket is valid.
pub const LASTS_MS: u64 = 30_000;

/// The most tickets that wait to be used. It bounds their memory.
const MAX_TICKETS: usize = 10_000;

/// The tickets that were not used yet.
#[derive(Debug, Default)]
pub struct Tickets(Mutex<HashMap<TokenHash, (Arc<Principal>, Millis)>>);

impl Tickets {
    /// Adds a ticket of this hash. Returns false if there are too many.
    #[must_use]
    pub fn add(&self, hash: TokenHash, principal: Arc<Principal>, now: Millis) -> bool {
        let mut tickets = self.0.lock();
        if tickets.len() >= MAX_TICKETS {
            tickets.retain(|_, (_, until)| *until > now);
        }
        let has_room = tickets.len() < MAX_TICKETS;
        if has_room {
            tickets.insert(hash, (principal, now.plus(LASTS_MS)));
        }
        has_room
    }

    /// Uses a ticket: returns the principal that it was made for, once.
    #[must_use]
    pub fn take(&self, hash: &TokenHash, now: Millis) -> Option<Arc<Principal>> {
        let (principal, until) = self.0.lock().remove(hash)?;
        (until > now && until <= now.plus(LASTS_MS)).then_some(principal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Who;
    use shared::{Capability, Seq};

    #[test]
    fn ticket_is_good_for_one_stream_within_thirty_seconds() {
        let (tickets, now) = (Tickets::default(), Millis(1_732_399_200_123));
        let principal = Arc::new(Principal::new(Who::Everyone, Capability::admin(), Seq::ZERO));
        let add = |n: u32, now| {
            let hash: Vec<u8> = n.to_le_bytes().repeat(8);
            let hash = TokenHash(hash.try_into().unwrap());
            (hash, tickets.add(hash, principal.clone(), now))
        };
        let (hash, _) = add(0, now);
        assert!(tickets.take(&hash, now.plus(LASTS_MS - 1)).is_some() && tickets.take(&hash, now).is_none());
        for late in [now.plus(LASTS_MS), Millis(now.0 - 86_400_000)] {
            let (hash, _) = add(0, now);
            assert!(tickets.take(&hash, late).is_none(), "{late}");
        }
        let most = u32::try_from(MAX_TICKETS).unwrap();
        assert!((0..most).all(|n| add(n, now).1) && !add(most, now).1);
        assert!(add(most, now.plus(LASTS_MS)).1, "old ones make room");
    }
}
