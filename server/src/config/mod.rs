//! The configuration of the server: from flags, the environment and a file, in that order of precedence.
//! [`environment`] finds misspelt variables; [`duration`] parses durations.

pub mod duration;
pub mod environment;

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytesize::ByteSize;
use clap::{ArgAction, Args};
use serde::{Deserialize, Deserializer};
use shared::Tier;

use crate::config::duration::Keep;
use crate::http::forwarded::ProxyNetwork;
use crate::http::host::Host;
use crate::http::origin::Origin;
use crate::limits::{Limits, TooSmall};
use crate::listener::timeouts::Timeouts;
use crate::logging::Logging;
use crate::store::Retention;
use crate::stream::form::Compression;

/// `pulseboard serve` as it was called. Whatever is absent is taken from the file, then from the defaults.
#[derive(Args, Clone, Debug, Default)]
pub struct Flags {
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:7878]
    #[arg(long, env = "PULSEBOARD_ADDR")]
    addr: Option<String>,
    /// Folder that the points are kept in [default: ./pulseboard-data]
    #[arg(long, env = "PULSEBOARD_DATA")]
    data: Option<PathBuf>,
    /// Folder of boards, ID.toml or ID.json each, read at start and whenever they change [default: none]
    #[arg(long, env = "PULSEBOARD_BOARDS")]
    boards: Option<PathBuf>,
    /// Let the server listen on an address that others can reach: they can read and push without a password
    #[arg(long, env = "PULSEBOARD_OPEN", num_args = 0..=1, default_missing_value = "true")]
    open: Option<bool>,
    /// Let pages of this origin read and push, such as <https://example.org>; may be given several times
    #[arg(long, env = "PULSEBOARD_ALLOW_ORIGIN", value_delimiter = ',', action = ArgAction::Append)]
    allow_origin: Option<Vec<Origin>>,
    /// Let pages of this origin show boards in a frame, such as <https://wiki.example.org>; may be given several times
    #[arg(long, env = "PULSEBOARD_ALLOW_FRAME", value_name = "ORIGIN", value_delimiter = ',', action = ArgAction::Append)]
    allow_frame: Option<Vec<Origin>>,
    /// Also answer requests for this host, such as board.example.org, which a proxy passes on; may be given several times
    #[arg(long, env = "PULSEBOARD_HOST", value_name = "NAME", value_delimiter = ',', action = ArgAction::Append)]
    host: Option<Vec<Host>>,
    /// Also believe the proxy at this address, such as 10.0.0.7 or 172.16.0.0/12, when it names the host of a request in
    /// X-Forwarded-Host; may be given several times [default: only proxies on this machine]
    #[arg(long, env = "PULSEBOARD_TRUSTED_PROXY", value_name = "ADDRESS", value_delimiter = ',', action = ArgAction::Append)]
    trusted_proxy: Option<Vec<ProxyNetwork>>,
    /// Serve HTTPS, with HTTP/2, with the certificate in this PEM file (those that signed it behind it); needs --tls-key
    #[arg(long, env = "PULSEBOARD_TLS_CERT")]
    tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert, in PEM
    #[arg(long, env = "PULSEBOARD_TLS_KEY")]
    tls_key: Option<PathBuf>,
    /// Compress streams with gzip, for readers that take it [default: true]
    #[arg(long, env = "PULSEBOARD_COMPRESS", num_args = 0..=1, default_missing_value = "true")]
    compress: Option<bool>,
    #[command(flatten)]
    limits: LimitFlags,
    /// Seconds after which a silent stream has a heartbeat; a proxy that cuts idle connections earlier needs less [default: 15]
    #[arg(long, env = "PULSEBOARD_HEARTBEAT", value_parser = clap::value_parser!(u16).range(1..=300))]
    heartbeat: Option<u16>,
    /// How far behind the server's clock a pushed point may be [default: 24h]
    #[arg(long, env = "PULSEBOARD_LATE")]
    late: Option<shared::Duration>,
    #[command(flatten)]
    keep: KeepFlags,
    /// Also push this machine's own figures, to host/…
    #[arg(long, env = "PULSEBOARD_AGENT", num_args = 0..=1, default_missing_value = "true")]
    agent: Option<bool>,
    /// What to log, to standard error: error, warn, info, debug or trace, also by module; json for lines of JSON, such as
    /// json,debug [default: info]
    #[arg(long, env = "PULSEBOARD_LOG")]
    log: Option<Logging>,
    /// A TOML file; its keys are these flags with _ for -, such as `addr = "127.0.0.1:7878"`
    #[arg(long, env = "PULSEBOARD_CONFIG")]
    config: Option<PathBuf>,
}

/// Bounds on the work and memory that clients can cause.
#[derive(Args, Clone, Debug, Default)]
struct LimitFlags {
    /// Most streams that may be open at once; more are asked to come back later [default: 10000]
    #[arg(long, env = "PULSEBOARD_MAX_READERS")]
    max_readers: Option<usize>,
    /// Most points that one request may push [default: 200000]
    #[arg(long, env = "PULSEBOARD_MAX_POINTS")]
    max_points: Option<usize>,
    /// Most series that one stream may select [default: 100000]
    #[arg(long, env = "PULSEBOARD_MAX_SELECTED")]
    max_selected: Option<usize>,
    /// Most steps that matching the selectors of one request with the names of all series may take [default: 1000000]
    #[arg(long, env = "PULSEBOARD_MAX_MATCH_STEPS")]
    max_match_steps: Option<u64>,
    /// Most memory for the selections of all open streams [default: 256MiB]
    #[arg(long, env = "PULSEBOARD_MAX_TOPIC_MEMORY", value_name = "SIZE")]
    max_topic_memory: Option<ByteSize>,
    /// Most memory that all pushes in progress may take, from the first byte of a body to its answer [default: 128MiB]
    #[arg(long, env = "PULSEBOARD_MAX_QUEUE", value_name = "SIZE")]
    max_queue: Option<ByteSize>,
    /// Most database rows that one push may cause: new series, texts, minutes of the past that change [default: 25000]
    #[arg(long, env = "PULSEBOARD_MAX_ROWS")]
    max_rows: Option<usize>,
    /// Most series in the store; a push that would start more is refused [default: 2000000]
    #[arg(long, env = "PULSEBOARD_MAX_SERIES")]
    max_series: Option<usize>,
    /// Most space that the database may take on disk, such as 10GB; pushes beyond it are refused [default: all of the
    /// disk]
    #[arg(long, env = "PULSEBOARD_MAX_DATA", value_name = "SIZE")]
    max_data: Option<ByteSize>,
    /// Most idempotency keys to remember; beyond it, the oldest are forgotten in less than a day [default: 1000000]
    #[arg(long, env = "PULSEBOARD_MAX_KEYS")]
    max_keys: Option<usize>,
    /// Most streams of one client address; a reverse proxy is one address too [default: half of --max-readers; no bound on loopback]
    #[arg(long, env = "PULSEBOARD_MAX_READERS_PER_ADDRESS")]
    max_readers_per_address: Option<usize>,
    /// Most connections that may be open at once [default: half more than --max-readers, as far as file descriptors go]
    #[arg(long, env = "PULSEBOARD_MAX_CONNECTIONS")]
    max_connections: Option<usize>,
    /// Most connections of one client address; a reverse proxy is one address too [default: all but a quarter of
    /// --max-connections, or all but 1000 if that is more]
    #[arg(long, env = "PULSEBOARD_MAX_CONNECTIONS_PER_ADDRESS")]
    max_connections_per_address: Option<usize>,
    /// Milliseconds that each phase of a connection may last; for tests
    #[arg(long, env = "PULSEBOARD_PHASE_TIMEOUT", hide = true)]
    phase_timeout: Option<u64>,
    /// Most answers of /api/history in progress at once; more are asked to try again [default: 256]
    #[arg(long, env = "PULSEBOARD_MAX_HISTORY")]
    max_history: Option<usize>,
    /// Longest answer of /api/history [default: 256MiB]
    #[arg(long, env = "PULSEBOARD_MAX_HISTORY_BYTES", value_name = "SIZE")]
    max_history_bytes: Option<ByteSize>,
}

/// How long what is kept: a length of time like `48h`, or `forever`.
#[derive(Args, Clone, Debug, Default)]
struct KeepFlags {
    /// How long to keep numbers one by one [default: 2d]
    #[arg(long, env = "PULSEBOARD_KEEP_RAW")]
    keep_raw: Option<Keep>,
    /// How long to keep texts [default: 1y]
    #[arg(long, env = "PULSEBOARD_KEEP_TEXTS")]
    keep_texts: Option<Keep>,
    /// How long to keep buckets of 1 s [default: 2d]
    #[arg(long = "keep-1s", env = "PULSEBOARD_KEEP_1S")]
    seconds: Option<Keep>,
    /// How long to keep buckets of 10 s [default: 7d]
    #[arg(long = "keep-10s", env = "PULSEBOARD_KEEP_10S")]
    ten_seconds: Option<Keep>,
    /// How long to keep buckets of 1 min [default: 30d]
    #[arg(long = "keep-1m", env = "PULSEBOARD_KEEP_1M")]
    minutes: Option<Keep>,
    /// How long to keep buckets of 10 min [default: 180d]
    #[arg(long = "keep-10m", env = "PULSEBOARD_KEEP_10M")]
    ten_minutes: Option<Keep>,
    /// How long to keep buckets of 1 h [default: 2y]
    #[arg(long = "keep-1h", env = "PULSEBOARD_KEEP_1H")]
    hours: Option<Keep>,
    /// How long to keep buckets of 1 day [default: forever]
    #[arg(long = "keep-1d", env = "PULSEBOARD_KEEP_1D")]
    days: Option<Keep>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    late: Option<shared::Duration>,
    keep_raw: Option<Keep>,
    keep_texts: Option<Keep>,
    keep_1s: Option<Keep>,
    keep_10s: Option<Keep>,
    keep_1m: Option<Keep>,
    keep_10m: Option<Keep>,
    keep_1h: Option<Keep>,
    keep_1d: Option<Keep>,
    addr: Option<String>,
    data: Option<PathBuf>,
    boards: Option<PathBuf>,
    open: Option<bool>,
    allow_origin: Option<Vec<Origin>>,
    allow_frame: Option<Vec<Origin>>,
    host: Option<Vec<Host>>,
    trusted_proxy: Option<Vec<ProxyNetwork>>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    compress: Option<bool>,
    max_readers: Option<usize>,
    max_points: Option<usize>,
    max_selected: Option<usize>,
    max_match_steps: Option<u64>,
    max_topic_memory: Option<ByteSize>,
    max_queue: Option<ByteSize>,
    max_rows: Option<usize>,
    max_series: Option<usize>,
    max_data: Option<ByteSize>,
    max_keys: Option<usize>,
    max_readers_per_address: Option<usize>,
    max_connections: Option<usize>,
    max_connections_per_address: Option<usize>,
    max_history: Option<usize>,
    max_history_bytes: Option<ByteSize>,
    #[serde(default, deserialize_with = "heartbeat_seconds")]
    heartbeat: Option<u16>,
    agent: Option<bool>,
    log: Option<Logging>,
}

/// The complete configuration of a server, with defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The address to listen on.
    pub addr: SocketAddr,
    /// The folder of the store.
    pub data: PathBuf,
    /// The folder of boards.
    pub boards: Option<PathBuf>,
    /// Origins whose pages may read and push.
    pub allow_origins: Vec<Origin>,
    /// Origins whose pages may embed boards in a frame.
    pub allow_frames: Vec<Origin>,
    /// Names and addresses of this server, besides those that it finds out itself.
    pub hosts: Vec<Host>,
    /// Proxies whose `X-Forwarded-Host` is trusted, besides those on this machine.
    pub trusted_proxies: Vec<ProxyNetwork>,
    /// The certificate and key for HTTPS. Without them, the server speaks plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Compression of streams.
    pub compression: Compression,
    /// Bounds on the work and memory that clients can cause.
    pub limits: Limits,
    /// Time-outs of the phases of a connection.
    pub timeouts: Timeouts,
    /// A stream that was silent for this long gets a heartbeat. A peer that reads nothing for as long is considered
    /// gone.
    pub heartbeat: Duration,
    /// The maximum time that a pushed point may be behind the server's clock.
    pub late: shared::Duration,
    /// Retention of points, texts and tiers.
    pub retention: Retention,
    /// The server's own agent, which pushes metrics of this machine.
    pub agent: Agent,
    /// The log's level and form.
    pub log: Logging,
}

/// The files of the certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by the certificates of its issuers, in PEM.
    pub cert: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

/// Reads the `heartbeat` of the file, in seconds, within the bounds of the flag.
fn heartbeat_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    let seconds = u16::deserialize(deserializer)?;
    if (1..=300).contains(&seconds) {
        return Ok(Some(seconds));
    }
    Err(serde::de::Error::custom(format!("heartbeat must be from 1 to 300 seconds, not {seconds}")))
}

/// Setting of the server's own agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    /// The server pushes metrics of its own machine.
    On,
    /// The server pushes nothing itself.
    Off,
}

/// Reason why the server does not start. Each message is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is not valid TOML, or has an unknown key or an invalid value.
    #[error("{}:{line}: {message}; the keys are addr, data, boards, open, allow_origin, allow_frame, host, trusted_proxy, tls_cert, tls_key, compress, max_…, heartbeat, late, keep_…, agent and log", file.display())]
    Wrong {
        /// The file.
        file: PathBuf,
        /// The line in the file, from 1.
        line: usize,
        /// The error, as text.
        message: String,
    },
    /// The address cannot be parsed or resolved.
    #[error("cannot listen on {addr:?}: {message}; write an address and a port, like 127.0.0.1:7878")]
    Address {
        /// The address as given.
        addr: String,
        /// The error, as text.
        message: String,
    },
    /// Other machines could reach the server, and `--open` does not permit it.
    #[error(
        "{0} can be reached by others, who could read and push without a password; if that is what you want, add --open"
    )]
    NotOpen(SocketAddr),
    /// A certificate without a key, or a key without a certificate.
    #[error("--{given} alone does not make HTTPS; add --{absent} and a PEM file")]
    HalfTls {
        /// The setting that was given.
        given: &'static str,
        /// The setting that is missing.
        absent: &'static str,
    },
    /// A limit would reject every request.
    #[error(transparent)]
    Limit(#[from] TooSmall),
    /// Retention is so short that data could be gone before a late point must be added to it.
    #[error(
        "--keep-{name} must be at least {least} where --late is {late}: a late point is added to what is kept; raise the one or lower the other"
    )]
    TooShort {
        /// The tier whose retention is too short.
        name: &'static str,
        /// The maximum lateness of points.
        late: shared::Duration,
        /// The minimum retention.
        least: shared::Duration,
    },
}

impl Flags {
    /// Adds the file and the defaults.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let file = self.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let late = self.late.or(file.late).unwrap_or(shared::Duration::from_millis(DAY));
        let retention = self.keep.resolve(&file, late)?;
        let timeouts = self.limits.phase_timeout.map(|ms| Timeouts::all(Duration::from_millis(ms))).unwrap_or_default();
        let limits = self.limits.resolve(&file)?;
        let addr = self.addr.or(file.addr).unwrap_or_else(|| "127.0.0.1:7878".to_owned());
        let mut hosts = self.host.or(file.host).unwrap_or_default();
        // A host name to listen on is also a name of the server.
        hosts.extend(addr.parse().ok());
        let addr = resolve_address(&addr)?;
        let open = self.open.or(file.open).unwrap_or(false);
        if !addr.ip().is_loopback() && !open {
            return Err(ConfigError::NotOpen(addr));
        }
        let tls = match (self.tls_cert.or(file.tls_cert), self.tls_key.or(file.tls_key)) {
            (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
            (Some(_), None) => return Err(ConfigError::HalfTls { given: "tls-cert", absent: "tls-key" }),
            (None, Some(_)) => return Err(ConfigError::HalfTls { given: "tls-key", absent: "tls-cert" }),
            (None, None) => None,
        };
        let compress = self.compress.or(file.compress).unwrap_or(true);
        let agent = self.agent.or(file.agent).unwrap_or(false);
        Ok(Config {
            addr,
            late,
            retention,
            data: self.data.or(file.data).unwrap_or_else(|| "pulseboard-data".into()),
            boards: self.boards.or(file.boards),
            allow_origins: self.allow_origin.or(file.allow_origin).unwrap_or_default(),
            allow_frames: self.allow_frame.or(file.allow_frame).unwrap_or_default(),
            hosts,
            trusted_proxies: self.trusted_proxy.or(file.trusted_proxy).unwrap_or_default(),
            tls,
            compression: if compress { Compression::Offered } else { Compression::Off },
            limits,
            timeouts,
            heartbeat: Duration::from_secs(self.heartbeat.or(file.heartbeat).unwrap_or(15).into()),
            agent: if agent { Agent::On } else { Agent::Off },
            log: self.log.or(file.log).unwrap_or_default(),
        })
    }
}

/// A day, in milliseconds.
const DAY: u64 = 86_400_000;

/// Upper bound of the time until a change has reached all tiers, in milliseconds, with plenty to spare.
const SETTLING: u64 = 3_600_000;

impl LimitFlags {
    fn resolve(self, file: &File) -> Result<Limits, TooSmall> {
        let default = Limits::default();
        let limits = Limits {
            readers: self.max_readers.or(file.max_readers).unwrap_or(default.readers),
            points: self.max_points.or(file.max_points).unwrap_or(default.points),
            selected: self.max_selected.or(file.max_selected).unwrap_or(default.selected),
            match_steps: self.max_match_steps.or(file.max_match_steps).unwrap_or(default.match_steps),
            topic_memory: self.max_topic_memory.or(file.max_topic_memory).map_or(default.topic_memory, bytes),
            queue: self.max_queue.or(file.max_queue).map_or(default.queue, bytes),
            rows: self.max_rows.or(file.max_rows).unwrap_or(default.rows),
            series: self.max_series.or(file.max_series).unwrap_or(default.series),
            data: self.max_data.or(file.max_data).map(|size| size.as_u64()),
            keys: self.max_keys.or(file.max_keys).unwrap_or(default.keys),
            readers_per_address: self.max_readers_per_address.or(file.max_readers_per_address),
            connections: self.max_connections.or(file.max_connections),
            connections_per_address: self.max_connections_per_address.or(file.max_connections_per_address),
            history: self.max_history.or(file.max_history).unwrap_or(default.history),
            history_bytes: self
                .max_history_bytes
                .or(file.max_history_bytes)
                .map_or(default.history_bytes, |size| size.as_u64()),
        };
        limits.check()?;
        Ok(limits)
    }
}

fn bytes(size: ByteSize) -> usize {
    usize::try_from(size.as_u64()).unwrap_or(usize::MAX)
}

impl KeepFlags {
    fn resolve(self, file: &File, late: shared::Duration) -> Result<Retention, ConfigError> {
        let given = [
            ("1s", self.seconds.or(file.keep_1s)),
            ("10s", self.ten_seconds.or(file.keep_10s)),
            ("1m", self.minutes.or(file.keep_1m)),
            ("10m", self.ten_minutes.or(file.keep_10m)),
            ("1h", self.hours.or(file.keep_1h)),
            ("1d", self.days.or(file.keep_1d)),
        ];
        let mut retention = Retention::default();
        let or = |given: Option<Keep>, otherwise| given.map_or(otherwise, Keep::ms);
        retention.raw = or(self.keep_raw.or(file.keep_raw), retention.raw);
        retention.texts = or(self.keep_texts.or(file.keep_texts), retention.texts);
        // A coarser bucket is rebuilt from all of its finer ones, so those must still exist.
        let coarser = Tier::ALL.into_iter().skip(1).chain([Tier::Day]);
        for ((kept, (name, given)), coarser) in retention.tiers.iter_mut().zip(given).zip(coarser) {
            *kept = or(given, *kept);
            // Rounded up to whole hours, for people.
            let hours = late.as_millis().saturating_add(coarser.width_ms()).div_ceil(SETTLING).saturating_add(1);
            let least = shared::Duration::from_millis(hours.saturating_mul(SETTLING));
            if kept.is_some_and(|kept| kept < least.as_millis()) {
                return Err(ConfigError::TooShort { name, late, least });
            }
        }
        Ok(retention)
    }
}

fn read(file: &Path) -> Result<File, ConfigError> {
    let text =
        std::fs::read_to_string(file).map_err(|source| ConfigError::Unreadable { file: file.to_owned(), source })?;
    parse(&text, file)
}

/// Parses the text of a configuration file, and completes its limits and its retention with the defaults.
///
/// # Errors
/// [`ConfigError`].
pub(crate) fn check(text: &str) -> Result<(Limits, Retention), ConfigError> {
    let file = parse(text, Path::new("pulseboard.toml"))?;
    let retention = KeepFlags::default().resolve(&file, file.late.unwrap_or(shared::Duration::from_millis(DAY)))?;
    Ok((LimitFlags::default().resolve(&file)?, retention))
}

fn parse(text: &str, file: &Path) -> Result<File, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = 1 + text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count();
        // The error must be one line; the parser's message may have several.
        let message = error.message().replace('\n', ", ");
        ConfigError::Wrong { file: file.to_owned(), line, message }
    })
}

fn resolve_address(addr: &str) -> Result<SocketAddr, ConfigError> {
    let wrong = |message: String| ConfigError::Address { addr: addr.to_owned(), message };
    let mut found = addr.to_socket_addrs().map_err(|error| wrong(error.to_string()))?;
    found.next().ok_or_else(|| wrong("no such host".to_owned()))
}

#[cfg(test)]
mod tests;
