//! How the frames of one stream are written: compressed or not, and delimited by what.

use axum::http::HeaderMap;
use bytes::Bytes;

use crate::accept;
use crate::hub::frame::{Chunk, Frame};
use crate::hub::packed::Gzip;

/// The chunk that ends a body (RFC 9112, 7.1).
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// How what is written is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// In chunks, with one of no bytes at the end (RFC 9112, 7.1).
    Chunked,
    /// By nothing: the end of the connection ends it (HTTP/1.0), or something else delimits it.
    Bare,
}

impl Framing {
    fn of(self, chunk: &Chunk) -> &Bytes {
        match self {
            Self::Chunked => chunk.whole(),
            Self::Bare => chunk.content(),
        }
    }
}

/// What the texts are encoded in.
#[derive(Debug)]
pub enum Coding {
    /// They are as they are.
    Identity,
    /// gzip, each frame by itself.
    Gzip(Box<Gzip>),
}

/// Whether streams are compressed where the reader takes that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// They are.
    Offered,
    /// They are not.
    Off,
}

impl Coding {
    /// What a reader gets that asks with these headers.
    #[must_use]
    pub fn negotiate(compression: Compression, headers: &HeaderMap) -> Self {
        match compression {
            Compression::Offered if accept::encoding(headers, GZIP) => Self::Gzip(Box::default()),
            _ => Self::Identity,
        }
    }

    /// Its name in `Content-Encoding`, where it has one.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        matches!(self, Self::Gzip(_)).then_some(GZIP)
    }

    /// What the stream begins with, if anything.
    #[must_use]
    pub fn begin(&self, framing: Framing) -> Option<Bytes> {
        match self {
            Self::Identity => None,
            Self::Gzip(_) => Some(framing.of(&Chunk::new(&Gzip::head())).clone()),
        }
    }

    /// The next frame.
    pub fn frame<'a>(&mut self, frame: &'a Frame, framing: Framing) -> &'a Bytes {
        match self {
            Self::Identity => framing.of(frame.text()),
            Self::Gzip(gzip) => {
                let packed = frame.packed();
                gzip.add(packed);
                framing.of(&packed.chunk)
            }
        }
    }

    /// What the stream ends with; it may be nothing.
    #[must_use]
    pub fn end(&self, framing: Framing) -> Bytes {
        let mut end = match self {
            Self::Identity => Vec::new(),
            Self::Gzip(gzip) => framing.of(&Chunk::new(&gzip.trailer())).to_vec(),
        };
        if framing == Framing::Chunked {
            end.extend_from_slice(LAST_CHUNK);
        }
        end.into()
    }
}

const GZIP: &str = "gzip";
