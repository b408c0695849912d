//! Retries a push while the server cannot be reached, and reports that on standard error.

use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use crate::cli::upload::{Sent, UploadError, Uploader};
use crate::config::duration::Keep;
use crate::plain_text::Plain;

/// Maximum wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Time between the first two messages about an outage. It doubles with each message.
const SAY_AFTER: Duration = Duration::from_secs(5);

/// Maximum time between two messages.
const SAY_AT_LEAST: Duration = Duration::from_mins(1);

/// Pushes a batch, with as many attempts as needed, for as long as `give_up` says. Its `key` makes it count once.
///
/// # Errors
/// [`UploadError`]; a temporary one only once that time is over.
pub(super) fn push_through(uploader: &Uploader, points: &[Sent], key: &str, give_up: Keep) -> Result<(), UploadError> {
    let begun = Instant::now();
    let mut outage: Option<Outage> = None;
    loop {
        let error = match uploader.push(points, Some(key)) {
            Err(error @ UploadError::Unavailable { .. }) => error,
            done => {
                if outage.is_some() && done.is_ok() {
                    eprintln!("pulseboard: it goes through again, after {} s", begun.elapsed().as_secs());
                }
                return done;
            }
        };
        let gone = begun.elapsed();
        let left = give_up.ms().map(|most| Duration::from_millis(most).saturating_sub(gone));
        if left == Some(Duration::ZERO) {
            return Err(error);
        }
        let outage = outage.get_or_insert_with(|| Outage::since(SystemTime::now() - gone));
        if outage.is_to_be_told(gone) {
            eprintln!("pulseboard: {}; {} lines wait, {outage}, {}", Plain(error), points.len(), Limit(give_up));
        }
        std::thread::sleep(outage.wait().min(left.unwrap_or(LONGEST_WAIT)));
    }
}

/// A time in which no push succeeds.
#[derive(Debug)]
struct Outage {
    since: SystemTime,
    tries: u32,
    /// Time of the next message, since the outage began.
    tell_at: Duration,
}

impl Outage {
    fn since(since: SystemTime) -> Self {
        Self { since, tries: 0, tell_at: Duration::ZERO }
    }

    /// Returns true if a message is due, now that the outage has lasted for `gone`.
    fn is_to_be_told(&mut self, gone: Duration) -> bool {
        let told = gone >= self.tell_at;
        if told {
            self.tell_at = gone + self.tell_at.clamp(SAY_AFTER, SAY_AT_LEAST);
        }
        told
    }

    /// Returns the wait before the next attempt.
    fn wait(&mut self) -> Duration {
        let wait = Duration::from_millis(100 << self.tries.min(10)).min(LONGEST_WAIT);
        self.tries += 1;
        wait
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "since {}", httpdate::fmt_http_date(self.since))
    }
}

/// The time limit of the attempts, for people.
struct Limit(Keep);

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Keep::For(length) => write!(f, "tried again for {length} in all (--give-up)"),
            Keep::Forever => f.write_str("tried again until it goes (--give-up)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_at_once_and_then_ever_more_seldom_but_never_forgotten() {
        let mut outage = Outage::since(SystemTime::UNIX_EPOCH);
        let told: Vec<u64> = (0..400).filter(|&second| outage.is_to_be_told(Duration::from_secs(second))).collect();
        assert_eq!(told[..5], [0, 5, 10, 20, 40]);
        assert!(told.windows(2).all(|pair| pair[1] - pair[0] <= 60), "{told:?}");
        assert!(outage.to_string().contains("Thu, 01 Jan 1970 00:00:00 GMT"));
    }

    #[test]
    fn tries_come_ever_more_seldom() {
        let mut outage = Outage::since(SystemTime::UNIX_EPOCH);
        let waits: Vec<u128> = (0..8).map(|_| outage.wait().as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    }
}
