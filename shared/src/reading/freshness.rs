//! Decides if a series still reports.

use crate::{Duration, Millis, Track};

/// Number of the newest gaps between points that say how often a series reports.
const GAPS: usize = 8;
/// A silence of this many of the longest gaps is late.
const LATE_GAPS: u64 = 5;
/// Shortest silence in milliseconds that is late.
const LEAST_LATE_MS: u64 = 10_000;
/// Silence in milliseconds that is late if there is no gap yet.
const UNKNOWN_LATE_MS: u64 = 60_000;

/// Returns true if a series with the newest point at `newest`, which is expected to report at least every `expect`, is
/// stale at `now`.
#[must_use]
pub fn is_stale(expect: Duration, newest: Millis, now: Millis) -> bool {
    now.since(newest) > expect.as_millis()
}

/// Returns true if a series has been silent for much longer at `now` than it was lately: for more than five times the
/// longest of its last gaps. It is then worth saying how old its value is.
#[must_use]
pub fn is_late(track: &Track, now: Millis) -> bool {
    let patience = longest_gap(track).map_or(UNKNOWN_LATE_MS, |gap| gap.saturating_mul(LATE_GAPS).max(LEAST_LATE_MS));
    now.since(track.latest_at().ts) > patience
}

/// The longest of the last gaps between points, in milliseconds; `None` if there is only one point.
fn longest_gap(track: &Track) -> Option<u64> {
    match track {
        Track::Numbers(buckets) => longest(buckets.iter().rev().map(|bucket| bucket.last.at.ts)),
        Track::Texts(log) => longest(log.lines.iter().rev().map(|line| line.at.ts)),
    }
}

fn longest(newest_first: impl Iterator<Item = Millis> + Clone) -> Option<u64> {
    let before = newest_first.clone().skip(1);
    newest_first.zip(before).take(GAPS).map(|(newer, older)| newer.since(older)).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Number, Seq, Stamp, Text, Value};

    fn track(times: &[u64], value: &Value) -> Track {
        let at = |(seq, &ts): (u64, &u64)| Stamp { ts: Millis(ts), seq: Seq(seq) };
        let mut stamps = (1..).zip(times).map(at);
        let mut track = Track::of(stamps.next().unwrap(), value.clone());
        stamps.for_each(|stamp| track.push(stamp, value.clone()));
        track
    }

    #[test]
    fn silence_is_late_after_five_times_the_longest_usual_gap() {
        let values = [Value::Number(Number::new(1.0).unwrap()), Value::Text(Text::new("up".to_owned()).unwrap())];
        for value in values {
            for (gap, patience) in [(1_000, 10_000), (5_000, 25_000), (3_600_000, 5 * 3_600_000)] {
                let times: Vec<u64> = (0..20).map(|i| i * gap).collect();
                let track = track(&times, &value);
                let newest = 19 * gap;
                assert!(!is_late(&track, Millis(newest + patience)), "{gap} ms");
                assert!(is_late(&track, Millis(newest + patience + 1)), "{gap} ms");
                assert!(!is_late(&track, Millis(0)), "the point is ahead of now");
            }
            let one = track(&[5_000], &value);
            assert!(!is_late(&one, Millis(65_000)) && is_late(&one, Millis(65_001)));
        }
    }

    #[test]
    fn series_is_stale_once_it_is_silent_for_longer_than_expected() {
        let minute = Duration::from_secs(60);
        assert!(!is_stale(minute, Millis(0), Millis(60_000)));
        assert!(is_stale(minute, Millis(0), Millis(60_001)));
        assert!(!is_stale(minute, Millis(60_900), Millis(60_000)), "a point ahead of now is fresh");
    }
}
