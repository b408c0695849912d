//! A fast path for common objects of a batch: reads them without building JSON in memory.
//!
//! It reports no errors. At anything unexpected (an escape, a repeated or unknown field, a number that JSON does not
//! allow) it returns `None`, and the caller reads the same text again with a parser that explains what is wrong.

use shared::{Declared, Number, Text, Value};

/// An object with the fields of a point, borrowed from the body.
#[derive(Debug, PartialEq)]
pub(super) struct Plain<'a> {
    /// The name, unchecked.
    pub(super) series: &'a str,
    /// The number or the text.
    pub(super) value: Value,
    /// The time, unchecked.
    pub(super) ts: Option<u64>,
    /// The metric type that is declared for the series.
    pub(super) kind: Option<Declared>,
}

/// The bytes that a string in JSON has as they are: all but quotes, backslashes and control characters.
static PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut control = 0;
    while control < b' ' {
        plain[control as usize] = false;
        control += 1;
    }
    plain[b'"' as usize] = false;
    plain[b'\\' as usize] = false;
    plain
};

/// Reads a text from front to back.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Returns true if only white space is left.
    pub(super) fn is_done(&mut self) -> bool {
        self.skip_space();
        self.at == self.text.len()
    }

    /// Consumes this character and the white space around it.
    pub(super) fn take(&mut self, wanted: u8) -> Option<()> {
        self.skip_space();
        (self.byte()? == wanted).then_some(())?;
        self.at += 1;
        self.skip_space();
        Some(())
    }

    /// Consumes an object with the fields of a point.
    pub(super) fn object(&mut self) -> Option<Plain<'a>> {
        let (mut series, mut value, mut ts, mut kind) = (None, None, None, None);
        self.take(b'{')?;
        loop {
            let key = self.string()?;
            self.take(b':')?;
            let is_new = match key {
                "series" => series.replace(self.string()?).is_none(),
                "value" => value.replace(Value::Number(self.number()?)).is_none(),
                "text" => value.replace(Value::Text(Text::new(self.string()?.to_owned())?)).is_none(),
                "ts" => ts.replace(self.whole()?).is_none(),
                "kind" => kind.replace(Declared::of(self.string()?)?).is_none(),
                _ => false,
            };
            is_new.then_some(())?;
            if self.take(b',').is_none() {
                self.take(b'}')?;
                return Some(Plain { series: series?, value: value?, ts, kind });
            }
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.byte() {
            self.at += 1;
        }
    }

    /// Consumes and returns the characters for which `is_part` returns true.
    fn run(&mut self, is_part: impl Fn(u8) -> bool) -> &'a str {
        let rest = &self.text.as_bytes()[self.at..];
        let end = self.at + rest.iter().position(|&byte| !is_part(byte)).unwrap_or(rest.len());
        let run = &self.text[self.at..end];
        self.at = end;
        run
    }

    fn string(&mut self) -> Option<&'a str> {
        (self.byte()? == b'"').then_some(())?;
        self.at += 1;
        let text = self.run(|byte| PLAIN[usize::from(byte)]);
        (self.byte()? == b'"').then_some(())?;
        self.at += 1;
        Some(text)
    }

    fn number(&mut self) -> Option<Number> {
        let text = self.run(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'));
        is_json_number(text).then(|| text.parse().ok().and_then(Number::new)).flatten()
    }

    /// Consumes a time in milliseconds, with too few digits to overflow.
    fn whole(&mut self) -> Option<u64> {
        let digits = self.run(|byte| byte.is_ascii_digit());
        let plain = !digits.is_empty() && digits.len() < 18 && (digits.len() == 1 || !digits.starts_with('0'));
        // After other characters, the number might continue as a fraction.
        (plain && matches!(self.byte(), Some(b',' | b'}' | b' '))).then(|| digits.parse().ok()).flatten()
    }
}

/// Checks the grammar of RFC 8259, section 6. Rust's float parser accepts a little more.
fn is_json_number(text: &str) -> bool {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let unsigned = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let whole = digits(unsigned);
    if whole == 0 || (whole > 1 && unsigned[0] == b'0') {
        return false;
    }
    let mut rest = &unsigned[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let len = digits(fraction);
        if len == 0 {
            return false;
        }
        rest = &fraction[len..];
    }
    if let Some((b'e' | b'E', exponent)) = rest.split_first() {
        let exponent = exponent.strip_prefix(b"-").or(exponent.strip_prefix(b"+")).unwrap_or(exponent);
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<Plain<'_>> {
        let mut scanner = Scanner::new(text);
        let object = scanner.object()?;
        scanner.is_done().then_some(object)
    }

    #[test]
    fn an_object_as_it_mostly_is_is_read_in_place() {
        let number = |value| Value::Number(Number::new(value).unwrap());
        let text = |text: &str| Value::Text(Text::new(text.to_owned()).unwrap());
        for (line, series, value, ts) in [
            (r#"{"series":"a/b","value":1.5}"#, "a/b", number(1.5), None),
            (r#" { "ts" : 17 , "value" : -1e-3 , "series" : "a" } "#, "a", number(-0.001), Some(17)),
            (r#"{"series":"a","text":"größer","ts":0}"#, "a", text("größer"), Some(0)),
        ] {
            assert_eq!(read(line), Some(Plain { series, value, ts, kind: None }), "{line}");
        }
    }

    #[test]
    fn whatever_is_unusual_is_left_to_the_parser_that_explains() {
        for line in [
            "",
            "{}",
            "7",
            r#"{"series":"a"}"#,
            r#"{"value":1}"#,
            r#"{"series":"a","value":1,"value":2}"#,
            r#"{"series":"a","value":1,"text":"b"}"#,
            r#"{"series":"a","value":1,"tss":2}"#,
            r#"{"series":"a","value":1e999}"#,
            r#"{"series":"a","value":01}"#,
            r#"{"series":"a","value":1.}"#,
            r#"{"series":"a","value":.5}"#,
            r#"{"series":"a","value":+1}"#,
            r#"{"series":"a","value":nan}"#,
            r#"{"series":"a","value":null}"#,
            r#"{"series":"\u0061","value":1}"#,
            r#"{"series":"a","value":1,"ts":1.5}"#,
            r#"{"series":"a","value":1,"ts":-1}"#,
            r#"{"series":"a","value":1,}"#,
            r#"{"series":"a","value":1}}"#,
            "{\"series\":\"a\",\"text\":\"a\tb\"}",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn what_it_takes_for_a_number_is_one_in_json_and_the_same_to_the_last_bit(text in "-?[0-9+.eE-]{1,24}", value: f64) {
            for text in [text, value.to_string(), format!("{value:e}")] {
                if is_json_number(&text) && text.parse::<f64>().is_ok_and(f64::is_finite) {
                    let json: f64 = serde_json::from_str::<serde_json::Value>(&text).unwrap().as_f64().unwrap();
                    prop_assert_eq!(json.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{}", text);
                }
            }
        }
    }
}
