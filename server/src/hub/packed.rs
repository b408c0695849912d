//! A frame compressed with gzip, once for all subscribers.
//!
//! gzip (RFC 1952) is a header, deflate (RFC 1951) and a trailer. Deflate is a sequence of blocks. A block that refers
//! to nothing before it, and that ends on a byte boundary, means the same in any stream. So each frame is compressed
//! separately. A stream is the header, the compressed frames of its subscriber, and a trailer of its own. References to
//! earlier frames would save more, but two subscribers need not have received the same ones.

use std::cell::RefCell;

use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};

use super::chunk::Chunk;

/// Compression level, of 9. A higher level takes longer for few bytes less (`bench/RESULTS.md`).
const LEVEL: u32 = 1;

/// The header of a gzip stream: its magic number, deflate, all other fields unset (RFC 1952, 2.3).
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The last block of deflate, an empty one (RFC 1951, 3.2.3).
const LAST_BLOCK: [u8; 2] = [3, 0];

/// Extra bytes: deflate's overhead for data that cannot be compressed, and the padding to a byte boundary.
const MARGIN: usize = 64;

thread_local! {
    /// A compressor has a quarter of a megabyte of tables, so each thread keeps one.
    static COMPRESS: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(LEVEL), false));
}

/// A frame as deflate blocks.
#[derive(Debug)]
pub struct Packed {
    /// The blocks.
    pub chunk: Chunk,
    /// The checksum and length of the text, for the trailer.
    sum: Crc,
}

impl Packed {
    /// Packs a text.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        let mut sum = Crc::new();
        sum.update(text);
        Self { chunk: Chunk::new(&deflate(text)), sum }
    }
}

fn deflate(text: &[u8]) -> Vec<u8> {
    COMPRESS.with_borrow_mut(|compress| {
        compress.reset();
        let mut blocks = Vec::with_capacity(text.len() + text.len() / 64 + MARGIN);
        loop {
            let done = usize::try_from(compress.total_in()).unwrap_or(usize::MAX);
            // Raw deflate can only fail after it was finished; this one is only flushed and reset.
            let _status = compress.compress_vec(&text[done..], &mut blocks, FlushCompress::Full);
            if blocks.len() < blocks.capacity() {
                return blocks;
            }
            blocks.reserve(MARGIN);
        }
    })
}

/// The gzip stream of one subscriber: checksum and length of the text so far.
#[derive(Debug, Default)]
pub struct Gzip(Crc);

impl Gzip {
    /// Returns the header.
    #[must_use]
    pub fn head() -> Bytes {
        Bytes::from_static(&HEAD)
    }

    /// Adds a frame that is sent.
    pub fn add(&mut self, frame: &Packed) {
        self.0.combine(&frame.sum);
    }

    /// Returns the trailer.
    #[must_use]
    pub fn trailer(&self) -> Bytes {
        [&LAST_BLOCK[..], &self.0.sum().to_le_bytes(), &self.0.amount().to_le_bytes()].concat().into()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use flate2::read::GzDecoder;
    use flate2::write;

    use super::*;

    fn noise(len: usize) -> String {
        let mut state = 7_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'!' + u8::try_from(state >> 24).unwrap() % 90)
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn packed_frames_make_a_gzip_stream_in_any_order_and_number() {
        let texts = ["data: 1\n\n".to_owned(), "data: 2\n\n".repeat(500), noise(300_000), String::from(":\n\n")];
        let packed: Vec<Packed> = texts.iter().map(|text| Packed::new(text.as_bytes())).collect();
        for order in [vec![0, 1, 2, 3], vec![3, 1, 1, 0, 2, 2], vec![1], vec![]] {
            let mut gzip = Gzip::default();
            let mut stream = Gzip::head().to_vec();
            for &at in &order {
                gzip.add(&packed[at]);
                stream.extend_from_slice(packed[at].chunk.content());
            }
            stream.extend_from_slice(&gzip.trailer());
            let mut text = String::new();
            GzDecoder::new(&stream[..]).read_to_string(&mut text).unwrap();
            let wanted: String = order.iter().map(|&at| texts[at].as_str()).collect();
            assert_eq!(text, wanted, "{order:?}");
        }
    }

    #[test]
    fn each_packed_frame_can_be_read_once_it_is_there() {
        let mut reading = write::GzDecoder::new(Vec::new());
        reading.write_all(&Gzip::head()).unwrap();
        for text in ["data: 1\n\n", "data: 22\n\n", "data: 333\n\n"] {
            reading.write_all(Packed::new(text.as_bytes()).chunk.content()).unwrap();
            // The decoder returns its output when it is flushed; the stream is never finished.
            reading.flush().unwrap();
            assert!(reading.get_ref().ends_with(text.as_bytes()));
        }
    }
}
