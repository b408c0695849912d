//! Computes the wait before the next attempt to connect.

/// Upper bound of the first wait, in milliseconds.
pub const BASE_MS: f64 = 500.0;
/// Upper bound of every wait, in milliseconds: a board on a wall should be back soon after its server.
pub const CAP_MS: f64 = 10_000.0;

/// Returns the wait in milliseconds before attempt `attempt` (0 for the first): exponential backoff with full jitter.
/// It is evenly spread over `0..min(cap, base · 2^attempt)`, so that a thousand pages that lost the same server do
/// not return together. `random` is in `0.0..1.0`.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and CAP_MS")]
pub fn delay_ms(attempt: u32, random: f64) -> u64 {
    let most = (BASE_MS * f64::from(attempt.min(16)).exp2()).min(CAP_MS);
    (random.clamp(0.0, 1.0) * most) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_wait_doubles_until_the_cap() {
        let longest: Vec<u64> = (0..7).map(|attempt| delay_ms(attempt, 1.0)).collect();
        assert_eq!(longest, [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
        assert_eq!(delay_ms(u32::MAX, 1.0), 10_000);
    }

    #[test]
    fn waits_are_spread_over_all_of_the_range() {
        assert_eq!(delay_ms(3, 0.0), 0);
        assert_eq!(delay_ms(3, 0.5), 2_000);
        assert_eq!(delay_ms(3, 7.0), 4_000, "a number out of range is taken as the nearest in it");
    }
}
