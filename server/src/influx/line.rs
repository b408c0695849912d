//! InfluxDB's line protocol: `measurement,tag=value field=1.5,other=2i 1732399200123000000`.
//!
//! Our own since the crates that read it own all they read, and none says at which line what is wrong. The grammar is that of
//! <https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/>.

use std::borrow::Cow;

use shared::{Number, Text, Value};

use crate::ingest::fields::{Wrong, echo};

/// A line, borrowed from the body where nothing in it is escaped.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Line<'a> {
    pub(super) measurement: Cow<'a, str>,
    /// The values of its tags, in the order of their keys: a sender that sorts them otherwise means the same series.
    pub(super) tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// At least one.
    pub(super) fields: Vec<(Cow<'a, str>, Value)>,
    /// In the unit of the request.
    pub(super) time: Option<i64>,
}

/// The lines of a body.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    text: &'a str,
    at: usize,
    /// The line that was read last, from 1. A text may go on over several.
    pub(super) number: usize,
    /// Most fields that the line may have. One more is read, so that the caller sees that there are too many.
    pub(super) room: usize,
    /// True if errors are only counted, so that no text is made for them.
    pub(super) only_counts: bool,
}

/// Most tags of a line. Real senders have far fewer; all of them are in memory until the line is read.
const MAX_TAGS: usize = 256;

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, number: 0, room: usize::MAX, only_counts: false }
    }

    /// The next line that is neither blank nor a comment, into `line`; whether there was one.
    pub(super) fn next(&mut self, line: &mut Line<'a>) -> Option<Result<(), Wrong>> {
        loop {
            if self.at == self.text.len() {
                return None;
            }
            self.number += 1;
            self.spaces();
            match self.byte() {
                None | Some(b'#' | b'\n' | b'\r') => self.skip_line(),
                Some(_) => break,
            }
        }
        let begun = self.at;
        let read = self.line(line);
        if read.is_ok() {
            // The text of a field may have had line ends.
            self.number += self.text[begun..self.at].matches('\n').count();
        }
        self.skip_line();
        Some(read)
    }

    fn line(&mut self, line: &mut Line<'a>) -> Result<(), Wrong> {
        line.tags.clear();
        line.fields.clear();
        line.time = None;
        line.measurement = self.word(", ");
        if line.measurement.is_empty() {
            return Err(self.wrong("measurement", "a name before the first comma", |_| "nothing".to_owned()));
        }
        while self.take(b',') {
            let key = self.word(",= ");
            if !self.take(b'=') {
                return Err(self.wrong("tag", "tag=value", |_| echo(&key)));
            }
            let value = self.word(",= ");
            if key.is_empty() || value.is_empty() {
                return Err(self.wrong("tag", "tag=value", |_| echo(&format!("{key}={value}"))));
            }
            if line.tags.len() == MAX_TAGS {
                return Err(Wrong::new("tag", format!("at most {MAX_TAGS} tags"), "more"));
            }
            line.tags.push((key, value));
        }
        if !line.tags.is_sorted() {
            line.tags.sort();
        }
        if self.spaces() == 0 {
            return Err(self.wrong("field", "a space and a field=value after measurement and tags", Self::rest));
        }
        loop {
            let key = self.word(",= ");
            if key.is_empty() || !self.take(b'=') {
                return Err(self.wrong("field", "field=value", |_| echo(&key)));
            }
            let value = self.value(&key)?;
            line.fields.push((key, value));
            if line.fields.len() > self.room {
                return Ok(());
            }
            if !self.take(b',') {
                break;
            }
        }
        let spaces = self.spaces();
        if self.is_at_end() {
            return Ok(());
        }
        let time = self.run(|byte| byte.is_ascii_digit() || byte == b'-');
        line.time = time.parse().ok().filter(|_| spaces > 0);
        self.spaces();
        if line.time.is_none() || !self.is_at_end() {
            let got = |this: &Self| echo(time) + " and " + &this.rest();
            return Err(self.wrong("timestamp", "a whole number at the end of the line", got));
        }
        Ok(())
    }

    fn value(&mut self, key: &str) -> Result<Value, Wrong> {
        if self.take(b'"') {
            return self.quoted(key);
        }
        let text = self.word(", ");
        let number = match &*text {
            "t" | "T" | "true" | "True" | "TRUE" => Some(1.0),
            "f" | "F" | "false" | "False" | "FALSE" => Some(0.0),
            whole if whole.ends_with(['i', 'u']) => {
                let digits = &whole[..whole.len() - 1];
                digits.parse::<i64>().is_ok().then(|| digits.parse().ok()).flatten().or_else(|| {
                    let unsigned = whole.ends_with('u') && digits.parse::<u64>().is_ok();
                    unsigned.then(|| digits.parse().ok()).flatten()
                })
            }
            // Rust reads words as numbers too: inf, nan.
            float if float.bytes().all(|byte| !byte.is_ascii_alphabetic() || matches!(byte, b'e' | b'E')) => {
                float.parse().ok()
            }
            _ => None,
        };
        let number = number.and_then(Number::new).map(Value::Number);
        number.ok_or_else(|| {
            let expected = "a finite number, one with i or u behind it, true or false, or a text in quotes";
            self.wrong("field", expected, |_| format!("{}={}", echo(key), echo(&text)))
        })
    }

    fn quoted(&mut self, key: &str) -> Result<Value, Wrong> {
        let mut text = String::new();
        loop {
            text.push_str(self.run(|byte| byte != b'"' && byte != b'\\'));
            match (self.byte(), self.text.as_bytes().get(self.at + 1)) {
                (None, _) => return Err(self.wrong("field", "a text that ends with a quote", |_| echo(key))),
                (Some(b'"'), _) => break self.at += 1,
                (_, Some(&escaped @ (b'"' | b'\\'))) => {
                    text.push(escaped.into());
                    self.at += 2;
                }
                _ => {
                    text.push('\\');
                    self.at += 1;
                }
            }
        }
        let len = text.len();
        let most = shared::point::MAX_TEXT_LEN;
        let too_long =
            || Wrong::new("field", format!("a text of at most {most} bytes"), format!("{len} bytes in {}", echo(key)));
        Text::new(text).map(Value::Text).ok_or_else(too_long)
    }

    /// What comes before the next of `stops` that is not escaped, or before the end of the line.
    fn word(&mut self, stops: &str) -> Cow<'a, str> {
        let plain = |byte: u8| !stops.as_bytes().contains(&byte) && !matches!(byte, b'\n' | b'\r' | b'\\');
        let whole = self.run(plain);
        if self.byte() != Some(b'\\') {
            return whole.into();
        }
        let mut word = whole.to_owned();
        while self.byte() == Some(b'\\') {
            self.at += 1;
            match self.byte() {
                Some(escaped @ (b',' | b'=' | b' ')) => {
                    word.push(escaped.into());
                    self.at += 1;
                }
                _ => word.push('\\'),
            }
            word.push_str(self.run(plain));
        }
        word.into()
    }

    fn run(&mut self, is_part: impl Fn(u8) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let len = rest.bytes().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> bool {
        let is_there = self.byte() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    fn spaces(&mut self) -> usize {
        self.run(|byte| byte == b' ').len()
    }

    fn is_at_end(&self) -> bool {
        matches!(self.byte(), None | Some(b'\n' | b'\r'))
    }

    /// Makes an error. Calls `got` for the received text only if errors are listed.
    fn wrong(&self, field: &'static str, expected: &'static str, got: impl FnOnce(&Self) -> String) -> Wrong {
        if self.only_counts { Wrong::COUNTED } else { Wrong::new(field, expected, got(self)) }
    }

    /// What is left of the line, to be named in an error.
    fn rest(&self) -> String {
        echo(self.text[self.at..].lines().next().unwrap_or_default())
    }

    fn skip_line(&mut self) {
        self.run(|byte| byte != b'\n');
        self.take(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: f64) -> Value {
        Value::Number(Number::new(value).unwrap())
    }

    fn text(text: &str) -> Value {
        Value::Text(Text::new(text.to_owned()).unwrap())
    }

    fn read(text: &str) -> Vec<(usize, Result<Line<'_>, String>)> {
        let mut lines = Lines::new(text);
        let mut all = Vec::new();
        loop {
            let mut line = Line::default();
            let Some(read) = lines.next(&mut line) else { return all };
            all.push((lines.number, read.map(|()| line).map_err(|wrong| wrong.into_error().to_string())));
        }
    }

    fn one(text: &str) -> Line<'_> {
        read(text).remove(0).1.unwrap()
    }

    #[test]
    fn a_line_is_a_measurement_tags_fields_and_a_time() {
        let line = one("cpu,host=a,cpu=cpu0 usage=1.5,count=3i,up=t,big=18446744073709551615u 1732399200123000000\n");
        assert_eq!(line.measurement, "cpu");
        assert_eq!(line.tags, [("cpu".into(), "cpu0".into()), ("host".into(), "a".into())]);
        let numbers: Vec<_> = line.fields.iter().map(|(key, value)| (&**key, value.clone())).collect();
        let wanted = [("usage", 1.5), ("count", 3.0), ("up", 1.0), ("big", 18_446_744_073_709_551_615.0)];
        assert_eq!(numbers, wanted.map(|(key, value)| (key, number(value))));
        assert_eq!(line.time, Some(1_732_399_200_123_000_000));
        assert_eq!(one("a b=-1e-3").time, None);
    }

    #[test]
    fn escapes_and_quotes_are_undone() {
        let line = one(r#"my\ disk\,x=y,path=C:\dir\ one,k\=1=ü note="say \"hi\", a=b \\ c\n",n=1"#);
        assert_eq!(line.measurement, "my disk,x=y");
        assert_eq!(line.tags, [("k=1".into(), "ü".into()), ("path".into(), r"C:\dir one".into())]);
        assert_eq!(line.fields[0].1, text(r#"say "hi", a=b \ c\n"#));
        assert_eq!(line.fields[1].1, number(1.0));
    }

    #[test]
    fn comments_and_blank_lines_are_passed_over_and_lines_are_counted() {
        let all = read("# a comment\r\n\r\na x=1\r\n  \nb x=\"two\nlines\"\nc\nd x=1 5");
        let numbers: Vec<_> = all.iter().map(|(number, read)| (*number, read.is_ok())).collect();
        assert_eq!(numbers, [(3, true), (6, true), (7, false), (8, true)]);
    }

    #[test]
    fn whatever_is_wrong_is_named() {
        for (line, wanted) in [
            ("a", "field: expected a space and a field=value"),
            (",x=1 y=1", "measurement: expected a name"),
            ("a,x y=1", "tag: expected tag=value, got \"x\""),
            (&format!("a{} y=1", ",x=1".repeat(257)), "tag: expected at most 256 tags, got more"),
            ("a,x= y=1", "tag: expected tag=value, got \"x=\""),
            ("a x", "field: expected field=value, got \"x\""),
            ("a x=", "field: expected a finite number"),
            ("a x=nan", "got \"x\"=\"nan\""),
            ("a x=inf", "got \"x\"=\"inf\""),
            ("a x=1e999", "got \"x\"=\"1e999\""),
            ("a x=1.5i", "got \"x\"=\"1.5i\""),
            ("a x=-1u,y=maybe", "got \"y\"=\"maybe\""),
            ("a x=\"open", "field: expected a text that ends with a quote"),
            ("a x=1 now", "timestamp: expected a whole number"),
            ("a x=1 5 5", "timestamp: expected a whole number"),
        ] {
            let (_, read) = read(line).remove(0);
            let error = read.unwrap_err();
            assert!(error.contains(wanted), "{line}: {error}");
        }
    }
}
