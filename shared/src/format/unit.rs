//! Units: declared in a document, or guessed from the names of series.

use crate::SeriesName;
use crate::board::Show;
use crate::board::Unit;
use crate::board::unit::KnownUnit;

use super::symbol::Symbol;

/// The way in which a unit treats large and small numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// With prefixes from a thousand on: `3.2 MB`.
    FromThousand,
    /// In full up to a million, then with prefixes: `12,345 rpm`, `1.235 M`.
    FromMillion,
    /// All digits.
    Never,
    /// A duration, written in the unit that fits: 1,250 ms are `1.25 s`.
    Time(TimeUnit),
    /// A ratio; 1 is written `100 %`.
    Ratio,
}

/// The unit in which a duration is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimeUnit {
    /// 10⁻⁹ s.
    Nanosecond,
    /// 10⁻⁶ s.
    Microsecond,
    /// 10⁻³ s.
    Millisecond,
    /// 1 s.
    Second,
    /// 60 s.
    Minute,
    /// 3,600 s.
    Hour,
    /// 86,400 s.
    Day,
}

impl TimeUnit {
    /// All units, the longest first.
    pub(super) const ALL: [Self; 7] =
        [Self::Day, Self::Hour, Self::Minute, Self::Second, Self::Millisecond, Self::Microsecond, Self::Nanosecond];

    /// The length in seconds.
    #[must_use]
    pub fn seconds(self) -> f64 {
        match self {
            Self::Nanosecond => 1e-9,
            Self::Microsecond => 1e-6,
            Self::Millisecond => 1e-3,
            Self::Second => 1.0,
            Self::Minute => 60.0,
            Self::Hour => 3_600.0,
            Self::Day => 86_400.0,
        }
    }

    /// The symbol.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Nanosecond => "ns",
            Self::Microsecond => "µs",
            Self::Millisecond => "ms",
            Self::Second => "s",
            Self::Minute => "min",
            Self::Hour => "h",
            Self::Day => "d",
        }
    }
}

/// The unit of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitFormat {
    /// The symbol.
    pub symbol: Symbol,
    /// The treatment of large and small numbers.
    pub scaling: Scaling,
}

/// Endings of names and their units. The first match wins, so longer endings come before their own suffixes.
const ENDINGS: [(&str, &str, Scaling); 36] = [
    ("bytes_per_s", "B/s", Scaling::FromThousand),
    ("bytes_per_sec", "B/s", Scaling::FromThousand),
    ("bytes_per_second", "B/s", Scaling::FromThousand),
    ("bits_per_s", "bit/s", Scaling::FromThousand),
    ("bits_per_sec", "bit/s", Scaling::FromThousand),
    ("bits_per_second", "bit/s", Scaling::FromThousand),
    ("per_s", "/s", Scaling::FromMillion),
    ("per_sec", "/s", Scaling::FromMillion),
    ("per_second", "/s", Scaling::FromMillion),
    ("per_min", "/min", Scaling::FromMillion),
    ("per_minute", "/min", Scaling::FromMillion),
    ("per_h", "/h", Scaling::FromMillion),
    ("rps", "/s", Scaling::FromMillion),
    ("bps", "bit/s", Scaling::FromThousand),
    ("bytes", "B", Scaling::FromThousand),
    ("bits", "bit", Scaling::FromThousand),
    ("ns", "", Scaling::Time(TimeUnit::Nanosecond)),
    ("us", "", Scaling::Time(TimeUnit::Microsecond)),
    ("ms", "", Scaling::Time(TimeUnit::Millisecond)),
    ("s", "", Scaling::Time(TimeUnit::Second)),
    ("sec", "", Scaling::Time(TimeUnit::Second)),
    ("seconds", "", Scaling::Time(TimeUnit::Second)),
    ("minutes", "", Scaling::Time(TimeUnit::Minute)),
    ("hours", "", Scaling::Time(TimeUnit::Hour)),
    ("pct", "%", Scaling::Never),
    ("percent", "%", Scaling::Never),
    ("ratio", "", Scaling::Ratio),
    ("celsius", "°C", Scaling::Never),
    ("hz", "Hz", Scaling::FromThousand),
    ("rpm", "rpm", Scaling::FromMillion),
    ("watts", "W", Scaling::FromThousand),
    ("volts", "V", Scaling::FromMillion),
    ("amps", "A", Scaling::FromMillion),
    ("eur", "€", Scaling::FromMillion),
    ("usd", "$", Scaling::FromMillion),
    ("hpa", "hPa", Scaling::FromMillion),
];

impl UnitFormat {
    fn new(symbol: &str, scaling: Scaling) -> Self {
        Self { symbol: Symbol::new(symbol), scaling }
    }

    /// The unit of a number about which nothing is known.
    #[must_use]
    pub fn none() -> Self {
        Self::new("", Scaling::FromMillion)
    }

    /// The symbol of the unit itself, without a prefix: `ms`, `B/s`, `%`. Empty for numbers without a unit.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.scaling {
            Scaling::Time(unit) => unit.symbol(),
            Scaling::Ratio => "%",
            _ => self.symbol.as_str(),
        }
    }

    /// The unit of the document, or else a guess from the name of the series: `api/latency_ms` is in milliseconds.
    /// The ending must follow one of `_ . : -`, or be the whole last segment.
    #[must_use]
    pub fn of(declared: Option<&Unit>, name: &SeriesName) -> Self {
        declared.map_or_else(|| Self::guess(name), Self::declared)
    }

    /// The unit of a derived number, such as a rate, of numbers in this unit.
    #[must_use]
    pub fn shown(self, show: Show) -> Self {
        match show {
            Show::Count => Self::none(),
            Show::Rate => match self.scaling {
                Scaling::Time(unit) => Self::new(&format!("{}/s", unit.symbol()), Scaling::FromMillion),
                Scaling::Ratio => Self::new("/s", Scaling::FromMillion),
                scaling => Self::new(&format!("{}/s", self.symbol.as_str()), scaling),
            },
            _ => self,
        }
    }

    /// The unit that a document declares.
    #[must_use]
    pub fn declared(unit: &Unit) -> Self {
        let known = match unit {
            Unit::Symbol(symbol) => return Self::new(symbol, Scaling::FromMillion),
            Unit::Known(known) => known,
        };
        let (symbol, scaling) = match known {
            KnownUnit::Bytes => ("B", Scaling::FromThousand),
            KnownUnit::BytesPerSecond => ("B/s", Scaling::FromThousand),
            KnownUnit::Bits => ("bit", Scaling::FromThousand),
            KnownUnit::BitsPerSecond => ("bit/s", Scaling::FromThousand),
            KnownUnit::Microseconds => ("", Scaling::Time(TimeUnit::Microsecond)),
            KnownUnit::Milliseconds => ("", Scaling::Time(TimeUnit::Millisecond)),
            KnownUnit::Seconds => ("", Scaling::Time(TimeUnit::Second)),
            KnownUnit::Percent => ("%", Scaling::Never),
            KnownUnit::Ratio => ("", Scaling::Ratio),
            KnownUnit::PerSecond => ("/s", Scaling::FromMillion),
            KnownUnit::Si => ("", Scaling::FromThousand),
            KnownUnit::Plain => ("", Scaling::Never),
        };
        Self::new(symbol, scaling)
    }

    fn guess(name: &SeriesName) -> Self {
        let last = name.segments().last().unwrap_or_default().to_ascii_lowercase();
        let fits = |ending: &str| match last.strip_suffix(ending) {
            // A name of a single letter is more likely an ordinary name than a unit.
            Some("") => ending.len() > 1,
            Some(rest) => rest.ends_with(['_', '.', ':', '-']),
            None => false,
        };
        let found = ENDINGS.iter().find(|(ending, ..)| fits(ending));
        found.map_or_else(Self::none, |&(_, symbol, scaling)| Self::new(symbol, scaling))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::number::NumberFormat;

    fn written(unit: UnitFormat, value: f64) -> String {
        NumberFormat::of(unit, value, std::iter::empty()).text(value).replace('\u{a0}', " ")
    }

    #[test]
    fn the_ending_of_a_name_tells_its_unit() {
        for (name, text) in [
            ("ops/api/latency_ms", "42 ms"),
            ("ops/uptime_s", "42 s"),
            ("ops/net_bytes_per_s", "42 B/s"),
            ("ops/requests_per_s", "42 /s"),
            ("ops/heap_bytes", "42 B"),
            ("ops/cpu_pct", "42 %"),
            ("ops/CPU_Percent", "42 %"),
            ("ops/hit_ratio", "4,200 %"),
            ("ops/ms", "42 ms"),
            ("ops/s", "42"),
            ("ops/items", "42"),
            ("ops/temp", "42"),
            ("ops/bus", "42"),
        ] {
            assert_eq!(written(UnitFormat::of(None, &name.parse().unwrap()), 42.0), text, "{name}");
        }
    }

    #[test]
    fn what_a_document_declares_comes_before_the_name() {
        for (declared, value, text) in [
            ("bytes", 3_200_000.0, "3.20 MB"),
            ("bits/s", 12_000.0, "12.0 kbit/s"),
            ("us", 850.0, "850 µs"),
            ("s", 0.042, "42 ms"),
            ("%", 99.5, "99.5 %"),
            ("ratio", 0.9995, "99.95 %"),
            ("ratio", 0.07, "7 %"),
            ("si", 12_345.0, "12.3 k"),
            ("plain", 12_345_678.0, "12,345,678"),
            ("/s", 12.0, "12 /s"),
            ("rpm", 1_200.0, "1,200 rpm"),
        ] {
            let declared = declared.parse().unwrap();
            let unit = UnitFormat::of(Some(&declared), &"ops/latency_ms".parse().unwrap());
            assert_eq!(written(unit, value), text);
        }
    }

    #[test]
    fn a_rate_is_of_its_unit_a_second_and_a_count_of_none() {
        let name = "ops/sent_bytes".parse().unwrap();
        let unit = UnitFormat::of(None, &name);
        assert_eq!(written(unit.shown(Show::Rate), 4_200.0), "4.20 kB/s");
        assert_eq!(written(unit.shown(Show::Count), 4_200.0), "4,200");
        assert_eq!(written(unit.shown(Show::P99), 42.0), "42 B");
        assert_eq!(written(UnitFormat::none().shown(Show::Rate), 42.0), "42 /s");
    }
}
