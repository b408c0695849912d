//! The time by which retention judges age. A wall clock that jumps must not delete anything.
//!
//! A bad time server, a dead battery or a mistake can set the wall clock wrong for a while. So the store keeps its
//! own time. It starts from the time of the last write and advances with the monotonic clock. While the wall clock
//! agrees with it, it follows the wall clock. If the two differ by more than a minute, the earlier one counts, until
//! the wall clock has run steadily for an hour; then the wall clock is trusted.

use shared::Millis;

use crate::clock::Now;

/// The most milliseconds that the wall clock may be off before it is doubted. Corrections by time servers are
/// smaller.
const TOLERANCE: u64 = 60_000;

/// Milliseconds that a doubted clock must run steadily until it is trusted.
const CONFIRMED_AFTER: u64 = 3_600_000;

/// The most milliseconds between two observations that count as steady running of a doubted clock.
const LONGEST_STEP: u64 = 60_000;

/// A start more than this many milliseconds after the last write is reported, since the clock may be wrong: a week.
const LONG_PAUSE: u64 = 7 * 86_400_000;

/// A start more than this many milliseconds before the last write is reported.
const BEFORE: u64 = 600_000;

/// The store's own time. It reads no clock: the caller passes the readings of both clocks.
#[derive(Clone, Debug, Default)]
pub struct StoreTime {
    state: Option<State>,
}

#[derive(Clone, Debug)]
struct State {
    /// The store's own time.
    trusted: Millis,
    /// The clocks at the last observation.
    seen: Now,
    /// The milliseconds that the machine had been suspended at the last observation.
    asleep: u64,
    doubt: Option<Doubt>,
}

/// A wall clock that differs from the store's time.
#[derive(Clone, Debug)]
struct Doubt {
    /// Milliseconds that the wall clock is ahead; negative if it is behind.
    ahead: i128,
    /// Milliseconds that it has run steadily since then.
    steady: u64,
    /// The warning for the operator.
    warning: Option<String>,
}

impl StoreTime {
    /// Starts from `last`, the store's own time of the last write; `None` if the store is new or has no such time.
    #[must_use]
    pub fn begin(last: Option<Millis>, now: Now) -> Self {
        let mut state = State { trusted: last.unwrap_or(now.wall), seen: now, asleep: 0, doubt: None };
        let ahead = state.ahead(now.wall);
        if ahead.unsigned_abs() > TOLERANCE.into() {
            let warning = if ahead > LONG_PAUSE.into() {
                Some(format!(
                    "at the start the clock was {} after the last write: if the clock is wrong, correct it; nothing old is deleted for an hour",
                    in_words(ahead)
                ))
            } else if ahead < -i128::from(BEFORE) {
                Some(format!("at the start the clock was {} before the last write: correct it", in_words(ahead)))
            } else {
                None
            };
            state.doubt = Some(Doubt { ahead, steady: 0, warning });
        }
        Self { state: Some(state) }
    }

    /// Takes new readings of the clocks. `asleep` is how many milliseconds the machine was suspended since the
    /// program started. During suspension only the wall clock advances, which is not reported as a jump.
    pub fn observe(&mut self, now: Now, asleep: u64) {
        let Some(state) = &mut self.state else {
            *self = Self::begin(None, now);
            return;
        };
        // Time passes even if the process is stopped or waits long for its disk, and observes nothing meanwhile.
        let passed = now.up.0.saturating_sub(state.seen.up.0);
        let before = state.ahead(state.seen.wall);
        let slept = asleep.saturating_sub(state.asleep);
        state.trusted = state.trusted.plus(passed);
        (state.seen, state.asleep) = (now, asleep);
        let ahead = state.ahead(now.wall);
        if ahead.unsigned_abs() <= TOLERANCE.into() {
            state.trust(now.wall);
            return;
        }
        match &mut state.doubt {
            Some(doubt) if (ahead - doubt.ahead).unsigned_abs() <= TOLERANCE.into() => {
                doubt.steady = doubt.steady.saturating_add(passed.min(LONGEST_STEP));
                if doubt.steady >= CONFIRMED_AFTER {
                    state.trust(now.wall);
                }
            }
            _ => {
                let jump = ahead - before;
                let is_sleep = (jump - i128::from(slept)).unsigned_abs() <= TOLERANCE.into();
                let warning = (!is_sleep).then(|| {
                    let way = if jump > 0 { "forward" } else { "back" };
                    format!(
                        "the clock jumped {way} by {} while the server ran: if the clock is wrong, correct it; nothing old is deleted until it has run steadily for an hour",
                        in_words(jump)
                    )
                });
                state.doubt = Some(Doubt { ahead, steady: 0, warning });
            }
        }
    }

    /// Returns the time by which retention judges age: never later than `wall`.
    #[must_use]
    pub fn now(&self, wall: Millis) -> Millis {
        self.state.as_ref().map_or(wall, |state| wall.min(state.trusted))
    }

    /// Returns the warning about the clock; `None` if it is trusted.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        self.state.as_ref()?.doubt.as_ref()?.warning.clone()
    }
}

impl State {
    fn ahead(&self, wall: Millis) -> i128 {
        i128::from(wall.0) - i128::from(self.trusted.0)
    }

    fn trust(&mut self, wall: Millis) {
        (self.trusted, self.doubt) = (wall, None);
    }
}

/// Writes a duration in its largest suitable unit.
fn in_words(ms: i128) -> String {
    let seconds = ms.unsigned_abs() / 1_000;
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Uptime;
    use proptest::prelude::*;

    const START: u64 = 1_732_399_200_000;
    const DAY: u64 = 86_400_000;
    const YEAR: u64 = 365 * DAY;

    fn at(wall: u64, up: u64) -> Now {
        Now { wall: Millis(wall), up: Uptime(up) }
    }

    /// Advances both clocks by `ms`, observing once a second as the writer does, with the wall clock off by `offset`.
    fn pass(time: &mut StoreTime, up: &mut u64, ms: u64, offset: u64) {
        for _ in 0..ms / 1_000 {
            *up += 1_000;
            time.observe(at(START + *up + offset, *up), 0);
        }
    }

    #[test]
    fn clock_that_jumps_three_years_for_a_minute_moves_nothing_and_is_reported_until_it_is_back() {
        let (mut time, mut up) = (StoreTime::begin(Some(Millis(START)), at(START, 0)), 0);
        pass(&mut time, &mut up, 100_000, 0);
        pass(&mut time, &mut up, 70_000, 3 * YEAR);
        assert_eq!(time.now(Millis(START + up + 3 * YEAR)), Millis(START + up));
        let warning = time.warning().unwrap();
        assert!(warning.starts_with("the clock jumped forward by 1095 days"), "{warning}");
        pass(&mut time, &mut up, 1_000, 0);
        assert_eq!((time.warning(), time.now(Millis(START + up))), (None, Millis(START + up)));
    }

    #[test]
    fn clock_that_runs_steadily_is_trusted_after_an_hour() {
        let (mut time, mut up) = (StoreTime::begin(Some(Millis(START)), at(START, 0)), 0);
        pass(&mut time, &mut up, 3_590_000, YEAR);
        assert!(time.now(Millis(u64::MAX)) < Millis(START + DAY) && time.warning().is_some());
        pass(&mut time, &mut up, 20_000, YEAR);
        assert_eq!((time.now(Millis(u64::MAX)), time.warning()), (Millis(START + up + YEAR), None));
    }

    #[test]
    fn server_that_was_off_for_a_year_deletes_nothing_for_an_hour() {
        let (mut time, mut up) = (StoreTime::begin(Some(Millis(START - YEAR)), at(START, 0)), 0);
        assert!(time.warning().unwrap().contains("365 days after the last write"));
        pass(&mut time, &mut up, 3_000_000, 0);
        assert!(time.now(Millis(START + up)) < Millis(START - YEAR + DAY));
        pass(&mut time, &mut up, 1_000_000, 0);
        assert_eq!(time.now(Millis(START + up)), Millis(START + up));
    }

    #[test]
    fn clock_before_the_last_write_counts_at_once() {
        let mut time = StoreTime::begin(Some(Millis(START + DAY)), at(START, 0));
        assert_eq!(time.now(Millis(START)), Millis(START));
        assert!(time.warning().unwrap().contains("before the last write"));
        time.observe(at(START + 1_000, 1_000), 0);
        assert_eq!(time.now(Millis(START + 1_000)), Millis(START + 1_000));
    }

    #[test]
    fn process_that_was_stopped_does_not_report_a_jump() {
        for stopped in [61_000, 150_000, 3_600_000, 100 * DAY] {
            let mut time = StoreTime::begin(Some(Millis(START)), at(START, 0));
            time.observe(at(START + 1_000, 1_000), 0);
            let up = 1_000 + stopped;
            time.observe(at(START + up, up), 0);
            assert_eq!((time.warning(), time.now(Millis(u64::MAX))), (None, Millis(START + up)), "{stopped}");
            time.observe(at(START + up + 2 * stopped, up + 1_000), 0);
            assert!(time.warning().is_some(), "a jump after it is one");
        }
    }

    #[test]
    fn suspended_machine_is_not_reported_as_a_jump() {
        let mut time = StoreTime::begin(Some(Millis(START)), at(START, 0));
        time.observe(at(START + 1_000 + DAY, 1_000), DAY);
        assert_eq!(time.warning(), None);
        assert_eq!(time.now(Millis(START + DAY)), Millis(START + 1_000), "the clock still has to run steadily");
        time.observe(at(START + 2_000 + 2 * DAY, 2_000), DAY);
        assert!(time.warning().is_some(), "a jump after it is one");
    }

    proptest! {
        /// The store's time is never later than either clock allows.
        #[test]
        fn store_time_runs_no_faster_than_the_monotonic_clock_unless_the_wall_clock_is_steady(
            steps in prop::collection::vec((0..200_000_u64, -4_000_000_000_000..4_000_000_000_000_i64, prop::bool::weighted(0.1)), 1..60)
        ) {
            let (mut wall, mut up) = (START + 10 * YEAR, 0);
            let mut time = StoreTime::begin(Some(Millis(wall)), at(wall, up));
            let mut latest = wall;
            for (passes, jump, jumps) in steps {
                up += passes;
                wall += passes;
                if jumps {
                    wall = wall.saturating_add_signed(jump);
                }
                time.observe(at(wall, up), 0);
                let now = time.now(Millis(wall));
                prop_assert!(now <= Millis(wall));
                // Sixty steps of at most a minute each are less than the hour that a clock must be steady. Each step
                // may follow the clock by as much as the tolerance.
                latest += passes + TOLERANCE;
                prop_assert!(now.0 <= latest, "{} after {}", now, latest);
            }
        }
    }
}
