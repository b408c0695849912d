//! Decides when to request history, and how much of it. Has no clock and no I/O.

use shared::tier::MAX_BUCKETS;

use super::time_ranges::TimeRanges;

/// Milliseconds for which the range must stay unchanged before history is requested: a user who drags a chart passes over
/// ranges without looking at them.
const REST_MS: u64 = 120;
/// Longest wait for a request of a view that never rests, in milliseconds.
const PATIENCE_MS: u64 = 500;
/// Least time between two requests of a widget, in milliseconds.
const BETWEEN_MS: u64 = 250;
/// Wait after a first failure, in milliseconds. Each further failure doubles it, up to [`LONGEST_MS`].
const AGAIN_MS: u64 = 1_000;
const LONGEST_MS: u64 = 30_000;
/// Lead time of a request before the page needs the history, in milliseconds.
const AHEAD_MS: u64 = 30_000;
/// Most buckets of an answer over all of its series (the server's own limit).
const MOST: u64 = 200_000;

/// A request for history: a stretch of time, and the number of buckets for each series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryRequest {
    /// First moment, in milliseconds.
    pub from: u64,
    /// Moment after the last one, in milliseconds.
    pub to: u64,
    /// Number of buckets, for which the server chooses the wanted width.
    pub points: u64,
}

/// The range that a widget shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisibleRange {
    /// Left edge, in milliseconds.
    pub from: u64,
    /// Right edge, in milliseconds.
    pub to: u64,
    /// Width of the buckets, in milliseconds.
    pub width: u64,
    /// Number of series.
    pub series: u64,
    /// Number of changes of the range, plus one. A range that moves with time does not count.
    pub moved: u64,
    /// The stretch beside the range that is requested too.
    pub margin: Margin,
}

/// The stretch beside the visible range that is requested too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Margin {
    /// None: nobody moves the range.
    None,
    /// Half of the range on each side: the user is dragging the range, so an edge that comes into sight is there
    /// already.
    Half,
}

impl VisibleRange {
    /// Returns the missing stretch to request; `None` while enough is known on both sides.
    ///
    /// Buckets up to `needed` must come from history; history is complete up to `now`. A request is due [`AHEAD_MS`]
    /// before it is needed, so that the answer comes in time. It then covers everything up to `now`, since a shorter
    /// one would have to be repeated a moment later.
    #[must_use]
    pub fn lacks(&self, known: &TimeRanges, needed: u64, now: u64) -> Option<(u64, u64)> {
        let within = |margin: u64, until: u64| {
            known.missing(self.from.saturating_sub(margin), self.to.saturating_add(margin).min(until))
        };
        let half = (self.to - self.from) / 2;
        // Avoids a request at each step: the half beside the range is requested only once a quarter of it is missing.
        let (quarter, half) = match self.margin {
            Margin::None => (0, 0),
            // The margins must not use up the limit of buckets, or a part of the range itself would be cut off.
            Margin::Half if 2 * half > most(self.series) * self.width / 2 => (0, 0),
            Margin::Half => (half / 2, half),
        };
        let soon = if needed == 0 { 0 } else { needed.saturating_add(AHEAD_MS).min(now) };
        within(quarter, soon).and_then(|_| within(half, now))
    }

    /// True if a part of the visible range before `needed` is missing.
    #[must_use]
    pub fn lacks_in_sight(&self, known: &TimeRanges, needed: u64) -> bool {
        known.missing(self.from, self.to.min(needed)).is_some()
    }
}

/// Most buckets for each series in a request for `series` series.
fn most(series: u64) -> u64 {
    (MOST / series.max(1)).clamp(1, MAX_BUCKETS)
}

/// Times the requests of one widget. At most one is under way.
#[derive(Clone, Debug, Default)]
pub struct RequestTimer {
    under_way: bool,
    failures: u32,
    not_before: u64,
    moved: u64,
    moved_at: u64,
    /// Time of the first move since the last request, in milliseconds.
    restless_since: u64,
}

impl RequestTimer {
    /// Returns the request to send at `now`, if one is due. `missing` is the stretch that is not there; the request
    /// widens it to the edges of buckets.
    pub fn due(&mut self, now: u64, shown: VisibleRange, missing: Option<(u64, u64)>) -> Option<HistoryRequest> {
        if shown.moved != self.moved {
            if now.saturating_sub(self.moved_at) > PATIENCE_MS {
                self.restless_since = now;
            }
            (self.moved, self.moved_at) = (shown.moved, now);
        }
        let (from, to) = missing?;
        let resting = now.saturating_sub(self.moved_at) >= REST_MS;
        let impatient = now.saturating_sub(self.restless_since) >= PATIENCE_MS;
        if self.under_way || now < self.not_before || !(resting || impatient || self.moved <= 1) {
            return None;
        }
        self.under_way = true;
        (self.not_before, self.restless_since) = (now + BETWEEN_MS, now);
        let from = (from - from % shown.width).min(from);
        let to = to.next_multiple_of(shown.width);
        // Where it is too much, requests the newest part. The rest is still missing afterwards, and is requested
        // next.
        let from = from.max(to.saturating_sub(most(shown.series) * shown.width));
        Some(HistoryRequest { from, to, points: (to - from).div_ceil(shown.width).max(1) })
    }

    /// Records the end of the request: answered, or failed.
    pub fn done(&mut self, now: u64, answered: bool) {
        self.under_way = false;
        self.failures = if answered { 0 } else { self.failures + 1 };
        if !answered {
            let wait = AGAIN_MS << (self.failures - 1).min(8);
            self.not_before = now + wait.min(LONGEST_MS);
        }
    }
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(from: u64, to: u64, moved: u64) -> VisibleRange {
        VisibleRange { from, to, width: 1_000, series: 1, moved, margin: Margin::None }
    }

    #[test]
    fn under_a_hand_what_comes_into_sight_next_is_there_before_and_is_asked_for_in_few_pieces() {
        let mut known = TimeRanges::default();
        let (mut asked, mut empty) = (0, 0);
        for step in 0..100 {
            let from = 1_000_000 - step * 1_000;
            let shown = VisibleRange { margin: Margin::Half, ..shown(from, from + 60_000, 1) };
            empty += u32::from(step > 0 && shown.lacks_in_sight(&known, u64::MAX));
            if let Some((from, to)) = shown.lacks(&known, u64::MAX, u64::MAX) {
                known.add(from, to);
                asked += 1;
            }
        }
        assert_eq!(empty, 0, "no edge was empty after the first answer");
        assert!(asked <= 8, "{asked} questions for a way of almost two windows");
        let still = shown(0, 60_000, 1);
        let lacks = still.lacks(&TimeRanges::default(), 30_000, 50_000);
        assert_eq!(lacks, Some((0, 50_000)), "nobody moves it, so no more is asked for");
    }

    #[test]
    fn the_first_question_is_asked_at_once_and_while_it_is_dragged_few() {
        let mut timer = RequestTimer::default();
        let all = Some((0, 60_000));
        let request = timer.due(10_000, shown(0, 60_000, 1), all).unwrap();
        assert_eq!(request, HistoryRequest { from: 0, to: 60_000, points: 60 });
        assert_eq!(timer.due(10_001, shown(0, 60_000, 1), all), None, "one at a time");
        timer.done(10_010, true);
        let asked = (0..2_000).filter(|&ms| {
            let due = timer.due(11_000 + ms, shown(ms, 60_000 + ms, 2 + ms), Some((ms, 60_000 + ms))).is_some();
            timer.done(11_000 + ms, true);
            due
        });
        let asked = asked.count();
        assert!((3..=5).contains(&asked), "{asked} questions in two seconds of dragging");
        let mut asks = |now| {
            let due = timer.due(now, shown(0, 60_000, 2_001), all).is_some();
            timer.done(now, true);
            due
        };
        assert!((13_000..13_600).any(&mut asks), "and one when it rests");
    }

    #[test]
    fn a_live_range_asks_once_for_as_long_as_a_track_goes_on_from_it() {
        let (mut known, mut asked) = (TimeRanges::default(), 0);
        for now in (2_000_000..2_900_000).step_by(1_000) {
            // The track has the last 300 seconds, so history is needed up to there.
            if let Some((from, to)) = shown(now - 600_000, now, 1).lacks(&known, now - 300_000, now) {
                known.add(from, to);
                asked += 1;
            }
        }
        assert_eq!(asked, 4, "in a quarter of an hour");
    }

    #[test]
    fn after_failures_it_waits_longer_and_longer() {
        let mut timer = RequestTimer::default();
        let (mut now, mut waits) = (0, Vec::new());
        for _ in 0..8 {
            let before = now;
            while timer.due(now, shown(0, 60_000, 0), Some((0, 60_000))).is_none() {
                now += 100;
            }
            waits.push(now - before);
            timer.done(now, false);
        }
        assert_eq!(waits[1..], [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    }

    proptest! {
        #[test]
        fn in_the_end_all_that_is_shown_is_known_by_few_questions(
            from in 0..1_000_000_u64, length in 1_000..400_000_000_u64, points in 10..3_000_u64, series in 1..50_u64,
            margin in prop::sample::select(vec![Margin::None, Margin::Half])
        ) {
            let (mut timer, mut known) = (RequestTimer::default(), TimeRanges::default());
            let width = shared::tier::bucket_width(length, points);
            let shown = VisibleRange { from, to: from + length, width, series, moved: 0, margin };
            let mut asked = 0;
            for now in (0..100_000).step_by(300) {
                let Some(missing) = shown.lacks(&known, u64::MAX, u64::MAX) else { break };
                let Some(request) = timer.due(now, shown, Some(missing)) else { continue };
                prop_assert!(request.points <= MAX_BUCKETS && request.points * series <= MOST);
                prop_assert!(request.to - request.from <= request.points * width);
                known.add(request.from, request.to);
                timer.done(now, true);
                asked += 1;
            }
            prop_assert_eq!(known.missing(shown.from, shown.to), None);
            prop_assert!(asked <= 1 + points * series / MOST);
        }
    }
}
