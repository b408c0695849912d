//! One or more events as they go over the wire, encoded once for all who read them.

use bytes::Bytes;

/// Hexadecimal digits of a chunk's size. Leading zeros are allowed (RFC 9112, 7.1), and a fixed width lets the size be
/// filled in after the text was written.
const SIZE_DIGITS: usize = 8;

/// What stands before the text: its size and a line end.
const HEAD: usize = SIZE_DIGITS + 2;

/// What stands behind it.
const TAIL: &[u8] = b"\r\n";

/// Events as text, within a chunk of HTTP/1.1's chunked coding. One allocation, shared by all readers, whether they
/// get it with the chunk around it or without (HTTP/2, HTTP/1.0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(Bytes);

impl Frame {
    /// The frame of these events, written after each other.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut chunk = Vec::with_capacity(HEAD + text.len() + TAIL.len());
        chunk.extend_from_slice(format!("{:0SIZE_DIGITS$x}\r\n", text.len()).as_bytes());
        chunk.extend_from_slice(text.as_bytes());
        chunk.extend_from_slice(TAIL);
        Self(chunk.into())
    }

    /// The events as a chunk.
    #[must_use]
    pub fn chunk(&self) -> Bytes {
        self.0.clone()
    }

    /// The events alone.
    #[must_use]
    pub fn text(&self) -> Bytes {
        self.0.slice(HEAD..self.0.len() - TAIL.len())
    }

    /// How many bytes the chunk has, which is what it takes in memory.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_its_text_and_a_chunk_of_it_in_one_allocation() {
        let frame = Frame::new("data: 1\n\n");
        assert_eq!(frame.chunk(), "00000009\r\ndata: 1\n\n\r\n");
        assert_eq!(frame.text(), "data: 1\n\n");
        assert_eq!(frame.text().as_ptr(), frame.chunk()[HEAD..].as_ptr());
    }
}
