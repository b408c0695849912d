//! The body of a push of one point.

use serde_json::Value as Json;
use shared::{Declared, Millis, Number, Value};

use super::fields::{self, Acceptance, Wrong};
use crate::problem::ApiError;

const EXPECTED: &str = r#"a finite number like 42.5, or {"value":42.5}, or {"text":"deploying"}"#;

/// What a body says of a point.
#[derive(Clone, Debug, PartialEq)]
pub struct One {
    /// When it was.
    pub ts: Millis,
    /// What it was.
    pub value: Value,
    /// What is said of all numbers of the series.
    pub declares: Option<Declared>,
}

impl One {
    /// The same, of which the address also says that it is of the kind of this word.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] where such values have no such kind, or the body says another.
    pub fn also(self, word: &str) -> Result<Self, ApiError> {
        let said = fields::declared(word, &self.value);
        let declares = said.map_err(|expected| Wrong::new("kind", expected, fields::echo(word)).into_error())?;
        match self.declares {
            Some(other) if declares != Some(other) => {
                let expected = format!("{word} also in the body, since the address says so");
                Err(Wrong::new("kind", expected, fields::echo(other.word())).into_error())
            }
            _ => Ok(Self { declares, ..self }),
        }
    }
}

/// Reads `42.5`, `{"value":42.5,"ts":…,"kind":"counter"}` or `{"text":"deploying","ts":…}`.
///
/// The content type is not looked at: `curl -d` calls everything a form.
///
/// # Errors
/// [`ApiError::Malformed`] for JSON that breaks off, [`ApiError::Invalid`] for all else, with the field.
pub fn read(body: &[u8], accepted: Acceptance) -> Result<One, ApiError> {
    let wrong = |got: String| Wrong::new("body", EXPECTED, got).into_error();
    let text = std::str::from_utf8(body).map_err(|error| wrong(format!("bytes that are no UTF-8: {error}")))?.trim();
    if text.is_empty() {
        return Err(wrong("nothing".to_owned()));
    }
    if !text.starts_with('{') {
        let number = text.parse().ok().and_then(Number::new).ok_or_else(|| wrong(fields::echo(text)))?;
        return Ok(One { ts: accepted.now, value: Value::Number(number), declares: None });
    }
    let json = serde_json::from_str(text).map_err(|error| ApiError::Malformed(format!("broken JSON: {error}")))?;
    let Json::Object(object) = json else { return Err(wrong(fields::echo(text))) };
    let read = || {
        fields::only(&object, "value, text, ts, kind")?;
        let value = fields::value(&object)?;
        let declares = fields::kind(&object, &value)?;
        Ok(One { ts: fields::ts(&object, accepted)?, value, declares })
    };
    read().map_err(Wrong::into_error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Text;

    const NOW: Millis = Millis(1_732_399_200_123);
    const ACCEPTED: Acceptance = Acceptance { now: NOW, late_ms: 86_400_000 };

    fn read(body: &str) -> Result<(Millis, Value), String> {
        super::read(body.as_bytes(), ACCEPTED).map(|one| (one.ts, one.value)).map_err(|e| e.to_string())
    }

    fn number(value: f64) -> Value {
        Value::Number(Number::new(value).unwrap())
    }

    #[test]
    fn a_number_is_taken_as_text_or_as_json() {
        for body in ["42.5", " 42.5\n", "4.25e1", r#"{"value":42.5}"#] {
            assert_eq!(read(body), Ok((NOW, number(42.5))), "{body}");
        }
        assert_eq!(read(r#"{"value":-1,"ts":1732399200000}"#), Ok((Millis(1_732_399_200_000), number(-1.0))));
    }

    #[test]
    fn a_kind_can_be_declared_beside_a_value() {
        let declares = |body: &str| super::read(body.as_bytes(), ACCEPTED).unwrap().declares;
        assert_eq!(declares(r#"{"value":7,"kind":"counter"}"#), Some(Declared::Counter));
        assert_eq!(declares(r#"{"kind":"gauge","value":7}"#), Some(Declared::Gauge));
        assert_eq!(declares(r#"{"text":"up","kind":"text"}"#), None);
        assert_eq!(declares("7"), None);
    }

    #[test]
    fn a_kind_that_the_address_says_is_held_to_the_value_and_to_the_body() {
        let declares = |body: &str, word: &str| {
            let read = super::read(body.as_bytes(), ACCEPTED).unwrap().also(word);
            read.map(|one| one.declares).map_err(|error| error.to_string())
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
    fn a_text_is_taken_as_json() {
        let text = Value::Text(Text::new("deploying".into()).unwrap());
        assert_eq!(read(r#"{"text":"deploying"}"#), Ok((NOW, text)));
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
            (r#"{"value":"#, "broken JSON"),
            (r#"{"value":1e999}"#, "broken JSON: number out of range"),
            (r#"{"value":null}"#, "value: expected a finite number, got null"),
            (r#"{"value":"42"}"#, "value: expected a finite number, got the text \"42\""),
            (r#"{"text":5}"#, "text: expected a text, got 5"),
            (r#"{"value":1,"text":"a"}"#, "either value or text"),
            (r#"{"ts":1732399200123}"#, "value: expected a number, or a text in the field text, got nothing"),
            (r#"{"value":1,"kind":"text"}"#, "kind: expected gauge or counter, which a series of numbers can be, got"),
            (r#"{"value":1,"kind":5}"#, "kind: expected gauge or counter, which a series of numbers can be, got 5"),
            (r#"{"text":"up","kind":"counter"}"#, "kind: expected text, which a series of texts is"),
            (r#"{"value":1,"tss":1}"#, "got a field \"tss\""),
            (
                r#"{"value":1,"ts":1732312800122}"#,
                "at most 1d ago (--late of the server says how long), got 1732312800122, which is 86400 s ago",
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
