//! Parses the body of a push to one name: a point, or an object of numbers for the series below it.

use std::str::Utf8Error;

use serde_json::{Map, Value as Json};
use shared::problem::FieldError;
use shared::{Declared, Number, Value};

use super::fields::{self, Acceptance, Wrong};
use super::query;
use crate::http::problem::ApiError;
use crate::log::{PointTime, SetBy};

const EXPECTED: &str =
    r#"a finite number like 42.5, or {"value":42.5}, {"text":"deploying"}, {"temp":21.5,"hum":40} or value=42.5"#;

/// The most wrong fields of an object that an answer lists.
const MAX_LISTED: usize = 1_000;

/// The deepest nesting of fields in an object of numbers: more than the segments of a series name.
const MAX_DEPTH: usize = 8;

/// The points of a body.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A point of the series itself.
    Point(BodyPoint),
    /// A number for each of these series below the pushed name, with the text to append to that name.
    Fields(Vec<(String, BodyPoint)>),
}

/// One point of a body, without the name of its series.
#[derive(Clone, Debug, PartialEq)]
pub struct BodyPoint {
    /// Its time.
    pub time: PointTime,
    /// Its value.
    pub value: Value,
    /// The metric type that the body declares for the series.
    pub declares: Option<Declared>,
}

impl BodyPoint {
    /// Applies `?kind=` from the query string.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] if such a value cannot have this kind, or if the body declares another kind.
    pub fn with_kind(self, word: &str) -> Result<Self, ApiError> {
        let declared = fields::declared(word, &self.value);
        let declares = declared.map_err(|expected| Wrong::new("kind", expected, fields::echo(word)).into_error())?;
        match self.declares {
            Some(other) if declares != Some(other) => {
                let expected = format!("{word} also in the body, since the address says so");
                Err(Wrong::new("kind", expected, fields::echo(other.word())).into_error())
            }
            _ => Ok(Self { declares, ..self }),
        }
    }
}

impl Content {
    /// Applies `?kind=` from the query string to each point.
    ///
    /// # Errors
    /// As [`BodyPoint::with_kind`].
    pub fn with_kind(self, word: &str) -> Result<Self, ApiError> {
        self.each(|point| point.with_kind(word))
    }

    /// Applies `?ts=` from the query string to each point.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] if it is not a time that a point may have, or if the body has a time, too.
    pub fn at(self, ts: Json, accepted: Acceptance) -> Result<Self, ApiError> {
        let time = fields::ts(&Map::from_iter([("ts".to_owned(), ts)]), accepted).map_err(Wrong::into_error)?;
        self.each(|point| {
            if point.time.set_by != SetBy::SERVER {
                return Err(ApiError::field("ts", "the time in the body or in the address", "both"));
            }
            Ok(BodyPoint { time, ..point })
        })
    }

    fn each(self, change: impl Fn(BodyPoint) -> Result<BodyPoint, ApiError>) -> Result<Self, ApiError> {
        match self {
            Self::Point(point) => change(point).map(Self::Point),
            Self::Fields(all) => {
                let all = all.into_iter().map(|(name, one)| Ok((name, change(one)?)));
                all.collect::<Result<_, _>>().map(Self::Fields)
            }
        }
    }
}

/// Reads a number by itself (`42.5`, `"42.5"`, `true`); `{"value":42.5,"ts":…,"kind":"counter"}` or
/// `{"text":"deploying","ts":…}`; the same as a form, `value=42.5&ts=…`; or an object of numbers,
/// `{"temp":21.5,"hum":40,"ts":…}`. A text is never taken by itself, so that a body means the same for every series.
///
/// Ignores the content type, since `curl -d` sends every body as a form.
///
/// # Errors
/// [`ApiError::Malformed`] for JSON that breaks off, [`ApiError::Invalid`] for everything else, with the field.
pub fn read(body: &[u8], accepted: Acceptance) -> Result<Content, ApiError> {
    let wrong = |got: String| Wrong::new("body", EXPECTED, got).into_error();
    let text = std::str::from_utf8(body).map_err(|error| wrong(not_utf8(error)))?.trim();
    if text.is_empty() {
        return Err(wrong("nothing".to_owned()));
    }
    if !text.starts_with('{') {
        if let Some(number) = number(text) {
            return Ok(Content::Point(BodyPoint {
                time: PointTime::of_server(accepted.now),
                value: Value::Number(number),
                declares: None,
            }));
        }
        let form = query::form(text)?.ok_or_else(|| wrong(fields::echo(text)))?;
        return object(&form, accepted);
    }
    let json = serde_json::from_str(text).map_err(|error| ApiError::Malformed(format!("broken JSON: {error}")))?;
    let Json::Object(fields) = json else { return Err(wrong(fields::echo(text))) };
    object(&fields, accepted)
}

/// Says that a body is no UTF-8. The common sender of such texts does not say in which encoding they are.
fn not_utf8(error: Utf8Error) -> String {
    format!(
        "bytes that are no UTF-8: {error} (Windows PowerShell sends UTF-8 with -ContentType 'application/json; charset=utf-8')"
    )
}

/// Reads a number by itself, perhaps in quotes as JSON has them.
fn number(text: &str) -> Option<Number> {
    if !text.starts_with('"') {
        return fields::written(text);
    }
    let inner: String = serde_json::from_str(text).ok()?;
    fields::written(&inner)
}

/// Reads the fields of a push to one name.
///
/// # Errors
/// [`ApiError::Invalid`] with the wrong fields.
pub(super) fn object(object: &Map<String, Json>, accepted: Acceptance) -> Result<Content, ApiError> {
    if !object.contains_key("value") && !object.contains_key("text") {
        return below(object, accepted);
    }
    let read = || {
        fields::only(object, "value, text, ts, kind")?;
        let value = fields::value(object)?;
        let declares = fields::kind(object, &value)?;
        Ok(Content::Point(BodyPoint { time: fields::ts(object, accepted)?, value, declares }))
    };
    read().map_err(Wrong::into_error)
}

/// Reads an object of numbers.
fn below(object: &Map<String, Json>, accepted: Acceptance) -> Result<Content, ApiError> {
    let time = fields::ts(object, accepted).map_err(Wrong::into_error)?;
    let mut found = Numbers { time, declares: None, good: Vec::new(), bad: Vec::new(), wrong: 0 };
    for (name, json) in object.iter().filter(|(name, _)| !matches!(name.as_str(), "ts" | "kind")) {
        found.take(name, json, 1);
    }
    let Some((_, first)) = found.good.first() else {
        // The object has no field at all, or no valid point.
        return if found.wrong == 0 {
            fields::value(object).map(|_| Content::Fields(Vec::new())).map_err(Wrong::into_error)
        } else {
            Err(found.into_error())
        };
    };
    let declares = fields::kind(object, &first.value).map_err(Wrong::into_error)?;
    if found.wrong > 0 {
        return Err(found.into_error());
    }
    Ok(Content::Fields(found.good.into_iter().map(|(name, point)| (name, BodyPoint { declares, ..point })).collect()))
}

/// The numbers of an object, and its wrong fields.
struct Numbers {
    time: PointTime,
    declares: Option<Declared>,
    good: Vec<(String, BodyPoint)>,
    bad: Vec<FieldError>,
    /// The number of wrong fields, including those that are not listed.
    wrong: usize,
}

impl Numbers {
    /// Adds the number of a field, or the numbers of an object in the field.
    fn take(&mut self, name: &str, json: &Json, depth: usize) {
        let expected = "a number; push a text by itself, as {\"text\":\"…\"}";
        match (json, fields::number(json)) {
            (Json::Object(inner), _) if !inner.is_empty() && depth < MAX_DEPTH => {
                for (key, json) in inner {
                    self.take(&format!("{name}/{key}"), json, depth + 1);
                }
            }
            (_, Ok(number)) => {
                let point = BodyPoint { time: self.time, value: Value::Number(number), declares: self.declares };
                self.good.push((name.to_owned(), point));
            }
            (_, Err(_)) => {
                self.wrong += 1;
                if self.bad.len() < MAX_LISTED {
                    let (field, got) = (fields::cut(name), fields::echo_json(json));
                    self.bad.push(FieldError { line: None, field, expected: expected.to_owned(), got });
                }
            }
        }
    }

    fn into_error(self) -> ApiError {
        let mut detail =
            format!("{} of {} fields are wrong, so nothing was stored", self.wrong, self.wrong + self.good.len());
        if self.wrong > self.bad.len() {
            detail = format!("{detail}; the first {} are listed", self.bad.len());
        }
        ApiError::Invalid { detail, errors: self.bad }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Millis, Text};

    const NOW: Millis = Millis(1_732_399_200_123);
    const ACCEPTED: Acceptance = Acceptance { now: NOW, late_ms: 86_400_000 };

    fn point(body: &str) -> Result<BodyPoint, ApiError> {
        super::read(body.as_bytes(), ACCEPTED).map(|content| match content {
            Content::Point(point) => point,
            Content::Fields(all) => panic!("{all:?}"),
        })
    }

    fn read(body: &str) -> Result<(Millis, Value), String> {
        point(body).map(|point| (point.time.ts, point.value)).map_err(|e| e.to_string())
    }

    fn below(body: &str) -> Result<Vec<(String, f64, Millis)>, String> {
        match super::read(body.as_bytes(), ACCEPTED).map_err(|error| error.to_string())? {
            Content::Point(point) => panic!("{point:?}"),
            Content::Fields(all) => {
                let number = |(name, point): (String, BodyPoint)| match point.value {
                    Value::Number(number) => (name, number.get(), point.time.ts),
                    Value::Text(text) => panic!("{text:?}"),
                };
                let mut numbers: Vec<_> = all.into_iter().map(number).collect();
                // The order in which an object is read depends on the features of `serde_json`.
                numbers.sort_unstable_by(|a, b| a.0.cmp(&b.0));
                Ok(numbers)
            }
        }
    }

    fn number(value: f64) -> Value {
        Value::Number(Number::new(value).unwrap())
    }

    #[test]
    fn a_number_is_taken_as_text_or_as_json() {
        for body in [
            "42.5",
            " 42.5\n",
            "4.25e1",
            r#""42.5""#,
            r#" " 42.5 " "#,
            r#""42\u002e5""#,
            r#"{"value":42.5}"#,
            r#"{"value":"42.5"}"#,
            r#"{"value":" 42.5 "}"#,
            "value=42.5",
            "value=42.5\r\n",
            "value=%34%32.5",
            "value=+42.5&",
        ] {
            assert_eq!(read(body), Ok((NOW, number(42.5))), "{body}");
        }
        assert_eq!(read(r#"{"value":-1,"ts":1732399200000}"#), Ok((Millis(1_732_399_200_000), number(-1.0))));
    }

    #[test]
    fn a_kind_can_be_declared_beside_a_value() {
        let declares = |body: &str| point(body).unwrap().declares;
        assert_eq!(declares(r#"{"value":7,"kind":"counter"}"#), Some(Declared::Counter));
        assert_eq!(declares("value=7&kind=counter"), Some(Declared::Counter));
        assert_eq!(declares(r#"{"kind":"gauge","value":7}"#), Some(Declared::Gauge));
        assert_eq!(declares(r#"{"text":"up","kind":"text"}"#), None);
        assert_eq!(declares("7"), None);
    }

    #[test]
    fn a_kind_that_the_address_says_is_held_to_the_value_and_to_the_body() {
        let declares = |body: &str, word: &str| {
            let read = point(body).unwrap().with_kind(word);
            read.map(|point| point.declares).map_err(|error| error.to_string())
        };
        assert_eq!(declares("7", "counter"), Ok(Some(Declared::Counter)));
        assert_eq!(declares(r#"{"value":7}"#, "gauge"), Ok(Some(Declared::Gauge)));
        assert_eq!(declares(r#"{"value":7,"kind":"counter"}"#, "counter"), Ok(Some(Declared::Counter)));
        assert_eq!(declares(r#"{"text":"up"}"#, "text"), Ok(None));
        for (body, word, wanted) in [
            ("7", "clock", "kind: expected gauge or counter, which a series of numbers can be, got \"clock\""),
            ("7", "", "kind: expected gauge or counter"),
            ("7", "text", "kind: expected gauge or counter"),
            (r#"{"text":"up"}"#, "counter", "kind: expected text, which a series of texts is, got \"counter\""),
            (r#"{"value":7,"kind":"gauge"}"#, "counter", "kind: expected counter also in the body, since the address"),
        ] {
            let error = declares(body, word).unwrap_err();
            assert!(error.starts_with(wanted), "{body} {word}: {error}");
        }
    }

    #[test]
    fn it_is_known_who_set_the_time() {
        let time = |body: &str| point(body).unwrap().time;
        assert_eq!(time("7"), PointTime::of_server(NOW));
        assert_eq!(time(r#"{"value":7}"#), PointTime::of_server(NOW));
        assert_eq!(time(r#"{"value":7,"ts":1732399200123}"#), PointTime::of_sender(NOW, 0));
    }

    #[test]
    fn a_text_is_taken_as_json() {
        let text = Value::Text(Text::new("deploying".into()).unwrap());
        assert_eq!(read(r#"{"text":"deploying"}"#), Ok((NOW, text.clone())));
        assert_eq!(read("text=deploying&ts=1732399200000"), Ok((Millis(1_732_399_200_000), text)));
    }

    #[test]
    fn a_boolean_is_one_or_zero() {
        assert_eq!(read(r#"{"value":true}"#), Ok((NOW, number(1.0))));
        assert_eq!(read(r#"{"value":false}"#), Ok((NOW, number(0.0))));
        for (body, value) in [
            ("true\n", 1.0),
            (" false", 0.0),
            ("True", 1.0),
            ("FALSE", 0.0),
            (r#""true""#, 1.0),
            (r#"{"value":"False"}"#, 0.0),
            ("value=TRUE", 1.0),
        ] {
            assert_eq!(read(body), Ok((NOW, number(value))), "{body}");
        }
    }

    #[test]
    fn an_object_of_numbers_is_a_series_each() {
        let at = |name: &str, value: f64| (name.to_owned(), value, NOW);
        assert_eq!(below(r#"{"temp":21.5,"hum":40}"#), Ok(vec![at("hum", 40.0), at("temp", 21.5)]));
        let inner = r#"{"uptime":"17","DHT":{"temp":21.5,"ok":true}}"#;
        assert_eq!(below(inner), Ok(vec![at("DHT/ok", 1.0), at("DHT/temp", 21.5), at("uptime", 17.0)]));
        let stamped = below(r#"{"temp":21.5,"ts":1732399200000}"#);
        assert_eq!(stamped, Ok(vec![("temp".to_owned(), 21.5, Millis(1_732_399_200_000))]));
        let counted = super::read(br#"{"rx":1,"tx":2,"kind":"counter"}"#, ACCEPTED).unwrap();
        let Content::Fields(all) = counted else { panic!("{counted:?}") };
        assert!(all.iter().all(|(_, point)| point.declares == Some(Declared::Counter)));
        let Err(ApiError::Invalid { detail, errors }) =
            super::read(br#"{"state":"on","temp":21.5,"none":null,"list":[1],"empty":{}}"#, ACCEPTED)
        else {
            panic!("it is wrong")
        };
        assert_eq!(detail, "4 of 5 fields are wrong, so nothing was stored");
        let mut fields: Vec<_> = errors.iter().map(|error| (error.field.as_str(), error.got.as_str())).collect();
        fields.sort_unstable();
        assert_eq!(
            fields,
            [("empty", "an object"), ("list", "an array"), ("none", "null"), ("state", "the text \"on\"")]
        );
        let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
        assert!(below(&deep).unwrap_err().contains("1 of 1 fields are wrong"));
    }

    #[test]
    fn whatever_is_wrong_is_named_with_what_was_expected_and_what_came() {
        for (body, wanted) in [
            ("", "body: expected a finite number"),
            ("hot", "got \"hot\""),
            ("NaN", "got \"NaN\""),
            ("inf", "got \"inf\""),
            ("1e999", "got \"1e999\""),
            ("[1]", "got \"[1]\""),
            ("tRUE", "got \"tRUE\""),
            ("t", "got \"t\""),
            ("null", "got \"null\""),
            (r#""hot""#, r#"got "\"hot\"""#),
            (r#"["true"]"#, r#"got "[\"true\"]""#),
            (r#"{"value":"on"}"#, "value: expected a finite number, got the text \"on\""),
            (r#""1e999""#, r#"got "\"1e999\"""#),
            (r#""42.5"#, r#"got "\"42.5""#),
            (r#""42.5" 1"#, r#"got "\"42.5\" 1""#),
            (r#"{"value":"#, "broken JSON"),
            (r#"{"value":1e999}"#, "broken JSON: number out of range"),
            (r#"{"value":null}"#, "value: expected a finite number, got null"),
            (r#"{"value":"hot"}"#, "value: expected a finite number, got the text \"hot\""),
            (r#"{"value":"inf"}"#, "value: expected a finite number, got the text \"inf\""),
            (r#"{"value":""}"#, "value: expected a finite number, got the text \"\""),
            ("value=hot", "value: expected a finite number, got the text \"hot\""),
            ("value=1&value=2", "value: expected it once, got it twice"),
            ("value=1&unit=C", "object: expected no fields but value, text, ts, kind, got a field \"unit\""),
            ("value=1&ts=now", "ts: expected milliseconds since 1970, a whole number, got the text \"now\""),
            ("temp=1", "body: expected a finite number"),
            ("{}", "value: expected a number, or a text in the field text, got nothing"),
            (r#"{"text":5}"#, "text: expected a text, got 5"),
            (r#"{"value":1,"text":"a"}"#, "either value or text"),
            (r#"{"ts":1732399200123}"#, "value: expected a number, or a text in the field text, got nothing"),
            (r#"{"value":1,"kind":"text"}"#, "kind: expected gauge or counter, which a series of numbers can be, got"),
            (r#"{"value":1,"kind":5}"#, "kind: expected gauge or counter, which a series of numbers can be, got 5"),
            (r#"{"text":"up","kind":"counter"}"#, "kind: expected text, which a series of texts is"),
            (r#"{"value":1,"tss":1}"#, "got a field \"tss\""),
            (
                r#"{"value":1,"ts":1732312800122}"#,
                "at most 1d ago (--late of the server says how long; ?import=true takes older points), got 1732312800122, which is 86400 s ago",
            ),
            (r#"{"value":1,"ts":1732399200}"#, "is this in seconds?"),
            (r#"{"value":1,"ts":"now"}"#, "ts: expected milliseconds since 1970, a whole number, got the text \"now\""),
            (r#"{"value":1,"ts":1732399500124}"#, "300 s ahead of the server's clock"),
        ] {
            let error = read(body).unwrap_err();
            assert!(error.contains(wanted), "{body}: {error}");
        }
        let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(4097));
        assert!(read(&long).unwrap_err().contains("at most 4096 bytes, got 4097 bytes"));
        assert!(read(r#"{"value":1,"ts":1732399500123}"#).is_ok(), "five minutes ahead is the most");
        assert!(read(r#"{"value":1,"ts":1732312800123}"#).is_ok(), "a day ago is the least");
    }
}
