//! Text from elsewhere (a server's answer, a file, a file's name), as a terminal or a log may have it.
//!
//! Control characters move the cursor, change colours and titles, or begin a line that looks like one of ours; marks of
//! direction show text in another order than it has. All of them are written as JSON would escape them, `\u001b`, so
//! that escaped JSON still means the same.

use std::fmt;
use std::io::{self, Write};

/// Whether a terminal might do something else with it than show it.
fn is_active(c: char) -> bool {
    // C0, DEL and C1; then marks of direction, ends of lines and paragraphs, invisible signs, and tags.
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Shows a value on one line, without anything that a terminal would obey.
#[derive(Clone, Copy, Debug)]
pub struct Plain<T>(pub T);

impl<T: fmt::Display> fmt::Display for Plain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Write::write_fmt(&mut Escape { out: f, lines: false }, format_args!("{}", self.0))
    }
}

/// Escapes what is written through it; ends of lines stay where `lines` says so.
struct Escape<'a, W: ?Sized> {
    out: &'a mut W,
    lines: bool,
}

impl<W: fmt::Write + ?Sized> fmt::Write for Escape<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(|c| is_active(c) && !(self.lines && c == '\n')) {
            self.out.write_str(&rest[..at])?;
            let mut after = rest[at..].chars();
            let active = after.next().unwrap_or_default();
            for unit in active.encode_utf16(&mut [0; 2]) {
                write!(self.out, "\\u{unit:04x}")?;
            }
            rest = after.as_str();
        }
        self.out.write_str(rest)
    }
}

/// Writes text without anything that a terminal would obey but ends of lines. For documents and reports of many lines.
///
/// # Errors
/// Whatever `out` says.
pub fn write_lines(out: &mut impl Write, text: &str) -> io::Result<()> {
    let mut plain = String::with_capacity(text.len());
    fmt::Write::write_str(&mut Escape { out: &mut plain, lines: true }, text).map_err(io::Error::other)?;
    out.write_all(plain.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through() {
        for (text, wanted) in [
            ("\u{1b}[2J\u{7}", "\\u001b[2J\\u0007"),
            ("\u{9b}31m", "\\u009b31m"),
            ("a\nb\r\tc\u{7f}", "a\\u000ab\\u000d\\u0009c\\u007f"),
            ("\u{202e}gpj.exe\u{2066}", "\\u202egpj.exe\\u2066"),
            ("\u{2028}\u{200b}\u{feff}\u{e0041}", "\\u2028\\u200b\\ufeff\\udb40\\udc41"),
            ("Küche ✓ 日本 \\ \"", "Küche ✓ 日本 \\ \""),
        ] {
            assert_eq!(Plain(text).to_string(), wanted);
        }
        let every: String = (0..=0x10_ffff_u32).filter_map(char::from_u32).collect();
        assert!(!Plain(&every).to_string().contains(is_active));
    }

    #[test]
    fn lines_stay_and_json_means_the_same() {
        let mut out = Vec::new();
        let json = "{\n\"a\": \"\u{9b}\u{202e}\u{e0041}\"\n}\n";
        write_lines(&mut out, json).unwrap();
        let [before, after] =
            [json.as_bytes(), &out].map(|json| serde_json::from_slice::<serde_json::Value>(json).unwrap());
        assert_eq!(before, after);
        assert_eq!(String::from_utf8(out).unwrap().lines().count(), 3);
    }
}
