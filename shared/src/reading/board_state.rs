//! The state of a board: the worst level of its numbers, and how many of its series are stale.

use super::{Lookback, LookbackBuckets, Reading, ReadingQuery, default_show, is_stale};
use crate::board::{Level, SeriesSource};
use crate::{Declared, Millis, SeriesName, Track};

/// The state of a board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BoardState {
    /// The worst level; `None` where no threshold gives one.
    pub level: Option<Level>,
    /// Number of stale series. A series of several widgets counts in each.
    pub stale: usize,
}

impl BoardState {
    /// Adds a series of a widget: its track as of `now`. A number over a range that is longer than the track has no
    /// level here, since it needs history.
    pub fn add(
        &mut self,
        name: &SeriesName,
        track: &Track,
        source: &SeriesSource,
        declared: Option<Declared>,
        range_ms: u64,
        now: Millis,
    ) {
        self.stale += usize::from(source.expect.is_some_and(|expect| is_stale(expect, track.latest_at().ts, now)));
        if source.thresholds.is_empty() {
            return;
        }
        let lookback = Lookback { range_ms, change_ms: range_ms };
        let is_longer = matches!(track, Track::Numbers(buckets) if lookback.is_longer_than(buckets));
        let past = if is_longer { LookbackBuckets::Awaited } else { LookbackBuckets::Track };
        let show = source.show.unwrap_or_else(|| default_show(declared));
        self.level = self.level.max(Reading::of(name, track, ReadingQuery { source, show, lookback, past }).level());
    }

    /// Describes what needs attention, for the title of a tab; empty where all is well.
    #[must_use]
    pub fn words(self) -> String {
        let level = match self.level {
            Some(Level::Bad) => "bad",
            Some(Level::Warn) => "warning",
            Some(Level::Ok) | None => "",
        };
        match (level, self.stale) {
            (level, 0) => level.to_owned(),
            ("", stale) => format!("{stale} stale"),
            (level, stale) => format!("{level}, {stale} stale"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::threshold::{Limit, Threshold};
    use crate::{Duration, Number, Seq, Stamp, Value};

    #[test]
    fn state_is_the_worst_level_and_the_count_of_stale_series() {
        let threshold = |limit, level| Threshold { limit: Limit::Above(limit), level };
        let source = SeriesSource {
            thresholds: vec![threshold(5.0, Level::Warn), threshold(9.0, Level::Bad)],
            expect: Some(Duration::from_secs(60)),
            ..SeriesSource::default()
        };
        let track =
            |ts, value| Track::of(Stamp { ts: Millis(ts), seq: Seq(1) }, Value::Number(Number::new(value).unwrap()));
        let mut state = BoardState::default();
        assert_eq!(state.words(), "");
        let name = "ops/load".parse().unwrap();
        let mut add = |ts, value| {
            state.add(&name, &track(ts, value), &source, None, 3_600_000, Millis(100_000));
            state.words()
        };
        assert_eq!(add(90_000, 1.0), "");
        assert_eq!(add(90_000, 6.0), "warning");
        assert_eq!(add(30_000, 1.0), "warning, 1 stale");
        assert_eq!(add(90_000, 10.0), "bad, 1 stale");
        assert_eq!(add(90_000, 6.0), "bad, 1 stale", "the worst counts");
    }
}
