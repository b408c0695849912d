//! Cuts a file of lines into pushes.

use std::io::{self, BufRead as _};

use super::source::{Format, Input};

/// The number of bytes at which a piece is pushed.
const NDJSON_BYTES: usize = 900 << 10;
const LINES_BYTES: usize = 2 << 20;

/// The most lines of a push. In a series that has newer points, each line may change another minute of the past, and
/// `--max-rows` bounds those.
const MAX_LINES: usize = 20_000;

/// The longest line for which a push keeps room. A longer one may exceed the server's limit; then it is pushed alone.
const LONGEST: usize = 512 << 10;

/// A part of a file that is pushed at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    /// The lines, each with its number in the file, from 1. A line of line protocol may contain line breaks in a
    /// text.
    pub(super) lines: Vec<(u64, Vec<u8>)>,
    bytes: usize,
}

impl Piece {
    /// Adds a line.
    pub(super) fn add(&mut self, number: u64, line: Vec<u8>) {
        self.bytes += line.len() + 1;
        self.lines.push((number, line));
    }

    /// Returns true if the piece is large enough to be pushed.
    pub(super) fn is_full(&self, format: Format) -> bool {
        let most = if format == Format::Lines { LINES_BYTES } else { NDJSON_BYTES };
        self.bytes >= most - LONGEST.min(most / 2) || self.lines.len() >= MAX_LINES
    }

    /// Returns the number of bytes of the body.
    pub(super) fn body_len(&self) -> usize {
        self.bytes
    }

    /// Returns the body of the push.
    pub(super) fn body(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.bytes);
        for (_, line) in &self.lines {
            body.extend_from_slice(line);
            body.push(b'\n');
        }
        body
    }

    /// Removes the lines for whose place `leave_out` returns true.
    pub(super) fn without(mut self, leave_out: impl Fn(usize) -> bool) -> Self {
        let mut places = 0..;
        self.lines.retain(|_| !places.next().is_some_and(&leave_out));
        self.bytes = self.lines.iter().map(|(_, line)| line.len() + 1).sum();
        self
    }

    /// Cuts the piece into two halves.
    pub(super) fn halves(mut self) -> [Self; 2] {
        let bytes = |lines: &[(u64, Vec<u8>)]| lines.iter().map(|(_, line)| line.len() + 1).sum();
        let second = self.lines.split_off(self.lines.len() / 2);
        let second = Self { bytes: bytes(&second), lines: second };
        self.bytes = bytes(&self.lines);
        [self, second]
    }
}

/// Reads the pieces of a file. The same file always has the same pieces.
pub(super) struct Pieces {
    input: Input,
    format: Format,
    line: u64,
}

impl Pieces {
    pub(super) fn new(input: Input, format: Format) -> Self {
        Self { input, format, line: 0 }
    }

    /// Returns the number of the last line that was read.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Reads the next piece; `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Piece>> {
        let mut piece = Piece::default();
        while !piece.is_full(self.format) {
            let number = self.line + 1;
            let Some(line) = self.next_line()? else { break };
            if !self.is_nothing(&line) {
                piece.add(number, line);
            }
        }
        Ok((!piece.lines.is_empty()).then_some(piece))
    }

    /// Returns true if there is no point in a line: it is blank, or a comment of line protocol.
    fn is_nothing(&self, line: &[u8]) -> bool {
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii_start();
        text.is_empty() || (self.format == Format::Lines && text.starts_with(b"#"))
    }

    /// Reads a line without its end. A line of line protocol continues if a quoted text has a line break.
    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        loop {
            if self.input.read_until(b'\n', &mut line)? == 0 {
                return Ok((!line.is_empty()).then_some(line));
            }
            self.line += 1;
            let goes_on = self.format == Format::Lines && is_within_text(&line) && line.len() < LONGEST;
            if !goes_on {
                if line.last() == Some(&b'\n') {
                    line.pop();
                }
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(Some(line));
            }
        }
    }
}

/// Returns true if a line of line protocol ends within a quoted text. Quotes only count among the fields, which begin
/// after the first space that is not escaped.
fn is_within_text(line: &[u8]) -> bool {
    let (mut in_fields, mut in_text, mut escaped) = (false, false, false);
    if line.trim_ascii_start().starts_with(b"#") {
        return false;
    }
    for &byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b' ' if !in_text => in_fields = true,
            b'"' if in_fields => in_text = !in_text,
            _ => {}
        }
    }
    in_text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pieces(text: &str, format: Format) -> Vec<Piece> {
        let mut pieces = Pieces::new(Box::new(io::Cursor::new(text.as_bytes().to_vec())), format);
        std::iter::from_fn(|| pieces.next().unwrap()).collect()
    }

    #[test]
    fn line_protocol_is_not_cut_within_a_text() {
        let text = "a x=1\r\n\nlog,host=\"b line=\"one\ntwo \\\" three\" 5\n# it's \"open\nb x=2";
        let lines = pieces(text, Format::Lines).remove(0).lines;
        let lines: Vec<(u64, String)> =
            lines.into_iter().map(|(number, line)| (number, String::from_utf8(line).unwrap())).collect();
        let wanted = [(1, "a x=1"), (3, "log,host=\"b line=\"one\ntwo \\\" three\" 5"), (6, "b x=2")];
        assert_eq!(lines, wanted.map(|(number, line)| (number, line.to_owned())));
    }

    proptest! {
        #[test]
        fn pieces_have_every_line_once_and_stay_within_the_bounds(lengths in prop::collection::vec(1..60_000_usize, 0..120)) {
            let lines: Vec<String> = lengths.iter().map(|&length| "x".repeat(length)).collect();
            let pieces = pieces(&lines.join("\n"), Format::Ndjson);
            let found: Vec<Vec<u8>> = pieces.iter().flat_map(|piece| &piece.lines).map(|(_, line)| line.clone()).collect();
            prop_assert_eq!(found, lines.iter().map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>());
            prop_assert!(pieces.iter().all(|piece| piece.body().len() <= 1 << 20));
            for piece in pieces {
                let whole = piece.lines.clone();
                prop_assert_eq!(piece.halves().into_iter().flat_map(|half| half.lines).collect::<Vec<_>>(), whole);
            }
        }
    }
}
