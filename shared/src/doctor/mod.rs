//! The stream doctor: turns measurements of the path between server and reader into findings.
//!
//! Nothing here measures. `pulseboard doctor` and the page measure, each in its own way, and both call [`judge`].
//! [`probe`] defines the probe's requests and events, [`mend`] the configuration lines that fix a problem, and
//! [`held_ms`] detects events that were held back.

mod judge;
pub mod mend;
pub mod probe;
#[cfg(test)]
mod tests;
mod timing;

use serde::{Deserialize, Serialize};

pub use judge::judge;
pub use mend::{Mend, Proxy};
pub use timing::held_ms;

use crate::Millis;
use probe::Echo;

/// Everything that was measured of one address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurements {
    /// The address at which readers reach the server, without a path such as `/sse`: `https://board.example.com`.
    pub base: String,
    /// True if the connection never leaves this machine.
    pub loopback: bool,
    /// The targets of the redirects from the given address, in order.
    pub redirects: Vec<String>,
    /// The forward proxy from the environment, if the connection goes through it.
    #[serde(default)]
    pub through: Option<String>,
    /// The handling of the server's certificate, if it has one.
    #[serde(default)]
    pub certificate: Certificate,
    /// A probe of one frame, which ends at once, whatever proxies are on the path.
    pub knock: Exchange,
    /// The local clock right before and right after the knock.
    pub clock: (Millis, Millis),
    /// The protocol that a browser would negotiate, such as `h2`; `None` if unknown.
    pub protocol: Option<String>,
    /// The stream `/sse` until its `hello`.
    pub live: Option<Live>,
    /// A probe of some frames, requested without compression.
    pub plain: Option<Exchange>,
    /// A probe of some frames, requested with the compression that browsers accept. Its frames are large enough to be
    /// worth compressing.
    pub compressed: Option<Exchange>,
    /// Two frames with a silence between them.
    pub idle: Option<Exchange>,
    /// A probe as long as `idle`, with a frame each second or so.
    pub lasting: Option<Exchange>,
    /// The page of all boards, and the page of one board.
    #[serde(default)]
    pub pages: Vec<Fetched>,
    /// The files that the page of a board names.
    #[serde(default)]
    pub assets: Vec<Fetched>,
    /// A change of a board that the server refuses because of its `If-Match`.
    pub saving: Option<Saving>,
    /// Pushes without points, each with a longer body.
    #[serde(default)]
    pub bodies: Vec<Pushed>,
}

/// The handling of a server's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certificate {
    /// It must be trusted.
    #[default]
    Checked,
    /// Any certificate is accepted.
    Ignored,
}

/// A page, or one of its files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fetched {
    /// The path on the host, such as `/pulse/b/ops`.
    pub path: String,
    /// The head of the answer, or the reason why there is none.
    pub answer: Result<Head, Failure>,
    /// The kind of content that followed the head.
    pub content: Content,
}

/// The kind of content that follows the head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A page of pulseboard.
    Page,
    /// The server's notice that it was built without the page.
    NotBuilt,
    /// Other content, complete.
    Other,
    /// Incomplete content.
    Cut,
}

/// A change of a board with an `If-Match` tag that no board has. The server answers with 412 and changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saving {
    /// The request as browsers send it over HTTPS and to this machine: Sec-Fetch-Site says whether the page is of the
    /// same site.
    pub with_fetch_site: Option<Result<Head, Failure>>,
    /// The request as browsers send it over plain HTTP: it names only the site of the page (Origin).
    pub origin_only: Option<Result<Head, Failure>>,
}

/// A push that contains only line ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pushed {
    /// The number of bytes.
    pub bytes: u64,
    /// The head of the answer, or the reason why there is none.
    pub answer: Result<Head, Failure>,
}

/// One probe: its request and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// The number of requested frames.
    pub frames: u32,
    /// The interval between two frames in milliseconds.
    pub every_ms: u64,
    /// The Last-Event-ID of the request.
    pub last_event_id: Option<String>,
    /// The head of the answer, or the reason why there is none.
    pub answer: Result<Head, Failure>,
    /// The request as the server reports to have received it.
    pub echo: Option<Echo>,
    /// The frames that arrived. If the content is compressed in a way that the reader cannot undo, the pieces that
    /// arrived.
    pub arrivals: Vec<Arrival>,
    /// The end of the exchange.
    pub end: End,
    /// The time of the end, in milliseconds after the request.
    pub ended_ms: u64,
}

/// The head of an answer, reduced to the parts that matter to a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The HTTP status.
    pub status: u16,
    /// Content-Type.
    pub content_type: Option<String>,
    /// Cache-Control.
    pub cache_control: Option<String>,
    /// Content-Encoding.
    pub content_encoding: Option<String>,
    /// X-Accel-Buffering.
    pub accel_buffering: Option<String>,
    /// Age, in seconds. Present if a cache answered.
    pub age: Option<String>,
    /// Location.
    pub location: Option<String>,
    /// WWW-Authenticate, or Proxy-Authenticate.
    #[serde(default)]
    pub authenticate: Option<String>,
    /// Server.
    pub server: Option<String>,
    /// Via.
    pub via: Option<String>,
}

impl Head {
    /// Content-Type; empty if absent.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.content_type.as_deref().unwrap_or_default()
    }

    /// Returns true if the answer asks for a user and a password.
    #[must_use]
    pub fn is_basic(&self) -> bool {
        self.authenticate.as_deref().is_some_and(|scheme| scheme.to_ascii_lowercase().starts_with("basic"))
    }
}

/// The reason why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why", content = "detail")]
pub enum Failure {
    /// Nothing listens at the address.
    Refused,
    /// The name does not resolve.
    NoSuchHost,
    /// No answer came in time.
    TimedOut,
    /// TLS failed, most often because of a certificate.
    Tls(String),
    /// Any other error, in the words of the system.
    Other(String),
}

/// A frame, or a piece of one, that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The time at which the server wrote it, by the server's clock; `None` if it cannot be read.
    pub sent: Option<Millis>,
    /// The time of arrival, in milliseconds after the request.
    pub at_ms: u64,
}

/// The end of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Complete: the last frame came.
    Whole,
    /// The stream ended before its last frame.
    Cut,
    /// The reader gave up.
    GivenUp,
}

/// The stream `/sse` until its `hello`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Live {
    /// The head of the answer, or the reason why there is none.
    pub answer: Result<Head, Failure>,
    /// The heartbeat that `hello` announces, in milliseconds; `None` if no `hello` came.
    pub heartbeat_ms: Option<u64>,
    /// The time until then, in milliseconds.
    pub waited_ms: u64,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The check.
    pub check: Check,
    /// The result.
    pub level: Level,
    /// The result in one line.
    pub what: String,
    /// The reason why it matters; empty if all is well.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The configuration to write, for the recognised proxy first; empty if there is nothing to configure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mend: Vec<Mend>,
}

/// The checks, in the order in which they are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Is a Pulseboard there?
    Reach,
    /// Do the headers arrive as they were sent?
    Headers,
    /// Does Last-Event-ID get to the server?
    Resume,
    /// Does the stream itself begin?
    Stream,
    /// Does each event arrive when it is sent?
    Buffering,
    /// Does each event arrive when it is sent, even if the answer is compressed?
    Compression,
    /// Does a silent stream stay open?
    Idle,
    /// Does a stream that is not silent stay open?
    Lifetime,
    /// Can a browser open more than six streams?
    Protocol,
    /// Do both ends have the same time?
    Clock,
    /// Is the page there?
    Page,
    /// Are the files of the page there?
    Assets,
    /// Does a change of a board get to the server?
    Saving,
    /// Do large pushes get to the server?
    Bodies,
}

impl Check {
    /// The name of the check in one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Reach => "reach",
            Self::Headers => "headers",
            Self::Resume => "resume",
            Self::Stream => "stream",
            Self::Buffering => "buffering",
            Self::Compression => "compression",
            Self::Idle => "idle",
            Self::Lifetime => "lifetime",
            Self::Protocol => "protocol",
            Self::Clock => "clock",
            Self::Page => "page",
            Self::Assets => "assets",
            Self::Saving => "saving",
            Self::Bodies => "bodies",
        }
    }
}

/// The level of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// All is well.
    Ok,
    /// It works, but could be better.
    Warn,
    /// Broken.
    Fail,
}

impl Measurements {
    /// The proxy that names itself in the answer. There may be others that do not.
    #[must_use]
    pub fn proxy(&self) -> Option<Proxy> {
        self.knock.answer.as_ref().ok().and_then(Proxy::of)
    }
}
