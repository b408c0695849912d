//! Entry points for the fuzz targets (`fuzz/targets`) into private code. The program itself does not use them.

use shared::board::{BoardFormat, Etag};
use shared::bucket::SECOND;
use shared::{BoardId, Declared, Epoch, Millis, Number, Rolled, Seq, SeriesName, Stamp, Tier, Track, Value};

use crate::board::Document;
use crate::cli::doctor::address::Address;
use crate::ingest::intake;
use crate::limits::push_memory::PushMemory;
use crate::log::{SeriesId, stored};
use crate::rollup::packed::Packed;
use crate::store::block::{Block, Extent};
use crate::store::block_id::{BlockId, ExtentId};
use crate::store::format::{self, Section};
use crate::store::{legacy, number_log};

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

/// Reads entries in the form in which nodes exchange them. Entries that can be read are written and read again.
///
/// # Panics
/// Where writing and reading again changes them.
pub fn log_entries(bytes: &[u8]) {
    if let Ok(entries) = stored::unpack(bytes, |_, _| None) {
        let again = stored::pack(&entries, |row| unreachable!("{row:?} was not read"));
        let again = stored::unpack(&again, |_, _| None).expect("what was read can be written");
        assert_eq!(format!("{again:?}"), format!("{entries:?}"));
    }
}

/// Reads a row of buckets, and of times that senders set, as each tier and in each form. A row that can be read is written and read again, gets a point, and is merged
/// into a coarser bucket.
///
/// # Panics
/// Where unpacking and packing again changes a block.
pub fn block_row(bytes: &[u8]) {
    for tier in Tier::ALL {
        let place = BlockId::holding(tier, SeriesId(7), Millis(1_732_399_200_000));
        // With a checksum that matches, so that the columns themselves are read.
        let seal = |section, key| format::seal([&format::begin(), bytes].concat(), section, key);
        let extent_id = ExtentId::of(place);
        if let Ok(mut extent) = Extent::unpack(&seal(Section::Extent, extent_id.key()), extent_id) {
            _ = extent.unpack_sent(&seal(Section::SentOfExtent, extent_id.key()), extent_id);
            let (data, sent) = extent.pack(extent_id);
            let mut again = Extent::unpack(&data, extent_id).expect("what was read can be written");
            if let Some(sent) = sent {
                again.unpack_sent(&sent, extent_id).expect("what was read can be written");
            }
            assert_eq!(again, extent);
        }
        let old = legacy::unpack(bytes, place).ok();
        let Some(mut block) = Block::unpack(&seal(Section::Block, place.key()), place).ok().or(old) else { continue };
        let sent = block.unpack_sent(&seal(Section::SentOfBlock, place.key()), place);
        block.dedup_keys = sent.or_else(|_| legacy::unpack_sent(bytes)).unwrap_or_default();
        let mut again = Block::unpack(&block.pack(place), place).expect("what was read can be written");
        if let Some(sent) = block.pack_sent(place) {
            again.dedup_keys = again.unpack_sent(&sent, place).expect("what was read can be written");
        }
        assert_eq!(again, block);
        let _coarser = Rolled::over(&block.buckets, Tier::Day.width_ms());
        let _within = block.within(place.span());
        let at = Stamp { ts: place.span().from.plus(30_000), seq: block.changed().next() };
        if tier == Tier::Second {
            block.add(at, Number::new(1.5).expect("it is finite"));
            assert_eq!(block.changed(), at.seq);
        }
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
    for form in [BoardFormat::Json, BoardFormat::Toml] {
        assert_eq!(Document::restore(form, text.to_owned()).source(), text);
    }
}
