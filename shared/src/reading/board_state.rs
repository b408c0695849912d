//! The state of a board: the worst level of its numbers, and how many of its series are stale.

use super::from_track::of_bucket;
use super::{Lookback, LookbackBuckets, Reading, ReadingQuery, ReadingValue, default_show, is_stale};
use crate::board::threshold::level;
use crate::board::{Board, Content, Level, SeriesSource, Show, Widget, WidgetView};
use crate::{Declared, Duration, Millis, SeriesName, Track};

/// The state of a board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BoardState {
    /// The worst level that is known; `None` where no threshold gives one.
    pub level: Option<Level>,
    /// Number of stale series. A series of several widgets counts in each.
    pub stale: usize,
    /// Number of series whose level is not known, because their history is not there. It may be a bad one.
    pub unknown: usize,
}

/// The series of a widget that has thresholds or an expected interval.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchedSource {
    /// The options of the document.
    pub source: SeriesSource,
    /// The number that the thresholds apply to.
    pub judges: Judges,
}

/// The number that the thresholds of a widget apply to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judges {
    /// The number that the widget shows of each series, with a change over this time.
    Reading(Option<Duration>),
    /// The number of the newest bucket: a chart shows many.
    Newest,
}

/// The history that a level follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LevelNeeds {
    /// The newest point.
    Point,
    /// The track.
    Track,
    /// The range of the board.
    Range,
}

impl WatchedSource {
    /// Returns the watched series of all widgets of a board.
    #[must_use]
    pub fn all_of(board: &Board) -> Vec<Self> {
        board.widgets.iter().filter_map(Self::of).collect()
    }

    fn of(widget: &Widget) -> Option<Self> {
        let Content::Series(shown) = &widget.content else { return None };
        let judges = match &shown.view {
            WidgetView::Stat(options) => Judges::Reading(options.change),
            WidgetView::Gauge(_) | WidgetView::Table(_) => Judges::Reading(None),
            WidgetView::Bar(options) if !options.is_over_time() => Judges::Reading(None),
            _ => Judges::Newest,
        };
        let source = &shown.source;
        let is_watched = !source.thresholds.is_empty() || source.expect.is_some();
        is_watched.then(|| Self { source: source.clone(), judges })
    }

    /// Returns the history that the level of a series follows from.
    #[must_use]
    pub fn needs(&self, declared: Option<Declared>) -> LevelNeeds {
        match self.show(declared) {
            _ if self.source.thresholds.is_empty() => LevelNeeds::Point,
            Show::Value => LevelNeeds::Point,
            Show::Rate => LevelNeeds::Track,
            _ if self.judges == Judges::Newest => LevelNeeds::Track,
            _ => LevelNeeds::Range,
        }
    }

    /// Returns the lookback over a range in milliseconds.
    #[must_use]
    pub fn lookback(&self, range_ms: u64) -> Lookback {
        Lookback { range_ms, change_ms: self.change().map_or(range_ms, Duration::as_millis) }
    }

    /// Returns the age of the value that the widget compares with, if its document sets one.
    #[must_use]
    pub fn change(&self) -> Option<Duration> {
        match self.judges {
            Judges::Reading(change) => change,
            Judges::Newest => None,
        }
    }

    fn show(&self, declared: Option<Declared>) -> Show {
        self.source.show.unwrap_or_else(|| default_show(declared))
    }
}

impl BoardState {
    /// Counts a series if it is stale at `now`. At least the newest entry of its track must be there.
    pub fn add_freshness(&mut self, watched: &WatchedSource, track: &Track, now: Millis) {
        let expect = watched.source.expect;
        self.stale += usize::from(expect.is_some_and(|expect| is_stale(expect, track.latest_at().ts, now)));
    }

    /// Adds the level of a series, from the history that [`WatchedSource::needs`] names.
    pub fn add_level(
        &mut self,
        watched: &WatchedSource,
        name: &SeriesName,
        track: &Track,
        declared: Option<Declared>,
        lookback: Lookback,
        past: LookbackBuckets<'_>,
    ) {
        let WatchedSource { source, judges } = watched;
        if source.thresholds.is_empty() {
            return;
        }
        let show = watched.show(declared);
        let awaits = matches!(past, LookbackBuckets::Awaited) && watched.needs(declared) == LevelNeeds::Range;
        let found = match (judges, track) {
            (Judges::Newest, Track::Numbers(buckets)) => {
                let mut newest = buckets.iter().rev();
                let bucket = newest.next();
                let number = bucket.and_then(|bucket| of_bucket(show, bucket, newest.next()));
                number.and_then(|number| level(&source.thresholds, number))
            }
            (Judges::Newest, Track::Texts(_)) => None,
            (Judges::Reading(_), _) => {
                let reading = Reading::of(name, track, ReadingQuery { source, show, lookback, past });
                self.unknown += usize::from(awaits && reading.shown == ReadingValue::TooFew);
                reading.level()
            }
        };
        self.level = self.level.max(found);
    }

    /// Describes what needs attention, for the title of a tab; empty where all is well.
    #[must_use]
    pub fn words(self) -> String {
        let level = match self.level {
            Some(Level::Bad) => "bad",
            Some(Level::Warn) => "warning",
            Some(Level::Ok) | None => "",
        };
        let counts = [(self.stale, "stale"), (self.unknown, "unknown")];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
        let level = Some(level.to_owned()).filter(|level| !level.is_empty());
        level.into_iter().chain(counts).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::threshold::{Limit, Threshold};
    use crate::{Number, Seq, Stamp, Value};

    const HOUR: Lookback = Lookback { range_ms: 3_600_000, change_ms: 3_600_000 };

    fn watched(show: Option<Show>, judges: Judges) -> WatchedSource {
        let threshold = |limit, level| Threshold { limit: Limit::Above(limit), level };
        let source = SeriesSource {
            thresholds: vec![threshold(5.0, Level::Warn), threshold(9.0, Level::Bad)],
            expect: Some(Duration::from_secs(60)),
            show,
            ..SeriesSource::default()
        };
        WatchedSource { source, judges }
    }

    fn track(points: &[(u64, f64)]) -> Track {
        let stamp = |(ts, seq)| Stamp { ts: Millis(ts), seq: Seq(seq) };
        let value = |value| Value::Number(Number::new(value).unwrap());
        let mut track = Track::of(stamp((points[0].0, 1)), value(points[0].1));
        for (seq, &(ts, number)) in (2..).zip(&points[1..]) {
            track.push(stamp((ts, seq)), value(number));
        }
        track
    }

    #[test]
    fn state_is_the_worst_level_and_the_count_of_stale_series() {
        let watched = watched(None, Judges::Reading(None));
        let mut state = BoardState::default();
        assert_eq!(state.words(), "");
        let name = "ops/load".parse().unwrap();
        let mut add = |ts, value| {
            let track = track(&[(ts, value)]);
            state.add_freshness(&watched, &track, Millis(100_000));
            state.add_level(&watched, &name, &track, None, HOUR, LookbackBuckets::Track);
            state.words()
        };
        assert_eq!(add(90_000, 1.0), "");
        assert_eq!(add(90_000, 6.0), "warning");
        assert_eq!(add(30_000, 1.0), "warning, 1 stale");
        assert_eq!(add(90_000, 10.0), "bad, 1 stale");
        assert_eq!(add(90_000, 6.0), "bad, 1 stale", "the worst counts");
    }

    #[test]
    fn number_over_a_range_has_a_level_or_is_unknown_but_never_ok_by_mistake() {
        let (name, track) = ("ops/load".parse().unwrap(), track(&[(90_000, 10.0), (95_000, 1.0)]));
        let state = |show, judges, past| {
            let mut state = BoardState::default();
            state.add_level(&watched(Some(show), judges), &name, &track, None, HOUR, past);
            state
        };
        let reading = Judges::Reading(None);
        let max = state(Show::Max, reading, LookbackBuckets::Track);
        assert_eq!(max, BoardState { level: Some(Level::Bad), ..BoardState::default() });
        let awaited = state(Show::Max, reading, LookbackBuckets::Awaited);
        assert_eq!((awaited.unknown, awaited.words().as_str()), (1, "1 unknown"));
        let value = state(Show::Value, reading, LookbackBuckets::Awaited);
        assert_eq!(value, BoardState::default(), "a value needs no history");
        let chart = state(Show::Max, Judges::Newest, LookbackBuckets::Awaited);
        assert_eq!(chart, BoardState::default(), "a chart is judged by its newest bucket");
    }
}
