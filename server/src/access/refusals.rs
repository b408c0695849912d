//! Chooses the refused requests that the audit log records: each kind seldom, and few in all, since strangers can cause any
//! number of them.

use std::collections::HashMap;
use std::net::IpAddr;

use parking_lot::Mutex;

use crate::clock::Uptime;

/// Milliseconds for which further refusals of the same kind are left out.
const SAME: u64 = 600_000;

/// Milliseconds of one count.
const WINDOW: u64 = 60_000;

/// The most refusals that are recorded in a window.
const MOST: usize = 30;

/// The most kinds that are remembered. It bounds the memory.
const MAX_KINDS: usize = 4_096;

/// Refusals of the same kind: those of one sender at one route.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RefusalKind {
    /// The principal.
    pub who: String,
    /// The address of the client.
    pub from: Option<IpAddr>,
    /// The route; `None` for a path without one.
    pub route: Option<String>,
    /// The status of the answer.
    pub status: u16,
}

/// Chooses the refusals that are recorded.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Chosen>);

#[derive(Debug, Default)]
struct Chosen {
    until: HashMap<RefusalKind, Uptime>,
    window: Uptime,
    count: usize,
}

impl Refusals {
    /// Returns true if a refusal is to be recorded.
    #[must_use]
    pub fn chooses(&self, kind: RefusalKind, now: Uptime) -> bool {
        let mut chosen = self.0.lock();
        if now >= chosen.window.plus(WINDOW) {
            (chosen.window, chosen.count) = (now, 0);
        }
        let is_known = chosen.until.get(&kind).is_some_and(|until| now < *until);
        if is_known || chosen.count >= MOST {
            return false;
        }
        if chosen.until.len() >= MAX_KINDS {
            chosen.until.retain(|_, until| now < *until);
            if chosen.until.len() >= MAX_KINDS {
                chosen.until.clear();
            }
        }
        chosen.count += 1;
        chosen.until.insert(kind, now.plus(SAME));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(who: usize) -> RefusalKind {
        RefusalKind { who: who.to_string(), from: None, route: Some("/in".to_owned()), status: 403 }
    }

    #[test]
    fn each_kind_is_recorded_seldom_and_few_in_all() {
        let refusals = Refusals::default();
        let chooses = |who, at| refusals.chooses(kind(who), Uptime(at));
        assert!(chooses(0, 0) && !chooses(0, 1) && !chooses(0, SAME - 1) && chooses(0, SAME));
        let count = |at: u64| (1..1_000).filter(|who| chooses(*who, at)).count();
        assert_eq!((count(2 * SAME), count(2 * SAME + 1), count(2 * SAME + WINDOW)), (MOST, 0, MOST));
    }

    #[test]
    fn memory_is_bounded() {
        let refusals = Refusals::default();
        for who in 0..3 * MAX_KINDS {
            let at = Uptime(who as u64 * WINDOW / MOST as u64);
            assert!(refusals.chooses(kind(who), at));
            assert!(refusals.0.lock().until.len() <= MAX_KINDS);
        }
    }
}
