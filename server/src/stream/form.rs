//! The form of a stream's bytes: compressed or not, in chunks or not.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use shared::sse;

use crate::http::accept;
use crate::hub::chunk::Chunk;
use crate::hub::frame::Frame;
use crate::hub::packed::Gzip;

/// The chunk that ends a body (RFC 9112, 7.1).
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// The delimiting of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// In chunks, with an empty one at the end (RFC 9112, 7.1).
    Chunked,
    /// Not delimited: the end of the connection ends the body (HTTP/1.0), or another layer delimits it.
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

/// The content coding of the events.
#[derive(Debug)]
pub enum Coding {
    /// Not encoded.
    Identity,
    /// gzip; each frame is compressed separately.
    Gzip(Box<Gzip>),
}

/// The setting for compression of streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Streams are compressed for clients that accept gzip.
    Offered,
    /// Streams are never compressed.
    Off,
}

impl Coding {
    /// Chooses the coding for a request with these headers.
    #[must_use]
    pub fn negotiate(compression: Compression, headers: &HeaderMap) -> Self {
        match compression {
            Compression::Offered if accept::encoding(headers, GZIP) => Self::Gzip(Box::default()),
            _ => Self::Identity,
        }
    }

    /// Its name in `Content-Encoding`, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        matches!(self, Self::Gzip(_)).then_some(GZIP)
    }

    /// Returns the first bytes of the stream, if any.
    #[must_use]
    pub fn begin(&self, framing: Framing) -> Option<Bytes> {
        match self {
            Self::Identity => None,
            Self::Gzip(_) => Some(framing.of(&Chunk::new(&Gzip::head())).clone()),
        }
    }

    /// Returns the bytes of the next frame.
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

    /// Returns the last bytes of the stream; they may be empty.
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

/// Adds the headers of a stream to the response; `coding` is the value of `Content-Encoding`.
pub(super) fn as_stream(mut response: Response, compression: Compression, coding: Option<&'static str>) -> Response {
    let headers = response.headers_mut();
    if let Some(name) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    if compression == Compression::Offered {
        headers.insert(header::VARY, HeaderValue::from_name(header::ACCEPT_ENCODING));
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(sse::CONTENT_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // nginx buffers a response unless this header turns that off.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
