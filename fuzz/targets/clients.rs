//! Fuzz targets for bytes that a client reads: the stream and its events.

use shared::sse::{Message, Parser, frame};
use shared::{Cursor, Epoch, Event, Picture, Seq};

/// A stream gives the same messages in pieces of any size. The first byte sets the size.
pub fn sse(bytes: &[u8]) {
    let Some((&first, stream)) = bytes.split_first() else { return };
    let whole = Parser::default().feed(stream);
    let mut parser = Parser::default();
    let pieces: Vec<Message> =
        stream.chunks(usize::from(first % 16) + 1).flat_map(|piece| parser.feed(piece)).collect();
    assert_eq!(whole, pieces);
}

/// Each line of JSON is an event. An event is equal after it is written and read again. A picture applies it, or
/// refuses it and stays unchanged.
pub fn events(bytes: &[u8]) {
    let mut picture = Picture::default();
    for (seq, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
        let Ok(event) = serde_json::from_slice::<Event>(line) else { continue };
        let id = Cursor { epoch: Epoch(1), seq: Seq(seq) };
        let framed = frame(id, &event);
        let messages = Parser::default().feed(framed.as_bytes());
        assert_eq!(messages.len(), 1, "{framed:?}");
        assert_eq!(messages[0].id, id.to_string());
        let again: Event = serde_json::from_str(&messages[0].data).expect("what is written is an event");
        assert_eq!(again, event);
        let before = picture.clone();
        if picture.apply(id, event.clone()).is_err() {
            assert_eq!(picture, before);
        } else if picture.cursor() == Some(id) {
            // An update contains present state, so applying it twice changes nothing.
            let once = picture.clone();
            let _twice = picture.apply(id, event);
            assert_eq!(picture.series(), once.series());
        }
    }
}
