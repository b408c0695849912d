//! Parses a moment in a query.

use shared::{Millis, moment};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use moment::EXPECTED;

/// Parses a time, as the page does in its address ([`moment`]).
///
/// # Errors
/// The reason why it is not valid.
pub fn parse(text: &str, now: Millis) -> Result<Millis, String> {
    moment::parse(text, now, &|text| {
        let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        Some(Millis(u64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use moment::examples::{NOW, TIMES, WRONG};

    #[test]
    fn a_time_is_a_date_or_milliseconds_or_relative_to_now() {
        for (text, ms) in TIMES {
            assert_eq!(parse(text, NOW), Ok(Millis(ms)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_says_why() {
        for (text, wanted) in WRONG {
            let error = parse(text, NOW).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
