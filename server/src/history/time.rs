//! Parses a moment in a query.

use shared::{Duration, Millis};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::ingest::fields::EARLIEST;

/// The accepted notations, for error messages.
pub const EXPECTED: &str = "a time: 2024-11-23T22:00:00Z, a date (its start in UTC), milliseconds since 1970, now, or a length of time before now like -1h";

/// Parses a time.
///
/// # Errors
/// The reason why it is not valid.
pub fn parse(text: &str, now: Millis) -> Result<Millis, String> {
    if text == "now" {
        return Ok(now);
    }
    if let Some(length) = text.strip_prefix("now-").or_else(|| text.strip_prefix('-')) {
        let duration: Duration = length.parse().map_err(|error| format!("{text:?}: {error}"))?;
        return Ok(Millis(now.0.saturating_sub(duration.as_millis())));
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        let ms = text.parse().map(Millis).map_err(|_| format!("{text:?}"))?;
        // 0 means all time; any other number before 2000 is probably in seconds.
        return if ms > Millis(0) && ms < EARLIEST { Err(format!("{text}; is this in seconds?")) } else { Ok(ms) };
    }
    // An unescaped plus in an address arrives as a space.
    let mut whole = text.replace(' ', "+");
    if !whole.contains('T') {
        whole.push_str("T00:00:00Z");
    }
    let time = OffsetDateTime::parse(&whole, &Rfc3339).map_err(|_| format!("{text:?}"))?;
    Ok(Millis(u64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_732_399_200_123);

    #[test]
    fn a_time_is_a_date_or_milliseconds_or_relative_to_now() {
        for (text, ms) in [
            ("now", NOW.0),
            ("-1h", NOW.0 - 3_600_000),
            ("now-90s", NOW.0 - 90_000),
            ("0", 0),
            ("1732399200123", NOW.0),
            ("2024-11-23T22:00:00.123Z", NOW.0),
            ("2024-11-23T23:00:00.123+01:00", NOW.0),
            ("2024-11-23T23:00:00.123 01:00", NOW.0),
            ("2024-11-23", 1_732_320_000_000),
        ] {
            assert_eq!(parse(text, NOW), Ok(Millis(ms)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_says_why() {
        for (text, wanted) in [
            ("1732399200", "seconds?"),
            ("-1hour", "not a length of time"),
            ("yesterday", "yesterday"),
            ("", ""),
            ("2024-13-23", "\"2024-13-23\""),
            ("99999999999999999999", "9999"),
        ] {
            let error = parse(text, NOW).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
