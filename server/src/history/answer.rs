//! The past as it is told: as JSON, or as CSV.

use std::fmt::Write as _;

use serde::Serialize;
use shared::{Millis, Rolled, SeriesName, rolled};

use super::past::Texts;
use super::query::Detail;

/// A series of the answer.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Told {
    /// Of numbers.
    Numbers {
        /// Its name.
        series: SeriesName,
        /// How wide the buckets are, in milliseconds.
        tier_ms: u64,
        /// Those that are not empty, oldest first.
        buckets: Vec<Figures>,
    },
    /// Of texts.
    Texts {
        /// Its name.
        series: SeriesName,
        /// The newest lines, oldest first.
        lines: Vec<LineTold>,
        /// The line before them.
        #[serde(skip_serializing_if = "Option::is_none")]
        before: Option<LineTold>,
        /// Whether there are older ones in the stretch.
        more: bool,
    },
}

/// A line.
#[derive(Debug, Serialize)]
pub struct LineTold {
    ts: Millis,
    text: String,
}

/// A bucket in figures.
#[derive(Debug, Serialize)]
pub struct Figures {
    ts: Millis,
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
    first: f64,
    last: f64,
    p50: f64,
    p95: f64,
    p99: f64,
    /// What a counter counted since the last point of the bucket before, or since the first of this one where none is before.
    increase: f64,
    /// When its last point was: between two buckets so much time went by, however full they are.
    last_ts: Millis,
    /// A value within 1 % of each, and how many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    bins: Option<Vec<(f64, u64)>>,
}

impl Told {
    /// Tells buckets.
    #[must_use]
    pub fn numbers(series: SeriesName, tier_ms: u64, buckets: &[Rolled], detail: Detail) -> Self {
        let mut before = None;
        let tell = |rolled: &Rolled| {
            let bucket = &rolled.bucket;
            let step = before.replace(bucket.last.value).map_or(0.0, |before| rolled::step(before, bucket.first.value));
            let bins = || bucket.sketch().bins().iter().map(|bin| (short(bin.key.value()), bin.count)).collect();
            Figures {
                ts: bucket.start,
                count: bucket.count,
                sum: bucket.sum,
                min: bucket.min,
                max: bucket.max,
                first: bucket.first.value,
                last: bucket.last.value,
                p50: bucket.quantile(0.5),
                p95: bucket.quantile(0.95),
                p99: bucket.quantile(0.99),
                increase: (step + rolled.increase()).clamp(f64::MIN, f64::MAX),
                last_ts: bucket.last.at.ts,
                bins: (detail == Detail::Bins).then(bins),
            }
        };
        Self::Numbers { series, tier_ms, buckets: buckets.iter().map(tell).collect() }
    }

    /// Tells lines.
    #[must_use]
    pub fn texts(series: SeriesName, texts: Texts) -> Self {
        let tell = |(ts, text)| LineTold { ts, text };
        let lines = texts.lines.into_iter().map(tell).collect();
        Self::Texts { series, lines, before: texts.before.map(tell), more: texts.more }
    }
}

/// A number with seven digits, which do for one that is known to 1 %.
fn short(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value)
}

/// All of it as CSV (RFC 4180), a line each bucket or text.
#[must_use]
pub fn csv(told: &[Told]) -> String {
    let mut csv = "series,ts,tier_ms,count,sum,min,max,first,last,p50,p95,p99,increase,last_ts,text\r\n".to_owned();
    for series in told {
        match series {
            Told::Numbers { series, tier_ms, buckets } => {
                for figures in buckets {
                    let Figures { ts, count, sum, min, max, first, last, p50, p95, p99, increase, last_ts, bins: _ } =
                        figures;
                    let numbers = format!("{sum},{min},{max},{first},{last},{p50},{p95},{p99},{increase},{last_ts}");
                    let _infallible = write!(csv, "{series},{ts},{tier_ms},{count},{numbers},\r\n");
                }
            }
            Told::Texts { series, lines, .. } => {
                for LineTold { ts, text } in lines {
                    let quoted = text.replace('"', "\"\"");
                    let _infallible = write!(csv, "{series},{ts},,,,,,,,,,,,,\"{quoted}\"\r\n");
                }
            }
        }
    }
    csv
}
