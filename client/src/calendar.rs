//! Calendar arithmetic: days, months, and the offsets of a time zone.

/// The short names of the months.
pub const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// One second in milliseconds.
pub const SECOND: u64 = 1_000;
/// One minute in milliseconds.
pub const MINUTE: u64 = 60 * SECOND;
/// One hour in milliseconds.
pub const HOUR: u64 = 60 * MINUTE;
/// One day in milliseconds.
pub const DAY: u64 = 24 * HOUR;

/// A date of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// The year.
    pub year: u64,
    /// The month, from 1.
    pub month: u64,
    /// The day of the month, from 1.
    pub day: u64,
}

impl Date {
    /// The date of a day number since 1970 (Howard Hinnant, «chrono-compatible low-level date algorithms»).
    #[must_use]
    pub fn of(days: u64) -> Self {
        let z = days + 719_468;
        let (era, day) = (z / 146_097, z % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let rest = day - (365 * year + year / 4 - year / 100);
        let m = (5 * rest + 2) / 153;
        let month = if m < 10 { m + 3 } else { m - 9 };
        Self { year: year + era * 400 + u64::from(month <= 2), month, day: rest - (153 * m + 2) / 5 + 1 }
    }

    /// The day number since 1970.
    #[must_use]
    pub fn days(self) -> u64 {
        let Self { year, month, day } = self;
        let y = if month <= 2 { year - 1 } else { year };
        let (era, rest) = (y / 400, y % 400);
        let m = if month > 2 { month - 3 } else { month + 9 };
        era * 146_097 + rest * 365 + rest / 4 - rest / 100 + (153 * m + 2) / 5 + day - 719_469
    }

    /// The day and the month, as `26 Nov`.
    #[must_use]
    pub fn day_and_month(self) -> String {
        let month = usize::try_from(self.month.saturating_sub(1)).unwrap_or_default();
        format!("{} {}", self.day, MONTHS.get(month).copied().unwrap_or_default())
    }
}

/// A moment in the time of a zone: the milliseconds since 1970 began there.
#[must_use]
pub fn local(at: u64, offset: &dyn Fn(u64) -> i64) -> u64 {
    at.saturating_add_signed(offset(at))
}

/// Returns the moments at which the clocks of a zone show this local time: one, two where an hour is repeated, none
/// where it is skipped. `offsets` are all offsets of the zone around then.
#[must_use]
pub fn moments(local: u64, offsets: &[i64], offset: &dyn Fn(u64) -> i64) -> Vec<u64> {
    let at = |ahead: &i64| local.checked_add_signed(-ahead).filter(|at| offset(*at) == *ahead);
    let mut moments: Vec<u64> = offsets.iter().filter_map(at).collect();
    moments.sort_unstable();
    moments.dedup();
    moments
}

/// Returns true if the clocks of a zone show the time of this moment twice.
#[must_use]
pub fn is_repeated(at: u64, offset: &dyn Fn(u64) -> i64) -> bool {
    let own = offset(at);
    let changes = [HOUR, HOUR / 2, 2 * HOUR];
    changes.into_iter().any(|change| {
        let by = i64::try_from(change).unwrap_or_default();
        offset(at + change) == own - by || offset(at.saturating_sub(change)) == own + by
    })
}

/// An offset from UTC, as `UTC+1` or `UTC−3:30`.
#[must_use]
pub fn offset_words(offset: i64) -> String {
    let minutes = offset.unsigned_abs() / MINUTE;
    let sign = if offset < 0 { '\u{2212}' } else { '+' };
    match (minutes / 60, minutes % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2024-10-27T01:00:00Z, when summer time ends in Berlin.
    pub(crate) const AUTUMN: u64 = 1_729_990_800_000;
    /// 2024-03-31T01:00:00Z, when it begins.
    pub(crate) const SPRING: u64 = 1_711_846_800_000;

    /// The offset of Europe/Berlin in 2024.
    pub(crate) fn berlin(at: u64) -> i64 {
        if (SPRING..AUTUMN).contains(&at) { 2 * 3_600_000 } else { 3_600_000 }
    }

    #[test]
    fn repeated_hour_has_two_moments_and_a_skipped_one_has_none() {
        let offsets = [3_600_000, 7_200_000];
        let half_past_two = local(AUTUMN + HOUR / 2, &berlin);
        assert_eq!(moments(half_past_two, &offsets, &berlin), [AUTUMN - HOUR / 2, AUTUMN + HOUR / 2]);
        let skipped = SPRING + HOUR + HOUR / 2;
        assert_eq!(moments(skipped, &offsets, &berlin), [0; 0]);
        let repeated = [AUTUMN - 1, AUTUMN, AUTUMN + HOUR - 1].map(|at| is_repeated(at, &berlin));
        assert_eq!(repeated, [true; 3]);
        assert_eq!([AUTUMN - HOUR - 1, AUTUMN + HOUR, SPRING].map(|at| is_repeated(at, &berlin)), [false; 3]);
    }

    #[test]
    fn offsets_are_written_with_their_sign() {
        let words = [0, 3_600_000, -12_600_000, 20_700_000].map(offset_words);
        assert_eq!(words, ["UTC", "UTC+1", "UTC−3:30", "UTC+5:45"]);
    }

    proptest! {
        #[test]
        fn date_is_the_one_of_the_calendar(days in 0..80_000_u64) {
            let date = Date::of(days);
            prop_assert_eq!(date.days(), days);
            prop_assert!((1..=12).contains(&date.month) && (1..=31).contains(&date.day));
        }
    }
}
