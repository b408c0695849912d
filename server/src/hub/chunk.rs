//! A chunk: the bytes of a frame, counted while they are in memory.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// Hexadecimal digits of a chunk's size. Leading zeros are allowed (RFC 9112, 7.1), and a fixed width lets the size be
/// filled in after the text was written.
const SIZE_DIGITS: usize = 8;

/// Length of the part before the content: its size and a line end.
pub(super) const HEAD: usize = SIZE_DIGITS + 2;

/// The part after the content.
const TAIL: &[u8] = b"\r\n";

/// Bytes of all chunks in memory: those of topics, and those that wait for the sockets of subscribers. A frame that is
/// not encoded yet counts with its estimated size.
static LIVE: AtomicUsize = AtomicUsize::new(0);

/// Returns the bytes of all frames in memory, in topics and in queues.
#[must_use]
pub fn live_bytes() -> usize {
    LIVE.load(Ordering::Relaxed)
}

/// Bytes that are counted in [`LIVE`] until this is dropped.
#[derive(Debug)]
pub(super) struct Reserved(usize);

impl Reserved {
    pub(super) fn new(bytes: usize) -> Self {
        LIVE.fetch_add(bytes, Ordering::Relaxed);
        Self(bytes)
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        LIVE.fetch_sub(self.0, Ordering::Relaxed);
    }
}

/// Bytes that are counted in [`LIVE`] until they are dropped.
#[derive(Debug)]
struct Counted {
    bytes: Vec<u8>,
    _reserved: Reserved,
}

impl Counted {
    fn new(bytes: Vec<u8>) -> Self {
        let reserved = Reserved::new(bytes.capacity());
        Self { bytes, _reserved: reserved }
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Content wrapped as a chunk of HTTP/1.1's chunked coding. One allocation is shared by all subscribers, with the chunk
/// around it (HTTP/1.1) or without (HTTP/2, HTTP/1.0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    whole: Bytes,
    /// A slice of `whole`.
    content: Bytes,
}

impl Chunk {
    /// Wraps this content.
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

    /// The chunk with its size and line ends.
    #[must_use]
    pub fn whole(&self) -> &Bytes {
        &self.whole
    }

    /// The content without the chunk around it.
    #[must_use]
    pub fn content(&self) -> &Bytes {
        &self.content
    }
}
