//! The stream doctor: from measurements of a stream, as it comes through whatever lies on the way, to findings.
//!
//! Nothing here measures: `pulseboard doctor` and the page do, each by its own means, and judge alike by [`judge`].
//! [`probe`] is what the two sides say to each other, [`mend`] the lines of configuration.

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

/// All that was measured of one address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurements {
    /// Where readers reach the server, without a path of its own, such as `https://board.example.com`.
    pub base: String,
    /// It never leaves this machine.
    pub loopback: bool,
    /// Where the first address led to, each hop.
    pub redirects: Vec<String>,
    /// The forward proxy that the environment names, where the way leads through it.
    #[serde(default)]
    pub through: Option<String>,
    /// Whether the certificate of the server was checked, where it has one.
    #[serde(default)]
    pub certificate: Certificate,
    /// A probe of one frame, which ends at once whatever is on the way.
    pub knock: Exchange,
    /// The local clock right before and right after the knock.
    pub clock: (Millis, Millis),
    /// The protocol that a browser would get, such as `h2`; nothing where it is not known.
    pub protocol: Option<String>,
    /// The stream itself, until its `hello`.
    pub live: Option<Live>,
    /// A probe of some frames, asked for without compression.
    pub plain: Option<Exchange>,
    /// The same, asked for as browsers do, with frames large enough to be worth compressing.
    pub compressed: Option<Exchange>,
    /// Two frames with a silence between them.
    pub idle: Option<Exchange>,
    /// As long as `idle`, with a frame each second or so.
    pub lasting: Option<Exchange>,
    /// The page of all boards, and the one of a board.
    #[serde(default)]
    pub pages: Vec<Fetched>,
    /// The files that the page of a board names.
    #[serde(default)]
    pub assets: Vec<Fetched>,
    /// A change of a board that the server refuses for its condition.
    pub saving: Option<Saving>,
    /// Pushes of nothing, each with a longer body.
    #[serde(default)]
    pub bodies: Vec<Pushed>,
}

/// Whether the certificate of a server counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certificate {
    /// It must be trusted.
    #[default]
    Checked,
    /// Any will do.
    Ignored,
}

/// A page or a file of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fetched {
    /// Its path on the host, such as `/pulse/b/ops`.
    pub path: String,
    /// The head of the answer, or why there is none.
    pub answer: Result<Head, Failure>,
    /// What came behind the head.
    pub content: Content,
}

/// What came behind the head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A page of pulseboard.
    Page,
    /// The server says that it was built without the page.
    NotBuilt,
    /// Something else, whole.
    Other,
    /// Not all of it.
    Cut,
}

/// A change of a board, `If-Match` a tag that no board has: a server answers it with 412, and changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saving {
    /// As browsers send it over HTTPS and to this machine: they say whether the page is of the same site (Sec-Fetch-Site).
    pub told: Option<Result<Head, Failure>>,
    /// As browsers send it over plain HTTP: they say only which site the page is of (Origin).
    pub untold: Option<Result<Head, Failure>>,
}

/// A push of nothing but line ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pushed {
    /// How many bytes.
    pub bytes: u64,
    /// The head of the answer, or why there is none.
    pub answer: Result<Head, Failure>,
}

/// One probe: what was asked, and what came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// How many frames were asked for.
    pub frames: u32,
    /// Milliseconds between two of them.
    pub every_ms: u64,
    /// The Last-Event-ID that was sent along.
    pub last_event_id: Option<String>,
    /// The head of the answer, or why there is none.
    pub answer: Result<Head, Failure>,
    /// What the server says that it was asked.
    pub echo: Option<Echo>,
    /// The frames as they came; pieces, where the content is compressed in a way that the reader cannot undo.
    pub arrivals: Vec<Arrival>,
    /// How it ended.
    pub end: End,
    /// When, in milliseconds after it was asked for.
    pub ended_ms: u64,
}

/// Of the head of an answer, what matters to a stream.
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
    /// Age, in seconds: there where a cache answered.
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
    /// Content-Type; empty where there is none.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.content_type.as_deref().unwrap_or_default()
    }

    /// Tells whether the answer asks for a user and a password.
    #[must_use]
    pub fn is_basic(&self) -> bool {
        self.authenticate.as_deref().is_some_and(|scheme| scheme.to_ascii_lowercase().starts_with("basic"))
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why", content = "detail")]
pub enum Failure {
    /// Nothing listens there.
    Refused,
    /// The name leads nowhere.
    NoSuchHost,
    /// No answer came in time.
    TimedOut,
    /// The encryption failed, most often for a certificate.
    Tls(String),
    /// Anything else, as the system put it.
    Other(String),
}

/// One frame, or piece, that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// When the server wrote it, by its clock; nothing where that cannot be read.
    pub sent: Option<Millis>,
    /// When it came, in milliseconds after it was asked for.
    pub at_ms: u64,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// As it should, after its last frame.
    Whole,
    /// Before its last frame.
    Cut,
    /// Not: the reader gave up.
    GivenUp,
}

/// The stream itself, until its `hello`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Live {
    /// The head of the answer, or why there is none.
    pub answer: Result<Head, Failure>,
    /// The heartbeat that `hello` announces, in milliseconds; nothing where no `hello` came.
    pub heartbeat_ms: Option<u64>,
    /// How long that took, in milliseconds.
    pub waited_ms: u64,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at.
    pub check: Check,
    /// How it is.
    pub level: Level,
    /// That in a line.
    pub what: String,
    /// Why it matters; empty where all is well.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// What to write where, the proxy that was recognised first; empty where there is nothing to configure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mend: Vec<Mend>,
}

/// What is looked at, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Is a pulseboard there?
    Reach,
    /// Do the headers arrive as they were sent?
    Headers,
    /// Does Last-Event-ID get to the server?
    Resume,
    /// Does the stream itself begin?
    Stream,
    /// Does each event arrive when it is sent?
    Buffering,
    /// Does it still where the answer is compressed?
    Compression,
    /// Does a silent stream stay open?
    Idle,
    /// Does a stream that is not silent stay open?
    Lifetime,
    /// How many streams can a browser have?
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
    /// In a word.
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

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Well.
    Ok,
    /// It works, and could be better.
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
