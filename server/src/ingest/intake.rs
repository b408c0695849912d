//! Reads, decompresses and parses the bodies of pushes within bounds.
//!
//! Memory is reserved from [`PushMemory`] as bytes arrive. A small body is parsed on the runtime thread that received
//! it. Large bodies are parsed on a few blocking threads, so that the runtime threads stay free for other requests.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody as _};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, EXPECT};
use bytesize::ByteSize;
use flate2::bufread::GzDecoder;
use futures_util::StreamExt as _;
use tokio::sync::Semaphore;

use crate::http::problem::ApiError;
use crate::limits::client::LimitedClient;
use crate::limits::push_memory::{PushMemory, Share};
use crate::limits::{Limit, Limits};

/// The most bytes, decompressed, of a body that is parsed on a runtime thread: that takes a millisecond at most.
const SMALL: usize = 64 << 10;

/// Bytes that a push takes besides its body and its points: the state of its request.
const REQUEST_BYTES: usize = 4 << 10;

/// The longest time that a body waits for a thread to parse it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Seconds after which a body that found no free thread may be sent again.
const RETRY_AFTER_SECONDS: u32 = 5;

/// The longest time that the rest of a refused body is read.
const DISCARD_FOR: Duration = Duration::from_secs(2);

/// Bytes that are decompressed at a time.
const PIECE: usize = 16 << 10;

/// The most gzip members of a body. Most senders write one; some tools write one for each 64 KiB.
const MAX_MEMBERS: usize = 256;

/// Reads the bodies of pushes. Clones share their bounds.
#[derive(Clone, Debug)]
pub struct Intake {
    memory: PushMemory,
    /// Permits to parse a large body, one for each thread.
    parsers: Arc<Semaphore>,
}

impl Intake {
    /// Creates an intake with these limits.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        // Half of the processors. The others commit the parsed points and serve all other requests.
        let parsers = std::thread::available_parallelism().map_or(1, |count| count.get().div_ceil(2));
        Self { memory: PushMemory::new(limits.queue), parsers: Arc::new(Semaphore::new(parsers)) }
    }

    /// Returns the memory that pushes in progress hold.
    #[must_use]
    pub fn memory(&self) -> &PushMemory {
        &self.memory
    }

    /// Reads a body and parses it, as UTF-8 without a byte order mark. The body may have at most `most` bytes, both as
    /// received and decompressed. The returned share reserves the memory of the parsed points until it is dropped.
    ///
    /// # Errors
    /// [`ApiError`] if the body breaks off, is too large, or has an unknown encoding; [`ApiError::LimitReached`] if
    /// there is no memory for it; and the errors of `parse`.
    pub async fn read<T: Send + 'static>(
        &self,
        body: Body,
        headers: &HeaderMap,
        client: LimitedClient,
        most: usize,
        parse: impl FnOnce(&[u8], &mut Share) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<(T, Share), ApiError> {
        let announced = body.size_hint().lower();
        let mut pieces = body.into_data_stream();
        let (encoding, mut share) = match self.admit(headers, client, announced, most) {
            Ok(admitted) => admitted,
            Err(error) => {
                discard_refused(&mut pieces, headers, most).await;
                return Err(error);
            }
        };
        let packed = match collect(&mut pieces, most, &mut share).await {
            Ok(packed) => packed,
            Err(error) => {
                drop(share);
                discard(&mut pieces, most).await;
                return Err(error);
            }
        };
        // An empty body counts as not encoded, whatever its header says: clients do not compress an empty body.
        let encoding = if packed.is_empty() { Encoding::Identity } else { encoding };
        let is_small = match encoding {
            Encoding::Identity => packed.len() <= SMALL,
            Encoding::Gzip => match unpack(&packed, SMALL, &mut share) {
                Ok(text) => {
                    let parsed = decode(&text, &mut share, parse)?;
                    share.shrink(text.len() + packed.len());
                    return Ok((parsed, share));
                }
                // The body has more than `SMALL` bytes, and perhaps more than `most`.
                Err(ApiError::TooLarge(_)) => false,
                Err(error) => return Err(error),
            },
        };
        if is_small {
            let parsed = decode(&packed, &mut share, parse)?;
            share.shrink(packed.len());
            return Ok((parsed, share));
        }
        let turn = tokio::time::timeout(PATIENCE, self.parsers.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(no_parser());
        };
        // If the client disconnects, parsing continues to its end and holds its permit until then.
        let parsing = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let parsed = match encoding {
                Encoding::Identity => decode(&packed, &mut share, parse)?,
                Encoding::Gzip => {
                    let text = unpack(&packed, most, &mut share)?;
                    let parsed = decode(&text, &mut share, parse)?;
                    share.shrink(text.len());
                    parsed
                }
            };
            share.shrink(packed.len());
            Ok((parsed, share))
        });
        parsing.await.map_err(|_| ApiError::Unavailable("the server is shutting down".to_owned()))?
    }

    /// Decides from the headers whether a body of at least `announced` bytes is read.
    fn admit(
        &self,
        headers: &HeaderMap,
        client: LimitedClient,
        announced: u64,
        most: usize,
    ) -> Result<(Encoding, Share), ApiError> {
        let encoding = Encoding::of(headers)?;
        let mut share = self.memory.share_of(client);
        share.grow(REQUEST_BYTES)?;
        if announced > most as u64 {
            return Err(ApiError::TooLarge(most));
        }
        Ok((encoding, share))
    }
}

fn no_parser() -> ApiError {
    ApiError::LimitReached {
        limit: Limit::Parsers,
        detail: format!(
            "all threads that parse large bodies were busy for {} s; send it again in {RETRY_AFTER_SECONDS} s, or send pushes of at most {}; nothing of this was stored",
            PATIENCE.as_secs(),
            ByteSize::b(SMALL as u64)
        ),
        retry_after: Some(RETRY_AFTER_SECONDS),
    }
}

/// The encoding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    /// Reads all `Content-Encoding` headers. Names may be in any case, `x-gzip` means `gzip` (RFC 9110, 8.4.1), and
    /// `identity` means no encoding.
    fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let mut encoding = Self::Identity;
        for header in headers.get_all(CONTENT_ENCODING) {
            for name in header.as_bytes().split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
                if name.is_empty() || is("identity") {
                    continue;
                }
                // A body that is compressed twice is a mistake.
                if encoding == Self::Gzip || !(is("gzip") || is("x-gzip")) {
                    return Err(unknown_encoding(headers));
                }
                encoding = Self::Gzip;
            }
        }
        Ok(encoding)
    }
}

fn unknown_encoding(headers: &HeaderMap) -> ApiError {
    let values: Vec<_> =
        headers.get_all(CONTENT_ENCODING).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    ApiError::UnknownEncoding(values.join(", "))
}

/// Removes the byte order mark that Windows programs write at the start of a text, and parses the rest. A body with the mark
/// of UTF-16 is converted to UTF-8 first. UTF-8 never begins with the bytes of that mark.
fn decode<T>(
    body: &[u8],
    share: &mut Share,
    parse: impl FnOnce(&[u8], &mut Share) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let (pairs, unit): (_, fn([u8; 2]) -> u16) = match body {
        [0xff, 0xfe, pairs @ ..] => (pairs, u16::from_le_bytes),
        [0xfe, 0xff, pairs @ ..] => (pairs, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, text @ ..] | text => return parse(text, share),
    };
    // Two bytes of UTF-16 become at most three of UTF-8.
    let most = pairs.len() / 2 * 3;
    share.grow(most)?;
    let (units, rest) = pairs.as_chunks();
    let text: Result<String, _> = char::decode_utf16(units.iter().map(|&pair| unit(pair))).collect();
    let Some(text) = text.ok().filter(|_| rest.is_empty()) else {
        let wrong = "the body begins with the byte order mark of UTF-16, and is not UTF-16; send it as UTF-8";
        return Err(ApiError::Malformed(wrong.to_owned()));
    };
    let parsed = parse(text.as_bytes(), share)?;
    share.shrink(most);
    Ok(parsed)
}

/// Reads the whole body as received, without decompressing it.
async fn collect(pieces: &mut BodyDataStream, most: usize, share: &mut Share) -> Result<Bytes, ApiError> {
    let mut next = async |held: usize| -> Result<Option<Bytes>, ApiError> {
        let Some(piece) = pieces.next().await else { return Ok(None) };
        let piece = piece.map_err(|error| ApiError::Malformed(format!("the body broke off: {error}")))?;
        if held + piece.len() > most {
            return Err(ApiError::TooLarge(most));
        }
        share.grow(piece.len())?;
        Ok(Some(piece))
    };
    let Some(first) = next(0).await? else { return Ok(Bytes::new()) };
    let Some(second) = next(first.len()).await? else { return Ok(first) };
    let mut whole = [first, second].concat();
    while let Some(piece) = next(whole.len()).await? {
        whole.extend_from_slice(&piece);
    }
    Ok(whole.into())
}

/// Discards the body of a push that is refused by its headers. Does not read it if the client waits for
/// "100 Continue": reading would ask the client to send it (RFC 9110, 10.1.1).
pub(crate) async fn discard_refused(pieces: &mut BodyDataStream, headers: &HeaderMap, most: usize) {
    if !headers.contains_key(EXPECT) {
        discard(pieces, most).await;
    }
}

/// Reads and drops the rest of a refused body: many clients read the answer only after they have sent the whole body.
async fn discard(pieces: &mut BodyDataStream, most: usize) {
    let mut left = most;
    let reading = async {
        while let Some(Ok(piece)) = pieces.next().await
            && let Some(less) = left.checked_sub(piece.len())
        {
            left = less;
        }
    };
    // A slower client finds the connection closed.
    let _in_time = tokio::time::timeout(DISCARD_FOR, reading).await;
}

/// Decompresses gzip into at most `most` bytes. After an error the share is unchanged.
pub(crate) fn unpack(packed: &[u8], most: usize, share: &mut Share) -> Result<Vec<u8>, ApiError> {
    let before = share.held();
    let unpacked = unpack_members(packed, most, share);
    if unpacked.is_err() {
        share.shrink(share.held() - before);
    }
    unpacked
}

fn unpack_members(packed: &[u8], most: usize, share: &mut Share) -> Result<Vec<u8>, ApiError> {
    let broken = |error: std::io::Error| ApiError::Malformed(format!("the body is no gzip: {error}"));
    let mut whole = Vec::new();
    let mut piece = [0; PIECE];
    let mut rest = packed;
    for _ in 0..MAX_MEMBERS {
        let mut member = GzDecoder::new(rest);
        loop {
            let len = member.read(&mut piece).map_err(broken)?;
            if len == 0 {
                break;
            }
            if whole.len() + len > most {
                return Err(ApiError::TooLarge(most));
            }
            share.grow(len)?;
            whole.extend_from_slice(&piece[..len]);
        }
        rest = member.into_inner();
        if rest.is_empty() {
            return Ok(whole);
        }
    }
    Err(ApiError::Malformed(format!("the body has over {MAX_MEMBERS} gzip members; send one")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write as _;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_members_are_joined_and_bounded_in_number() {
        let mut share = Share::unbounded();
        let two = [gzip(b"a"), gzip(b"b")].concat();
        assert_eq!(unpack(&two, 2, &mut share), Ok(b"ab".to_vec()));
        assert_eq!(share.held(), 2);
        assert_eq!(unpack(&two, 1, &mut share), Err(ApiError::TooLarge(1)));
        let many = gzip(b"").repeat(MAX_MEMBERS + 1);
        assert!(unpack(&many, 1, &mut share).unwrap_err().to_string().contains("gzip members"));
        for broken in [&b"x"[..], b"", &two[..10], &[&two[..], b"x"].concat()] {
            assert!(matches!(unpack(broken, 10, &mut share), Err(ApiError::Malformed(_))), "{broken:?}");
        }
        assert_eq!(share.held(), 2, "a refused body holds no memory");
    }

    #[test]
    fn content_encoding_is_read_in_any_case_and_under_its_old_name() {
        let of = |values: &[&'static str]| {
            let headers = values.iter().map(|value| (CONTENT_ENCODING, HeaderValue::from_static(value)));
            Encoding::of(&headers.collect())
        };
        for identity in [&[][..], &[""], &["identity"], &["Identity"], &["identity, IDENTITY"], &["", "identity"]] {
            assert_eq!(of(identity), Ok(Encoding::Identity), "{identity:?}");
        }
        for gzip in [
            &["gzip"][..],
            &["GZIP"],
            &["GZip"],
            &["x-gzip"],
            &["X-Gzip"],
            &[" gzip "],
            &["identity", "gzip"],
            &["gzip,identity"],
        ] {
            assert_eq!(of(gzip), Ok(Encoding::Gzip), "{gzip:?}");
        }
        for unknown in [&["br"][..], &["gzip, br"], &["gzip", "gzip"], &["deflate"], &["gzip;q=1"], &["zgzip"]] {
            assert_eq!(of(unknown), Err(ApiError::UnknownEncoding(unknown.join(", "))));
        }
    }

    #[tokio::test]
    async fn a_byte_order_mark_is_no_part_of_a_body() {
        let intake = Intake::new(&Limits::default());
        let mark = b"\xef\xbb\xbf";
        let gzip_of_nothing = HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static("gzip"))]);
        let read = intake
            .read(Body::empty(), &gzip_of_nothing, LimitedClient::default(), 1 << 20, |text, _| Ok(text.len()))
            .await;
        assert_eq!(read.unwrap().0, 0);
        for text in ["42.5".to_owned(), String::new(), "x".repeat(SMALL + 1)] {
            let body = [&mark[..], text.as_bytes()].concat();
            for (body, encoding) in [(body.clone(), "identity"), (gzip(&body), "gzip")] {
                let headers = HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(encoding))]);
                let read = intake
                    .read(Body::from(body), &headers, LimitedClient::default(), 1 << 20, |text, _| Ok(text.to_vec()))
                    .await;
                assert_eq!(read.unwrap().0, text.as_bytes(), "{encoding}");
            }
        }
    }

    #[tokio::test]
    async fn a_body_of_utf_16_with_its_byte_order_mark_is_parsed_as_utf_8() {
        let intake = Intake::new(&Limits::default());
        let read = async |body: Vec<u8>, encoding: &'static str| {
            let headers = HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(encoding))]);
            let read =
                intake.read(Body::from(body), &headers, LimitedClient::default(), 1 << 20, |text, _| Ok(text.to_vec()));
            read.await.map(|(text, share)| (String::from_utf8(text).unwrap(), share.held()))
        };
        let bytes = |text: &str, of: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(of).collect::<Vec<_>>();
        for text in ["", "42.5\r\n", "{\"text\":\"größer 東京 😀\"}", &"ü\n".repeat(SMALL)] {
            let marked = format!("\u{feff}{text}");
            for body in [bytes(&marked, u16::to_le_bytes), bytes(&marked, u16::to_be_bytes)] {
                let wanted = Ok((text.to_owned(), REQUEST_BYTES));
                assert_eq!(read(gzip(&body), "gzip").await, wanted);
                assert_eq!(read(body, "identity").await, wanted);
            }
        }
        let odd = [&bytes("\u{feff}42", u16::to_le_bytes)[..], b"\0"].concat();
        let half = [&bytes("\u{feff}", u16::to_be_bytes)[..], &[0xd8, 0]].concat();
        for body in [odd, half] {
            assert!(read(body, "identity").await.unwrap_err().to_string().contains("send it as UTF-8"));
        }
        assert_eq!(intake.memory().used(), 0);
    }

    #[test]
    fn unpacking_stops_when_the_memory_is_exhausted() {
        let memory = PushMemory::new(1 << 20);
        let mut share = memory.share();
        let error = unpack(&gzip(&vec![b'x'; 4 << 20]), 4 << 20, &mut share).unwrap_err();
        assert!(error.limit().is_some(), "{error}");
        assert_eq!(memory.used(), 0);
    }

    #[tokio::test]
    async fn unfinished_body_holds_only_the_bytes_received() {
        let intake = Intake::new(&Limits::default());
        let (sender, pieces) = tokio::sync::mpsc::unbounded_channel::<Result<Bytes, std::io::Error>>();
        let pieces = futures_util::stream::unfold(pieces, async |mut pieces| Some((pieces.recv().await?, pieces)));
        let (reading, headers) =
            (intake.clone(), HeaderMap::from_iter([("content-length".parse().unwrap(), 1_000_000.into())]));
        let reading = tokio::spawn(async move {
            reading
                .read(Body::from_stream(pieces), &headers, LimitedClient::default(), 1 << 20, |text, _| Ok(text.len()))
                .await
        });
        for sent in 1..4 {
            sender.send(Ok(Bytes::from_static(&[b'x'; 100]))).unwrap();
            while intake.memory().used() < REQUEST_BYTES + sent * 100 {
                tokio::task::yield_now().await;
            }
            assert_eq!(intake.memory().used(), REQUEST_BYTES + sent * 100);
        }
        drop(sender);
        let (len, share) = reading.await.unwrap().unwrap();
        assert_eq!((len, share.held()), (300, REQUEST_BYTES));
        drop(share);
        assert_eq!(intake.memory().used(), 0);
    }

    #[tokio::test]
    async fn rest_of_a_body_that_is_refused_by_its_head_is_read() {
        let intake = Intake::new(&Limits::default());
        for (header, is_read) in [(None, true), (Some("100-continue"), false)] {
            let mut headers = HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static("br"))]);
            headers.extend(header.map(|value| (EXPECT, HeaderValue::from_static(value))));
            let pieces = Arc::new(std::sync::atomic::AtomicUsize::new(0));
            let counted = pieces.clone();
            let body = futures_util::stream::iter(0..5).map(move |_| {
                counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                Ok::<_, std::io::Error>(Bytes::from_static(b"abc"))
            });
            let refused = intake
                .read(Body::from_stream(body), &headers, LimitedClient::default(), 100, |text, _| Ok(text.len()))
                .await;
            assert!(matches!(refused, Err(ApiError::UnknownEncoding(_))), "{refused:?}");
            assert_eq!(pieces.load(std::sync::atomic::Ordering::Relaxed), if is_read { 5 } else { 0 });
        }
    }

    #[tokio::test(start_paused = true)]
    async fn large_body_that_finds_no_parser_is_refused_with_a_reason_of_its_own() {
        let intake = Intake::new(&Limits::default());
        let all = u32::try_from(intake.parsers.available_permits()).unwrap();
        let _busy = intake.parsers.clone().acquire_many_owned(all).await.unwrap();
        let body = Body::from(vec![b'x'; SMALL + 1]);
        let refused =
            intake.read(body, &HeaderMap::new(), LimitedClient::default(), 1 << 20, |text, _| Ok(text.len())).await;
        let error = refused.unwrap_err();
        assert_eq!(error.limit(), Some(Limit::Parsers));
        assert!(!error.to_string().contains("--max-queue") && error.to_string().contains("send it again"), "{error}");
    }

    #[tokio::test]
    async fn large_body_over_the_memory_budget_is_refused_and_a_small_one_is_not() {
        let intake = Intake::new(&Limits { queue: 1 << 20, ..Limits::default() });
        let read = async |bytes: usize| {
            intake
                .read(Body::from(vec![b'x'; bytes]), &HeaderMap::new(), LimitedClient::default(), 4 << 20, |text, _| {
                    Ok(text.len())
                })
                .await
        };
        let mut share = intake.memory().share();
        share.grow(850 << 10).unwrap();
        let error = read(100 << 10).await.unwrap_err();
        assert_eq!(error.limit().map(crate::limits::Limit::label), Some("max-queue"), "{error}");
        assert!(error.to_string().contains("--max-queue") && error.to_string().contains("in a second"), "{error}");
        assert_eq!(read(10 << 10).await.unwrap().0, 10 << 10);
        drop(share);
        assert_eq!(read(100 << 10).await.unwrap().0, 100 << 10);
        assert!(read(2 << 20).await.unwrap_err().to_string().contains("send it in several"));
        assert_eq!(intake.memory().used(), 0);
    }
}
