//! The reading of a series: its track made readable, as number, unit, level, change and range. It follows from the
//! track and its history alone, not from the time.

use std::collections::VecDeque;

use super::from_track::{of_bucket, over};
use super::{Lookback, LookbackBuckets, from_cells};
use crate::board::threshold::level;
use crate::board::{Level, SeriesSource, Show};
use crate::format::duration::duration;
use crate::format::number::{Figures, NumberFormat, with_unit};
use crate::format::unit::UnitFormat;
use crate::track::Latest;
use crate::{Bucket, Millis, SeriesName, Track};

/// Number of the newest buckets that determine the decimals.
const RECENT: usize = 60;

/// The query of a reading.
#[derive(Clone, Debug)]
pub struct ReadingQuery<'a> {
    /// The options of the document, such as unit, decimals and thresholds.
    pub source: &'a SeriesSource,
    /// The number to compute.
    pub show: Show,
    /// The lookback.
    pub lookback: Lookback,
    /// The buckets that are there for the lookback.
    pub past: LookbackBuckets<'a>,
}

/// The reading of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Time of the newest point.
    pub at: Millis,
    /// The value.
    pub shown: ReadingValue,
}

/// The value of a reading, by the kind of the series.
#[derive(Clone, Debug, PartialEq)]
pub enum ReadingValue {
    /// A number.
    Number(Box<NumberReading>),
    /// A series of numbers that has too few points for the query, or whose history has not arrived yet.
    TooFew,
    /// The latest text of a series of texts.
    Text(String),
}

/// The reading of a number.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberReading {
    /// The number.
    pub raw: f64,
    /// The number as text.
    pub value: String,
    /// Prefix and unit.
    pub unit: String,
    /// Number of characters of the widest recent number, so that the size of the figures does not change.
    pub width: usize,
    /// Number of characters of the longest recent unit.
    pub unit_width: usize,
    /// Level; `None` where no threshold gives one.
    pub level: Option<Level>,
    /// Change; `None` where there is no other value.
    pub change: Option<Change>,
    /// Extent over all points of the lookback; `None` where there is only one, or where history has not arrived yet.
    pub range: Option<Extent>,
    /// The newest value of a counter, beside its rate: `value 1,234`. `None` for all other numbers.
    pub counted: Option<String>,
    /// True if history for the lookback has not arrived yet.
    pub awaits: bool,
    /// The format of all numbers of the series.
    pub style: NumberFormat,
}

/// Change of a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The difference.
    pub raw: f64,
    /// Up, down or neither, as a character, not only as a colour.
    pub arrow: &'static str,
    /// The difference as text, with a sign.
    pub by: String,
    /// The time in which it changed.
    pub over: String,
}

/// The least, mean and greatest of all points.
#[derive(Clone, Debug, PartialEq)]
pub struct Extent {
    /// Least value.
    pub min: f64,
    /// Mean value.
    pub mean: f64,
    /// Greatest value.
    pub max: f64,
    /// The extent as text: `38.2 to 46.1 ms in 5 min`.
    pub text: String,
}

impl Reading {
    /// Makes the reading of a track.
    #[must_use]
    pub fn of(name: &SeriesName, track: &Track, query: ReadingQuery<'_>) -> Self {
        let shown = match track {
            Track::Numbers(buckets) => NumberReading::of(name, buckets, query)
                .map_or(ReadingValue::TooFew, |number| ReadingValue::Number(Box::new(number))),
            Track::Texts(_) => match track.latest() {
                Latest::Text(text) => ReadingValue::Text(text.to_owned()),
                Latest::Number(_) => ReadingValue::TooFew,
            },
        };
        Self { at: track.latest_at().ts, shown }
    }

    /// Returns the number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<&NumberReading> {
        match &self.shown {
            ReadingValue::Number(number) => Some(number),
            ReadingValue::Text(_) | ReadingValue::TooFew => None,
        }
    }

    /// Returns the value as text without its unit: figures, a text, or a dash.
    #[must_use]
    pub fn value(&self) -> String {
        match &self.shown {
            ReadingValue::Number(number) => number.value.clone(),
            ReadingValue::Text(text) => text.clone(),
            ReadingValue::TooFew => "–".to_owned(),
        }
    }

    /// Returns the value as text with its unit.
    #[must_use]
    pub fn text(&self) -> String {
        let unit = self.number().map(|number| number.unit.as_str()).unwrap_or_default();
        with_unit(&self.value(), unit)
    }

    /// Returns the level.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        self.number()?.level
    }
}

impl NumberReading {
    fn of(name: &SeriesName, buckets: &VecDeque<Bucket>, query: ReadingQuery<'_>) -> Option<Self> {
        let ReadingQuery { source, show, lookback, past } = query;
        let newest = buckets.back()?.last.at.ts;
        let from = Millis(newest.0.saturating_sub(lookback.range_ms));
        let raw = match (show, &past) {
            (Show::Value | Show::Rate, _) | (_, LookbackBuckets::Track) => over(show, buckets, from, newest)?,
            (_, LookbackBuckets::Whole(cells)) => from_cells::over(show, cells, from.0)?,
            (_, LookbackBuckets::Awaited) => return None,
        };
        let recent = recent(show, buckets);
        let unit = UnitFormat::of(source.unit.as_ref(), name).shown(show);
        let style = NumberFormat::of(unit, raw, recent.iter().copied()).with_decimals(source.decimals);
        let figures = style.figures(raw);
        let lengths = |figures: &Figures| (figures.number.chars().count(), figures.unit.chars().count());
        let (width, unit_width) = recent
            .iter()
            .map(|&value| lengths(&style.figures(value)))
            .fold(lengths(&figures), |longest, next| (longest.0.max(next.0), longest.1.max(next.1)));
        Some(Self {
            raw,
            value: figures.number,
            unit: figures.unit,
            width,
            unit_width,
            level: level(&source.thresholds, raw),
            change: change(show, &style, raw, buckets, lookback.change_ms, &past),
            range: extent(show, &style, buckets, from, &past),
            counted: (show == Show::Rate).then(|| counted(source, name, buckets)).flatten(),
            awaits: matches!(past, LookbackBuckets::Awaited),
            style,
        })
    }
}

/// Describes the newest value of a counter. It stands beside the rate, since a series that is taken for a counter may
/// be none.
fn counted(source: &SeriesSource, name: &SeriesName, buckets: &VecDeque<Bucket>) -> Option<String> {
    let value = buckets.back()?.last.value;
    let style = NumberFormat::of(UnitFormat::of(source.unit.as_ref(), name), value, std::iter::empty());
    Some(format!("last {}", style.with_decimals(source.decimals).text(value)))
}

/// Returns the numbers that determine the decimals and the width. A sum or a count over the whole lookback is of
/// another size than one of a bucket, so it determines them alone.
fn recent(show: Show, buckets: &VecDeque<Bucket>) -> Vec<f64> {
    if matches!(show, Show::Sum | Show::Count) {
        return Vec::new();
    }
    let newest = buckets.len().saturating_sub(RECENT)..buckets.len();
    newest
        .filter_map(|i| of_bucket(show, buckets.get(i)?, i.checked_sub(1).and_then(|before| buckets.get(before))))
        .collect()
}

/// Computes the change from the value `change_ms` ago to the newest; for a younger series, from its very first value.
/// Only a value and a rate have a change: a mean over the whole lookback has nothing to be compared with.
fn change(
    show: Show,
    style: &NumberFormat,
    raw: f64,
    buckets: &VecDeque<Bucket>,
    change_ms: u64,
    past: &LookbackBuckets<'_>,
) -> Option<Change> {
    let (oldest, newest) = (buckets.front()?, buckets.back()?.last);
    let wanted = Millis(newest.at.ts.0.saturating_sub(change_ms));
    let (before, at) = match past {
        LookbackBuckets::Whole(cells) if oldest.last.at.ts > wanted => {
            let (before, at) = from_cells::base(show, cells, wanted.0)?;
            (before, Millis(at))
        }
        LookbackBuckets::Awaited if oldest.last.at.ts > wanted => return None,
        _ => {
            let samples = || buckets.iter().rev().flat_map(|bucket| [bucket.last, bucket.first]);
            let base = samples().find(|sample| sample.at.ts <= wanted).unwrap_or(oldest.first);
            if base.at == newest.at {
                return None;
            }
            let before = match show {
                Show::Value => base.value,
                Show::Rate => over(show, buckets, Millis(0), base.at.ts)?,
                _ => return None,
            };
            (before, base.at.ts)
        }
    };
    let difference = raw - before;
    let by = style.difference(difference).text();
    let arrow = match by.chars().next() {
        Some('+') => "▲",
        Some('±') => "■",
        _ => "▼",
    };
    let over = in_words(newest.at.ts.since(at), change_ms);
    Some(Change { raw: difference, arrow, by, over })
}

/// Describes a stretch of `ms` milliseconds that should be `wanted` long: as the whole if only a fiftieth is missing, since
/// no points are that regular.
fn in_words(ms: u64, wanted: u64) -> String {
    let is_whole = ms < wanted && wanted - ms <= wanted / 50;
    duration(if is_whole { wanted } else { ms }.max(1_000))
}

fn extent(
    show: Show,
    style: &NumberFormat,
    buckets: &VecDeque<Bucket>,
    from: Millis,
    past: &LookbackBuckets<'_>,
) -> Option<Extent> {
    // The least and greatest total of a counter have no meaning for its rate.
    if show == Show::Rate {
        return None;
    }
    let newest = buckets.back()?.last.at.ts;
    let of = |show| match past {
        LookbackBuckets::Track => over(show, buckets, from, newest),
        LookbackBuckets::Whole(cells) => from_cells::over(show, cells, from.0),
        LookbackBuckets::Awaited => None,
    };
    let oldest = match past {
        LookbackBuckets::Whole(cells) => Millis(from_cells::begins(cells, from.0)?),
        _ => buckets.iter().find(|bucket| bucket.last.at.ts >= from)?.first.at.ts,
    };
    let span = newest.since(oldest);
    let (min, mean, max) = (of(Show::Min)?, of(Show::Mean)?, of(Show::Max)?);
    let text = format!("{} in {}", style.span(min, max), in_words(span, newest.since(from)));
    (span > 0).then_some(Extent { min, mean, max, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Threshold;
    use crate::board::threshold::Limit;
    use crate::{Number, Seq, Stamp, Text, Value};

    const BACK: Lookback = Lookback { range_ms: 3_600_000, change_ms: 60_000 };

    fn track(points: &[(u64, f64)]) -> Track {
        let stamp = |(i, ts): (usize, u64)| Stamp { ts: Millis(ts), seq: Seq(i as u64 + 1) };
        let value = |v| Value::Number(Number::new(v).unwrap());
        let mut track = Track::of(stamp((0, points[0].0)), value(points[0].1));
        for (i, &(ts, v)) in points.iter().enumerate().skip(1) {
            track.push(stamp((i, ts)), value(v));
        }
        track
    }

    fn reading(points: &[(u64, f64)], source: &SeriesSource) -> Reading {
        let show = source.show.unwrap_or(Show::Value);
        let query = ReadingQuery { source, show, lookback: BACK, past: LookbackBuckets::Track };
        Reading::of(&"ops/api/latency_ms".parse().unwrap(), &track(points), query)
    }

    fn number(points: &[(u64, f64)]) -> NumberReading {
        reading(points, &SeriesSource::default()).number().unwrap().clone()
    }

    #[test]
    fn a_single_point_has_no_change_and_no_range() {
        let reading = number(&[(5_000, 42.5)]);
        assert_eq!((reading.value.as_str(), reading.unit.as_str()), ("42.5", "ms"));
        assert_eq!((reading.change, reading.range, reading.level), (None, None, None));
    }

    #[test]
    fn a_young_series_changed_since_its_first_value_even_within_a_second() {
        let change = number(&[(5_000, 41.0), (5_100, 42.5)]).change.unwrap();
        assert_eq!((change.arrow, change.by.as_str(), change.over.as_str()), ("▲", "+1.5\u{a0}ms", "1 s"));
    }

    #[test]
    fn an_old_series_is_compared_with_as_long_ago_as_is_asked() {
        let points: Vec<(u64, f64)> = (0..200).map(|i| (i * 1_000, i as f64)).collect();
        let reading = number(&points);
        let change = reading.change.unwrap();
        assert_eq!((change.by.as_str(), change.over.as_str()), ("+60\u{a0}ms", "1 min"));
        assert_eq!(reading.range.unwrap().text, "0 to 199\u{a0}ms in 3 min");
        assert_eq!(reading.width, 3);
    }

    #[test]
    fn a_sparse_series_is_compared_with_the_value_before() {
        let change = number(&[(0, 9.0), (3_600_000, 8.0), (7_200_000, 8.0)]).change.unwrap();
        assert_eq!((change.arrow, change.by.as_str(), change.over.as_str()), ("■", "±0\u{a0}ms", "1 h"));
    }

    #[test]
    fn stretch_that_is_nearly_whole_has_the_length_that_was_asked_for() {
        assert_eq!(in_words(3_550_000, 3_600_000), "1 h");
        assert_eq!(in_words(3_500_000, 3_600_000), "58 min", "a young series says how much there is");
        assert_eq!((in_words(3_600_000, 3_600_000), in_words(7_200_000, 3_600_000)), ("1 h".into(), "2 h".into()));
        assert_eq!((in_words(0, 0), in_words(86_000_000, 86_400_000)), ("1 s".into(), "1 d".into()));
        // A point each 50 s: the oldest within the hour is some seconds younger than the hour.
        let points: Vec<(u64, f64)> = (0..75).map(|i| (i * 50_000 + 7_000, 1.0)).collect();
        assert!(number(&points).range.unwrap().text.ends_with("in 1 h"));
    }

    #[test]
    fn a_threshold_gives_what_is_shown_its_level() {
        let thresholds = vec![Threshold { limit: Limit::Above(100.0), level: Level::Warn }];
        let source = SeriesSource { show: Some(Show::Max), thresholds, decimals: Some(2), ..SeriesSource::default() };
        let reading = reading(&[(0, 120.0), (9_000, 8.0)], &source);
        assert_eq!((reading.text().as_str(), reading.level()), ("120.00\u{a0}ms", Some(Level::Warn)));
        assert_eq!(reading.number().unwrap().change, None, "the greatest of all the past is of no moment");
    }

    #[test]
    fn what_cannot_be_told_yet_is_a_dash() {
        let source = SeriesSource { show: Some(Show::Rate), ..SeriesSource::default() };
        assert_eq!(reading(&[(0, 120.0)], &source).text(), "–");
        assert_eq!(reading(&[(0, 120.0), (2_000, 130.0)], &source).text(), "5\u{a0}ms/s");
    }

    #[test]
    fn rate_has_the_value_beside_it() {
        let source = SeriesSource { show: Some(Show::Rate), ..SeriesSource::default() };
        let points: Vec<(u64, f64)> =
            (0..10).map(|i| (i * 1_000, 1_200.0 + f64::from(u32::try_from(i).unwrap()))).collect();
        let reading = reading(&points, &source);
        assert_eq!(reading.number().unwrap().counted.as_deref(), Some("last 1.209\u{a0}s"));
        assert_eq!(number(&points).counted, None);
    }

    #[test]
    fn a_text_is_shown_as_it_is() {
        let text = Value::Text(Text::new("deployed".into()).unwrap());
        let track = Track::of(Stamp { ts: Millis(9_000), seq: Seq(1) }, text);
        let query = ReadingQuery {
            source: &SeriesSource::default(),
            show: Show::Value,
            lookback: BACK,
            past: LookbackBuckets::Track,
        };
        let reading = Reading::of(&"ops/deploy".parse().unwrap(), &track, query);
        assert_eq!((reading.at, reading.text().as_str(), reading.level()), (Millis(9_000), "deployed", None));
    }
}
