//! The tick marks of a time axis, in local time.

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The steps between ticks up to a week. Longer steps are on the first of months.
const STEPS: [u64; 20] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The moment in milliseconds since 1970.
    pub at: u64,
    /// The label.
    pub label: String,
}

/// Returns at most `most` ticks within a time range. `offset` returns, for a moment, the milliseconds by which local
/// time is ahead of UTC.
#[must_use]
pub fn ticks(from: u64, to: u64, most: u64, offset: &dyn Fn(u64) -> i64) -> Vec<Tick> {
    let length = to.saturating_sub(from);
    let most = most.max(1);
    // Computes in local time, where ticks are multiples of the step. Each tick is then shifted back by the offset at
    // its moment.
    let shift = |at: u64, by: i64| at.saturating_add_signed(by);
    let (low, high) = (shift(from, offset(from)), shift(to, offset(to)));
    let back = |local: u64| {
        let near = shift(local, -offset(local));
        shift(local, -offset(near))
    };
    let mut ticks = Vec::new();
    let mut mark = |local: u64, label: String| {
        let at = back(local);
        if (from..=to).contains(&at) {
            ticks.push(Tick { at, label });
        }
    };
    if let Some(step) = STEPS.into_iter().find(|step| length <= step * most) {
        // Weeks begin on Monday; 1970 began on a Thursday.
        let shift = if step == 7 * DAY { 4 * DAY } else { 0 };
        let mut local = low.saturating_sub(shift).next_multiple_of(step) + shift;
        while local <= high {
            mark(local, label(local, step));
            local += step;
        }
        return ticks;
    }
    let months = length / (28 * DAY) + 1;
    let step = [1, 2, 3, 6].into_iter().find(|step| months <= step * most).unwrap_or(12 * months.div_ceil(12 * most));
    let (year, month, _) = civil(low / DAY);
    let mut at = (year * 12 + month - 1).next_multiple_of(step);
    loop {
        let (year, month) = (at / 12, at % 12);
        let local = days(year, month + 1) * DAY;
        if local > high {
            return ticks;
        }
        let name = MONTHS[usize::try_from(month).unwrap_or_default()];
        mark(local, if month == 0 { year.to_string() } else { name.to_owned() });
        at += step;
    }
}

fn label(local: u64, step: u64) -> String {
    if local.is_multiple_of(DAY) {
        let (_, month, day) = civil(local / DAY);
        return format!("{day} {}", MONTHS[usize::try_from(month - 1).unwrap_or_default()]);
    }
    let (h, m, s) = (local / HOUR % 24, local / MINUTE % 60, local / SECOND % 60);
    if step < MINUTE { format!("{h:02}:{m:02}:{s:02}") } else { format!("{h:02}:{m:02}") }
}

/// The year, month (from 1) and day of a day number since 1970 (Howard Hinnant, «chrono-compatible low-level date
/// algorithms»).
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let (era, day) = (z / 146_097, z % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let rest = day - (365 * year + year / 4 - year / 100);
    let m = (5 * rest + 2) / 153;
    let month = if m < 10 { m + 3 } else { m - 9 };
    (year + era * 400 + u64::from(month <= 2), month, rest - (153 * m + 2) / 5 + 1)
}

/// The day number since 1970 of the first of a month (from 1).
fn days(year: u64, month: u64) -> u64 {
    let y = if month <= 2 { year - 1 } else { year };
    let (era, rest) = (y / 400, y % 400);
    let m = if month > 2 { month - 3 } else { month + 9 };
    era * 146_097 + rest * 365 + rest / 4 - rest / 100 + (153 * m + 2) / 5 - 719_468
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2024-11-23T22:00:00Z
    const NOW: u64 = 1_732_399_200_000;

    fn labels(length: u64, most: u64, hours: i64) -> Vec<String> {
        let offset = move |_| hours * 3_600_000;
        ticks(NOW - length, NOW, most, &offset).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn marks_are_at_full_moments_of_local_time() {
        assert_eq!(labels(HOUR, 5, 0), ["21:00", "21:15", "21:30", "21:45", "22:00"]);
        assert_eq!(labels(20 * SECOND, 5, 0), ["21:59:40", "21:59:45", "21:59:50", "21:59:55", "22:00:00"]);
        assert_eq!(labels(6 * HOUR, 6, 2), ["18:00", "19:00", "20:00", "21:00", "22:00", "23:00", "24 Nov"]);
        assert_eq!(labels(3 * DAY, 4, 0), ["21 Nov", "22 Nov", "23 Nov"]);
        assert_eq!(labels(30 * DAY, 5, 0), ["28 Oct", "4 Nov", "11 Nov", "18 Nov"], "weeks begin on Monday");
        assert_eq!(labels(365 * DAY, 7, 0), ["2024", "Mar", "May", "Jul", "Sep", "Nov"]);
        assert_eq!(labels(3 * 365 * DAY, 4, 0), ["2022", "2023", "2024"]);
    }

    #[test]
    fn where_summer_time_ends_the_day_begins_at_midnight_all_the_same() {
        // Central Europe, 2024-10-27: from 01:00 UTC on, local time is one hour ahead instead of two.
        let change = 1_729_990_800_000;
        let offset = |at: u64| if at < change { 2 * 3_600_000 } else { 3_600_000 };
        let ticks = ticks(change - DAY, change + DAY, 3, &offset);
        let midnights: Vec<_> = ticks.iter().map(|tick| (tick.label.as_str(), tick.at)).collect();
        assert_eq!(midnights, [("27 Oct", change - 3 * HOUR), ("28 Oct", change + 22 * HOUR)]);
    }

    proptest! {
        #[test]
        fn there_are_never_many_marks_and_all_are_within(
            from in 0..4_000_000_000_000_u64, length in 1..400_000_000_000_u64, most in 1..20_u64, hours in -12..14_i64
        ) {
            let offset = move |_| hours * 3_600_000;
            let ticks = ticks(from, from + length, most, &offset);
            prop_assert!(ticks.len() as u64 <= most + 2, "{}", ticks.len());
            prop_assert!(ticks.iter().all(|tick| (from..=from + length).contains(&tick.at)));
        }

        #[test]
        fn the_first_of_a_month_is_where_the_calendar_has_it(year in 1970..2200_u64, month in 1..=12_u64) {
            prop_assert_eq!(civil(days(year, month)), (year, month, 1));
        }
    }
}
