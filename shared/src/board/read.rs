//! Reads a document field by field, so that one pass finds all mistakes, each with its place.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::duration::parse_duration;
use super::keyword::Keyword;
use crate::Duration;
use crate::problem::FieldError;

/// The most mistakes that are listed. If there are more, the last entry gives the number of the rest.
pub const MAX_LISTED: usize = 500;

/// The most characters of a wrong value that a message quotes.
const ECHO: usize = 60;

/// The mistakes found so far. Fields are read through shared references, hence the cell.
#[derive(Debug, Default)]
pub struct Mistakes {
    /// The first [`MAX_LISTED`] mistakes.
    found: RefCell<Vec<FieldError>>,
    /// The number of further mistakes, which are only counted.
    over: Cell<usize>,
}

impl Mistakes {
    /// Records that something else was expected at `field`, such as `widgets[3].place.w`.
    pub fn add(&self, field: &str, expected: impl Into<String>, got: impl Into<String>) {
        let mut found = self.found.borrow_mut();
        // A document of 256 KiB can have a mistake every few bytes.
        if found.len() < MAX_LISTED {
            found.push(FieldError { line: None, field: field.to_owned(), expected: expected.into(), got: got.into() });
        } else {
            self.over.set(self.over.get() + 1);
        }
    }

    /// Returns the mistakes in document order, cut at [`MAX_LISTED`].
    #[must_use]
    pub fn into_list(self) -> Vec<FieldError> {
        let mut found = self.found.into_inner();
        let over = self.over.get();
        if over > 0 {
            found.push(FieldError {
                line: None,
                field: "…".to_owned(),
                expected: "none of these mistakes".to_owned(),
                got: format!("{over} more of them"),
            });
        }
        found
    }
}

/// A table of the document (an object, in JSON). [`Fields::finish`] reports each key that was never read.
#[derive(Debug)]
pub struct Fields<'a> {
    at: String,
    fields: &'a Map<String, Value>,
    asked: RefCell<Vec<&'static str>>,
    mistakes: &'a Mistakes,
}

impl<'a> Fields<'a> {
    /// Reads `value` as the table at `at`, which is empty for the document itself. If it is not a table, reports a
    /// mistake and returns `None`.
    #[must_use]
    pub fn of(value: &'a Value, at: String, mistakes: &'a Mistakes) -> Option<Self> {
        let Value::Object(fields) = value else {
            let at = if at.is_empty() { "document" } else { &at };
            mistakes.add(at, "a table of keys and values", echo(value));
            return None;
        };
        Some(Self { at, fields, asked: RefCell::default(), mistakes })
    }

    /// The place of `key` of this table in the document.
    #[must_use]
    pub fn place_of(&self, key: &str) -> String {
        if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) }
    }

    /// The place of this table in the document.
    #[must_use]
    pub fn at(&self) -> &str {
        &self.at
    }

    /// The list to which mistakes are added.
    #[must_use]
    pub fn mistakes(&self) -> &'a Mistakes {
        self.mistakes
    }

    /// The value of `key`, of any type. JSON's null counts as absent.
    #[must_use]
    pub fn get(&self, key: &'static str) -> Option<&'a Value> {
        self.asked.borrow_mut().push(key);
        self.fields.get(key).filter(|value| !value.is_null())
    }

    /// Reports a mistake at `key`.
    pub fn wrong(&self, key: &str, expected: impl Into<String>, got: impl Into<String>) {
        self.mistakes.add(&self.place_of(key), expected, got);
    }

    fn expect<T>(
        &self,
        key: &'static str,
        expected: impl FnOnce() -> String,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(key)?;
        let read = read(value);
        if read.is_none() {
            self.wrong(key, expected(), echo(value));
        }
        read
    }

    /// Reads a text of at most `max` bytes.
    #[must_use]
    pub fn text(&self, key: &'static str, max: usize) -> Option<String> {
        let text = self.expect(key, || format!("a text of at most {max} bytes"), Value::as_str)?;
        if text.len() > max {
            self.wrong(key, format!("a text of at most {max} bytes"), format!("{} bytes", text.len()));
            return None;
        }
        Some(text.to_owned())
    }

    /// Reads a text and parses it as a `T`.
    #[must_use]
    pub fn parsed<T: FromStr<Err: Display>>(&self, key: &'static str, expected: &str) -> Option<T> {
        let text = self.expect(key, || expected.to_owned(), Value::as_str)?;
        self.parse(&self.place_of(key), text, expected)
    }

    /// Reads a duration, such as `60s`.
    #[must_use]
    pub fn duration(&self, key: &'static str, expected: &str) -> Option<Duration> {
        let text = self.expect(key, || expected.to_owned(), Value::as_str)?;
        self.take(&self.place_of(key), text, expected, parse_duration(text))
    }

    /// Reads one keyword.
    #[must_use]
    pub fn keyword<W: Keyword>(&self, key: &'static str) -> Option<W> {
        self.expect(key, W::offer, |value| value.as_str().and_then(W::of))
    }

    /// Reads a list of keywords, each at most once.
    #[must_use]
    pub fn keywords<W: Keyword>(&self, key: &'static str) -> Vec<W> {
        let mut words = Vec::new();
        for (at, value) in self.list(key, W::ALL.len(), &format!("a list of {}", W::offer())) {
            match value.as_str().and_then(W::of) {
                Some(word) if words.contains(&word) => self.mistakes.add(&at, "each word once", echo(value)),
                Some(word) => words.push(word),
                None => self.mistakes.add(&at, W::offer(), echo(value)),
            }
        }
        words
    }

    /// Reads a finite number.
    #[must_use]
    pub fn number(&self, key: &'static str) -> Option<f64> {
        self.expect(key, || "a finite number".to_owned(), |value| value.as_f64().filter(|number| number.is_finite()))
    }

    /// Reads a whole number within `range`.
    #[must_use]
    pub fn whole(&self, key: &'static str, range: RangeInclusive<u16>) -> Option<u16> {
        let expected = || format!("a whole number from {} to {}", range.start(), range.end());
        self.expect(key, expected, |value| {
            value.as_u64().and_then(|whole| u16::try_from(whole).ok()).filter(|whole| range.contains(whole))
        })
    }

    /// Reads `true` or `false`.
    #[must_use]
    pub fn flag(&self, key: &'static str) -> Option<bool> {
        self.expect(key, || "true or false".to_owned(), Value::as_bool)
    }

    /// Reads a table inside this one.
    #[must_use]
    pub fn table(&self, key: &'static str) -> Option<Fields<'a>> {
        Fields::of(self.get(key)?, self.place_of(key), self.mistakes)
    }

    /// Reads a list and returns its first `max` entries, each with its place. Reports a mistake if there are more.
    #[must_use]
    pub fn list(&self, key: &'static str, max: usize, expected: &str) -> Vec<(String, &'a Value)> {
        let Some(list) = self.expect(key, || expected.to_owned(), Value::as_array) else { return Vec::new() };
        if list.len() > max {
            self.wrong(key, format!("at most {max} entries"), format!("{} of them", list.len()));
        }
        let at = self.place_of(key);
        list.iter().take(max).enumerate().map(|(index, value)| (format!("{at}[{index}]"), value)).collect()
    }

    /// Returns the first `max` entries of a table whose keys the document chooses. Reports a mistake if there are
    /// more.
    #[must_use]
    pub fn entries(&self, max: usize) -> Vec<(&'a String, &'a Value)> {
        if self.fields.len() > max {
            self.mistakes.add(&self.at, format!("at most {max} entries"), format!("{} of them", self.fields.len()));
        }
        self.fields.iter().take(max).collect()
    }

    /// Parses `text`, which stands at `at`, as a `T`.
    #[must_use]
    pub fn parse<T: FromStr<Err: Display>>(&self, at: &str, text: &str, expected: &str) -> Option<T> {
        self.take(at, text, expected, text.parse())
    }

    /// Returns what was parsed from `text`, which stands at `at`, or reports the error.
    fn take<T>(&self, at: &str, text: &str, expected: &str, parsed: Result<T, impl Display>) -> Option<T> {
        parsed
            .map_err(|error| {
                self.mistakes.add(at, expected, format!("{}: {error}", echo(&Value::from(text))));
            })
            .ok()
    }

    /// Reports every key that was never read.
    pub fn finish(self) {
        let asked = self.asked.borrow();
        let mut expected = String::new();
        for (key, value) in self.fields {
            if !asked.iter().any(|known| known == key) {
                if expected.is_empty() {
                    let mut known: Vec<_> = asked.clone();
                    known.sort_unstable();
                    known.dedup();
                    expected = format!("no such key; there are {}", known.join(", "));
                }
                let key: String = key.chars().take(ECHO).collect();
                self.wrong(&key, expected.as_str(), echo(value));
            }
        }
    }
}

/// Formats a value for a message: short, and on one line.
#[must_use]
pub fn echo(value: &Value) -> String {
    match value {
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(_) => "a table".to_owned(),
        other => {
            let text = other.to_string();
            match text.char_indices().nth(ECHO) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text,
            }
        }
    }
}
