//! Names the series of a field: the readable name `measurement/tag value/…/field`, and the source.
//!
//! The readable name leaves out the keys of tags and replaces characters that a segment cannot have, so several
//! sources may have the same one. [`Source`] tells them apart. The first source gets the readable name;
//! [`source`](crate::store::source) gives the others names with a hash.

use std::borrow::Cow;
use std::fmt::Write as _;

use shared::name::{MAX_SEGMENT_LEN, MAX_SEGMENTS, is_allowed};
use shared::nfc;

use crate::log::Source;

/// The most tag values that have a segment of their own, besides measurement and field.
const MAX_TAGS: usize = MAX_SEGMENTS - 2;

/// Characters that are kept of a segment that is too long, before the hash of its whole text.
const CUT: usize = MAX_SEGMENT_LEN - 17;

/// Names the series of the fields of a line. Reused from line to line, so that it allocates nothing.
#[derive(Debug, Default)]
pub(super) struct Naming {
    name: String,
    /// The measurement, the number of tags, and the tags. Each text has its length before it, so no two sources have
    /// the same bytes.
    source: Vec<u8>,
    stem_of_name: usize,
    stem_of_source: usize,
    group: u64,
}

impl Naming {
    /// Begins a line. The tags must be in the order of their keys, so that their order in the line does not matter.
    pub(super) fn line(&mut self, measurement: &str, tags: &[(Cow<'_, str>, Cow<'_, str>)]) {
        stem(&mut self.name, measurement, tags.iter().map(|(_, value)| &**value));
        self.source.clear();
        self.part(measurement);
        self.source.extend_from_slice(&length(tags.len()));
        for (key, value) in tags {
            self.part(key);
            self.part(value);
        }
        self.group = Source::group(&self.source);
        (self.stem_of_name, self.stem_of_source) = (self.name.len(), self.source.len());
    }

    /// Returns the readable name of a field of the line, and its source.
    pub(super) fn field(&mut self, field: &str) -> (&str, Source) {
        self.name.truncate(self.stem_of_name);
        segment(&mut self.name, field);
        self.source.truncate(self.stem_of_source);
        self.source.extend_from_slice(field.as_bytes());
        (&self.name, Source::in_group(self.group, &self.source))
    }

    fn part(&mut self, text: &str) {
        self.source.extend_from_slice(&length(text.len()));
        self.source.extend_from_slice(text.as_bytes());
    }
}

/// Encodes a length as four bytes; a body is shorter than 4 GiB.
fn length(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes()
}

/// Writes the part of the name that all fields of a line share, with a slash at the end.
///
/// The values of tags stand in the order of their keys. Characters that a segment cannot have become `_`. A segment
/// that is too long is cut, with a hash of its whole text at the end, so that two texts that begin alike stay apart.
/// If there are too many tags, the last ones share a segment, joined by `:`.
fn stem<'a>(name: &mut String, measurement: &str, mut tags: impl ExactSizeIterator<Item = &'a str>) {
    name.clear();
    segment(name, measurement);
    let own = if tags.len() > MAX_TAGS { MAX_TAGS - 1 } else { tags.len() };
    for value in tags.by_ref().take(own) {
        name.push('/');
        segment(name, value);
    }
    if tags.len() > 0 {
        let rest: Vec<&str> = tags.collect();
        name.push('/');
        segment(name, &rest.join(":"));
    }
    name.push('/');
}

/// Writes a text as a segment.
fn segment(name: &mut String, text: &str) {
    let begun = name.len();
    // Nearly every text is ASCII and allowed as it is.
    if text.bytes().all(|byte| byte.is_ascii() && is_allowed(byte.into())) {
        name.push_str(text);
    } else {
        name.extend(nfc(text).chars().map(|c| if is_allowed(c) { c } else { '_' }));
    }
    if matches!(&name[begun..], "" | "." | "..") {
        name.truncate(begun);
        name.push('_');
    }
    // A character has at least one byte.
    if name.len() - begun > MAX_SEGMENT_LEN
        && let Some((cut, _)) = name[begun..].char_indices().nth(CUT)
        && name[begun..].chars().nth(MAX_SEGMENT_LEN).is_some()
    {
        name.truncate(begun + cut);
        // Writing to a string succeeds.
        let _written = write!(name, "-{:016x}", fnv(text));
    }
}

/// FNV-1a: not cryptographic, but the same on every machine and in every version.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shared::SeriesName;

    fn named(measurement: &str, tags: &[(&str, &str)], field: &str) -> (String, Source) {
        let tags: Vec<_> = tags.iter().map(|&(key, value)| (key.into(), value.into())).collect();
        let mut naming = Naming::default();
        naming.line("another", &[]);
        naming.field("field");
        naming.line(measurement, &tags);
        let (name, source) = naming.field(field);
        (name.to_owned(), source)
    }

    fn name(measurement: &str, values: &[&str], field: &str) -> String {
        let tags: Vec<_> = values.iter().map(|&value| ("key", value)).collect();
        named(measurement, &tags, field).0
    }

    #[test]
    fn a_name_is_measurement_tags_and_field() {
        assert_eq!(name("cpu", &["cpu0", "web-1"], "usage_idle"), "cpu/cpu0/web-1/usage_idle");
        assert_eq!(name("disk", &["/var/lib", "größe"], "used %"), "disk/_var_lib/größe/used__");
        assert_eq!(name("weather", &["東京"], "t"), "weather/東京/t");
        assert_eq!(name("wetter", &["au\u{df}en", "ku\u{308}che"], "t"), "wetter/außen/küche/t");
        assert_eq!(name("..", &["."], "x"), "_/_/x");
        assert_eq!(name("m", &["1", "2", "3", "4", "5", "6"], "x"), "m/1/2/3/4/5/6/x");
        assert_eq!(name("m", &["1", "2", "3", "4", "5", "6", "7"], "x"), "m/1/2/3/4/5/6:7/x");
    }

    #[test]
    fn long_texts_that_begin_alike_stay_apart() {
        for character in ["x", "東"] {
            let [a, b] = ["a", "b"].map(|end| name("m", &[&(character.repeat(80) + end)], "y"));
            assert_ne!(a, b);
            assert!(a.parse::<SeriesName>().is_ok());
        }
        assert_eq!(name("m", &[&"東".repeat(64)], "y"), format!("m/{}/y", "東".repeat(64)));
    }

    #[test]
    fn sources_with_one_readable_name_are_told_apart() {
        let all = [
            named("m", &[("a", "1")], "x"),
            named("m", &[("b", "1")], "x"),
            named("m", &[("a", "1"), ("a", "1")], "x"),
            named("m", &[("a", "/")], "x"),
            named("m", &[("a", "_")], "x"),
            named("m", &[("a", "_")], "_"),
            named("m", &[("a", "_")], "/"),
            named("m", &[("a", "é")], "x"),
            named("m", &[("a", "e\u{301}")], "x"),
            named("m", &[], "1x"),
            named("m", &[("", "1")], "x"),
        ];
        let sources: std::collections::HashSet<_> = all.iter().map(|(_, source)| *source).collect();
        assert_eq!(sources.len(), all.len());
    }

    proptest! {
        #[test]
        fn every_line_has_a_name(measurement: String, tags in prop::collection::vec(".{0,80}", 0..12), field: String) {
            let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
            let name = name(&measurement, &tags, &field);
            let parsed = name.parse::<SeriesName>();
            prop_assert_eq!(parsed.map(|parsed| parsed.to_string()), Ok(name));
        }
    }
}
