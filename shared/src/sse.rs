//! Encodes events as frames and decodes them: the event-stream format of the WHATWG HTML standard, section 9.2.

use std::fmt::Write as _;

use serde::Serialize;

use crate::{Cursor, Event};

/// The content type of a stream.
pub const CONTENT_TYPE: &str = "text/event-stream";

/// Encodes an event as a complete frame: `id`, `event` and one line of `data`.
///
/// # Panics
/// Never: events hold only finite numbers and string keys, which JSON can represent.
#[must_use]
pub fn frame(id: Cursor, event: &Event) -> String {
    frame_of(id, event)
}

/// Encodes any value that serialises as the JSON of an event.
///
/// # Panics
/// If `event` has a map whose keys are not strings, which no event has.
#[must_use]
pub fn frame_of(id: Cursor, event: &impl Serialize) -> String {
    let json = serde_json::to_string(event).expect("an event is always JSON");
    let mut frame = String::with_capacity(json.len() + 64);
    // `message` is also the browser's default if `event` is absent. Written out, it is visible in curl.
    write!(frame, "id: {id}\nevent: message\ndata: {json}\n\n").expect("writing to a String succeeds");
    frame
}

/// A dispatched message of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The last id that the stream gave, in this message or an earlier one.
    pub id: String,
    /// The event type; `message` if the stream names none.
    pub event: String,
    /// The lines of data, joined by line feeds.
    pub data: String,
}

/// Decodes a stream from pieces of any size, as specified in WHATWG HTML 9.2.6.
#[derive(Debug, Default)]
pub struct Parser {
    /// The bytes of a line that has not ended yet.
    line: Vec<u8>,
    /// True if a carriage return ended the last line, so that a line feed right after it is part of the same line
    /// end.
    after_cr: bool,
    /// True once a line was read, so that a byte order mark has no meaning any more.
    started: bool,
    /// The message under construction; its id carries over to the next one.
    next: Message,
    has_data: bool,
    /// The reconnection time in milliseconds that the stream last set.
    retry: Option<u64>,
}

impl Parser {
    /// Decodes some bytes and returns every message that they complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Message> {
        let mut messages = Vec::new();
        for &byte in bytes {
            match byte {
                b'\n' if std::mem::take(&mut self.after_cr) => {}
                b'\n' | b'\r' => {
                    self.after_cr = byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    messages.extend(self.end_of_line(&line));
                }
                _ => {
                    self.after_cr = false;
                    self.line.push(byte);
                }
            }
        }
        messages
    }

    /// The reconnection time in milliseconds that the stream last set.
    #[must_use]
    pub fn retry(&self) -> Option<u64> {
        self.retry
    }

    fn end_of_line(&mut self, line: &[u8]) -> Option<Message> {
        let line = String::from_utf8_lossy(line);
        let line =
            if std::mem::replace(&mut self.started, true) { &*line } else { line.trim_start_matches('\u{feff}') };
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.next.data.push('\n');
                }
                self.next.data.push_str(value);
            }
            "event" => value.clone_into(&mut self.next.event),
            "id" if !value.contains('\0') => value.clone_into(&mut self.next.id),
            "retry" if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) => {
                self.retry = value.parse().ok();
            }
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Message> {
        let next = Message { id: self.next.id.clone(), ..Message::default() };
        let mut message = std::mem::replace(&mut self.next, next);
        if message.event.is_empty() {
            message.event.push_str("message");
        }
        std::mem::take(&mut self.has_data).then_some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Epoch, Millis, Seq};
    use proptest::prelude::*;

    fn messages(stream: &str) -> Vec<(String, String, String)> {
        Parser::default().feed(stream.as_bytes()).into_iter().map(|m| (m.id, m.event, m.data)).collect()
    }

    fn message(id: &str, event: &str, data: &str) -> (String, String, String) {
        (id.into(), event.into(), data.into())
    }

    /// The examples of WHATWG HTML 9.2.6 and 9.2.7.
    #[test]
    fn it_reads_the_examples_of_the_standard() {
        assert_eq!(messages("data: YHOO\ndata: +2\ndata: 10\n\n"), [message("", "message", "YHOO\n+2\n10")]);
        assert_eq!(
            messages(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"),
            [
                message("1", "message", "first event"),
                message("", "message", "second event"),
                message("", "message", " third event")
            ]
        );
        assert_eq!(messages("data\n\ndata\ndata\n\ndata:"), [message("", "message", ""), message("", "message", "\n")]);
        assert_eq!(messages("data:test\n\ndata: test\n\n")[0], messages("data: test\n\n")[0]);
    }

    #[test]
    fn it_takes_any_line_end_a_byte_order_mark_and_unknown_fields() {
        let wanted = [message("7", "tick", "a\nb")];
        assert_eq!(messages("\u{feff}id: 7\revent: tick\r\ndata: a\ndata: b\r\n\r\n"), wanted);
        assert_eq!(messages("id: 7\nfoo: bar\nevent: tick\ndata: a\ndata: b\n\n"), wanted);
        assert_eq!(messages("id: 7\nid: bad\0id\nevent: tick\ndata: a\ndata: b\n\n"), wanted);
    }

    #[test]
    fn it_keeps_what_the_stream_says_of_reconnecting() {
        let mut parser = Parser::default();
        parser.feed(b"retry: 1500\n\nretry: soon\n\n");
        assert_eq!(parser.retry(), Some(1500));
    }

    proptest! {
        #[test]
        fn a_frame_is_read_whole_however_it_is_cut(seq: u64, cuts in prop::collection::vec(0..200usize, 0..8)) {
            let id = Cursor { epoch: Epoch(7), seq: Seq(seq) };
            let event = Event::Heartbeat { now: Millis(1) };
            let bytes = format!("{0}{0}", frame(id, &event)).into_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut parser = Parser::default();
            let read: Vec<Message> = cuts.windows(2).flat_map(|cut| parser.feed(&bytes[cut[0]..cut[1]])).collect();
            prop_assert_eq!(read.len(), 2);
            for message in read {
                prop_assert_eq!(message.id.parse::<Cursor>().unwrap(), id);
                prop_assert_eq!(&message.event, "message");
                prop_assert_eq!(serde_json::from_str::<Event>(&message.data).unwrap(), event.clone());
            }
        }
    }
}
