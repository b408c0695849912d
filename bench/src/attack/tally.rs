//! Counts the answers that an attacker receives.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::client::Answer;

/// Counts of answers by kind, such as `204`, `closed` or `timed out`. Threads share it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: Mutex<BTreeMap<String, u64>>,
    /// Set when the server is gone, to end the attack.
    pub(crate) over: AtomicBool,
}

impl Tally {
    /// Counts an answer, or the kind of failure. Returns the status.
    pub(crate) fn note(&self, answer: &io::Result<Answer>) -> Option<u16> {
        match answer {
            Ok(answer) => {
                self.count(&answer.status.to_string());
                Some(answer.status)
            }
            Err(error) => {
                self.count(match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => "timed out",
                    ErrorKind::ConnectionRefused => "refused",
                    _ => "closed",
                });
                None
            }
        }
    }

    /// Counts an event of this kind.
    pub(crate) fn count(&self, kind: &str) {
        let mut counts = self.counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *counts.entry(kind.to_owned()).or_default() += 1;
    }

    /// The counts by kind.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Returns true while the attack should continue.
    pub(crate) fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }
}
