//! Decides how to react to a refused stream, from the answer to one probing request.

/// The answer to the probe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeResponse {
    /// HTTP status.
    pub status: u16,
    /// The header `Retry-After`, as sent.
    pub retry_after: Option<String>,
    /// The `detail` of the body, where that is a [`shared::Problem`].
    pub detail: Option<String>,
}

/// The reason for which there is no stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status, 300 or above.
    pub status: u16,
    /// Wait before the next attempt, in milliseconds. It is used for the statuses 429 and 503.
    pub wait_ms: u64,
    /// Detail that the server gave; may be empty.
    pub detail: String,
}

/// Wait where a server that is full sends no `Retry-After`, in seconds.
const DEFAULT_RETRY_SECONDS: u64 = 5;

/// Longest wait that is accepted, in seconds: a board on a wall has no user who could reconnect it.
const MAX_RETRY_SECONDS: u64 = 600;

impl Refusal {
    /// Reads an answer. Returns `None` where the status is below 300 or nobody answered. `random` is in `0.0..1.0`;
    /// it adds up to half of the wait, so that clients with the same `Retry-After` do not return together.
    #[must_use]
    pub fn of(answer: Option<ProbeResponse>, random: f64) -> Option<Self> {
        let ProbeResponse { status, retry_after, detail } = answer?;
        if status < 300 {
            return None;
        }
        // The header may hold a date too, which no known server sends.
        let seconds = retry_after.and_then(|text| text.trim().parse().ok()).unwrap_or(DEFAULT_RETRY_SECONDS);
        let ms = seconds.clamp(1, MAX_RETRY_SECONDS) * 1_000;
        Some(Self { status, wait_ms: ms + spread(ms / 2, random), detail: detail.unwrap_or_default() })
    }

    /// Decides how to react.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self.status {
            429 | 503 => Advice::Wait(self.wait_ms),
            400..=499 => Advice::Stop,
            _ => Advice::BackOff,
        }
    }

    /// Returns true if the user may be let in after a sign-in.
    #[must_use]
    pub fn needs_sign_in(&self) -> bool {
        matches!(self.status, 401 | 403)
    }

    /// Describes the refusal in a sentence. `next_in` is the time to the next attempt in seconds, if there will be
    /// one.
    #[must_use]
    pub fn sentence(&self, next_in: Option<u64>) -> String {
        let why = match self.status {
            401 => "The server wants you to sign in first",
            403 => "The server does not let you read this board",
            404 => "There is no stream at this address: something else answers here",
            429 => "The server had too many requests",
            503 => "The server is full",
            400..=499 => "The server refuses the request",
            _ => "The server failed",
        };
        let mut sentence = match self.status {
            401 | 403 | 404 | 429 | 503 => why.to_owned(),
            400..=499 if !self.detail.is_empty() => format!("{why}: {}", self.detail.trim_end_matches('.')),
            status => format!("{why} with status {status}"),
        };
        if let Some(seconds) = next_in {
            sentence.push_str(&format!("; next try in {seconds} s"));
        }
        sentence.push('.');
        sentence
    }
}

/// Reaction to a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Retry with exponential backoff.
    BackOff,
    /// Wait for this time, in milliseconds, whatever happens meanwhile.
    Wait(u64),
    /// Stop until the user returns to the page.
    Stop,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "between 0 and five minutes"
)]
fn spread(most: u64, random: f64) -> u64 {
    (random.clamp(0.0, 1.0) * most as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, retry_after: Option<&str>) -> Option<Refusal> {
        Refusal::of(Some(ProbeResponse { status, retry_after: retry_after.map(str::to_owned), detail: None }), 0.5)
    }

    #[test]
    fn each_status_has_its_own_advice() {
        assert_eq!(refusal(200, None), None);
        assert_eq!(Refusal::of(None, 0.5), None, "nobody answered: that is the backoff's matter");
        for status in [401, 403, 404, 400, 422] {
            let refusal = refusal(status, None).unwrap();
            assert_eq!(
                (refusal.advice(), refusal.needs_sign_in()),
                (Advice::Stop, [401, 403].contains(&status)),
                "{status}"
            );
        }
        assert_eq!(refusal(503, Some("2")).unwrap().advice(), Advice::Wait(2_500));
        assert_eq!(refusal(429, Some("2")).unwrap().advice(), Advice::Wait(2_500));
        assert_eq!(refusal(503, None).unwrap().advice(), Advice::Wait(6_250));
        assert_eq!(refusal(503, Some("0")).unwrap().advice(), Advice::Wait(1_250), "never at once");
        assert_eq!(refusal(503, Some("999999999")).unwrap().advice(), Advice::Wait(750_000));
        assert_eq!(refusal(302, None).unwrap().advice(), Advice::BackOff, "a redirect that could not be followed");
        assert_eq!(refusal(502, None).unwrap().advice(), Advice::BackOff);
    }

    #[test]
    fn the_reader_is_told_in_a_sentence() {
        assert_eq!(refusal(503, Some("2")).unwrap().sentence(Some(3)), "The server is full; next try in 3 s.");
        let detail = Some("hz: expected a number.".to_owned());
        let wrong = Refusal::of(Some(ProbeResponse { status: 422, retry_after: None, detail }), 0.0);
        assert_eq!(wrong.unwrap().sentence(None), "The server refuses the request: hz: expected a number.");
    }
}
