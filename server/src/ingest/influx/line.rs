//! A parser of InfluxDB's line protocol: `measurement,tag=value field=1.5,other=2i 1732399200123000000`.
//!
//! The available crates copy everything that they read, and none reports the line of an error, so this one is our
//! own. The grammar follows InfluxDB 1 (`models/points.go`). Three differences keep more of a body:
//!
//! - CR and CR LF end a line too, where InfluxDB refuses the line.
//! - A text without its closing quote spoils its own line. In InfluxDB it takes the rest of the body with it.
//! - A comment ends with its line, also if there is a quote in it; a backslash does not continue a line.

use std::borrow::Cow;

use shared::point::MAX_TEXT_LEN;
use shared::{Number, Text, Value};

use crate::ingest::fields::{Wrong, echo};

/// A parsed line. Texts are borrowed from the body unless they have escapes.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Line<'a> {
    pub(super) measurement: Cow<'a, str>,
    /// The tags in the order of their keys, each key once: the order in which a sender writes them makes no other
    /// series.
    pub(super) tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The fields, at least one.
    pub(super) fields: Vec<(Cow<'a, str>, Value)>,
    /// The time in the unit of the request.
    pub(super) time: Option<i64>,
    /// The texts that were cut: the index in `fields`, and the bytes that the text had.
    pub(super) cut: Vec<(usize, usize)>,
}

/// Parses the lines of a body, one after the other.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    text: &'a str,
    at: usize,
    /// The body, if it is not UTF-8: then `text` differs from it in those bytes. A line with such bytes is refused.
    damaged: Option<&'a [u8]>,
    /// The number of line ends before `at`.
    ends: usize,
    /// The number of the line that was read last, from 1. A line with line breaks in a text has the number of its
    /// first line.
    pub(super) number: usize,
    /// The most fields that the line may have. One more is read, so that the caller sees that there are too many.
    pub(super) room: usize,
    /// True if errors are only counted, so that their text is not built.
    pub(super) only_counts: bool,
}

/// The most tags of a line. Real senders have far fewer; all of them are in memory until the line is read.
const MAX_TAGS: usize = 256;

/// Class of bytes that end a measurement: a comma, a space, the end of the line. A backslash stops the scan, too.
const MEASUREMENT: u8 = 1;

/// Class of bytes that end a key, or the value of a tag: those of a measurement, and `=`.
const KEY: u8 = 2;

/// Class of bytes that end a number: a comma, a space, the end of the line.
const NUMBER: u8 = 4;

/// Class of bytes that end a piece of a quoted text: a quote, a backslash.
const QUOTED: u8 = 8;

/// Class of bytes that end a line.
const END: u8 = 16;

/// Bytes that a backslash escapes in the key of a field. Unlike in tags and measurements, it also escapes a
/// backslash.
const FIELD_ESCAPES: &[u8] = b",= \"\\";

/// The classes of each byte.
static ENDS: [u8; 256] = {
    let mut ends = [0; 256];
    ends[b',' as usize] = MEASUREMENT | KEY | NUMBER;
    ends[b' ' as usize] = MEASUREMENT | KEY | NUMBER;
    ends[b'\n' as usize] = MEASUREMENT | KEY | NUMBER | END;
    ends[b'\r' as usize] = MEASUREMENT | KEY | NUMBER | END;
    ends[b'=' as usize] = KEY;
    ends[b'\\' as usize] = MEASUREMENT | KEY | QUOTED;
    ends[b'"' as usize] = QUOTED;
    ends
};

impl<'a> Lines<'a> {
    /// Starts at the first line. If the body is not UTF-8, `damaged` is the body, and `text` has the same number of
    /// other bytes in place of the invalid ones.
    pub(super) fn new(text: &'a str, damaged: Option<&'a [u8]>) -> Self {
        Self { text, at: 0, damaged, ends: 0, number: 0, room: usize::MAX, only_counts: false }
    }

    /// Reads the next line that is neither blank nor a comment into `line`. Returns `None` at the end of the body.
    pub(super) fn next(&mut self, line: &mut Line<'a>) -> Option<Result<(), Wrong>> {
        loop {
            self.number = self.ends + 1;
            self.spaces();
            match self.byte() {
                None => return None,
                Some(b'#' | b'\n' | b'\r') => self.skip_line(),
                Some(_) => break,
            }
        }
        let begun = self.at;
        let mut read = self.line(line);
        self.skip_line();
        if self.damaged.is_some_and(|body| body[begun..self.at] != self.text.as_bytes()[begun..self.at]) {
            read = Err(self.not_utf8(begun));
        }
        Some(read)
    }

    fn line(&mut self, line: &mut Line<'a>) -> Result<(), Wrong> {
        line.tags.clear();
        line.fields.clear();
        line.cut.clear();
        line.time = None;
        line.measurement = self.word(MEASUREMENT, b", ");
        if line.measurement.is_empty() {
            return Err(self.wrong("measurement", "a name before the first comma", |_| "nothing".to_owned()));
        }
        self.tags(&mut line.tags)?;
        if self.byte() != Some(b' ') {
            return Err(self.wrong("field", "a space and a field=value after measurement and tags", Self::rest));
        }
        self.spaces();
        loop {
            let key = self.word(KEY, FIELD_ESCAPES);
            if key.is_empty() || !self.take(b'=') {
                return Err(self.wrong("field", "field=value", |_| echo(&key)));
            }
            let value = if self.take(b'"') {
                let (text, len) = self.quoted(&key)?;
                if len > MAX_TEXT_LEN {
                    line.cut.push((line.fields.len(), len));
                }
                Value::Text(text)
            } else {
                self.number(&key)?
            };
            line.fields.push((key, value));
            if line.fields.len() > self.room {
                return Ok(());
            }
            if !self.take(b',') {
                break;
            }
        }
        // If no space follows, this is the end of the line: nothing else ends a value.
        self.spaces();
        if self.is_at_end() {
            return Ok(());
        }
        let time = self.run(|byte| byte.is_ascii_digit() || byte == b'-');
        line.time = time.parse().ok();
        self.spaces();
        if line.time.is_none() || !self.is_at_end() {
            let got = |this: &Self| if this.is_at_end() { echo(time) } else { echo(time) + " and " + &this.rest() };
            return Err(self.wrong("timestamp", "a whole number at the end of the line", got));
        }
        Ok(())
    }

    fn tags(&mut self, tags: &mut Vec<(Cow<'a, str>, Cow<'a, str>)>) -> Result<(), Wrong> {
        while self.take(b',') {
            let key = self.word(KEY, b",= ");
            if !self.take(b'=') {
                return Err(self.wrong("tag", "tag=value", |_| echo(&key)));
            }
            let value = self.word(KEY, b",= ");
            if key.is_empty() || value.is_empty() || self.byte() == Some(b'=') {
                let more = if self.byte() == Some(b'=') { "=" } else { "" };
                return Err(self.wrong("tag", "tag=value", |_| echo(&format!("{key}={value}{more}"))));
            }
            if tags.len() == MAX_TAGS {
                return Err(Wrong::new("tag", format!("at most {MAX_TAGS} tags"), "more"));
            }
            tags.push((key, value));
        }
        let is_in_order = |tags: &[(Cow<'_, str>, _)]| tags.is_sorted_by(|(a, _), (b, _)| a < b);
        if !is_in_order(tags) {
            tags.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            if !is_in_order(tags) {
                let twice = tags.windows(2).find(|pair| pair[0].0 == pair[1].0);
                let twice = twice.map_or_else(String::new, |pair| echo(&pair[0].0));
                return Err(self.wrong("tag", "each tag once", |_| format!("{twice} twice")));
            }
        }
        Ok(())
    }

    /// Parses a number, or a boolean as 1 or 0.
    fn number(&mut self, key: &str) -> Result<Value, Wrong> {
        let text = self.run(|byte| ENDS[usize::from(byte)] & NUMBER == 0);
        number(text).and_then(Number::new).map(Value::Number).ok_or_else(|| {
            let expected = "a finite number, one with i or u behind it, true or false, or a text in quotes";
            self.wrong("field", expected, |_| format!("{}={}", echo(key), echo(text)))
        })
    }

    /// Parses a text after its opening quote. Returns the text, cut to the length that a point takes, and its full
    /// length in bytes.
    ///
    /// If the text has no end, parsing continues with the line after the one in which the text begins.
    fn quoted(&mut self, key: &str) -> Result<(Text, usize), Wrong> {
        let begun = self.at;
        let (mut text, mut len) = (String::new(), 0);
        let mut add = |piece: &str| {
            // After a piece was cut, nothing more is added.
            if text.len() == len {
                text.push_str(&piece[..piece.floor_char_boundary(MAX_TEXT_LEN - len.min(MAX_TEXT_LEN))]);
            }
            len += piece.len();
        };
        let is_closed = loop {
            add(self.run(|byte| ENDS[usize::from(byte)] & QUOTED == 0));
            match (self.byte(), self.text.as_bytes().get(self.at + 1)) {
                (None, _) => break false,
                (Some(b'"'), _) => {
                    self.at += 1;
                    break true;
                }
                (_, Some(b'"')) => {
                    add("\"");
                    self.at += 2;
                }
                (_, Some(b'\\')) => {
                    add("\\");
                    self.at += 2;
                }
                _ => {
                    add("\\");
                    self.at += 1;
                }
            }
        };
        let is_whole = is_closed && (self.is_at_end() || matches!(self.byte(), Some(b',' | b' ' | b'\t' | 0)));
        if !is_whole {
            let behind = self.text[self.at..].chars().next();
            self.at = begun;
            let expected = "a text that ends with a quote, before a comma, a space or the end of the line";
            let got = |_: &Self| match behind {
                None => format!("no second quote in {}", echo(key)),
                Some(c) => format!("a second quote before {} in {}", echo(&c.to_string()), echo(key)),
            };
            return Err(self.wrong("field", expected, got));
        }
        self.ends += line_ends(&self.text[begun..self.at]);
        Ok((Text::new(text).expect("it was cut"), len))
    }

    /// Reads up to the next byte of this class that is not escaped. A backslash before one of `escapable` is removed;
    /// but if the escaped byte is a backslash, both stay.
    fn word(&mut self, class: u8, escapable: &[u8]) -> Cow<'a, str> {
        let plain = |byte: u8| ENDS[usize::from(byte)] & class == 0;
        let whole = self.run(plain);
        if self.byte() != Some(b'\\') {
            return whole.into();
        }
        let mut word = whole.to_owned();
        while self.byte() == Some(b'\\') {
            self.at += 1;
            match self.byte() {
                Some(escaped) if escapable.contains(&escaped) => {
                    word.push_str(if escaped == b'\\' { "\\" } else { "" });
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
        let rest = &self.text.as_bytes()[self.at..];
        let end = self.at + rest.iter().position(|&byte| !is_part(byte)).unwrap_or(rest.len());
        let run = &self.text[self.at..end];
        self.at = end;
        run
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> bool {
        let is_there = self.byte() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    /// Skips the bytes that InfluxDB accepts as space between the parts of a line.
    fn spaces(&mut self) {
        self.run(|byte| matches!(byte, b' ' | b'\t' | 0));
    }

    fn is_at_end(&self) -> bool {
        self.byte().is_none_or(|byte| ENDS[usize::from(byte)] & END != 0)
    }

    /// Skips to the start of the next line.
    fn skip_line(&mut self) {
        self.run(|byte| ENDS[usize::from(byte)] & END == 0);
        if self.byte().is_some() {
            self.ends += 1;
        }
        if !self.take(b'\r') || self.byte() == Some(b'\n') {
            self.take(b'\n');
        }
    }

    /// Creates an error. Calls `got` for the received text only if errors are listed.
    fn wrong(&self, field: &'static str, expected: &'static str, got: impl FnOnce(&Self) -> String) -> Wrong {
        if self.only_counts { Wrong::COUNTED } else { Wrong::new(field, expected, got(self)) }
    }

    /// Returns the rest of the line, for an error message.
    fn rest(&self) -> String {
        let rest = &self.text[self.at..];
        echo(rest.split(['\n', '\r']).next().unwrap_or_default())
    }

    fn not_utf8(&self, begun: usize) -> Wrong {
        let line = self.text[begun..self.at].trim_end_matches(['\n', '\r']);
        self.wrong("line", "UTF-8", |_| format!("other bytes, here as ?, in {}", echo(line)))
    }
}

/// Parses a number as the protocol writes it: `1.5`, `2i`, `2u`, and booleans as 1 and 0.
fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    match (digits.as_bytes().first()?, text.as_bytes().last()?) {
        (b't' | b'T', _) => matches!(text, "t" | "T" | "true" | "True" | "TRUE").then_some(1.0),
        (b'f' | b'F', _) => matches!(text, "f" | "F" | "false" | "False" | "FALSE").then_some(0.0),
        (_, b'i') => text[..text.len() - 1].parse::<i64>().ok().map(|whole| whole as f64),
        (_, b'u') => text[..text.len() - 1].parse::<u64>().ok().map(|whole| whole as f64),
        (b'0'..=b'9' | b'.', _) => text.parse().ok(),
        // Rust also parses the words inf and nan.
        _ => None,
    }
}

/// Counts the line ends in a text: LF, CR, and CR LF as one.
fn line_ends(text: &str) -> usize {
    let mut before = 0;
    let is_end = |byte: u8| {
        let is_end = byte == b'\r' || (byte == b'\n' && before != b'\r');
        before = byte;
        is_end
    };
    text.bytes().map(is_end).filter(|&is_end| is_end).count()
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
        let mut lines = Lines::new(text, None);
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
        assert_eq!(one("a b=1 -5").time, Some(-5));
    }

    #[test]
    fn escapes_and_quotes_are_undone_as_influxdb_undoes_them() {
        let line = one(r#"my\ disk\,x=y,path=C:\dir\ one,k\=1=ü note="say \"hi\", a=b \\ c\n",n=1"#);
        assert_eq!(line.measurement, "my disk,x=y");
        assert_eq!(line.tags, [("k=1".into(), "ü".into()), ("path".into(), r"C:\dir one".into())]);
        assert_eq!(line.fields[0].1, text(r#"say "hi", a=b \ c\n"#));
        assert_eq!(line.fields[1].1, number(1.0));
        // A measurement needs no escape for `=`, so the backslash stays; the key of a field has one for the quote.
        let line = one(r#"a\=b f\"\,\ \=\x=1"#);
        assert_eq!((&*line.measurement, &*line.fields[0].0), (r"a\=b", r#"f", =\x"#));
        // A backslash before a backslash does not escape it, so the second one escapes the comma; but in the key of a
        // field it does.
        assert_eq!(one(r"a\\,b c=1").measurement, r"a\,b");
        assert_eq!(one(r"a path\\=1").fields[0].0, r"path\\");
        // Space after a text is skipped.
        assert_eq!(one("a x=\"b\"\t5\t").time, Some(5));
        // A backslash at the end of a tag's value escapes the space.
        assert!(read("d,path=C:\\ used=1").remove(0).1.is_err());
    }

    #[test]
    fn every_end_of_a_line_is_one_and_comments_and_blank_lines_are_passed_over() {
        let numbers =
            |text: &str| -> Vec<_> { read(text).iter().map(|(number, read)| (*number, read.is_ok())).collect() };
        for (text, wanted) in [
            ("a x=1\rb x=2\rc x=3", vec![(1, true), (2, true), (3, true)]),
            ("a x=1\r\nb x=2\r\n", vec![(1, true), (2, true)]),
            ("a x=1\n\rb x=2\n\r", vec![(1, true), (3, true)]),
            ("\ra x=1\r\r\n\nb x=1", vec![(2, true), (5, true)]),
            ("a x=1\rjunk\nb x=2", vec![(1, true), (2, false), (3, true)]),
            (
                "# a comment\r\n\r\na x=1\r\n  \nb x=\"two\nlines\r\nor three\"\nc\nd x=1 5",
                vec![(3, true), (5, true), (8, false), (9, true)],
            ),
            ("# x=\"\na x=1\n#\rb x=1", vec![(2, true), (4, true)]),
            ("a x=1\\\nb x=1", vec![(1, false), (2, true)]),
            ("\t \0a x=1\n \t\n\0\0", vec![(1, true)]),
            ("", vec![]),
            (" ", vec![]),
        ] {
            assert_eq!(numbers(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn a_text_without_its_end_spoils_only_its_own_line() {
        let good = |text: &str| -> Vec<_> {
            let lines = read(text).into_iter().map(|(number, read)| (number, read.is_ok()));
            lines.filter_map(|(number, is_good)| is_good.then_some(number)).collect()
        };
        assert_eq!(good("a x=1\nb x=\"open\nc x=1\nd x=1"), [1, 3, 4]);
        assert_eq!(good("b x=\"open\nc x=\"closed\"\nd x=1"), [2, 3]);
        assert_eq!(good("b x=\"two\nlines\",y=\"open\nc x=1"), [3]);
        // Lines within a closed text are no lines of their own, even if the line with the text is wrong.
        assert_eq!(good("b x=\"two\nc x=1\n\",y=nan\nd x=1"), [4]);
        let wrong = read("a x=\"say \"hi\"\"\n").remove(0).1.unwrap_err();
        assert!(wrong.contains("got a second quote before \"h\" in \"x\""), "{wrong}");
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_between_two_characters() {
        let long = format!("a x=1,t=\"{}ü\",u=\"{}\" 5", "x".repeat(MAX_TEXT_LEN - 1), "y".repeat(MAX_TEXT_LEN));
        let line = one(&long);
        assert_eq!(line.cut, [(1, MAX_TEXT_LEN + 1)]);
        assert_eq!(line.fields[1].1, text(&"x".repeat(MAX_TEXT_LEN - 1)));
        assert_eq!(line.fields[2].1, text(&"y".repeat(MAX_TEXT_LEN)));
        let line = format!("a t=\"{}\"", "\\\"".repeat(5_000));
        assert_eq!(one(&line).fields[0].1, text(&"\"".repeat(MAX_TEXT_LEN)));
    }

    #[test]
    fn whatever_is_wrong_is_named() {
        for (line, wanted) in [
            ("a", "field: expected a space and a field=value"),
            (",x=1 y=1", "measurement: expected a name"),
            ("a,x y=1", "tag: expected tag=value, got \"x\""),
            (
                &format!("a{} y=1", (0..257).map(|n| format!(",x{n}=1")).collect::<String>()),
                "tag: expected at most 256 tags",
            ),
            ("a,x= y=1", "tag: expected tag=value, got \"x=\""),
            ("a,x=1=2 y=1", "tag: expected tag=value, got \"x=1=\""),
            ("a,x=1,y=2,x=1 y=1", "tag: expected each tag once, got \"x\" twice"),
            ("a\tx=1", "field: expected a space and a field=value"),
            ("a x", "field: expected field=value, got \"x\""),
            ("a x=", "field: expected a finite number"),
            ("a x=nan", "got \"x\"=\"nan\""),
            ("a x=inf", "got \"x\"=\"inf\""),
            ("a x=-Infinity", "got \"x\"=\"-Infinity\""),
            ("a x=1e999", "got \"x\"=\"1e999\""),
            ("a x=1.5i", "got \"x\"=\"1.5i\""),
            ("a x=9223372036854775808i", "got \"x\"=\"9223372036854775808i\""),
            ("a x=18446744073709551616u", "got \"x\"=\"18446744073709551616u\""),
            ("a x=-1u", "got \"x\"=\"-1u\""),
            ("a x=1,y=maybe", "got \"y\"=\"maybe\""),
            ("a x=1\t5", "got \"x\"=\"1\\t5\""),
            ("a x=tRUE", "got \"x\"=\"tRUE\""),
            ("a x=\"open", "field: expected a text that ends with a quote"),
            ("a x=\"C:\\\" 5", "got no second quote in \"x\""),
            ("a x=1 now", "timestamp: expected a whole number"),
            ("a x=1 5 5", "timestamp: expected a whole number at the end of the line, got \"5\" and \"5\""),
            ("a x=1 9223372036854775808", "at the end of the line, got \"9223372036854775808\""),
            ("a x=1, y=1", "field: expected field=value, got \"\""),
        ] {
            let (_, read) = read(line).remove(0);
            let error = read.unwrap_err();
            assert!(error.contains(wanted), "{line}: {error}");
        }
    }
}
