//! The body of a push of many points.

use serde_json::Value as Json;
use shared::Point;

use super::fields::{self, Acceptance, Wrong};
use crate::problem::ApiError;

/// Most wrong lines that an answer lists; it says how many more there are. A body can hold half a million.
const MAX_LISTED: usize = 1_000;

/// Reads NDJSON (blank lines are passed over), or a JSON array, of `{"series":…,"value":…,"ts":…}`.
///
/// # Errors
/// [`ApiError::Invalid`] with every line that is wrong; lines count from 1, in an array its elements do.
/// [`ApiError::Malformed`] for an array that breaks off, or for nothing at all.
pub fn points(body: &[u8], accepted: Acceptance) -> Result<Vec<Point>, ApiError> {
    let text = std::str::from_utf8(body).map_err(|error| ApiError::Malformed(format!("no UTF-8: {error}")))?;
    let mut good = Vec::new();
    let mut bad = Vec::new();
    let mut take = |line: usize, read: Result<Point, Wrong>| match read {
        Ok(point) => good.push(point),
        Err(wrong) => bad.push(wrong.at(line)),
    };
    if text.trim_start().starts_with('[') {
        let array: Vec<Json> =
            serde_json::from_str(text).map_err(|error| ApiError::Malformed(format!("broken JSON array: {error}")))?;
        for (line, json) in (1..).zip(&array) {
            take(line, point(json, accepted));
        }
    } else {
        for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
            let json = serde_json::from_str(text).map_err(|error| {
                Wrong::new(
                    "line",
                    "a JSON object",
                    format!("{}, broken at column {}", fields::echo(text), error.column()),
                )
            });
            take(line, json.and_then(|json| point(&json, accepted)));
        }
    }
    if bad.is_empty() && good.is_empty() {
        return Err(ApiError::Malformed("there is no point in the body".to_owned()));
    }
    if bad.is_empty() {
        return Ok(good);
    }
    let wrong = bad.len();
    let mut detail = format!("{wrong} of {} lines are wrong, so nothing was stored", wrong + good.len());
    if wrong > MAX_LISTED {
        bad.truncate(MAX_LISTED);
        detail = format!("{detail}; the first {MAX_LISTED} are listed");
    }
    Err(ApiError::Invalid { detail, errors: bad })
}

fn point(json: &Json, accepted: Acceptance) -> Result<Point, Wrong> {
    let Json::Object(object) = json else {
        return Err(Wrong::new("line", "a JSON object", fields::echo(&json.to_string())));
    };
    fields::only(object, "series, value, text, ts")?;
    Ok(Point { series: fields::series(object)?, ts: fields::ts(object, accepted)?, value: fields::value(object)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Millis;

    const NOW: Millis = Millis(1_732_399_200_123);
    const ACCEPTED: Acceptance = Acceptance { now: NOW, late_ms: 86_400_000 };

    #[test]
    fn lines_and_an_array_say_the_same() {
        let lines = "{\"series\":\"a\",\"value\":1}\n\n{\"series\":\"b/c\",\"text\":\"up\",\"ts\":1732399200000}\n";
        let array = "[{\"series\":\"a\",\"value\":1},\n{\"series\":\"b/c\",\"text\":\"up\",\"ts\":1732399200000}]";
        let read = points(lines.as_bytes(), ACCEPTED).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].ts, read[1].ts), (NOW, Millis(1_732_399_200_000)));
        assert_eq!(points(array.as_bytes(), ACCEPTED).unwrap(), read);
    }

    #[test]
    fn every_wrong_line_is_listed_with_its_field() {
        let body = "{\"series\":\"a\",\"value\":1}\n{\"series\":\"a b\",\"value\":1}\nhello\n{\"series\":\"a\",\"value\":null}\n{\"value\":1}\n7";
        let Err(ApiError::Invalid { detail, errors }) = points(body.as_bytes(), ACCEPTED) else {
            panic!("it is wrong")
        };
        assert_eq!(detail, "5 of 6 lines are wrong, so nothing was stored");
        let places: Vec<_> = errors.iter().map(|e| (e.line.unwrap(), e.field.as_str())).collect();
        assert_eq!(places, [(2, "series"), (3, "line"), (4, "value"), (5, "series"), (6, "line")]);
    }

    #[test]
    fn a_broken_array_and_an_empty_body_are_malformed() {
        for body in ["[{\"series\":\"a\",\"value\":1}", "", " \n", "[]"] {
            assert!(matches!(points(body.as_bytes(), ACCEPTED), Err(ApiError::Malformed(_))), "{body}");
        }
    }

    #[test]
    fn a_body_of_nothing_but_mistakes_gets_an_answer_of_bounded_size() {
        let Err(ApiError::Invalid { detail, errors }) = points("x\n".repeat(5_000).as_bytes(), ACCEPTED) else {
            panic!("it is wrong")
        };
        assert_eq!(errors.len(), 1_000);
        assert!(detail.starts_with("5000 of 5000"), "{detail}");
    }
}
