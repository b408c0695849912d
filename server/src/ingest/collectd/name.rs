//! Names the series of a value: `host/plugin-instance/type-instance/data source`, as collectd itself writes its
//! identifiers.

use std::fmt::Write as _;

use shared::BoardId;
use shared::name::MAX_SEGMENT_LEN;

/// The data source of types that have only one. The name carries no information, so it is left out.
const ONLY: &str = "value";

/// The identifier of a list of values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identifier<'a> {
    pub(super) host: &'a str,
    pub(super) plugin: &'a str,
    pub(super) plugin_instance: &'a str,
    pub(super) kind: &'a str,
    pub(super) type_instance: &'a str,
}

impl Identifier<'_> {
    /// Names the series of a data source. `sources` is the number of data sources of the list.
    pub(super) fn series(self, source: &str, sources: usize) -> String {
        let mut name = String::new();
        segment(&mut name, self.host);
        name.push('/');
        segment(&mut name, &joined(self.plugin, self.plugin_instance));
        name.push('/');
        segment(&mut name, &joined(self.kind, self.type_instance));
        if sources > 1 || source != ONLY {
            name.push('/');
            segment(&mut name, source);
        }
        name
    }
}

fn joined(name: &str, instance: &str) -> String {
    if instance.is_empty() { name.to_owned() } else { format!("{name}-{instance}") }
}

/// Writes a text as a segment. If the text is not a valid segment, characters that do not fit become `_`, and a hash
/// of the whole text is appended, so that no two texts become the same segment.
fn segment(name: &mut String, text: &str) {
    if text.parse::<BoardId>().is_ok() {
        return name.push_str(text);
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
    name.extend(text.chars().take(MAX_SEGMENT_LEN - 17).map(|c| if fits(c) { c } else { '_' }));
    // Writing to a string succeeds.
    let _written = write!(name, "-{:016x}", fnv(text));
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

    fn named(parts: [&str; 5], source: &str, sources: usize) -> String {
        let [host, plugin, plugin_instance, kind, type_instance] = parts;
        Identifier { host, plugin, plugin_instance, kind, type_instance }.series(source, sources)
    }

    #[test]
    fn names_are_as_collectd_writes_them() {
        for (parts, source, sources, wanted) in [
            (["web-1", "cpu", "0", "cpu", "idle"], "value", 1, "web-1/cpu-0/cpu-idle"),
            (["web-1", "load", "", "load", ""], "shortterm", 3, "web-1/load/load/shortterm"),
            (["web-1", "interface", "eth0", "if_octets", ""], "rx", 2, "web-1/interface-eth0/if_octets/rx"),
            (["web-1", "df", "root", "df_complex", "free"], "value", 1, "web-1/df-root/df_complex-free"),
            (["web-1", "x", "", "y", ""], "value", 2, "web-1/x/y/value"),
        ] {
            assert_eq!(named(parts, source, sources), wanted);
        }
        let spoilt = named(["web 1", "df", "mnt data", "df_complex", "free"], "value", 1);
        assert!(spoilt.starts_with("web_1-") && spoilt.contains("/df-mnt_data-"), "{spoilt}");
    }

    proptest! {
        #[test]
        fn every_text_makes_a_segment_and_no_two_texts_the_same(a in ".{0,80}", b in ".{0,80}") {
            let made = [&a, &b].map(|text| {
                let mut name = String::new();
                segment(&mut name, text);
                name
            });
            for name in &made {
                prop_assert!(name.parse::<SeriesName>().is_ok(), "{}", name);
            }
            prop_assert_eq!(a == b, made[0] == made[1]);
        }
    }
}
