//! What `GET /sse/probe` is asked and says.

use serde::{Deserialize, Serialize};

use crate::Millis;

/// The type of its events.
pub const EVENT: &str = "probe";

/// The path. Below `/sse`, so that what is configured for the stream holds for the probe, too.
pub const PATH: &str = "/sse/probe";

/// The data of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Which it is, from 0.
    pub n: u32,
    /// The server's clock.
    pub now: Millis,
    /// With the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo: Option<Echo>,
}

/// What of the request got to the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// Last-Event-ID.
    pub last_event_id: Option<String>,
    /// Accept-Encoding.
    pub accept_encoding: Option<String>,
    /// The version in which the last proxy spoke to the server, such as `HTTP/1.1`.
    pub http: String,
}
