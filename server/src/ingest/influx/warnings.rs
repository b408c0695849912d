//! Warnings about a write that is stored, but differs from the data that was sent.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderName;
use axum::response::Response;

use super::answer::header_text;
use crate::clock::Uptime;

/// The header of an answer with warnings.
pub const HEADER: HeaderName = HeaderName::from_static("pulseboard-warning");

/// The most warnings of a write that are listed; the others are counted.
const MAX_LISTED: usize = 5;

/// Milliseconds between two warnings in the log: a client repeats its mistake with each write.
const LOG_EVERY: u64 = 60_000;

/// The warnings of a write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Warnings {
    count: usize,
    first: Vec<String>,
}

impl Warnings {
    /// Adds a warning. Calls `text` only if it is listed.
    pub(super) fn add(&mut self, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < MAX_LISTED {
            self.first.push(text());
        }
    }

    /// Returns all warnings in one line; `None` if there are none.
    #[must_use]
    pub fn summary(&self) -> Option<String> {
        let more = self.count.checked_sub(self.first.len()).filter(|&more| more > 0);
        let more = more.map(|more| format!("{more} more"));
        let all: Vec<_> = self.first.iter().cloned().chain(more).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// Adds the warnings to the answer, in a header, and to the log, at most once in [`LOG_EVERY`].
    pub(super) fn attach(&self, response: &mut Response, log: &WarningLog, now: Uptime) {
        let Some(summary) = self.summary() else { return };
        response.headers_mut().insert(HEADER, header_text(&summary));
        if log.is_due(now) {
            tracing::warn!("a write in line protocol was changed: {}", crate::plain_text::Plain(&summary));
        }
    }
}

/// Limits how often warnings are logged. Clones of the server's state share one.
#[derive(Debug, Default)]
pub struct WarningLog {
    /// The earliest uptime, in milliseconds, at which a warning may be logged again.
    next: AtomicU64,
}

impl WarningLog {
    fn is_due(&self, now: Uptime) -> bool {
        let next = self.next.load(Ordering::Relaxed);
        let then = now.plus(LOG_EVERY).0;
        now.0 >= next && self.next.compare_exchange(next, then, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_warnings_are_listed_and_the_others_counted() {
        let mut warnings = Warnings::default();
        assert_eq!(warnings.summary(), None);
        for n in 1..=MAX_LISTED {
            warnings.add(|| format!("w{n}"));
        }
        assert_eq!(warnings.summary().unwrap(), "w1; w2; w3; w4; w5");
        warnings.add(|| unreachable!("it is only counted"));
        assert_eq!(warnings.summary().unwrap(), "w1; w2; w3; w4; w5; 1 more");
    }

    #[test]
    fn warnings_are_logged_once_a_minute() {
        let log = WarningLog::default();
        let due: Vec<_> = [5, 6, 60_004, 60_005, 60_006].into_iter().map(|now| log.is_due(Uptime(now))).collect();
        assert_eq!(due, [true, false, false, true, false]);
    }
}
