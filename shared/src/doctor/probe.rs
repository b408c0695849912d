//! The interface of `GET /sse/probe`: its path, its events, and the times at which its frames are due.

use serde::{Deserialize, Serialize};

use crate::Millis;

/// The type of the probe's events.
pub const EVENT: &str = "probe";

/// The path of the probe. It is below `/sse`, so that a proxy's configuration of the stream applies to the probe too.
pub const PATH: &str = "/sse/probe";

/// The pauses of an uneven probe, in percent of the mean pause. A buffer that empties itself in step with even pauses
/// would go unnoticed. The pauses come in threes, so that most events fall into the time for which another event is
/// held.
const UNEVEN_PERCENT: [u64; 9] = [25, 30, 245, 30, 25, 245, 25, 35, 240];

/// Milliseconds from the first frame of a probe to frame `n`, for one frame each `every_ms` on average.
#[must_use]
pub fn due_ms(n: u32, every_ms: u64, uneven: bool) -> u64 {
    if !uneven {
        return every_ms * u64::from(n);
    }
    let rounds = u64::from(n) / UNEVEN_PERCENT.len() as u64;
    let round: u64 = UNEVEN_PERCENT.iter().sum();
    let rest: u64 = UNEVEN_PERCENT.iter().take(n as usize % UNEVEN_PERCENT.len()).sum();
    every_ms * (rounds * round + rest) / 100
}

/// The data of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The number of the frame, from 0.
    pub n: u32,
    /// The server's clock.
    pub now: Millis,
    /// The received request; only in the first frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo: Option<Echo>,
}

/// The parts of the request that reached the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// Last-Event-ID.
    pub last_event_id: Option<String>,
    /// Accept-Encoding.
    pub accept_encoding: Option<String>,
    /// The HTTP version in which the last proxy spoke to the server, such as `HTTP/1.1`.
    pub http: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uneven_probe_takes_as_long_as_an_even_one_and_never_goes_back() {
        for n in 0..100 {
            assert_eq!(due_ms(n, 200, false), u64::from(n) * 200);
            assert!(due_ms(n + 1, 200, true) >= due_ms(n, 200, true) + 50);
        }
        assert_eq!(due_ms(9, 200, true), due_ms(9, 200, false));
        assert_eq!(due_ms(90, 7, true), due_ms(90, 7, false));
    }
}
