//! Units, guessed from names.

use shared::SeriesName;

/// How a unit goes with large numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefixes {
    /// With prefixes from a thousand on: `3.2 MB`.
    FromThousand,
    /// Written out up to a million, then shortened: `12,345 ms`, `1.235 M`.
    FromMillion,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its symbol; empty where nothing is known.
    pub symbol: &'static str,
    /// How it goes with large numbers.
    pub prefixes: Prefixes,
}

/// Endings of names and what they mean; the first that fits counts, so longer ones come before their own endings.
const ENDINGS: [(&str, &str, Prefixes); 35] = [
    ("bytes_per_s", "B/s", Prefixes::FromThousand),
    ("bytes_per_sec", "B/s", Prefixes::FromThousand),
    ("bytes_per_second", "B/s", Prefixes::FromThousand),
    ("bits_per_s", "bit/s", Prefixes::FromThousand),
    ("bits_per_sec", "bit/s", Prefixes::FromThousand),
    ("bits_per_second", "bit/s", Prefixes::FromThousand),
    ("per_s", "/s", Prefixes::FromMillion),
    ("per_sec", "/s", Prefixes::FromMillion),
    ("per_second", "/s", Prefixes::FromMillion),
    ("per_min", "/min", Prefixes::FromMillion),
    ("per_minute", "/min", Prefixes::FromMillion),
    ("per_h", "/h", Prefixes::FromMillion),
    ("rps", "/s", Prefixes::FromMillion),
    ("bps", "bit/s", Prefixes::FromThousand),
    ("bytes", "B", Prefixes::FromThousand),
    ("bits", "bit", Prefixes::FromThousand),
    ("ns", "ns", Prefixes::FromMillion),
    ("us", "µs", Prefixes::FromMillion),
    ("ms", "ms", Prefixes::FromMillion),
    ("s", "s", Prefixes::FromMillion),
    ("sec", "s", Prefixes::FromMillion),
    ("seconds", "s", Prefixes::FromMillion),
    ("minutes", "min", Prefixes::FromMillion),
    ("hours", "h", Prefixes::FromMillion),
    ("pct", "%", Prefixes::FromMillion),
    ("percent", "%", Prefixes::FromMillion),
    ("celsius", "°C", Prefixes::FromMillion),
    ("hz", "Hz", Prefixes::FromThousand),
    ("rpm", "rpm", Prefixes::FromMillion),
    ("watts", "W", Prefixes::FromThousand),
    ("volts", "V", Prefixes::FromMillion),
    ("amps", "A", Prefixes::FromMillion),
    ("eur", "€", Prefixes::FromMillion),
    ("usd", "$", Prefixes::FromMillion),
    ("hpa", "hPa", Prefixes::FromMillion),
];

impl Unit {
    /// Nothing is known.
    pub const NONE: Self = Self { symbol: "", prefixes: Prefixes::FromMillion };

    /// What the name of a series says: `api/latency_ms` counts milliseconds. The ending must be set off by one of
    /// `_ . : -`, or be all of the last segment.
    #[must_use]
    pub fn of(name: &SeriesName) -> Self {
        let last = name.segments().last().unwrap_or_default().to_ascii_lowercase();
        let fits = |ending: &str| match last.strip_suffix(ending) {
            // A lone letter as a name is more likely a letter than a unit.
            Some("") => ending.len() > 1,
            Some(rest) => rest.ends_with(['_', '.', ':', '-']),
            None => false,
        };
        let found = ENDINGS.iter().find(|(ending, ..)| fits(ending));
        found.map_or(Self::NONE, |&(_, symbol, prefixes)| Self { symbol, prefixes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_of_a_name_tells_its_unit() {
        for (name, symbol) in [
            ("ops/api/latency_ms", "ms"),
            ("ops/uptime_s", "s"),
            ("ops/net_bytes_per_s", "B/s"),
            ("ops/requests_per_s", "/s"),
            ("ops/heap_bytes", "B"),
            ("ops/cpu_pct", "%"),
            ("ops/CPU_Percent", "%"),
            ("ops/ms", "ms"),
            ("ops/s", ""),
            ("ops/items", ""),
            ("ops/temp", ""),
            ("ops/bus", ""),
        ] {
            assert_eq!(Unit::of(&name.parse().unwrap()).symbol, symbol, "{name}");
        }
    }
}
