//! Parses the body of a push of many points: NDJSON or a JSON array.

use serde::de::IgnoredAny;
use serde_json::Value as Json;
use shared::{Millis, SeriesName, Value};

use super::batch_builder::{Batch, BatchBuilder};
use super::elements;
use super::fields::{self, Acceptance, Wrong};
use super::lookup::SeriesLookup;
use super::scan::{Plain, Scanner};
use crate::http::problem::ApiError;
use crate::log::{PointTime, Pushed};

/// Reads NDJSON (blank lines are skipped), or a JSON array, of `{"series":…,"value":…,"ts":…,"kind":…}` into `batch`.
///
/// Common objects take the fast path of [`super::scan`]. Any other object is parsed as JSON, field by field.
///
/// # Errors
/// [`ApiError::Invalid`] with the wrong lines; lines count from 1, and in an array its elements count.
/// [`ApiError::Malformed`] for an array that breaks off, or for a body without points. [`ApiError::LimitReached`] as
/// soon as there are more points than `batch` takes.
pub fn points(body: &[u8], accepted: Acceptance, mut batch: BatchBuilder<'_>) -> Result<Batch, ApiError> {
    let text = std::str::from_utf8(body).map_err(|error| ApiError::Malformed(format!("no UTF-8: {error}")))?;
    batch.expect(text.len());
    if text.trim_start().starts_with('[') {
        if !plain_array(text, accepted, &mut batch)? {
            batch.restart();
            array(text, accepted, &mut batch)?;
        }
        return batch.finish();
    }
    for (number, line) in (1..).zip(lines(text)) {
        let mut scanner = Scanner::new(line);
        let plain = scanner.object().filter(|_| scanner.is_done());
        if let Some(point) = plain.and_then(|object| plain_point(object, accepted, batch.look())) {
            batch.take(number, Ok(point))?;
        } else if !line.trim().is_empty() {
            let json = json_line(line, batch.only_counts());
            batch.take(number, json.and_then(|json| point(&json, accepted, batch.look())))?;
        }
    }
    batch.finish()
}

/// Splits a text like [`str::lines`], in a fraction of the time.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = memchr::memchr(b'\n', rest.as_bytes());
        let (line, after) = end.map_or((rest, ""), |end| (&rest[..end], &rest[end + 1..]));
        let is_over = rest.is_empty();
        rest = after;
        (!is_over).then(|| line.strip_suffix('\r').unwrap_or(line))
    })
}

/// Reads an array whose elements all fit the fast path and are valid. Returns false if some are not.
fn plain_array(text: &str, accepted: Acceptance, batch: &mut BatchBuilder<'_>) -> Result<bool, ApiError> {
    let mut scanner = Scanner::new(text);
    if scanner.take(b'[').is_none() {
        return Ok(false);
    }
    for number in 1.. {
        let object = scanner.object();
        let Some(point) = object.and_then(|object| plain_point(object, accepted, batch.look())) else {
            return Ok(false);
        };
        batch.take(number, Ok(point))?;
        if scanner.take(b',').is_none() {
            break;
        }
    }
    Ok(scanner.take(b']').is_some() && scanner.is_done())
}

/// Reads an array element by element.
fn array(text: &str, accepted: Acceptance, batch: &mut BatchBuilder<'_>) -> Result<(), ApiError> {
    elements::each(text, "broken JSON array", |number, json| {
        let point = point(&json, accepted, batch.look());
        batch.take(number, point)
    })
}

fn json_line(line: &str, only_counts: bool) -> Result<Json, Wrong> {
    serde_json::from_str(line).map_err(|error| {
        if only_counts {
            return Wrong::COUNTED;
        }
        let echo = fields::echo(line);
        if is_several(line) {
            let expected =
                "one JSON object a line (curl -d takes the ends of lines out of a file: send it with --data-binary)";
            return Wrong::new("line", expected, format!("several in one line: {echo}"));
        }
        Wrong::new("line", "a JSON object", format!("{echo}, broken at column {}", error.column()))
    })
}

/// Returns true if the line has several JSON objects, one behind the other.
fn is_several(line: &str) -> bool {
    let mut objects = serde_json::Deserializer::from_str(line).into_iter::<IgnoredAny>();
    let first = objects.next();
    first.is_some_and(|first| first.is_ok()) && line[objects.byte_offset()..].trim_start().starts_with('{')
}

fn plain_point(object: Plain<'_>, accepted: Acceptance, look: &SeriesLookup<'_>) -> Option<Pushed> {
    let server = || PointTime::of_server(accepted.now);
    let time = object.ts.map_or_else(server, |ts| PointTime::of_sender(Millis(ts), 0));
    if !accepted.takes(time.ts) || (object.kind.is_some() && matches!(object.value, Value::Text(_))) {
        return None;
    }
    Some(look.point(object.series, time, object.value).ok()?.declaring(object.kind))
}

fn point(json: &Json, accepted: Acceptance, look: &SeriesLookup<'_>) -> Result<Pushed, Wrong> {
    let Json::Object(object) = json else {
        return Err(Wrong::new("line", "a JSON object", fields::echo(&json.to_string())));
    };
    fields::only(object, "series, value, text, ts, kind")?;
    let series = fields::series(object)?;
    // The first wrong field is named, so the name of the series is checked before the other fields.
    series.parse::<SeriesName>().map_err(|error| fields::bad_series(series, &error))?;
    let time = fields::ts(object, accepted)?;
    let value = fields::value(object)?;
    let declares = fields::kind(object, &value)?;
    Ok(look.point(series, time, value)?.declaring(declares))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limit;
    use crate::limits::push_memory::Share;
    use crate::store::Directory;
    use proptest::prelude::*;
    use shared::{Number, Point};

    const NOW: Millis = Millis(1_732_399_200_123);
    const ACCEPTED: Acceptance = Acceptance { now: NOW, late_ms: 86_400_000 };

    fn points(body: &[u8], accepted: Acceptance) -> Result<Batch, ApiError> {
        let (directory, mut share) = (Directory::default(), Share::unbounded());
        super::points(body, accepted, BatchBuilder::by_default(&directory, &mut share))
    }

    fn at_most(points: usize, body: &str) -> Result<Batch, ApiError> {
        let (directory, mut share) = (Directory::default(), Share::unbounded());
        super::points(
            body.as_bytes(),
            ACCEPTED,
            BatchBuilder::new(SeriesLookup::unrestricted(&directory), points, &mut share),
        )
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
            let (directory, mut share) = (Directory::default(), Share::unbounded());
            let mut long = BatchBuilder::by_default(&directory, &mut share);
            for (number, line) in (1..).zip(text.lines()) {
                let read = json_line(line, false).and_then(|json| point(&json, ACCEPTED, long.look()));
                long.take(number, read).unwrap();
            }
            prop_assert_eq!(points(text.as_bytes(), ACCEPTED), long.finish());
            let text = format!("[{}]", lines.join(","));
            let mut long = BatchBuilder::by_default(&directory, &mut share);
            let read = array(&text, ACCEPTED, &mut long).and_then(|()| long.finish());
            prop_assert_eq!(points(text.as_bytes(), ACCEPTED), read);
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
        assert_eq!(
            points(array.as_bytes(), ACCEPTED).unwrap(),
            Batch { points: read, lines: vec![1, 2], request: None }
        );
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
    fn objects_on_one_line_are_told_what_keeps_the_ends_of_lines() {
        let stripped = r#"{"series":"a","value":1}{"series":"b","value":2}"#;
        let error = points(stripped.as_bytes(), ACCEPTED).unwrap_err();
        let ApiError::Invalid { errors, .. } = error else { panic!("{error}") };
        assert!(errors[0].expected.contains("--data-binary") && errors[0].got.starts_with("several"), "{errors:?}");
        for line in [r#"{"series":"a","value":1}x"#, r#"{"series":"a","value":1"#, "}{", "7 {", ""] {
            assert_eq!(is_several(line), line == "7 {", "{line}");
        }
    }

    #[test]
    fn numbers_as_texts_and_booleans_are_numbers() {
        let body = "{\"series\":\"a\",\"value\":\"42.5\"}\n{\"series\":\"a\",\"value\":true}";
        let read = points(body.as_bytes(), ACCEPTED).unwrap().points;
        let wanted = [42.5, 1.0].map(|value| {
            let value = Value::Number(Number::new(value).unwrap());
            Pushed::from(Point { series: "a".parse().unwrap(), ts: NOW, value })
        });
        assert_eq!(read, wanted);
    }

    #[test]
    fn a_broken_array_and_an_empty_body_are_malformed() {
        for body in ["[{\"series\":\"a\",\"value\":1}", "", " \n", "[]"] {
            assert!(matches!(points(body.as_bytes(), ACCEPTED), Err(ApiError::Malformed(_))), "{body}");
        }
    }

    #[test]
    fn body_of_only_wrong_lines_gets_an_answer_of_bounded_size() {
        let array = |element: &str| format!("[{}]", vec![element; 5_000].join(","));
        for body in ["x\n".repeat(5_000), "{}\n".repeat(5_000), array("7"), array("{}")] {
            let Err(ApiError::Invalid { detail, errors }) = points(body.as_bytes(), ACCEPTED) else {
                panic!("it is wrong")
            };
            assert_eq!(errors.len(), 1_000);
            assert!(detail.starts_with("5000 of 5000"), "{detail}");
        }
    }

    #[test]
    fn reading_stops_at_the_first_point_over_the_bound() {
        let (plain, slow) = (r#"{"series":"a","value":1}"#, r#"{"series":"\u0061","value":1}"#);
        for element in [plain, slow] {
            let lines = |count| vec![element; count].join("\n");
            let array = |count| format!("[{}]", vec![element; count].join(","));
            assert_eq!(at_most(3, &lines(3)).unwrap().points.len(), 3);
            assert_eq!(at_most(3, &array(3)).unwrap().points.len(), 3);
            // The rest of the body is not read.
            for body in [lines(4) + "\nbroken", array(4) + "broken"] {
                assert_eq!(at_most(3, &body).unwrap_err().limit(), Some(Limit::Points), "{body}");
            }
        }
    }

    #[test]
    fn deep_nesting_is_a_mistake_like_any_other() {
        for deep in ["[".repeat(100_000), "{\"a\":".repeat(100_000)] {
            let line = points(deep.as_bytes(), ACCEPTED).unwrap_err().to_string();
            assert!(line.len() < 300, "{line}");
            assert!(points(format!("[{deep}").as_bytes(), ACCEPTED).unwrap_err().to_string().contains("recursion"));
        }
    }
}
