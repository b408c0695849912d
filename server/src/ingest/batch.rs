//! The body of a push of many points.

use serde_json::Value as Json;
use shared::problem::FieldError;
use shared::{Millis, SeriesName, Value};

use super::fields::{self, Acceptance, Wrong};
use super::scan::{Plain, Scanner};
use crate::problem::ApiError;
use crate::store::Pushed;
use crate::store::directory::Look;

/// Most wrong lines that an answer lists; it says how many more there are. A body can hold half a million.
const MAX_LISTED: usize = 1_000;

/// Reads NDJSON (blank lines are passed over), or a JSON array, of `{"series":…,"value":…,"ts":…,"kind":…}`.
///
/// Objects as they nearly always are take the short way of [`super::scan`]; any other is read as JSON, field by field.
///
/// # Errors
/// [`ApiError::Invalid`] with every line that is wrong; lines count from 1, in an array its elements do.
/// [`ApiError::Malformed`] for an array that breaks off, or for nothing at all.
pub fn points(body: &[u8], accepted: Acceptance, look: &Look<'_>) -> Result<Batch, ApiError> {
    let text = std::str::from_utf8(body).map_err(|error| ApiError::Malformed(format!("no UTF-8: {error}")))?;
    if text.trim_start().starts_with('[') {
        return plain_array(text, accepted, look).map_or_else(|| array(text, accepted, look), Ok);
    }
    // Lines are seldom shorter.
    let mut batch = Gathering::new(text.len() / 32);
    for (number, line) in (1..).zip(text.lines()) {
        let mut scanner = Scanner::new(line);
        let plain = scanner.object().filter(|_| scanner.is_done());
        if let Some(point) = plain.and_then(|object| plain_point(object, accepted, look)) {
            batch.take(number, Ok(point));
        } else if !line.trim().is_empty() {
            batch.take(number, json_line(line).and_then(|json| point(&json, accepted, look)));
        }
    }
    batch.finish()
}

/// An array of which every element is plain and right.
fn plain_array(text: &str, accepted: Acceptance, look: &Look<'_>) -> Option<Batch> {
    let mut scanner = Scanner::new(text);
    let mut batch = Gathering::new(text.len() / 32);
    scanner.take(b'[')?;
    for number in 1.. {
        batch.take(number, Ok(plain_point(scanner.object()?, accepted, look)?));
        if scanner.take(b',').is_none() {
            break;
        }
    }
    scanner.take(b']')?;
    scanner.is_done().then(|| batch.finish().ok()).flatten()
}

fn array(text: &str, accepted: Acceptance, look: &Look<'_>) -> Result<Batch, ApiError> {
    let array: Vec<Json> =
        serde_json::from_str(text).map_err(|error| ApiError::Malformed(format!("broken JSON array: {error}")))?;
    let mut batch = Gathering::new(array.len());
    for (number, json) in (1..).zip(&array) {
        batch.take(number, point(json, accepted, look));
    }
    batch.finish()
}

fn json_line(line: &str) -> Result<Json, Wrong> {
    serde_json::from_str(line).map_err(|error| {
        let got = format!("{}, broken at column {}", fields::echo(line), error.column());
        Wrong::new("line", "a JSON object", got)
    })
}

fn plain_point(object: Plain<'_>, accepted: Acceptance, look: &Look<'_>) -> Option<Pushed> {
    let ts = object.ts.map_or(accepted.now, Millis);
    if !accepted.takes(ts) || (object.kind.is_some() && matches!(object.value, Value::Text(_))) {
        return None;
    }
    Some(look.point(object.series, ts, object.value).ok()?.declaring(object.kind))
}

fn point(json: &Json, accepted: Acceptance, look: &Look<'_>) -> Result<Pushed, Wrong> {
    let Json::Object(object) = json else {
        return Err(Wrong::new("line", "a JSON object", fields::echo(&json.to_string())));
    };
    fields::only(object, "series, value, text, ts, kind")?;
    let series = fields::series(object)?;
    // The first field that is wrong is named.
    let named = |error| fields::bad_series(series, &error);
    series.parse::<SeriesName>().map_err(named)?;
    let ts = fields::ts(object, accepted)?;
    let value = fields::value(object)?;
    let declares = fields::kind(object, &value)?;
    Ok(look.point(series, ts, value).map_err(named)?.declaring(declares))
}

/// The points of a body, all of them right.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// The points; at least one.
    pub points: Vec<Pushed>,
    /// Of each point the line, from 1.
    pub lines: Vec<u32>,
}

/// The points of a body as they are read, and what is wrong with others.
#[derive(Debug)]
pub struct Gathering {
    good: Batch,
    bad: Vec<FieldError>,
}

impl Gathering {
    /// Nothing yet, and room for so many points.
    #[must_use]
    pub fn new(expected: usize) -> Self {
        let good = Batch { points: Vec::with_capacity(expected), lines: Vec::with_capacity(expected) };
        Self { good, bad: Vec::new() }
    }

    /// Takes in what was read at a line, counted from 1.
    pub fn take(&mut self, line: usize, read: Result<Pushed, Wrong>) {
        match read {
            Ok(point) => {
                self.good.points.push(point);
                self.good.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
            }
            Err(wrong) => self.bad.push(wrong.at(line)),
        }
    }

    /// All points, where nothing is wrong.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] with all that is wrong; [`ApiError::Malformed`] where there was nothing.
    pub fn finish(self) -> Result<Batch, ApiError> {
        let Self { good, mut bad } = self;
        if bad.is_empty() && good.points.is_empty() {
            return Err(ApiError::Malformed("there is no point in the body".to_owned()));
        }
        if bad.is_empty() {
            return Ok(good);
        }
        let wrong = bad.len();
        let mut detail = format!("{wrong} of {} lines are wrong, so nothing was stored", wrong + good.points.len());
        if wrong > MAX_LISTED {
            bad.truncate(MAX_LISTED);
            detail = format!("{detail}; the first {MAX_LISTED} are listed");
        }
        Err(ApiError::Invalid { detail, errors: bad })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Directory;
    use proptest::prelude::*;
    use shared::{Number, Point};

    const NOW: Millis = Millis(1_732_399_200_123);
    const ACCEPTED: Acceptance = Acceptance { now: NOW, late_ms: 86_400_000 };

    fn points(body: &[u8], accepted: Acceptance) -> Result<Batch, ApiError> {
        super::points(body, accepted, &Directory::default().look())
    }

    proptest! {
        #[test]
        fn the_short_way_says_what_the_long_one_says(
            lines in prop::collection::vec(
                r#"\{"series":"(a|b/c|a b|)"(,"value":-?[0-9]{1,3}(\.[0-9])?|,"text":"(up|d\\"n|)"|,"value":(null|1e999|01)){0,2}(,"ts":(1732399200000|17|1732399200000\.5))?(,"kind":("counter"|"gauge"|"text"|7))?\}?"#,
                1..6
            )
        ) {
            let text = lines.join("\n");
            let mut long = Gathering::new(0);
            let directory = Directory::default();
            for (number, line) in (1..).zip(text.lines()) {
                long.take(number, json_line(line).and_then(|json| point(&json, ACCEPTED, &directory.look())));
            }
            prop_assert_eq!(points(text.as_bytes(), ACCEPTED), long.finish());
            let text = format!("[{}]", lines.join(","));
            prop_assert_eq!(points(text.as_bytes(), ACCEPTED), array(&text, ACCEPTED, &directory.look()));
        }
    }

    #[test]
    fn lines_and_an_array_say_the_same() {
        let lines = "{\"series\":\"a\",\"value\":1}\n\n{\"series\":\"b/c\",\"text\":\"up\",\"ts\":1732399200000}\n";
        let array = "[{\"series\":\"a\",\"value\":1},\n{\"series\":\"b/c\",\"text\":\"up\",\"ts\":1732399200000}]";
        let read = points(lines.as_bytes(), ACCEPTED).unwrap();
        assert_eq!(read.lines, [1, 3]);
        let read = read.points;
        let one = Value::Number(Number::new(1.0).unwrap());
        assert_eq!(read[0], Point { series: "a".parse().unwrap(), ts: NOW, value: one }.into());
        assert_eq!(points(array.as_bytes(), ACCEPTED).unwrap(), Batch { points: read, lines: vec![1, 2] });
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
