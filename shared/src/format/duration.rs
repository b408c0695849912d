//! Formats durations.

/// Formats a duration in its largest sensible unit: `12 s`, `3 min`, `2 h`, `5 d`. Rounds down: a thing is 59 s old
/// until it is a minute old.
#[must_use]
pub fn duration(ms: u64) -> String {
    let s = ms / 1_000;
    match s {
        0..60 => format!("{s} s"),
        60..3_600 => format!("{} min", s / 60),
        3_600..86_400 => format!("{} h", s / 3_600),
        _ => format!("{} d", s / 86_400),
    }
}

/// Formats an age: `now`, `12 s ago`.
#[must_use]
pub fn ago(ms: u64) -> String {
    if ms < 1_000 { "now".to_owned() } else { format!("{} ago", duration(ms)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_told_in_its_largest_unit() {
        for (ms, text) in [
            (999, "0 s"),
            (12_345, "12 s"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (3 * 60_000, "3 min"),
            (7_200_000, "2 h"),
            (5 * 86_400_000, "5 d"),
        ] {
            assert_eq!(duration(ms), text);
        }
        assert_eq!(ago(10), "now");
        assert_eq!(ago(12_000), "12 s ago");
    }
}
