//! Reads a JSON array one element at a time, so that only one of them is in memory as JSON.

use serde::de::{Deserializer as _, Error as _, SeqAccess, Visitor};
use serde_json::Value as Json;

use crate::http::problem::ApiError;

/// Calls `take` with each element of an array, counted from 1, until it returns an error.
///
/// # Errors
/// The error of `take`; [`ApiError::Malformed`], which begins with `malformed`, if the text is no JSON array.
pub fn each(
    text: &str,
    malformed: &str,
    take: impl FnMut(usize, Json) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    let mut refused = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize_seq(Elements { take, refused: &mut refused }).and_then(|()| reader.end());
    match refused {
        Some(error) => Err(error),
        None => read.map_err(|error| ApiError::Malformed(format!("{malformed}: {error}"))),
    }
}

struct Elements<'r, F> {
    take: F,
    /// The error at which reading stopped before the end.
    refused: &'r mut Option<ApiError>,
}

impl<'de, F: FnMut(usize, Json) -> Result<(), ApiError>> Visitor<'de> for Elements<'_, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        for number in 1.. {
            let Some(json) = elements.next_element()? else { break };
            if let Err(error) = (self.take)(number, json) {
                *self.refused = Some(error);
                return Err(A::Error::custom("an element was refused"));
            }
        }
        Ok(())
    }
}
