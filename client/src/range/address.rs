//! Reads and writes the range in the page's query string, so that a link shows the same range.

use shared::Millis;
use shared::board::parse_duration;

use super::Range;

/// Reads the range of a query string, such as `range=6h` or `from=1732399200123&to=1732402800123`. Returns `None`
/// where there is none, or an invalid one.
#[must_use]
pub fn read(query: &str) -> Option<Range> {
    let field = |name: &str| {
        let pairs = query.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
    };
    if let Some(span) = field("range").and_then(|span| parse_duration(span).ok()) {
        return Some(Range::Live(span));
    }
    let moment = |name| field(name).and_then(|ms| ms.parse().ok()).map(Millis);
    Range::fixed(moment("from")?, moment("to")?)
}

/// Returns the query string with this range in place of the old one, and everything else as it was. It starts with
/// `?` unless it is empty.
#[must_use]
pub fn write(query: &str, range: Option<Range>) -> String {
    let ours = |pair: &&str| matches!(pair.split('=').next(), Some("range" | "from" | "to"));
    let others = query.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty() && !ours(pair));
    let mut pairs: Vec<String> = others.map(str::to_owned).collect();
    pairs.extend(range.map(|range| match range {
        Range::Live(span) => format!("range={span}"),
        Range::Fixed { from, to } => format!("from={from}&to={to}"),
    }));
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_survives_the_address_and_leaves_the_rest_of_it() {
        for range in [
            Range::Live(shared::Duration::HOUR),
            Range::Live("30d".parse().unwrap()),
            Range::Fixed { from: Millis(1_000), to: Millis(2_000) },
        ] {
            let query = write("?kiosk&range=5m&from=1&to=2", Some(range));
            assert!(query.starts_with("?kiosk&"), "{query}");
            assert_eq!(read(&query), Some(range));
        }
        assert_eq!(write("?range=5m", None), "");
    }

    #[test]
    fn an_address_that_makes_no_sense_says_nothing() {
        for query in ["", "?range=soon", "?from=5", "?from=5&to=5", "?from=9&to=5", "?from=a&to=b"] {
            assert_eq!(read(query), None, "{query}");
        }
    }
}
