//! Latencies, and what to say of them.

use std::time::Duration;

/// Latencies of one phase.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    /// Adds all of another part of the phase.
    pub(crate) fn extend(&mut self, more: Vec<Duration>) {
        self.0.extend(more);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The value below which `share` of them are, in milliseconds.
    pub(crate) fn quantile_ms(&mut self, share: f64) -> f64 {
        if self.0.is_empty() {
            return f64::NAN;
        }
        self.0.sort_unstable();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index"
        )]
        let at = ((self.0.len() as f64 * share) as usize).min(self.0.len() - 1);
        self.0[at].as_secs_f64() * 1e3
    }
}
