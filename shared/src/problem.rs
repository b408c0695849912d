//! Errors in the format of RFC 9457.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The content type of a [`Problem`].
pub const CONTENT_TYPE: &str = "application/problem+json";

/// The error of a request, for people and for programs (RFC 9457, with `errors` as in its section 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The kind of problem, as a word after `/problems/`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words; the same for each problem of the kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// A description of this problem, and what to change.
    pub detail: String,
    /// Each wrong field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// A wrong field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The line of a batch, from 1; absent if the request has a single point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The name or place of the field.
    pub field: String,
    /// The expected value.
    pub expected: String,
    /// The received value.
    pub got: String,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, field, expected, got } = self;
        if let Some(line) = line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{field}: expected {expected}, got {got}")
    }
}

impl fmt::Display for Problem {
    /// Writes the problem, and each error on a line of its own. Line ends within the texts are escaped, so that no text
    /// looks like another line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on_one_line = |text: String| text.replace('\n', "\\u000a");
        f.write_str(&on_one_line(format!("{} {}: {}", self.status, self.title, self.detail)))?;
        for error in &self.errors {
            write!(f, "\n  {}", on_one_line(error.to_string()))?;
        }
        Ok(())
    }
}
