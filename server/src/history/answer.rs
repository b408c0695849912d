//! Encodes the answer to a history request as JSON or CSV, piece by piece.

use std::io::Write as _;

use serde::Serialize;
use shared::{Millis, Rolled, SeriesName, Tier, rolled};

use crate::http::csv;
use crate::http::format::AnswerFormat;
use shared::reading::Detail;

/// The columns of CSV.
pub const COLUMNS: &str = "series,ts,tier_ms,count,sum,min,max,first,last,p50,p95,p99,increase,last_ts,text\r\n";

/// A line of a text series.
#[derive(Clone, Debug, Serialize)]
pub struct TextLine {
    /// The time of the line.
    pub ts: Millis,
    /// The text.
    pub text: String,
}

/// A bucket as it is written.
#[derive(Debug, Serialize)]
struct Figures {
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
    /// The increase of a counter since the last point of the bucket before, or since the first point of this one where
    /// there is no bucket before.
    increase: f64,
    /// The time of its first point.
    first_ts: Millis,
    /// The time of its last point. The time between two buckets is the difference of these, however full the buckets
    /// are.
    last_ts: Millis,
    /// The bins of the sketch: a value, exact to 1 %, and the number of points.
    #[serde(skip_serializing_if = "Option::is_none")]
    bins: Option<Vec<(f64, u64)>>,
}

impl Figures {
    fn of(rolled: &Rolled, before: Option<f64>, detail: Detail) -> Self {
        let bucket = &rolled.bucket;
        let step = before.map_or(0.0, |before| rolled::step(before, bucket.first.value));
        let bins = || bucket.sketch().bins().iter().map(|bin| (short(bin.key.value()), bin.count)).collect();
        Self {
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
            first_ts: bucket.first.at.ts,
            last_ts: bucket.last.at.ts,
            bins: (detail == Detail::Bins).then(bins),
        }
    }
}

/// Rounds a number to seven digits, which is enough for a value that is exact to 1 %.
fn short(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value)
}

/// A bucket before the requested range.
#[derive(Debug, Serialize)]
struct Before {
    /// The width of the bucket: the finest that is still kept of its time.
    tier_ms: u64,
    #[serde(flatten)]
    figures: Figures,
}

/// Encodes an answer: [`begin`](Self::begin), then each series with its buckets or lines, then [`end`](Self::end).
/// [`take`](Self::take) returns the bytes written so far, at any time.
#[derive(Debug)]
pub struct Encoder {
    form: AnswerFormat,
    /// Bytes that were not taken yet.
    bytes: Vec<u8>,
    /// True if a series was written, so that the next one needs a comma.
    has_series: bool,
    /// True if the present series has an item, so that the next one needs a comma.
    has_item: bool,
    /// The name of the present series as a CSV cell.
    series: String,
    /// The width of its buckets.
    tier_ms: u64,
    /// The last value of the previous bucket.
    before: Option<f64>,
}

impl Encoder {
    /// Starts an empty answer.
    #[must_use]
    pub fn new(form: AnswerFormat) -> Self {
        Self {
            form,
            bytes: Vec::new(),
            has_series: false,
            has_item: false,
            series: String::new(),
            tier_ms: 0,
            before: None,
        }
    }

    /// Returns the number of bytes that can be taken.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns true if no bytes can be taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes the bytes written since the last call.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Begins the answer.
    pub fn begin(&mut self) {
        match self.form {
            AnswerFormat::Json => self.bytes.push(b'['),
            AnswerFormat::Csv => self.bytes.extend_from_slice(COLUMNS.as_bytes()),
        }
    }

    /// Ends the answer.
    pub fn end(&mut self) {
        if self.form == AnswerFormat::Json {
            self.bytes.push(b']');
        }
    }

    /// Begins a series of numbers. [`begin_buckets`](Self::begin_buckets) follows.
    pub fn begin_numbers(&mut self, series: &SeriesName) {
        self.begin_series(series);
    }

    /// Writes the buckets before the requested range, oldest first. CSV has no place for them.
    pub fn before(&mut self, newest: &[(Tier, Rolled)], detail: Detail) {
        if self.form == AnswerFormat::Csv {
            return;
        }
        let of = |(tier, rolled): &(Tier, Rolled)| Before {
            tier_ms: tier.width_ms(),
            figures: Figures::of(rolled, None, detail),
        };
        let before: Vec<Before> = newest.iter().map(of).collect();
        self.raw(",\"before\":");
        self.json(&before);
    }

    /// Begins the buckets of a series of numbers, of this width.
    pub fn begin_buckets(&mut self, tier_ms: u64) {
        self.tier_ms = tier_ms;
        if self.form == AnswerFormat::Json {
            self.raw(&format!(",\"tier_ms\":{tier_ms},\"buckets\":["));
        }
    }

    /// Writes the next bucket.
    pub fn bucket(&mut self, rolled: &Rolled, detail: Detail) {
        let figures = Figures::of(rolled, self.before.replace(rolled.bucket.last.value), detail);
        match self.form {
            AnswerFormat::Json => self.item(&figures),
            AnswerFormat::Csv => {
                let Figures { ts, count, sum, min, max, first, last, p50, p95, p99, increase, last_ts, .. } = figures;
                let Self { series, tier_ms, .. } = &*self;
                let numbers = format!("{sum},{min},{max},{first},{last},{p50},{p95},{p99},{increase},{last_ts}");
                let line = format!("{series},{ts},{tier_ms},{count},{numbers},\r\n");
                self.raw(&line);
            }
        }
    }

    /// Ends a series of numbers.
    pub fn end_numbers(&mut self) {
        if self.form == AnswerFormat::Json {
            self.raw("]}");
        }
    }

    /// Begins a series of texts.
    pub fn begin_texts(&mut self, series: &SeriesName) {
        self.begin_series(series);
        if self.form == AnswerFormat::Json {
            self.raw(",\"lines\":[");
        }
    }

    /// Writes the next line.
    pub fn line(&mut self, line: &TextLine) {
        match self.form {
            AnswerFormat::Json => self.item(line),
            AnswerFormat::Csv => {
                let row = format!("{},{},,,,,,,,,,,,,{}\r\n", self.series, line.ts, csv::quoted(&line.text));
                self.raw(&row);
            }
        }
    }

    /// Ends a series of texts. `before` is the line before the first one; `more` is true if the requested time range
    /// has older lines.
    pub fn end_texts(&mut self, before: Option<&TextLine>, more: bool) {
        if self.form == AnswerFormat::Json {
            self.raw("]");
            if let Some(before) = before {
                self.raw(",\"before\":");
                self.json(before);
            }
            self.raw(&format!(",\"more\":{more}}}"));
        }
    }

    fn begin_series(&mut self, series: &SeriesName) {
        (self.has_item, self.before) = (false, None);
        match self.form {
            AnswerFormat::Json => {
                self.raw(if self.has_series { ",{\"series\":" } else { "{\"series\":" });
                self.json(series);
            }
            AnswerFormat::Csv => self.series = csv::cell(series.as_str()),
        }
        self.has_series = true;
    }

    fn item(&mut self, item: &impl Serialize) {
        if std::mem::replace(&mut self.has_item, true) {
            self.bytes.push(b',');
        }
        self.json(item);
    }

    fn json(&mut self, value: &impl Serialize) {
        serde_json::to_writer(&mut self.bytes, value).expect("figures and texts are always JSON");
    }

    fn raw(&mut self, text: &str) {
        self.bytes.write_all(text.as_bytes()).expect("writing to a Vec succeeds");
    }
}
