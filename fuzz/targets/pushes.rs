//! Fuzz targets for the bodies of pushes.

use std::io::Write as _;

use pulseboard::fuzzing;
use pulseboard::http::problem::ApiError;
use pulseboard::ingest::batch_builder::{Batch, BatchBuilder};
use pulseboard::ingest::body::Content;
use pulseboard::ingest::fields::Acceptance;
use pulseboard::ingest::influx;
use pulseboard::ingest::influx::Precision;
use pulseboard::ingest::lookup::SeriesLookup;
use pulseboard::ingest::{batch, body};
use pulseboard::limits::push_memory::PushMemory;
use pulseboard::store::Directory;
use shared::{Millis, Value};

const NOW: Millis = Millis(1_732_399_200_123);
const ACCEPTED: Acceptance = Acceptance { now: NOW, late_ms: 86_400_000 };

/// The most points of a push here.
const MOST: usize = 1_000;

/// Reads a body of at most [`MOST`] points with `read`.
fn gather(read: impl FnOnce(BatchBuilder<'_>) -> Result<Batch, ApiError>) -> Result<Batch, ApiError> {
    let directory = Directory::default();
    let memory = PushMemory::new(1 << 30);
    let mut share = memory.share();
    let read = read(BatchBuilder::new(SeriesLookup::unrestricted(&directory), MOST, &mut share));
    if let Ok(batch) = &read {
        assert!((1..=MOST).contains(&batch.points.len()) && batch.points.len() == batch.lines.len());
    }
    read
}

/// A batch as NDJSON or as an array. The fast scan of plain objects agrees with the slow parser, which is forced by
/// an escape in a key.
pub fn batch(bytes: &[u8]) {
    let points = |bytes: &[u8]| gather(|builder| batch::points(bytes, ACCEPTED, builder));
    let read = points(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return assert!(read.is_err()) };
    let escaped = text.replace("\"series\"", "\"\\u0073eries\"");
    let long = points(escaped.as_bytes());
    assert_eq!(read.is_ok(), long.is_ok(), "{read:?} {long:?}");
    if let (Ok(read), Ok(long)) = (read, long) {
        assert_eq!(read, long);
    }
}

/// A single point, or an object of numbers. A point is equal after it is written and read again.
pub fn point(bytes: &[u8]) {
    let one = match body::read(bytes, ACCEPTED) {
        Ok(Content::Point(one)) => one,
        Ok(Content::Fields(all)) => {
            assert!(!all.is_empty());
            return assert!(
                all.iter().all(|(_, one)| ACCEPTED.takes(one.time.ts) && matches!(one.value, Value::Number(_)))
            );
        }
        Err(_) => return,
    };
    assert!(ACCEPTED.takes(one.time.ts));
    let again = |written: &str| match body::read(written.as_bytes(), ACCEPTED).expect("what was read is right") {
        Content::Point(one) => one,
        Content::Fields(all) => panic!("{all:?}"),
    };
    match one.value {
        Value::Number(number) => {
            let written = format!("{{\"value\":{},\"ts\":{}}}", number.get(), one.time.ts.0);
            let again = again(&written);
            assert_eq!((again.time.ts, again.value), (one.time.ts, one.value));
        }
        Value::Text(text) => {
            let written = serde_json::json!({"text": text.as_str(), "ts": one.time.ts.0}).to_string();
            let again = again(&written);
            assert_eq!((again.time.ts, again.value), (one.time.ts, Value::Text(text)));
        }
    }
}

/// Lines of InfluxDB's protocol, after a byte that selects the precision. Further lines after valid ones do not
/// change these, and each line is a point or is counted as wrong.
pub fn line_protocol(bytes: &[u8]) {
    let Some((&first, body)) = bytes.split_first() else { return };
    let words = ["", "ns", "us", "ms", "s", "m", "h"];
    let precision = Precision::of(words[usize::from(first) % words.len()]).expect("these are its words");
    let read = |body: &[u8]| {
        let (directory, memory) = (Directory::default(), PushMemory::new(1 << 30));
        let mut share = memory.share();
        let read = influx::read(
            body,
            precision,
            ACCEPTED,
            BatchBuilder::new(SeriesLookup::unrestricted(&directory), MOST, &mut share),
        );
        if let Ok(read) = &read {
            assert!(read.batch.points.len() <= MOST && read.batch.points.len() == read.batch.lines.len());
            assert!(read.batch.lines.is_sorted() && read.wrong.listed.len() <= read.wrong.count);
        }
        read
    };
    let Ok(whole) = read(body) else { return };
    let more = [body, b"\nfuzz more=1"].concat();
    match read(&more) {
        // If a text is left open, the added line does not close it.
        Ok(more) => assert!(more.batch.points.starts_with(&whole.batch.points)),
        Err(error) => assert_eq!(whole.batch.points.len(), MOST, "{error}"),
    }
}

/// Decompresses input that claims to be gzip, and input that is.
pub fn gzip(bytes: &[u8]) {
    const MOST: usize = 64 << 10;
    if let Some(whole) = fuzzing::gunzip(bytes, MOST) {
        assert!(whole.len() <= MOST);
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes it");
    let packed = encoder.finish().expect("memory takes it");
    match fuzzing::gunzip(&packed, MOST) {
        Some(whole) => assert_eq!(whole, bytes),
        None => assert!(bytes.len() > MOST),
    }
}
