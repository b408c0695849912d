//! When to ask for the past, and for how much of it.

use shared::Tier;

use super::stretches::Stretches;

/// A view that moves is left alone for so long, in milliseconds, before the past is asked for: who drags passes over much.
const REST_MS: u64 = 120;
/// But a view that never rests is served after so long.
const PATIENCE_MS: u64 = 500;
/// Between two questions of a widget at least.
const BETWEEN_MS: u64 = 250;
/// After a failure, and twice that after the next, up to [`LONGEST_MS`].
const AGAIN_MS: u64 = 1_000;
const LONGEST_MS: u64 = 30_000;
/// How long before history is needed of a moment it is asked for.
const AHEAD_MS: u64 = 30_000;
/// Most buckets of an answer over all of its series (the server's own limit).
const MOST: u64 = 200_000;
/// Most buckets that can be asked for of each series (the server's own limit).
const MOST_EACH: u64 = 10_000;

/// How wide the buckets are with which a chart of so many `points` shows a stretch of `length` milliseconds: the width of the finest
/// tier that fits, or several days.
#[must_use]
pub fn width(length: u64, points: u64) -> u64 {
    let points = points.clamp(1, MOST_EACH);
    let fits = |tier: &Tier| length <= points * tier.width_ms();
    let day = Tier::Day.width_ms();
    Tier::ALL.into_iter().find(fits).map_or_else(|| day * length.div_ceil(points * day), Tier::width_ms)
}

/// What to ask for: from when to when, and how many buckets of each series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its first moment.
    pub from: u64,
    /// The moment after its last.
    pub to: u64,
    /// So many that the server chooses the wanted width.
    pub points: u64,
}

/// What a widget shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its left edge.
    pub from: u64,
    /// Its right edge.
    pub to: u64,
    /// How wide its buckets are.
    pub width: u64,
    /// How many series it has.
    pub series: u64,
    /// Counts the changes of the range that someone made: a range that moves with the time does not.
    pub moved: u64,
    /// Whether it may be moved to either side soon.
    pub hand: Hand,
}

/// Whether someone is about to move what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// Nobody is: what is shown is all that is asked for.
    Off,
    /// Someone is, so half as much again is asked for on each side: an edge that comes into sight is there already.
    On,
}

impl Shown {
    /// What of it is missing beside what is `known`; nothing as long as there is enough on both sides. History is `needed` up
    /// to a moment, and there is all of it up to `now`: whoever asks, asks for that, or would ask again a moment later; and
    /// asks some time before, so that the answer is there in time.
    #[must_use]
    pub fn lacks(&self, known: &Stretches, needed: u64, now: u64) -> Option<(u64, u64)> {
        let within = |margin: u64, until: u64| {
            known.missing(self.from.saturating_sub(margin), self.to.saturating_add(margin).min(until))
        };
        let half = (self.to - self.from) / 2;
        // Not at each step: a half beside is asked for once a quarter of it is not there.
        let (quarter, half) = match self.hand {
            Hand::Off => (0, 0),
            // What is beside is no reason to leave out a part of what is shown.
            Hand::On if 2 * half > most(self.series) * self.width / 2 => (0, 0),
            Hand::On => (half / 2, half),
        };
        let soon = if needed == 0 { 0 } else { needed.saturating_add(AHEAD_MS).min(now) };
        within(quarter, soon).and_then(|_| within(half, now))
    }

    /// What of it is missing of what is in sight.
    #[must_use]
    pub fn lacks_in_sight(&self, known: &Stretches, needed: u64) -> bool {
        known.missing(self.from, self.to.min(needed)).is_some()
    }
}

/// Most buckets that can be asked for at once of each of so many series.
fn most(series: u64) -> u64 {
    (MOST / series.max(1)).clamp(1, MOST_EACH)
}

/// How the questions of one widget stand. Never more than one is under way.
#[derive(Clone, Debug, Default)]
pub struct Asking {
    under_way: bool,
    failures: u32,
    not_before: u64,
    moved: u64,
    moved_at: u64,
    /// When the first move was since the last question.
    restless_since: u64,
}

impl Asking {
    /// What to ask for at `now`, where `missing` of what is shown is not there: that stretch, out to the edges of buckets.
    pub fn due(&mut self, now: u64, shown: Shown, missing: Option<(u64, u64)>) -> Option<Question> {
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
        // The newest of it where it is too much: the rest is missing still, and asked for next.
        let from = from.max(to.saturating_sub(most(shown.series) * shown.width));
        Some(Question { from, to, points: (to - from).div_ceil(shown.width).max(1) })
    }

    /// The question was answered, or not.
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

    fn shown(from: u64, to: u64, moved: u64) -> Shown {
        Shown { from, to, width: 1_000, series: 1, moved, hand: Hand::Off }
    }

    #[test]
    fn under_a_hand_what_comes_into_sight_next_is_there_before_and_is_asked_for_in_few_pieces() {
        let mut known = Stretches::default();
        let (mut asked, mut empty) = (0, 0);
        for step in 0..100 {
            let from = 1_000_000 - step * 1_000;
            let shown = Shown { hand: Hand::On, ..shown(from, from + 60_000, 1) };
            empty += u32::from(step > 0 && shown.lacks_in_sight(&known, u64::MAX));
            if let Some((from, to)) = shown.lacks(&known, u64::MAX, u64::MAX) {
                known.add(from, to);
                asked += 1;
            }
        }
        assert_eq!(empty, 0, "no edge was empty after the first answer");
        assert!(asked <= 8, "{asked} questions for a way of almost two windows");
        let still = shown(0, 60_000, 1);
        let lacks = still.lacks(&Stretches::default(), 30_000, 50_000);
        assert_eq!(lacks, Some((0, 50_000)), "nobody moves it, so no more is asked for");
    }

    #[test]
    fn the_finest_tier_that_fits_the_screen_is_asked_for() {
        assert_eq!(width(300_000, 800), 1_000);
        assert_eq!(width(3_600_000, 800), 10_000);
        assert_eq!(width(365 * 86_400_000, 800), 86_400_000);
        assert_eq!(width(3_650 * 86_400_000, 800), 5 * 86_400_000);
    }

    #[test]
    fn the_first_question_is_asked_at_once_and_while_it_is_dragged_few() {
        let mut asking = Asking::default();
        let all = Some((0, 60_000));
        let question = asking.due(10_000, shown(0, 60_000, 1), all).unwrap();
        assert_eq!(question, Question { from: 0, to: 60_000, points: 60 });
        assert_eq!(asking.due(10_001, shown(0, 60_000, 1), all), None, "one at a time");
        asking.done(10_010, true);
        let asked = (0..2_000).filter(|&ms| {
            let due = asking.due(11_000 + ms, shown(ms, 60_000 + ms, 2 + ms), Some((ms, 60_000 + ms))).is_some();
            asking.done(11_000 + ms, true);
            due
        });
        let asked = asked.count();
        assert!((3..=5).contains(&asked), "{asked} questions in two seconds of dragging");
        let mut asks = |now| {
            let due = asking.due(now, shown(0, 60_000, 2_001), all).is_some();
            asking.done(now, true);
            due
        };
        assert!((13_000..13_600).any(&mut asks), "and one when it rests");
    }

    #[test]
    fn a_live_range_asks_once_for_as_long_as_a_track_goes_on_from_it() {
        let (mut known, mut asked) = (Stretches::default(), 0);
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
        let mut asking = Asking::default();
        let (mut now, mut waits) = (0, Vec::new());
        for _ in 0..8 {
            let before = now;
            while asking.due(now, shown(0, 60_000, 0), Some((0, 60_000))).is_none() {
                now += 100;
            }
            waits.push(now - before);
            asking.done(now, false);
        }
        assert_eq!(waits[1..], [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    }

    proptest! {
        #[test]
        fn in_the_end_all_that_is_shown_is_known_by_few_questions(
            from in 0..1_000_000_u64, length in 1_000..400_000_000_u64, points in 10..3_000_u64, series in 1..50_u64,
            hand in prop::sample::select(vec![Hand::Off, Hand::On])
        ) {
            let (mut asking, mut known) = (Asking::default(), Stretches::default());
            let width = width(length, points);
            let shown = Shown { from, to: from + length, width, series, moved: 0, hand };
            let mut asked = 0;
            for now in (0..100_000).step_by(300) {
                let Some(missing) = shown.lacks(&known, u64::MAX, u64::MAX) else { break };
                let Some(question) = asking.due(now, shown, Some(missing)) else { continue };
                prop_assert!(question.points <= MOST_EACH && question.points * series <= MOST);
                prop_assert!(question.to - question.from <= question.points * width);
                known.add(question.from, question.to);
                asking.done(now, true);
                asked += 1;
            }
            prop_assert_eq!(known.missing(shown.from, shown.to), None);
            prop_assert!(asked <= 1 + points * series / MOST);
        }
    }
}
