//! The series of a field: `measurement/tag value/…/field`.

use std::fmt::Write as _;

use shared::name::{MAX_SEGMENT_LEN, MAX_SEGMENTS};

/// Most tag values that have a segment of their own, beside measurement and field.
const MAX_TAGS: usize = MAX_SEGMENTS - 2;

/// Writes the part of the name that all fields of a line share, with a slash at the end.
///
/// The values of tags stand in the order of their keys. What a segment cannot have becomes `_`; one that is too long is cut,
/// with a hash of all of it at the end, so that two that begin alike stay apart. Of many tags, the last share a segment,
/// joined by `:`.
pub(super) fn stem<'a>(name: &mut String, measurement: &str, mut tags: impl ExactSizeIterator<Item = &'a str>) {
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
pub(super) fn segment(name: &mut String, text: &str) {
    let begun = name.len();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
    name.extend(text.chars().map(|c| if allowed(c) { c } else { '_' }));
    if matches!(&name[begun..], "" | "." | "..") {
        name.truncate(begun);
        name.push('_');
    }
    if name.len() - begun > MAX_SEGMENT_LEN {
        name.truncate(begun + MAX_SEGMENT_LEN - 17);
        // Writing to a string succeeds.
        let _written = write!(name, "-{:016x}", fnv(text));
    }
}

/// FNV-1a: not for secrets, but the same on every machine and in every version.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shared::SeriesName;

    fn name(measurement: &str, tags: &[&str], field: &str) -> String {
        let mut name = String::new();
        stem(&mut name, measurement, tags.iter().copied());
        segment(&mut name, field);
        name
    }

    #[test]
    fn a_name_is_measurement_tags_and_field() {
        assert_eq!(name("cpu", &["cpu0", "web-1"], "usage_idle"), "cpu/cpu0/web-1/usage_idle");
        assert_eq!(name("disk", &["/var/lib", "größe"], "used %"), "disk/_var_lib/gr__e/used__");
        assert_eq!(name("..", &["."], "x"), "_/_/x");
        assert_eq!(name("m", &["1", "2", "3", "4", "5", "6"], "x"), "m/1/2/3/4/5/6/x");
        assert_eq!(name("m", &["1", "2", "3", "4", "5", "6", "7"], "x"), "m/1/2/3/4/5/6:7/x");
    }

    #[test]
    fn long_texts_that_begin_alike_stay_apart() {
        let [a, b] = ["a", "b"].map(|end| name("m", &[&("x".repeat(80) + end)], "y"));
        assert_ne!(a, b);
        assert!(a.parse::<SeriesName>().is_ok());
    }

    proptest! {
        #[test]
        fn every_line_has_a_name(measurement: String, tags in prop::collection::vec(".{0,80}", 0..12), field: String) {
            let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
            let name = name(&measurement, &tags, &field);
            prop_assert!(name.parse::<SeriesName>().is_ok(), "{}", name);
        }
    }
}
