//! Slows down the guessing of passwords: counts failed sign-ins by name and by address.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::Uptime;
use crate::limits::client::Client;

/// Failures of a name after which further tries must wait. Few guesses are enough for a person who mistypes.
const MAX_OF_NAME: u32 = 10;

/// Failures of an address after which further tries must wait. Many people may share an address.
const MAX_OF_ADDRESS: u32 = 30;

/// Time after the first failure in which failures are counted.
const WINDOW: Duration = Duration::from_mins(15);

/// The most names and addresses that are counted. It bounds the memory.
const MAX_COUNTED: usize = 10_000;

/// Counts failed sign-ins.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    by_name: HashMap<String, Failures>,
    by_address: HashMap<Client, Failures>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    since: Uptime,
    count: u32,
}

impl Failures {
    fn is_over(&self, now: Uptime) -> bool {
        now.0.saturating_sub(self.since.0) >= window_ms()
    }
}

fn window_ms() -> u64 {
    u64::try_from(WINDOW.as_millis()).unwrap_or(u64::MAX)
}

impl Throttle {
    /// Counts a try as failed before its password is checked, so that many tries at once are bounded, too. Returns the
    /// seconds to wait if there were too many; then the password must not be checked.
    ///
    /// # Errors
    /// The seconds after which to try again.
    pub fn begin(&self, name: &str, address: Option<Client>, now: Uptime) -> Result<(), u64> {
        let mut counts = self.0.lock();
        let of_name = wait(counts.by_name.get(name), MAX_OF_NAME, now);
        let of_address = address.and_then(|address| wait(counts.by_address.get(&address), MAX_OF_ADDRESS, now));
        if let Some(seconds) = of_name.max(of_address) {
            return Err(seconds);
        }
        count(&mut counts.by_name, name.to_owned(), now);
        if let Some(address) = address {
            count(&mut counts.by_address, address, now);
        }
        Ok(())
    }

    /// Forgets the failures of a name and takes back the last one of an address, because the sign-in succeeded.
    pub fn succeeded(&self, name: &str, address: Option<Client>) {
        let mut counts = self.0.lock();
        counts.by_name.remove(name);
        if let Some(failures) = address.and_then(|address| counts.by_address.get_mut(&address)) {
            failures.count = failures.count.saturating_sub(1);
        }
    }
}

/// Returns the seconds to wait; `None` if there is no need.
fn wait(failures: Option<&Failures>, most: u32, now: Uptime) -> Option<u64> {
    let failures = failures.filter(|failures| failures.count >= most && !failures.is_over(now))?;
    Some((failures.since.0 + window_ms()).saturating_sub(now.0).div_ceil(1_000))
}

fn count<K: Eq + Hash>(all: &mut HashMap<K, Failures>, key: K, now: Uptime) {
    if all.len() >= MAX_COUNTED && !all.contains_key(&key) {
        all.retain(|_, failures| !failures.is_over(now));
        // Someone tries very many names: those that were tried least are forgotten.
        let mut least = 1;
        while all.len() >= MAX_COUNTED {
            all.retain(|_, failures| failures.count > least);
            least *= 2;
        }
    }
    let failures = all.entry(key).or_insert(Failures { since: now, count: 0 });
    if failures.is_over(now) {
        *failures = Failures { since: now, count: 0 };
    }
    failures.count += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Uptime = Uptime(1_000_000);

    fn client(last: u8) -> Option<Client> {
        Some(Client::at([10, 0, 0, last].into()))
    }

    #[test]
    fn name_waits_after_some_failures_wherever_they_come_from() {
        let throttle = Throttle::default();
        for number in 0..MAX_OF_NAME {
            assert_eq!(throttle.begin("ann", client(u8::try_from(number).unwrap()), NOW), Ok(()));
        }
        assert_eq!(throttle.begin("ann", client(99), NOW), Err(900));
        assert_eq!(throttle.begin("bob", client(99), NOW), Ok(()));
        assert_eq!(throttle.begin("ann", client(99), NOW.plus(window_ms())), Ok(()));
        throttle.succeeded("ann", client(99));
        for _ in 0..MAX_OF_NAME {
            assert_eq!(throttle.begin("ann", None, NOW), Ok(()));
        }
    }

    #[test]
    fn address_waits_after_more_failures_of_any_names() {
        let throttle = Throttle::default();
        for number in 0..MAX_OF_ADDRESS {
            assert_eq!(throttle.begin(&format!("u{number}"), client(1), NOW), Ok(()));
        }
        assert!(throttle.begin("x", client(1), NOW).is_err() && throttle.begin("x", client(2), NOW).is_ok());
        throttle.succeeded("u0", client(1));
        assert!(throttle.begin("y", client(1), NOW).is_ok(), "a success counts for nothing");
    }

    #[test]
    fn memory_is_bounded_and_names_that_are_guessed_at_stay_counted() {
        let throttle = Throttle::default();
        for _ in 0..MAX_OF_NAME {
            throttle.begin("ann", None, NOW).unwrap();
        }
        for number in 0..2 * MAX_COUNTED {
            throttle.begin(&format!("u{number}"), None, NOW).unwrap();
        }
        assert!(throttle.0.lock().by_name.len() <= MAX_COUNTED);
        assert!(throttle.begin("ann", None, NOW).is_err());
    }
}
