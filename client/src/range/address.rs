//! Reads and writes the range in the page's query string, so that a link shows the same range.

use shared::board::parse_duration;
use shared::{Duration, Millis, moment};

use super::{LONGEST, Range};

/// Time by which a range may end after now, in milliseconds: clocks differ.
const AHEAD_MS: u64 = 60_000;

/// The range of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressRange {
    /// The range. `None` where the address has none, or an invalid one.
    pub range: Option<Range>,
    /// Description of what is wrong in the address, for the user.
    pub problem: Option<String>,
}

impl AddressRange {
    fn wrong(problem: String) -> Self {
        Self { range: None, problem: Some(problem) }
    }
}

/// Reads the range of a query string (escapes resolved), such as `range=6h`, `from=-2h` or `from=2024-11-23&to=-1h`.
/// `from` and `to` are written as in `GET /api/history`. Without `to`, and with `to=now`, the range goes on with the
/// time. Without `from`, it begins an hour before `to`. `rfc3339` reads a date with a time.
#[must_use]
pub fn read(query: &str, now: Millis, rfc3339: &dyn Fn(&str) -> Option<Millis>) -> AddressRange {
    let field = |name: &str| {
        let pairs = query.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
    };
    if let Some(span) = field("range") {
        return match parse_duration(span) {
            Ok(span) => AddressRange { range: Some(Range::Live(span)), problem: None },
            Err(error) => AddressRange::wrong(format!("range: \"{span}\" is not a length of time; {error}.")),
        };
    }
    let moment = |name: &str| {
        let parsed = field(name).map(|text| moment::parse(text, now, rfc3339)).transpose();
        parsed.map_err(|got| format!("{name}: expected {}, got {got}.", moment::EXPECTED))
    };
    let (from, to) = match (moment("from"), moment("to")) {
        (Ok(None), Ok(None)) => return AddressRange::default(),
        (Ok(from), Ok(to)) => (from, to),
        (Err(one), Err(other)) => return AddressRange::wrong(format!("{one} {other}")),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => return AddressRange::wrong(error),
    };
    let goes_on = to.is_none() || field("to") == Some("now");
    let to = to.unwrap_or(now);
    let from = from.unwrap_or(Millis(to.0.saturating_sub(Duration::HOUR.as_millis())));
    if from >= now {
        return AddressRange::wrong("from: the range begins in the future, where there are no points.".to_owned());
    }
    if from >= to {
        return AddressRange::wrong("to: the range ends before it begins.".to_owned());
    }
    if goes_on {
        let length = now.since(from).min(LONGEST).next_multiple_of(1_000);
        return AddressRange { range: Some(Range::Live(Duration::from_millis(length))), problem: None };
    }
    let is_ahead = to.since(now) > AHEAD_MS;
    let problem = is_ahead.then(|| "to: the range ends in the future, so it is shown up to now.".to_owned());
    AddressRange { range: Range::fixed(from, if is_ahead { now } else { to }), problem }
}

/// Returns the query string with this range in place of the old one, and everything else as it was. It starts with
/// `?` unless it is empty.
#[must_use]
pub fn write(query: &str, range: Option<Range>) -> String {
    let others = write_without(query, &["range", "from", "to"]);
    let Some(range) = range else { return others };
    let range = match range {
        Range::Live(span) => format!("range={span}"),
        Range::Fixed { from, to } => format!("from={from}&to={to}"),
    };
    if others.is_empty() { format!("?{range}") } else { format!("{others}&{range}") }
}

/// Returns the query string without these keys. It starts with `?` unless it is empty.
#[must_use]
pub fn write_without(query: &str, keys: &[&str]) -> String {
    let is_kept = |pair: &&str| !pair.is_empty() && pair.split('=').next().is_none_or(|key| !keys.contains(&key));
    let pairs: Vec<&str> = query.trim_start_matches('?').split('&').filter(is_kept).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::moment::examples::NOW;

    /// Reads a date with a time, as far as these tests need it.
    fn rfc3339(text: &str) -> Option<Millis> {
        match text {
            "2024-11-23T20:00:00Z" => Some(Millis(1_732_392_000_000)),
            "2024-11-23T00:00:00Z" => Some(Millis(1_732_320_000_000)),
            "2030-01-01T00:00:00Z" => Some(Millis(1_893_456_000_000)),
            _ => None,
        }
    }

    fn read(query: &str) -> AddressRange {
        super::read(query, NOW, &rfc3339)
    }

    #[test]
    fn a_range_survives_the_address_and_leaves_the_rest_of_it() {
        for range in [
            Range::Live(Duration::HOUR),
            Range::Live("30d".parse().unwrap()),
            Range::Fixed { from: Millis(1_000_000_000_000), to: Millis(1_000_000_002_000) },
        ] {
            let query = write("?kiosk&range=5m&from=1&to=2", Some(range));
            assert!(query.starts_with("?kiosk&"), "{query}");
            assert_eq!(read(&query), AddressRange { range: Some(range), problem: None });
        }
        assert_eq!(write("?range=5m", None), "");
        assert_eq!(read("?kiosk"), AddressRange::default());
        assert_eq!(write_without("?edit&range=6h&title=A%20b", &["edit", "title"]), "?range=6h");
        assert_eq!(write_without("?edit", &["edit"]), "");
    }

    #[test]
    fn an_address_says_from_when_to_when_as_the_api_does() {
        let hours = |hours: u64| Some(Range::Live(Duration::from_secs(hours * 3_600)));
        let fixed = |from: u64, to: u64| Some(Range::Fixed { from: Millis(from), to: Millis(to) });
        for (query, wanted) in [
            ("?from=-2h", hours(2)),
            ("?from=now-2h&to=now", hours(2)),
            ("?from=-2h&to=-1h", fixed(NOW.0 - 7_200_000, NOW.0 - 3_600_000)),
            ("?from=2024-11-23&to=2024-11-23T20:00:00Z", fixed(1_732_320_000_000, 1_732_392_000_000)),
            ("?from=1732320000000&to=1732392000000", fixed(1_732_320_000_000, 1_732_392_000_000)),
            ("?to=2024-11-23T20:00:00Z", fixed(1_732_388_400_000, 1_732_392_000_000)),
            ("?from=0", Some(Range::Live(Duration::from_millis(LONGEST)))),
        ] {
            assert_eq!(read(query), AddressRange { range: wanted, problem: None }, "{query}");
        }
        let since = Duration::from_millis(1_732_399_201_000 - 1_732_392_000_000);
        assert_eq!(read("?from=2024-11-23T20:00:00Z").range, Some(Range::Live(since)));
    }

    #[test]
    fn an_address_that_makes_no_sense_says_why() {
        for (query, wanted) in [
            ("?range=soon", "range: \"soon\" is not a length of time"),
            ("?range=0s", "from 1s to 3650d"),
            ("?from=5&to=7", "is this in seconds?"),
            ("?from=1732392000", "is this in seconds?"),
            ("?from=a&to=b", "from: expected a time"),
            ("?from=a&to=b", "to: expected a time"),
            ("?from=-1h&to=-2h", "ends before it begins"),
            ("?from=-1h&to=-1h", "ends before it begins"),
            ("?from=2030-01-01", "begins in the future"),
            ("?from=2030-01-01&to=-1h", "begins in the future"),
            ("?from=", "from: expected a time"),
        ] {
            let AddressRange { range, problem } = read(query);
            assert_eq!(range, None, "{query}");
            assert!(problem.as_ref().is_some_and(|problem| problem.contains(wanted)), "{query}: {problem:?}");
        }
        let AddressRange { range, problem } = read("?from=-1h&to=2030-01-01");
        assert_eq!(range, Range::fixed(Millis(NOW.0 - 3_600_000), NOW));
        assert!(problem.unwrap().contains("up to now"));
    }
}
