//! Time-outs of the phases of a connection.

use std::time::Duration;

/// Longest duration of each phase of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the connection to its first byte. Browsers open connections before they need them.
    pub first_byte: Duration,
    /// From the first byte of TLS to the end of its handshake.
    pub handshake: Duration,
    /// From the first byte of an HTTP/2 connection to the end of its preface.
    pub preface: Duration,
    /// For the head of a request of HTTP/1; between two requests, also for its first byte.
    pub request_head: Duration,
    /// For an HTTP/2 connection without an open stream.
    pub http2_idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let [short, long] = [10, 30].map(Duration::from_secs);
        Self { first_byte: long, handshake: short, preface: short, request_head: long, http2_idle: 2 * long }
    }
}

impl Timeouts {
    /// The same time for every phase; for tests, which would wait too long otherwise.
    #[must_use]
    pub fn all(time: Duration) -> Self {
        Self { first_byte: time, handshake: time, preface: time, request_head: time, http2_idle: time }
    }
}
