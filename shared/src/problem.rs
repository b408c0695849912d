//! An error as RFC 9457 has it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The content type of a [`Problem`].
pub const CONTENT_TYPE: &str = "application/problem+json";

/// What went wrong with a request, for a person and for a program (RFC 9457, with `errors` as in its section 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What kind of problem, as a word after `/problems/`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words, the same for each problem of the kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// This very problem, and what to change.
    pub detail: String,
    /// Each place that is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// One place that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The line of a batch, from 1; absent where there is one point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Which field.
    pub field: String,
    /// What belongs there.
    pub expected: String,
    /// What came.
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
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.title, self.detail)?;
        for error in &self.errors {
            write!(f, "\n  {error}")?;
        }
        Ok(())
    }
}
