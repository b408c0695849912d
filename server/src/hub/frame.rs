//! One or more events as they go over the wire, encoded once for all who read them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::packed::Packed;

/// Hexadecimal digits of a chunk's size. Leading zeros are allowed (RFC 9112, 7.1), and a fixed width lets the size be
/// filled in after the text was written.
const SIZE_DIGITS: usize = 8;

/// What stands before the content: its size and a line end.
const HEAD: usize = SIZE_DIGITS + 2;

/// What stands behind it.
const TAIL: &[u8] = b"\r\n";

/// Bytes of all chunks in memory: those of topics, and those that wait for the sockets of readers.
static LIVE: AtomicUsize = AtomicUsize::new(0);

/// The bytes of all frames in memory, wherever they are held.
#[must_use]
pub fn live_bytes() -> usize {
    LIVE.load(Ordering::Relaxed)
}

/// Bytes that are counted in [`LIVE`] until they are dropped.
#[derive(Debug)]
struct Counted(Vec<u8>);

impl Counted {
    fn new(bytes: Vec<u8>) -> Self {
        LIVE.fetch_add(bytes.capacity(), Ordering::Relaxed);
        Self(bytes)
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        LIVE.fetch_sub(self.0.capacity(), Ordering::Relaxed);
    }
}

/// Bytes within a chunk of HTTP/1.1's chunked coding. One allocation, shared by all readers, whether they get it with the
/// chunk around it or without (HTTP/2, HTTP/1.0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    whole: Bytes,
    /// A part of that.
    content: Bytes,
}

impl Chunk {
    /// A chunk of this.
    #[must_use]
    pub fn new(content: &[u8]) -> Self {
        let mut chunk = Vec::with_capacity(HEAD + content.len() + TAIL.len());
        chunk.extend_from_slice(format!("{:0SIZE_DIGITS$x}\r\n", content.len()).as_bytes());
        chunk.extend_from_slice(content);
        chunk.extend_from_slice(TAIL);
        let whole = Bytes::from_owner(Counted::new(chunk));
        let content = whole.slice(HEAD..whole.len() - TAIL.len());
        Self { whole, content }
    }

    /// All of it.
    #[must_use]
    pub fn whole(&self) -> &Bytes {
        &self.whole
    }

    /// What is within.
    #[must_use]
    pub fn content(&self) -> &Bytes {
        &self.content
    }
}

/// Events as text, and packed for those who take that.
#[derive(Clone, Debug)]
pub struct Frame(Arc<Forms>);

#[derive(Debug)]
struct Forms {
    text: Chunk,
    /// Made when the first reader wants it.
    packed: OnceLock<Packed>,
}

impl Frame {
    /// The frame of these events, written after each other.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Arc::new(Forms { text: Chunk::new(text.as_bytes()), packed: OnceLock::new() }))
    }

    /// The events.
    #[must_use]
    pub fn text(&self) -> &Chunk {
        &self.0.text
    }

    /// The events, packed.
    #[must_use]
    pub fn packed(&self) -> &Packed {
        self.0.packed.get_or_init(|| Packed::new(self.0.text.content()))
    }

    /// Estimated bytes of memory that it takes, with the packed form and the allocations around both.
    #[must_use]
    pub fn cost(&self) -> usize {
        const AROUND: usize = 256;
        self.size() + self.size() / 4 + AROUND
    }

    /// How many bytes it has, as a chunk. Packed it has about a quarter of that beside.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.text.whole.len()
    }
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for Frame {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_its_text_and_a_chunk_of_it_in_one_allocation() {
        let frame = Frame::new("data: 1\n\n");
        assert_eq!(frame.text().whole(), "00000009\r\ndata: 1\n\n\r\n");
        assert_eq!(frame.text().content(), "data: 1\n\n");
        assert_eq!(frame.text().content().as_ptr(), frame.text().whole()[HEAD..].as_ptr());
    }

    #[test]
    fn a_frame_is_packed_once_for_all_its_clones() {
        let frame = Frame::new("data: 1\n\n");
        assert!(std::ptr::eq(frame.packed(), frame.clone().packed()));
    }
}
