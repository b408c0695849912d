//! Points: the values that are pushed.

use crate::{Millis, SeriesName};

/// The most bytes of a text: 4 KiB.
pub const MAX_TEXT_LEN: usize = 4096;

/// A finite number. NaN and the infinities can neither be drawn nor written as JSON.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Number(f64);

impl Number {
    /// Returns `None` if `value` is NaN or infinite.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(value))
    }

    /// The number as a float.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

/// A short text, at most [`MAX_TEXT_LEN`] bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// Returns `None` if `text` is too long.
    #[must_use]
    pub fn new(text: String) -> Option<Self> {
        (text.len() <= MAX_TEXT_LEN).then_some(Self(text))
    }

    /// The text as it was pushed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

/// A value of a series.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number of a series of numbers.
    Number(Number),
    /// A text of a series of texts.
    Text(Text),
}

impl Value {
    /// The kind of series that holds such values.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
        }
    }
}

/// The kind of a series; its first point decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Numbers, kept in buckets.
    Number,
    /// Texts, kept as lines.
    Text,
}

/// The metric type of a series of numbers, as declared with a push. If nobody declares it, the page guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Declared {
    /// The numbers rise and fall, and their value matters.
    Gauge,
    /// The numbers only rise and restart at zero, and their rate matters.
    Counter,
}

impl Declared {
    /// Parses the keyword `gauge` or `counter`.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "gauge" => Some(Self::Gauge),
            "counter" => Some(Self::Counter),
            _ => None,
        }
    }

    /// The keyword.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
        }
    }
}

/// A value of a series at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The series.
    pub series: SeriesName,
    /// The time of the value: the sender's, or the server's clock if the sender gave none.
    pub ts: Millis,
    /// The value.
    pub value: Value,
}
