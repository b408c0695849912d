//! Gives names to the series of sources, which are senders that do not name their series.
//!
//! A line of line protocol has a measurement, tags and a field, from which `influx/naming` makes a readable name. Two
//! sources can have the same readable name: `path=/var/lib` and `path=_var_lib`, or tags that differ only in their
//! keys. Their points must not end up in one series. So a series knows its source, and a source whose readable name
//! is taken gets a name of its own: the readable one with a part of the hash of the source.
//!
//! Names are given when a push is applied, in the order of the log, and are stored with the series in the same
//! transaction. So they are the same on every node and after every restart.

use rusqlite::types::{Value, ValueRef};
use shared::SeriesName;
use shared::name::MAX_SEGMENT_LEN;

use crate::log::Source;

/// The origin of the points of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeriesOrigin {
    /// Unknown: a version that did not store origins created the series. The first source with this name takes it
    /// over.
    Unknown,
    /// Senders that name the series.
    Name,
    /// A source, and the series has the source's readable name.
    Readable(Source),
    /// A source whose readable name belonged to another series.
    Suffixed(Source),
}

impl SeriesOrigin {
    /// Returns the source; `None` if senders name the series, or if the origin is unknown.
    #[must_use]
    pub fn source(self) -> Option<Source> {
        match self {
            Self::Readable(source) | Self::Suffixed(source) => Some(source),
            Self::Unknown | Self::Name => None,
        }
    }

    /// Encodes the origin for the column `source` of the table `series`.
    pub(super) fn column(self) -> Value {
        let bytes = |tag, Source { group, whole }: Source| {
            let hashes = [group.to_le_bytes(), whole.to_le_bytes()];
            Value::Blob([tag].into_iter().chain(hashes.into_iter().flatten()).collect())
        };
        match self {
            Self::Unknown => Value::Null,
            Self::Name => Value::Blob(Vec::new()),
            Self::Readable(source) => bytes(1, source),
            Self::Suffixed(source) => bytes(2, source),
        }
    }

    /// Reads the column `source`. An unreadable value becomes [`SeriesOrigin::Name`], so that no source takes the series
    /// over.
    pub(super) fn of_column(value: ValueRef<'_>) -> Self {
        let ValueRef::Blob(bytes) = value else {
            return if value == ValueRef::Null { Self::Unknown } else { Self::Name };
        };
        let Some((&tag, hashes)) = bytes.split_first() else { return Self::Name };
        let (halves, rest) = hashes.as_chunks::<8>();
        let ([group, whole], []) = (halves, rest) else { return Self::Name };
        let source = Source { group: u64::from_le_bytes(*group), whole: u64::from_le_bytes(*whole) };
        match tag {
            1 => Self::Readable(source),
            2 => Self::Suffixed(source),
            _ => Self::Name,
        }
    }
}

/// The number of hash digits in a name: none at first, then 8, then 16.
const DIGITS: [usize; 3] = [0, 8, 16];

/// Finds a free name for a source whose readable name is taken. `origin` returns the origin of the series with a
/// name, if there is one.
///
/// If the series that has the name has another measurement or other tags, a part of their hash goes behind the last
/// tag. If it differs only in the field, a part of the hash of the field goes behind the field.
pub(super) fn suffixed_name(
    readable: &SeriesName,
    source: Source,
    mut origin: impl FnMut(&SeriesName) -> Option<SeriesOrigin>,
) -> SeriesName {
    let (mut group, mut field, mut more) = (0, 0, 0_u64);
    loop {
        let name = with_hashes(readable, source, DIGITS[group], DIGITS[field], more);
        let Some(taken) = origin(&name) else { return name };
        let is_own_group = taken.source().is_some_and(|taken| taken.group == source.group);
        match (is_own_group, group, field) {
            (false, 0 | 1, _) | (true, 0 | 1, 2) => group += 1,
            (true, _, 0 | 1) | (false, 2, 0 | 1) => field += 1,
            // A sender chose these very names: the next values of the hash are tried in turn.
            _ => more += 1,
        }
    }
}

fn with_hashes(readable: &SeriesName, source: Source, group: usize, field: usize, more: u64) -> SeriesName {
    let (before, last) = readable.as_str().rsplit_once('/').unwrap_or(("", readable.as_str()));
    let mut name = String::with_capacity(readable.as_str().len() + 36);
    if !before.is_empty() {
        let (stem, tag) = before.rsplit_once('/').map_or(("", before), |(stem, tag)| (stem, tag));
        name.push_str(stem);
        if !stem.is_empty() {
            name.push('/');
        }
        push_with_hash(&mut name, tag, source.group, group);
        name.push('/');
    }
    push_with_hash(&mut name, last, source.whole.wrapping_add(more), field);
    name.parse().expect("a segment with a part of a hash is a segment")
}

/// Appends a segment and, behind it, the first `digits` of a hash. Cuts the segment if both together are too long.
fn push_with_hash(name: &mut String, segment: &str, hash: u64, digits: usize) {
    if digits == 0 {
        name.push_str(segment);
        return;
    }
    name.extend(segment.chars().take(MAX_SEGMENT_LEN - 1 - digits));
    name.push('-');
    name.push_str(&format!("{hash:016x}")[..digits]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    const A: Source = Source { group: 0x0123_4567_89ab_cdef, whole: 1 };
    const B: Source = Source { group: 0xfedc_ba98_7654_3210, whole: 2 };
    const B_OTHER_FIELD: Source = Source { whole: 0x3333_3333_3333_3333, ..B };

    #[test]
    fn origin_survives_being_written() {
        for origin in [SeriesOrigin::Unknown, SeriesOrigin::Name, SeriesOrigin::Readable(A), SeriesOrigin::Suffixed(B)]
        {
            let value = origin.column();
            assert_eq!(SeriesOrigin::of_column(ValueRef::from(&value)), origin);
        }
        assert_eq!(SeriesOrigin::of_column(ValueRef::Blob(&[1, 2, 3])), SeriesOrigin::Name);
        assert_eq!(SeriesOrigin::of_column(ValueRef::Integer(7)), SeriesOrigin::Name);
    }

    #[test]
    fn name_apart_keeps_what_is_readable_and_goes_on_until_it_is_free() {
        let mut taken: HashMap<SeriesName, SeriesOrigin> = HashMap::new();
        let mut give = |readable: &str, source: Source| {
            let readable = readable.parse().unwrap();
            let name = suffixed_name(&readable, source, |name| taken.get(name).copied());
            taken.insert(name.clone(), SeriesOrigin::Suffixed(source));
            name.to_string()
        };
        assert_eq!(give("disk/_var_lib/used", A), "disk/_var_lib/used");
        assert_eq!(give("disk/_var_lib/used", B), "disk/_var_lib-fedcba98/used");
        assert_eq!(give("disk/_var_lib/used", B_OTHER_FIELD), "disk/_var_lib-fedcba98/used-33333333");
        assert_eq!(give("mem/used__", B), "mem/used__");
        assert_eq!(give("mem/used__", B_OTHER_FIELD), "mem/used__-33333333");
        // A sender chose names that are in the way.
        let again: Vec<_> = (0..4).map(|_| give("mem/used__", B_OTHER_FIELD)).collect();
        assert_eq!(
            again,
            [
                "mem/used__-3333333333333333",
                "mem-fedcba98/used__-3333333333333333",
                "mem-fedcba9876543210/used__-3333333333333333",
                "mem-fedcba9876543210/used__-3333333333333334"
            ]
        );
    }

    #[test]
    fn name_apart_of_the_longest_segments_is_a_name() {
        let long = "東".repeat(64);
        let readable: SeriesName = format!("{long}/{long}/{long}").parse().unwrap();
        let mut tries = 0;
        let name = suffixed_name(&readable, A, |_| {
            tries += 1;
            (tries < 6).then_some(SeriesOrigin::Name)
        });
        assert_ne!(name, readable);
    }
}
