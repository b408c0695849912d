//! Durations in a document: whole seconds, from one second to ten years.

use crate::Duration;

/// The longest duration: ten years of 365 days.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

/// The text is not a duration of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentDurationError {
    /// The text is not a number followed by a unit.
    #[error("write a whole number and s, m, h or d, like 60s, 5m, 1h or 7d")]
    Malformed,
    /// The duration is zero, or over ten years.
    #[error("it must be from 1s to 3650d")]
    OutOfRange,
}

/// Reads a duration as documents and addresses of boards have it: `60s`, `5m`, `1h`, `7d`. Knows fewer units than
/// [`Duration`] does, since the published schema of documents lists these.
///
/// # Errors
/// If the text has another form, or is not from one second to ten years.
pub fn parse_duration(text: &str) -> Result<Duration, DocumentDurationError> {
    let digits = text.strip_suffix(['s', 'm', 'h', 'd']).ok_or(DocumentDurationError::Malformed)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DocumentDurationError::Malformed);
    }
    // Fails only if the number is too large.
    let duration = text.parse::<Duration>().map_err(|_| DocumentDurationError::OutOfRange)?;
    if duration.as_secs() == 0 || duration > LONGEST { Err(DocumentDurationError::OutOfRange) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_duration_is_a_number_and_one_of_four_units() {
        for (text, seconds, written) in [
            ("60s", 60, "1m"),
            ("5m", 300, "5m"),
            ("1h", 3_600, "1h"),
            ("7d", 604_800, "7d"),
            ("3650d", 315_360_000, "3650d"),
        ] {
            let duration = parse_duration(text).unwrap();
            assert_eq!((duration.as_secs(), duration.to_string().as_str()), (seconds, written));
        }
    }

    #[test]
    fn other_texts_are_refused_with_a_reason() {
        for text in ["", "s", "60", "1.5h", "-1s", "+1s", "1 h", "1w", "1y", "250ms", "60ſ"] {
            assert_eq!(parse_duration(text), Err(DocumentDurationError::Malformed), "{text}");
        }
        for text in ["0s", "3651d", "99999999999999999999d", "18446744073709551615d"] {
            assert_eq!(parse_duration(text), Err(DocumentDurationError::OutOfRange), "{text}");
        }
    }
}
