//! Moments as users write them in addresses: dates, milliseconds, or times before now.

use crate::{Duration, Millis};

/// The earliest time of a point: 2000-01-01. An earlier number is a time in seconds, or comes from a clock that was never
/// set.
pub const EARLIEST: Millis = Millis(946_684_800_000);

/// The accepted notations, for error messages.
pub const EXPECTED: &str = "a time: 2024-11-23T22:00:00Z, a date (its start in UTC), milliseconds since 1970, now, or a length of time before now like -1h";

/// Reads a moment. `rfc3339` reads a date with a time in the notation of RFC 3339.
///
/// # Errors
/// The text, with the reason where there is more to say than that it is no time.
pub fn parse(text: &str, now: Millis, rfc3339: &dyn Fn(&str) -> Option<Millis>) -> Result<Millis, String> {
    if text == "now" {
        return Ok(now);
    }
    if let Some(length) = text.strip_prefix("now-").or_else(|| text.strip_prefix('-')) {
        let duration: Duration = length.parse().map_err(|error| format!("{}: {error}", quoted(text)))?;
        return Ok(Millis(now.0.saturating_sub(duration.as_millis())));
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        let ms = text.parse().map(Millis).map_err(|_| quoted(text))?;
        // 0 means all time; any other number before 2000 is probably in seconds.
        return if ms > Millis(0) && ms < EARLIEST { Err(format!("{text}; is this in seconds?")) } else { Ok(ms) };
    }
    // An unescaped plus in an address arrives as a space.
    let mut whole = text.replace(' ', "+");
    if !whole.contains('T') {
        whole.push_str("T00:00:00Z");
    }
    rfc3339(&whole).ok_or_else(|| quoted(text))
}

/// Quotes a text. Avoids its debug format, which pulls tables of Unicode into the page.
fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// Texts that are moments, with their times in milliseconds when now is 2024-11-23T22:00:00.123Z, and texts that are
/// none, with a part of their error. Every reader of RFC 3339 is tested with them.
pub mod examples {
    use crate::Millis;

    /// Now.
    pub const NOW: Millis = Millis(1_732_399_200_123);

    /// Texts and their times.
    pub const TIMES: [(&str, u64); 9] = [
        ("now", NOW.0),
        ("-1h", NOW.0 - 3_600_000),
        ("now-90s", NOW.0 - 90_000),
        ("0", 0),
        ("1732399200123", NOW.0),
        ("2024-11-23T22:00:00.123Z", NOW.0),
        ("2024-11-23T23:00:00.123+01:00", NOW.0),
        ("2024-11-23T23:00:00.123 01:00", NOW.0),
        ("2024-11-23", 1_732_320_000_000),
    ];

    /// Texts that are no times, and a part of the reason.
    pub const WRONG: [(&str, &str); 9] = [
        ("1732399200", "seconds?"),
        ("-1hour", "not a length of time"),
        ("yesterday", "yesterday"),
        ("", ""),
        ("2024-13-23", "\"2024-13-23\""),
        ("2024-02-30", "\"2024-02-30\""),
        ("99999999999999999999", "9999"),
        ("2024-11-23T22:00:00", "2024"),
        ("2024-11-23T25:00:00Z", "2024"),
    ];
}
