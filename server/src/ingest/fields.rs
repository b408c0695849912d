//! Checks the fields of a pushed JSON object, and names each wrong one.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};
use shared::name::NameError;
use shared::point::MAX_TEXT_LEN;
use shared::problem::FieldError;
use shared::{Declared, Duration, Millis, Number, Text, Value};

use crate::http::problem::ApiError;
use crate::log::PointTime;
use shared::moment::EARLIEST;

/// The most milliseconds that a point may be ahead of the server's clock: five minutes, since clocks are off by that
/// much. Such a point is stored, and shown as the newest once its time has come ([`shared::as_of`]).
pub const MAX_AHEAD: u64 = 300_000;

/// The range of times that a pushed point may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The time of the server's clock.
    pub now: Millis,
    /// The most milliseconds that a point may be behind the server's clock. Older buckets may be deleted, now or
    /// soon.
    pub late_ms: u64,
}

impl Acceptance {
    /// Returns true if a point may have the time `ts`.
    #[must_use]
    pub fn takes(self, ts: Millis) -> bool {
        ts >= EARLIEST && self.now.since(ts) <= self.late_ms && ts <= self.now.plus(MAX_AHEAD)
    }

    /// Checks the time of a point.
    ///
    /// # Errors
    /// [`Wrong`] if the time is out of range. `expected` describes the format of a time.
    pub fn check(self, ts: Millis, expected: &str) -> Result<Millis, Wrong> {
        let Self { now, late_ms } = self;
        if self.takes(ts) {
            return Ok(ts);
        }
        if ts < EARLIEST {
            return Err(Wrong::new("ts", format!("{expected}, not before 2000 (is this in seconds?)"), ts.to_string()));
        }
        if ts <= now {
            let most = Duration::from_millis(late_ms);
            let expected = format!(
                "{expected}, at most {most} ago (--late of the server says how long; ?import=true takes older points)"
            );
            return Err(Wrong::new("ts", expected, format!("{ts}, which is {} s ago", now.since(ts) / 1000)));
        }
        let got = format!("{ts}, which is {} s ahead of the server's clock", ts.since(now) / 1000);
        Err(Wrong::new("ts", format!("{expected}, at most {} s ahead", MAX_AHEAD / 1000), got))
    }
}

/// The most characters of a wrong value that an error repeats.
const MAX_ECHO: usize = 80;

/// A wrong field, without its line.
#[derive(Debug)]
pub struct Wrong {
    field: &'static str,
    expected: Cow<'static, str>,
    got: Cow<'static, str>,
    /// The sender may not push to the series.
    is_forbidden: bool,
}

impl Wrong {
    /// An error that is only counted, so it has no text.
    pub const COUNTED: Self =
        Self { field: "", expected: Cow::Borrowed(""), got: Cow::Borrowed(""), is_forbidden: false };

    /// Creates an error from the field, the expected value and the given value.
    pub fn new(field: &'static str, expected: impl Into<Cow<'static, str>>, got: impl Into<Cow<'static, str>>) -> Self {
        Self { field, expected: expected.into(), got: got.into(), is_forbidden: false }
    }

    /// Creates the error for a series that the sender may not push to.
    pub fn forbidden(expected: String, series: &str) -> Self {
        Self { is_forbidden: true, ..Self::new("series", expected, echo(series)) }
    }

    /// Returns true if the sender may not push to the series.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.is_forbidden
    }

    /// Returns the error of a push that has no lines.
    #[must_use]
    pub fn into_error(self) -> ApiError {
        let is_forbidden = self.is_forbidden;
        let error = ApiError::field(self.field, self.expected, self.got);
        match error {
            ApiError::Invalid { detail, errors } if is_forbidden => ApiError::Forbidden { detail, errors },
            error => error,
        }
    }

    /// Returns the error at a line of a batch.
    #[must_use]
    pub fn at(self, line: usize) -> FieldError {
        let Self { field, expected, got, .. } = self;
        FieldError { line: Some(line), field: field.to_owned(), expected: expected.into(), got: got.into() }
    }
}

/// Returns the error for a text that is not a valid series name.
#[must_use]
pub fn bad_series(text: &str, error: &NameError) -> Wrong {
    Wrong::new(
        "series",
        "a name of 1 to 8 segments joined by /, like ops/api/latency_ms",
        format!("{}: {error}", echo(text)),
    )
}

/// Formats a wrong value for an error message: quoted, and cut if it is long.
#[must_use]
pub fn echo(text: &str) -> String {
    format!("{:?}", cut(text))
}

/// Cuts a text of untrusted length if it is long.
pub(super) fn cut(text: &str) -> String {
    let mut cut: String = text.chars().take(MAX_ECHO).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

pub(super) fn echo_json(json: &Json) -> String {
    match json {
        Json::String(text) => format!("the text {}", echo(text)),
        Json::Array(_) => "an array".to_owned(),
        Json::Object(_) => "an object".to_owned(),
        Json::Null | Json::Bool(_) | Json::Number(_) => json.to_string(),
    }
}

/// Returns the `series` of an object of a batch, without checking that it is a valid name.
pub(super) fn series(object: &Map<String, Json>) -> Result<&str, Wrong> {
    let expected = "a name like ops/api/latency_ms";
    match object.get("series") {
        None => Err(Wrong::new("series", expected, "nothing")),
        Some(Json::String(text)) => Ok(text),
        Some(other) => Err(Wrong::new("series", expected, echo_json(other))),
    }
}

/// Returns the `value` or the `text`. An object must have exactly one of them.
pub(super) fn value(object: &Map<String, Json>) -> Result<Value, Wrong> {
    match (object.get("value"), object.get("text")) {
        (Some(value), None) => number(value).map(Value::Number),
        (None, Some(Json::String(text))) => self::text(text.clone()).map(Value::Text),
        (None, Some(other)) => Err(Wrong::new("text", "a text", echo_json(other))),
        (None, None) => Err(Wrong::new("value", "a number, or a text in the field text", "nothing")),
        (Some(_), Some(_)) => Err(Wrong::new("value", "either value or text", "both")),
    }
}

/// Returns the metric type that `kind` declares for a series of numbers. For a text, `kind` can only be `text`.
pub(super) fn kind(object: &Map<String, Json>, value: &Value) -> Result<Option<Declared>, Wrong> {
    let Some(json) = object.get("kind") else { return Ok(None) };
    declared(json.as_str().unwrap_or_default(), value).map_err(|expected| Wrong::new("kind", expected, echo_json(json)))
}

/// Returns the metric type that a word declares for a series of such values. If the word is wrong, returns the
/// expected words.
pub(super) fn declared(word: &str, value: &Value) -> Result<Option<Declared>, &'static str> {
    match value {
        Value::Number(_) => Declared::of(word).map(Some).ok_or("gauge or counter, which a series of numbers can be"),
        Value::Text(_) if word == "text" => Ok(None),
        Value::Text(_) => Err("text, which a series of texts is"),
    }
}

/// Reads a number. Accepts numbers in quotes, and booleans as 1 and 0, since many senders have no other way.
pub(super) fn number(json: &Json) -> Result<Number, Wrong> {
    let number = match json {
        Json::Bool(is_on) => Number::new(f64::from(u8::from(*is_on))),
        Json::String(text) => written(text),
        _ => json.as_f64().and_then(Number::new),
    };
    number.ok_or_else(|| Wrong::new("value", "a finite number", echo_json(json)))
}

/// Reads a number as it is written; or a boolean, as JSON writes it, or as Python and PowerShell do (`True`).
pub(super) fn written(text: &str) -> Option<Number> {
    let text = text.trim();
    let value = match text.parse() {
        Ok(value) => value,
        Err(_) if matches!(text, "true" | "True" | "TRUE") => 1.0,
        Err(_) if matches!(text, "false" | "False" | "FALSE") => 0.0,
        Err(_) => return None,
    };
    Number::new(value)
}

fn text(text: String) -> Result<Text, Wrong> {
    let len = text.len();
    Text::new(text).ok_or_else(|| Wrong::new("text", format!("at most {MAX_TEXT_LEN} bytes"), format!("{len} bytes")))
}

/// Returns the `ts`, or the time of the server's clock if there is none.
pub(super) fn ts(object: &Map<String, Json>, accepted: Acceptance) -> Result<PointTime, Wrong> {
    let expected = "milliseconds since 1970, a whole number";
    let Some(json) = object.get("ts") else { return Ok(PointTime::of_server(accepted.now)) };
    let ts = json.as_u64().map(Millis).ok_or_else(|| Wrong::new("ts", expected, echo_json(json)))?;
    accepted.check(ts, expected).map(|ts| PointTime::of_sender(ts, 0))
}

/// Refuses unknown fields, since a misspelt field would otherwise be ignored silently.
pub(super) fn only(object: &Map<String, Json>, known: &'static str) -> Result<(), Wrong> {
    match object.keys().find(|key| !known.split(", ").any(|k| k == *key)) {
        None => Ok(()),
        Some(key) => Err(Wrong::new("object", format!("no fields but {known}"), format!("a field {}", echo(key)))),
    }
}
