//! Escapes untrusted text (a server's answer, a file, a file's name) for a terminal or a log.
//!
//! Control characters can move the cursor, change colours and titles, or forge a line of the log; direction marks show
//! text in another order than it has. All of them are written as JSON escapes, such as `\u001b`, so that escaped JSON
//! keeps its meaning.

use std::fmt;
use std::io::{self, Write};

/// Returns true if a terminal might interpret the character instead of showing it.
fn is_active(c: char) -> bool {
    // C0, DEL and C1; then direction marks, line and paragraph separators, invisible characters, and tags.
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Prints a value on one line, without anything that a terminal would interpret.
#[derive(Clone, Copy, Debug)]
pub struct Plain<T>(pub T);

impl<T: fmt::Display> fmt::Display for Plain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Write::write_fmt(&mut Escape { out: f, lines: false }, format_args!("{}", self.0))
    }
}

/// A writer that escapes text. Keeps line ends if `lines` is set.
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

/// Writes text with everything escaped that a terminal would interpret, except line ends. For documents and reports of
/// many lines.
///
/// # Errors
/// The errors of `out`.
pub fn write_lines(out: &mut impl Write, text: &str) -> io::Result<()> {
    let mut plain = String::with_capacity(text.len());
    fmt::Write::write_str(&mut Escape { out: &mut plain, lines: true }, text).map_err(io::Error::other)?;
    out.write_all(plain.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_a_terminal_interprets_are_escaped() {
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
    fn line_ends_stay_and_json_keeps_its_meaning() {
        let mut out = Vec::new();
        let json = "{\n\"a\": \"\u{9b}\u{202e}\u{e0041}\"\n}\n";
        write_lines(&mut out, json).unwrap();
        let [before, after] =
            [json.as_bytes(), &out].map(|json| serde_json::from_slice::<serde_json::Value>(json).unwrap());
        assert_eq!(before, after);
        assert_eq!(String::from_utf8(out).unwrap().lines().count(), 3);
    }
}
