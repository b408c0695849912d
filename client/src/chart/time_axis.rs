//! The tick marks of a time axis, in the time of the page's zone.

use crate::calendar::{DAY, Date, HOUR, MINUTE, MONTHS, SECOND, moments};

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

/// A tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The moment in milliseconds since 1970.
    pub at: u64,
    /// The label.
    pub label: String,
}

/// Returns at most `most` ticks within a time range, and a few more where clocks change. `offset` returns, for a
/// moment, the milliseconds by which the clocks of the zone are ahead of UTC. Each tick is at the moment at which the
/// clocks show its label: a repeated hour has its ticks twice, a skipped one has none.
#[must_use]
pub fn ticks(from: u64, to: u64, most: u64, offset: &dyn Fn(u64) -> i64) -> Vec<Tick> {
    let length = to.saturating_sub(from);
    let most = most.max(1);
    let offsets = offsets(from, to, offset);
    let ahead = |of: fn(&[i64]) -> Option<i64>| of(&offsets).unwrap_or_default();
    let low = from.saturating_add_signed(ahead(|all| all.iter().min().copied()));
    let high = to.saturating_add_signed(ahead(|all| all.iter().max().copied()));
    let mut ticks = Vec::new();
    let mut mark = |local: u64, step: u64, label: String| {
        let mut at = moments(local, &offsets, offset);
        if step >= DAY {
            // A day begins once: if midnight is repeated, the first time, and if it is skipped, when clocks change.
            at.truncate(1);
            let change = || offsets.iter().filter_map(|ahead| local.checked_add_signed(-ahead)).max();
            at = at.into_iter().next().or_else(change).into_iter().collect();
        }
        ticks.extend(at.into_iter().filter(|at| (from..=to).contains(at)).map(|at| Tick { at, label: label.clone() }));
    };
    if let Some(step) = STEPS.into_iter().find(|step| length <= step * most) {
        // Weeks begin on Monday; 1970 began on a Thursday.
        let shift = if step == 7 * DAY { 4 * DAY } else { 0 };
        let mut local = low.saturating_sub(shift).next_multiple_of(step) + shift;
        while local <= high {
            mark(local, step, label(local, step));
            local += step;
        }
        ticks.sort_by_key(|tick| tick.at);
        return ticks;
    }
    let months = length / (28 * DAY) + 1;
    let step = [1, 2, 3, 6].into_iter().find(|step| months <= step * most).unwrap_or(12 * months.div_ceil(12 * most));
    let Date { year, month, .. } = Date::of(low / DAY);
    let mut at = (year * 12 + month - 1).next_multiple_of(step);
    loop {
        let (year, month) = (at / 12, at % 12);
        let local = Date { year, month: month + 1, day: 1 }.days() * DAY;
        if local > high {
            return ticks;
        }
        let name = MONTHS[usize::try_from(month).unwrap_or_default()];
        mark(local, DAY, if month == 0 { year.to_string() } else { name.to_owned() });
        at += step;
    }
}

/// Returns each offset that the zone has within a time range.
fn offsets(from: u64, to: u64, offset: &dyn Fn(u64) -> i64) -> Vec<i64> {
    // Clocks change at most every few weeks. A range of many years has the same offsets each year.
    let step = ((to - from.min(to)) / 60).clamp(DAY, 30 * DAY);
    let mut offsets = vec![offset(from), offset(to)];
    let mut at = from;
    while at < to && offsets.len() < 500 {
        offsets.push(offset(at));
        at += step;
    }
    offsets.sort_unstable();
    offsets.dedup();
    offsets
}

fn label(local: u64, step: u64) -> String {
    if local.is_multiple_of(DAY) {
        return Date::of(local / DAY).day_and_month();
    }
    let (h, m, s) = (local / HOUR % 24, local / MINUTE % 60, local / SECOND % 60);
    if step < MINUTE { format!("{h:02}:{m:02}:{s:02}") } else { format!("{h:02}:{m:02}") }
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use crate::calendar::local;
    use crate::calendar::tests::{AUTUMN, SPRING, berlin};
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
    fn repeated_hour_is_labelled_twice_and_a_skipped_one_is_not() {
        let labels = |change: u64| {
            let ticks = ticks(change - 2 * HOUR, change + 2 * HOUR, 4, &berlin);
            ticks.into_iter().map(|tick| (tick.label, tick.at.abs_diff(change - 2 * HOUR) / HOUR)).collect::<Vec<_>>()
        };
        let hours =
            |labels: &[&str]| (0..).zip(labels).map(|(hour, label)| ((*label).to_owned(), hour)).collect::<Vec<_>>();
        assert_eq!(labels(AUTUMN), hours(&["01:00", "02:00", "02:00", "03:00", "04:00"]));
        assert_eq!(labels(SPRING), hours(&["31 Mar", "01:00", "03:00", "04:00", "05:00"]));
    }

    #[test]
    fn day_without_a_midnight_begins_when_the_clocks_change() {
        // In a zone where the clocks skip from 00:00 to 01:00.
        let change = 1_000 * DAY;
        let offset = |at: u64| if at < change { 0 } else { 3_600_000 };
        let ticks = ticks(change - DAY, change + DAY, 3, &offset);
        assert_eq!(ticks.iter().map(|tick| tick.at).collect::<Vec<_>>(), [change - DAY, change, change + DAY - HOUR]);
    }

    #[test]
    fn where_summer_time_ends_the_day_begins_at_midnight_all_the_same() {
        let change = AUTUMN;
        let ticks = ticks(change - DAY, change + DAY, 3, &berlin);
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

        /// The law of the axis: the clocks of the zone show the label of each tick at its moment, and no moment has two
        /// ticks.
        #[test]
        fn each_tick_is_once_and_at_its_time(
            change in prop::sample::select(vec![SPRING, AUTUMN]), before in 0..200 * HOUR, length in 1..400 * HOUR,
            most in 3..30_u64
        ) {
            let from = change - before;
            let ticks = ticks(from, from + length, most, &berlin);
            prop_assert!(ticks.windows(2).all(|pair| pair[0].at < pair[1].at));
            for Tick { at, label: written } in ticks {
                let shown = local(at, &berlin);
                let step = if written.len() > 5 && written.contains(':') { SECOND } else { MINUTE };
                prop_assert_eq!(label(shown, step), written);
            }
        }
    }
}
