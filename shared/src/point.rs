//! What is pushed.

use crate::{Millis, SeriesName};

/// Most bytes a text can have: 4 KiB.
pub const MAX_TEXT_LEN: usize = 4096;

/// A finite number. NaN and the infinities have no place on a chart and none in JSON.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Number(f64);

impl Number {
    /// The number, or nothing where it is NaN or infinite.
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
    /// The text, or nothing where it is too long.
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
    /// What a series of such values holds.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
        }
    }
}

/// What a series holds: its first point decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Numbers, kept in buckets.
    Number,
    /// Texts, kept line by line.
    Text,
}

/// How the numbers of a series are looked at, as whoever pushes them says. A page guesses where nobody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Declared {
    /// They go up and down: the value is what matters.
    Gauge,
    /// They only rise, and begin again at zero: what matters is how fast.
    Counter,
}

impl Declared {
    /// By its word, `gauge` or `counter`.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "gauge" => Some(Self::Gauge),
            "counter" => Some(Self::Counter),
            _ => None,
        }
    }

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
        }
    }
}

/// One value of one series at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Whose value it is.
    pub series: SeriesName,
    /// When it was so: the sender's word, or the server's clock where the sender gave none.
    pub ts: Millis,
    /// What it was.
    pub value: Value,
}
