//! What a tile shows of a track: the fold made readable. All of it follows from the track alone, not from the time.

use std::collections::VecDeque;

use shared::{Bucket, Millis, SeriesName, Track};

use crate::format::duration::duration;
use crate::format::number::Style;
use crate::format::unit::Unit;

/// With what the current value is compared: the newest one that is at least this much older, in milliseconds.
const COMPARE_MS: u64 = 60_000;
/// How many of the newest buckets choose the decimals.
const RECENT: usize = 60;
/// How many lines before the latest a tile shows.
const EARLIER: usize = 4;

/// What a tile shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Glance {
    /// When the newest point was.
    pub at: Millis,
    /// The rest of it.
    pub shown: Shown,
}

/// What a tile shows, by what the series holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    /// Of a series of numbers.
    Number(NumberGlance),
    /// Of a series of texts.
    Text(TextGlance),
}

impl Default for Shown {
    fn default() -> Self {
        Self::Text(TextGlance::default())
    }
}

/// A number at a glance.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberGlance {
    /// The number as it was pushed.
    pub raw: f64,
    /// The number as it is read.
    pub value: String,
    /// Prefix and unit.
    pub unit: String,
    /// How many characters the widest of the recent numbers has, so that the figures keep their size.
    pub width: usize,
    /// How it moved; nothing where there is no other value.
    pub change: Option<Change>,
    /// Least and greatest of all that is drawn, and how long that is: `38.2 – 46.1 in 5 min`.
    pub range: Option<String>,
}

/// How a number moved.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Up, down or neither, as a sign that is no colour.
    pub arrow: &'static str,
    /// By how much, with a sign.
    pub by: String,
    /// In what time.
    pub over: String,
}

/// A text at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextGlance {
    /// The latest text.
    pub text: String,
    /// Those before it, newest first.
    pub earlier: Vec<(Millis, String)>,
    /// How many lines came and went unseen since the page was opened.
    pub skipped: u64,
}

impl Glance {
    /// A track at a glance.
    #[must_use]
    pub fn of(name: &SeriesName, track: &Track) -> Self {
        let shown = match track {
            Track::Numbers(buckets) => Shown::Number(NumberGlance::of(Unit::of(name), buckets)),
            Track::Texts(log) => {
                let mut newest = log.lines.iter().rev();
                Shown::Text(TextGlance {
                    text: newest.next().map(|line| line.text.clone()).unwrap_or_default(),
                    earlier: newest.take(EARLIER).map(|line| (line.at.ts, line.text.clone())).collect(),
                    skipped: 0,
                })
            }
        };
        Self { at: track.latest_at().ts, shown }
    }
}

impl Glance {
    /// The number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<&NumberGlance> {
        match &self.shown {
            Shown::Number(number) => Some(number),
            Shown::Text(_) => None,
        }
    }

    /// Takes in how many lines of a text were skipped, which the track alone does not tell.
    pub fn tell_skipped(&mut self, skipped: u64) {
        if let Shown::Text(text) = &mut self.shown {
            text.skipped = skipped;
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&TextGlance> {
        match &self.shown {
            Shown::Text(text) => Some(text),
            Shown::Number(_) => None,
        }
    }
}

impl NumberGlance {
    fn of(unit: Unit, buckets: &VecDeque<Bucket>) -> Self {
        let newest = buckets.back().map(|bucket| bucket.last);
        let raw = newest.map_or(0.0, |sample| sample.value);
        let recent = buckets.iter().rev().take(RECENT).map(|bucket| bucket.last.value);
        let style = Style::of(unit, raw, recent.clone());
        let width = recent.map(|value| style.number(value).chars().count()).max().unwrap_or(1);
        let (value, unit) = (style.number(raw), style.unit());
        Self { raw, value, unit, width, change: change(&style, buckets), range: range(&style, buckets) }
    }
}

/// From the value a minute before to the newest. Where the track is not that long, from its very first value; where
/// points are further apart than that, from the one before.
fn change(style: &Style, buckets: &VecDeque<Bucket>) -> Option<Change> {
    let newest = buckets.back()?.last;
    let samples = || buckets.iter().rev().flat_map(|bucket| [bucket.last, bucket.first]);
    let old_enough = |at: Millis| newest.at.ts.since(at) >= COMPARE_MS;
    let base = samples().find(|sample| old_enough(sample.at.ts)).or_else(|| Some(buckets.front()?.first))?;
    if base.at == newest.at {
        return None;
    }
    let mut by = style.difference(newest.value - base.value);
    let arrow = match by.chars().next() {
        Some('+') => "▲",
        Some('±') => "■",
        _ => "▼",
    };
    if !style.unit().is_empty() {
        by = format!("{by} {}", style.unit());
    }
    Some(Change { arrow, by, over: duration(newest.at.ts.since(base.at.ts).max(1_000)) })
}

fn range(style: &Style, buckets: &VecDeque<Bucket>) -> Option<String> {
    let (oldest, newest) = (buckets.front()?, buckets.back()?);
    let span = newest.last.at.ts.since(oldest.first.at.ts);
    if span == 0 {
        return None;
    }
    let min = buckets.iter().map(|bucket| bucket.min).fold(f64::INFINITY, f64::min);
    let max = buckets.iter().map(|bucket| bucket.max).fold(f64::NEG_INFINITY, f64::max);
    Some(format!("{} to {} in {}", style.number(min), style.number(max), duration(span.max(1_000))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Number, Seq, Stamp, Text, Value};

    fn numbers(points: &[(u64, f64)]) -> NumberGlance {
        let stamp = |(i, ts): (usize, u64)| Stamp { ts: Millis(ts), seq: Seq(i as u64 + 1) };
        let value = |v| Value::Number(Number::new(v).unwrap());
        let mut track = Track::of(stamp((0, points[0].0)), value(points[0].1));
        for (i, &(ts, v)) in points.iter().enumerate().skip(1) {
            track.push(stamp((i, ts)), value(v));
        }
        match Glance::of(&"ops/api/latency_ms".parse().unwrap(), &track).shown {
            Shown::Number(glance) => glance,
            Shown::Text(_) => panic!("numbers were pushed"),
        }
    }

    #[test]
    fn a_single_point_has_no_change_and_no_range() {
        let glance = numbers(&[(5_000, 42.5)]);
        assert_eq!((glance.value.as_str(), glance.unit.as_str()), ("42.5", "ms"));
        assert_eq!((glance.change, glance.range), (None, None));
    }

    #[test]
    fn a_young_series_changed_since_its_first_value_even_within_a_second() {
        let change = numbers(&[(5_000, 41.0), (5_100, 42.5)]).change.unwrap();
        assert_eq!((change.arrow, change.by.as_str(), change.over.as_str()), ("▲", "+1.5 ms", "1 s"));
    }

    #[test]
    fn an_old_series_is_compared_with_a_minute_before() {
        let points: Vec<(u64, f64)> = (0..200).map(|i| (i * 1_000, i as f64)).collect();
        let glance = numbers(&points);
        let change = glance.change.unwrap();
        assert_eq!((change.by.as_str(), change.over.as_str()), ("+60 ms", "1 min"));
        assert_eq!(glance.range.unwrap(), "0 to 199 in 3 min");
        assert_eq!(glance.width, 3);
    }

    #[test]
    fn a_sparse_series_is_compared_with_the_value_before() {
        let change = numbers(&[(0, 9.0), (3_600_000, 8.0), (7_200_000, 8.0)]).change.unwrap();
        assert_eq!((change.arrow, change.by.as_str(), change.over.as_str()), ("■", "±0 ms", "1 h"));
    }

    #[test]
    fn texts_show_the_latest_and_a_few_before_it() {
        let text = |i: u64| Value::Text(Text::new(format!("line {i}")).unwrap());
        let stamp = |i: u64| Stamp { ts: Millis(i * 1_000), seq: Seq(i) };
        let mut track = Track::of(stamp(1), text(1));
        for i in 2..10 {
            track.push(stamp(i), text(i));
        }
        let glance = Glance::of(&"ops/deploy".parse().unwrap(), &track);
        assert_eq!(glance.at, Millis(9_000));
        let Shown::Text(shown) = glance.shown else { panic!("texts were pushed") };
        assert_eq!(shown.text, "line 9");
        let earlier: Vec<&str> = shown.earlier.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(earlier, ["line 8", "line 7", "line 6", "line 5"]);
    }
}
