//! Entry points for the fuzz targets (`fuzz/targets`) into private code. The program itself does not use them.

use shared::board::{Etag, Form};
use shared::bucket::SECOND;
use shared::{BoardId, Declared, Epoch, Millis, Number, Rolled, Seq, SeriesName, Stamp, Tier, Track, Value};

use crate::board::Document;
use crate::cli::doctor::address::Address;
use crate::ingest::intake;
use crate::limits::push_memory::PushMemory;
use crate::log::SeriesId;
use crate::rollup::packed::Packed;
use crate::store::block::Block;
use crate::store::block_id::BlockId;
use crate::store::dedup_keys::DedupKeys;
use crate::store::number_log;

/// Parses a configuration file. Returns the error message, or `None` if the file is valid.
#[must_use]
pub fn config(text: &str) -> Option<String> {
    crate::config::check(text).err().map(|error| error.to_string())
}

/// Parses an address as `doctor` does, and prints it.
#[must_use]
pub fn address(text: &str) -> Option<String> {
    text.parse::<Address>().ok().map(|address| address.to_string())
}

/// Unpacks a gzip body of at most `most` bytes. `None` where it is not gzip, or is longer.
#[must_use]
pub fn gunzip(bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    intake::unpack(bytes, most, &mut PushMemory::new(1 << 30).share()).ok()
}

/// Reads a row of the log, whose key is the first eight bytes. Its numbers must be in order and end with the key.
///
/// # Panics
/// Where they are not.
pub fn log_row(bytes: &[u8]) {
    let Some((key, row)) = bytes.split_first_chunk::<8>() else { return };
    let last = Seq(u64::from_le_bytes(*key));
    if let Ok(mut numbers) = number_log::unpack(row, last) {
        let _unreadable = number_log::unpack_sent(row, &mut numbers);
        assert!(numbers.is_sorted_by(|a, b| a.at.seq < b.at.seq));
        assert!(numbers.last().is_none_or(|number| number.at.seq == last));
    }
}

/// Reads a row of buckets as each tier. A row that can be read is written and read again, gets a point, and is merged
/// into a coarser bucket.
///
/// # Panics
/// Where unpacking and packing again changes a block.
pub fn block_row(bytes: &[u8]) {
    sent_points(bytes);
    for tier in Tier::ALL {
        let place = BlockId::holding(tier, SeriesId(7), Millis(1_732_399_200_000));
        let Ok(block) = Block::unpack(bytes, place) else { continue };
        let again = Block::unpack(&block.pack(place).expect("what was read can be written"), place);
        assert_eq!(again.ok().as_ref(), Some(&block));
        let _coarser = Rolled::over(&block.buckets, Tier::Day.width_ms());
        let _within = block.within(place.span());
        let mut block = block;
        let at = Stamp { ts: place.span().from.plus(30_000), seq: block.changed().next() };
        if tier == Tier::Second {
            block.add(at, Number::new(1.5).expect("it is finite"));
            assert_eq!(block.changed(), at.seq);
        }
    }
}

/// Reads the points of a block whose senders set their times. Points that can be read are written and read again.
///
/// # Panics
/// Where unpacking and packing again changes them.
fn sent_points(bytes: &[u8]) {
    if let Ok(sent) = DedupKeys::unpack(bytes)
        && let Some(packed) = sent.pack().expect("points that were read can be written")
    {
        assert_eq!(DedupKeys::unpack(&packed).ok(), Some(sent));
    }
}

/// Makes a track of the points in the bytes, ten bytes each; packs and unpacks it.
///
/// # Panics
/// Where the track has changed.
pub fn packed_track(bytes: &[u8]) {
    let mut track: Option<Track> = None;
    for (seq, point) in (1..).zip(bytes.chunks_exact(10)) {
        let [a, b, rest @ ..] = point else { continue };
        let ts = Millis(1_732_399_200_000 + u64::from(u16::from_le_bytes([*a, *b])) * SECOND / 7);
        let value = rest.try_into().map(f64::from_le_bytes).ok().and_then(Number::new);
        let Some(value) = value.map(Value::Number) else { continue };
        let at = Stamp { ts, seq: Seq(seq) };
        match &mut track {
            Some(track) => track.push(at, value),
            None => track = Some(Track::of(at, value)),
        }
    }
    if let Some(Track::Numbers(buckets)) = track {
        assert_eq!(Packed::of(&buckets).unpack(), buckets);
    }
}

/// Parses a text as each kind of text that the tables of series, boards and the epoch can hold.
///
/// # Panics
/// Where printing does not undo parsing.
pub fn meta_rows(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(epoch) = text.parse::<Epoch>() {
        assert_eq!(epoch.to_string(), text);
    }
    if let Ok(name) = text.parse::<SeriesName>() {
        assert_eq!(name.as_str().parse::<SeriesName>().as_ref(), Ok(&name));
    }
    if let Ok(id) = text.parse::<BoardId>() {
        assert_eq!(id.as_str().parse::<BoardId>().as_ref(), Ok(&id));
    }
    if let Ok(etag) = text.parse::<Etag>() {
        assert_eq!(etag.to_string().parse::<Etag>().ok(), Some(etag));
    }
    if let Some(declared) = Declared::of(text) {
        assert_eq!(declared.word(), text);
    }
    for form in [Form::Json, Form::Toml] {
        assert_eq!(Document::restore(form, text.to_owned()).source(), text);
    }
}
