//! The unit of the times in a write: parses its name, converts times, and explains times that are out of range.

use shared::{Duration, Millis};

use crate::ingest::fields::{Acceptance, MAX_AHEAD, Wrong};
use crate::log::PointTime;
use shared::moment::EARLIEST;

/// The most milliseconds ahead of now at which a time is plausible, when the unit of a wrong time is guessed: ten
/// years.
const PLAUSIBLE_AHEAD: u64 = 10 * 365 * 86_400_000;

/// The unit of a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Nanoseconds, the default if a request names no unit.
    #[default]
    Nanos,
    /// Microseconds.
    Micros,
    /// Milliseconds.
    Millis,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Guessed from each time, as InfluxDB 3 does.
    Auto,
}

impl Precision {
    /// Units that the sender may have meant, likeliest first.
    const GUESSED: [Self; 4] = [Self::Millis, Self::Seconds, Self::Micros, Self::Nanos];

    /// Parses a unit of InfluxDB 1 and 2; `None` for any other word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "" | "ns" | "n" => Self::Nanos,
            "us" | "u" | "µ" | "µs" => Self::Micros,
            "ms" => Self::Millis,
            "s" => Self::Seconds,
            "m" => Self::Minutes,
            "h" => Self::Hours,
            _ => return None,
        })
    }

    /// Parses a unit of InfluxDB 3, or of versions 1 and 2; `None` for any other word.
    #[must_use]
    pub fn of_version_3(word: &str) -> Option<Self> {
        Some(match word {
            "" | "auto" => Self::Auto,
            "nanosecond" => Self::Nanos,
            "microsecond" => Self::Micros,
            "millisecond" => Self::Millis,
            "second" => Self::Seconds,
            _ => return Self::of(word),
        })
    }

    /// Returns the word for `?precision=`, and the name of the unit.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Nanos => ("ns", "nanoseconds"),
            Self::Micros => ("us", "microseconds"),
            Self::Millis => ("ms", "milliseconds"),
            Self::Seconds => ("s", "seconds"),
            Self::Minutes => ("m", "minutes"),
            Self::Hours => ("h", "hours"),
            Self::Auto => ("auto", "a unit that its size tells"),
        }
    }

    /// Converts a time that a sender set. Returns `None` before 1970; a time that is too great becomes the greatest
    /// one.
    fn time(self, time: i64) -> Option<PointTime> {
        let number = u64::try_from(time).ok()?;
        let (ms, nanos) = match self {
            Self::Nanos => (number / 1_000_000, number % 1_000_000),
            Self::Micros => (number / 1_000, number % 1_000 * 1_000),
            Self::Millis => (number, 0),
            Self::Seconds => (number.saturating_mul(1_000), 0),
            Self::Minutes => (number.saturating_mul(60_000), 0),
            Self::Hours => (number.saturating_mul(3_600_000), 0),
            // The bounds of InfluxDB 3. They give each unit the times up to the year 2128.
            Self::Auto => return Self::by_size(number).time(time),
        };
        Some(PointTime::of_sender(Millis(ms), u32::try_from(nanos).unwrap_or_default()))
    }

    fn millis(self, time: i64) -> Option<Millis> {
        self.time(time).map(|time| time.ts)
    }

    fn by_size(time: u64) -> Self {
        match time {
            ..5_000_000_000 => Self::Seconds,
            5_000_000_000..5_000_000_000_000 => Self::Millis,
            5_000_000_000_000..5_000_000_000_000_000 => Self::Micros,
            _ => Self::Nanos,
        }
    }

    /// Returns the time of a point whose line has this time, or now if it has none.
    ///
    /// # Errors
    /// [`Wrong`] with the time as it was sent, if it is out of range. If the time is plausible in another unit, the
    /// error names that unit. The error has no text if errors are only counted.
    pub(super) fn moment(self, time: Option<i64>, accepted: Acceptance, only_counts: bool) -> Result<PointTime, Wrong> {
        let Some(number) = time else { return Ok(PointTime::of_server(accepted.now)) };
        match self.time(number) {
            Some(time) if accepted.takes(time.ts) => Ok(time),
            _ if only_counts => Err(Wrong::COUNTED),
            time => Err(self.explain(number, time.map(|time| time.ts), accepted)),
        }
    }

    fn explain(self, time: i64, ts: Option<Millis>, accepted: Acceptance) -> Wrong {
        let Acceptance { now, late_ms } = accepted;
        let (_, unit) = self.words();
        let is_plausible = |ts: Millis| ts >= EARLIEST && ts <= now.plus(PLAUSIBLE_AHEAD);
        let meant = Self::GUESSED.into_iter().find(|other| other.millis(time).is_some_and(is_plausible));
        if let Some(other) = meant.filter(|_| !ts.is_some_and(is_plausible)) {
            let (word, other) = other.words();
            let expected = format!("a time in {unit}; this looks like {other}, so write with ?precision={word}");
            return Wrong::new("ts", expected, time.to_string());
        }
        match ts {
            Some(ts) if ts > now => {
                let expected = format!("a time in {unit}, at most {} s ahead of the server's clock", MAX_AHEAD / 1_000);
                Wrong::new("ts", expected, format!("{time}, which is {} s ahead", ts.since(now) / 1_000))
            }
            Some(ts) if ts >= EARLIEST => {
                let most = Duration::from_millis(late_ms);
                let expected = format!(
                    "a time in {unit}, at most {most} ago (--late of the server says how long; ?import=true takes older points)"
                );
                Wrong::new("ts", expected, format!("{time}, which is {} s ago", now.since(ts) / 1_000))
            }
            _ => {
                let expected = format!("a time in {unit} after the year 2000 (?precision= names another unit)");
                Wrong::new("ts", expected, time.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_732_399_200_123);
    const ACCEPTED: Acceptance = Acceptance { now: NOW, late_ms: 86_400_000 };

    fn moment(precision: Precision, time: i64) -> Result<Millis, String> {
        let moment = precision.moment(Some(time), ACCEPTED, false);
        moment.map(|time| time.ts).map_err(|wrong| wrong.into_error().to_string())
    }

    #[test]
    fn a_time_in_another_unit_is_answered_with_the_number_that_was_sent_and_the_unit_to_name() {
        use Precision::{Hours, Micros, Millis as Ms, Nanos, Seconds};
        for (precision, time, unit, word) in [
            (Nanos, 1_732_399_200_123, "nanoseconds; this looks like milliseconds", "ms"),
            (Nanos, 1_732_399_200, "nanoseconds; this looks like seconds", "s"),
            (Nanos, 1_732_399_200_123_456, "nanoseconds; this looks like microseconds", "us"),
            (Micros, 1_732_399_200_123, "microseconds; this looks like milliseconds", "ms"),
            (Ms, 1_732_399_200, "milliseconds; this looks like seconds", "s"),
            (Ms, 1_732_399_200_123_456_789, "milliseconds; this looks like nanoseconds", "ns"),
            (Seconds, 1_732_399_200_123, "seconds; this looks like milliseconds", "ms"),
            (Hours, 1_732_399_200_123_456_789, "hours; this looks like nanoseconds", "ns"),
            // Too old as well, but the error is about the unit.
            (Nanos, 1_600_000_000_000, "nanoseconds; this looks like milliseconds", "ms"),
        ] {
            let wanted = format!("ts: expected a time in {unit}, so write with ?precision={word}, got {time}");
            assert_eq!(moment(precision, time), Err(wanted), "{precision:?} {time}");
        }
    }

    #[test]
    fn a_time_that_is_too_early_or_too_late_is_told_as_it_was_sent() {
        let day = 86_400_000_000_000;
        let now = i64::try_from(NOW.0).unwrap() * 1_000_000;
        let error = moment(Precision::Nanos, now - day - 1_000_000).unwrap_err();
        let wanted = format!(
            "at most 1d ago (--late of the server says how long; ?import=true takes older points), got {}, which is",
            now - day - 1_000_000
        );
        assert!(error.contains(&wanted), "{error}");
        let error = moment(Precision::Seconds, now / 1_000_000_000 + 360).unwrap_err();
        assert!(
            error.ends_with("at most 300 s ahead of the server's clock, got 1732399560, which is 359 s ahead"),
            "{error}"
        );
        for time in [0, 1, -1, i64::MIN, i64::MAX] {
            assert!(moment(Precision::Hours, time).unwrap_err().contains(&format!("got {time}")), "{time}");
        }
        assert_eq!(moment(Precision::Nanos, now), Ok(Millis(NOW.0)));
    }

    #[test]
    fn auto_takes_a_time_in_any_unit_by_its_size() {
        for time in [1_732_399_200, 1_732_399_200_000, 1_732_399_200_000_000, 1_732_399_200_000_000_000] {
            assert_eq!(moment(Precision::Auto, time), Ok(Millis(1_732_399_200_000)), "{time}");
        }
    }
}
