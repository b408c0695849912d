//! The configuration of the server: from flags, the environment and a file, in that order of precedence.
//!
//! Each setting is declared once, as a field in [`flags`] or [`Limits`]: the name of the field is the flag, and the flag
//! is also the variable ([`environment`]) and the key of the file ([`file`]). [`duration`] parses retention times, and [`error`] has the
//! mistakes.

pub mod duration;
pub mod environment;
pub mod error;
pub mod file;
pub mod flags;

use std::ffi::OsString;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::error::{ContextKind, ContextValue};
use clap::{ArgMatches, Args as _, Command, FromArgMatches as _};
use shared::Capability;

use crate::access::proxy_users::RemoteUsers;
use crate::http::forwarded::ProxyNetwork;
use crate::http::host::Host;
use crate::http::origin::Origin;
use crate::limits::Limits;
use crate::listener::timeouts::Timeouts;
use crate::listener::tls::TlsFiles;
use crate::log::postgres::ClusterUrl;
use crate::logging::Logging;
use crate::store::Retention;
use crate::stream::form::Compression;

pub use error::{CommandLineError, ConfigError};
pub use flags::Flags;

/// The complete configuration of a server, with defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The address to listen on.
    pub addr: SocketAddr,
    /// The folder of the store.
    pub data: PathBuf,
    /// Permits everything to everyone while there is no token, on every address.
    pub open: bool,
    /// The permissions of visitors without a credential; `None` for the default.
    pub anonymous: Option<Capability>,
    /// The database of the shared log, for a node of a cluster.
    pub cluster: Option<Cluster>,
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
    /// The users that trusted proxies sign in; `None` if no proxy is believed to.
    pub remote_users: Option<RemoteUsers>,
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

/// The settings of a node of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The database of the shared log.
    pub url: ClusterUrl,
    /// The lag beyond which the node is not ready.
    pub max_lag: Duration,
}

/// Setting of the server's own agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    /// The server pushes metrics of its own machine.
    On,
    /// The server pushes nothing itself.
    Off,
}

/// The name of the command that the settings belong to.
const SERVE: &str = "serve";

/// Parses the command line of the whole program. The command `serve` also takes its flags from the environment, and from
/// the file that `--config` names: the values of the file are the defaults of the flags.
///
/// # Errors
/// [`CommandLineError`].
pub fn parse<I>(program: Command, arguments: I) -> Result<ArgMatches, CommandLineError>
where
    I: IntoIterator<Item = OsString> + Clone,
{
    let program = program.mut_subcommand(SERVE, environment::add_variables);
    let matches = program.clone().try_get_matches_from(arguments.clone()).map_err(without_secret)?;
    let serve = matches.subcommand_matches(SERVE);
    let Some(path) = serve.and_then(|serve| serve.get_one::<PathBuf>(flags::CONFIG)) else { return Ok(matches) };
    let file = file::read(path)?;
    let with_file = program.mut_subcommand(SERVE, |serve| file.add_defaults(serve));
    Ok(with_file.try_get_matches_from(arguments).map_err(without_secret)?)
}

/// Removes a value that may be a secret from an error: such messages end in the logs of cron and CI.
fn without_secret(mut error: clap::Error) -> clap::Error {
    let is_secret = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) => ["--token", "--cluster"].iter().any(|secret| flag.starts_with(secret)),
        _ => false,
    };
    if is_secret {
        error.insert(ContextKind::InvalidValue, ContextValue::String("(not shown)".to_owned()));
    }
    error
}

/// Parses the text of a configuration file, and completes its limits and its retention with the defaults.
///
/// # Errors
/// [`ConfigError`].
pub(crate) fn check(text: &str) -> Result<(Limits, Retention), ConfigError> {
    let file = file::parse(text, Path::new("pulseboard.toml"))?;
    let serve = file.add_defaults(Flags::augment_args(Command::new(SERVE))).no_binary_name(true);
    let matches = serve.try_get_matches_from::<_, OsString>([]).expect("each value of the file was checked");
    let Flags { limits, keep, late, .. } =
        Flags::from_arg_matches(&matches).expect("each value of the file was checked");
    limits.check()?;
    let retention = keep.retention(late)?;
    Ok((limits, retention))
}

impl Flags {
    /// Checks the settings as a whole.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let retention = self.keep.retention(self.late)?;
        self.limits.check()?;
        let mut hosts = self.host;
        // A host name to listen on is also a name of the server.
        hosts.extend(self.addr.parse().ok());
        let addr = resolve_address(&self.addr)?;
        let anonymous = if self.anonymous.is_empty() { None } else { Some(Capability::new(self.anonymous, None)?) };
        let remote_users = match (self.remote_user, self.trusted_proxy.is_empty()) {
            (true, true) => return Err(ConfigError::NoProxy),
            (true, false) => Some(RemoteUsers { proxies: self.trusted_proxy.clone(), groups: self.remote_group }),
            (false, _) if !self.remote_group.is_empty() => return Err(ConfigError::NoRemoteUsers),
            (false, _) => None,
        };
        if self.cluster.is_some() && self.boards.is_some() {
            return Err(ConfigError::BoardsOfCluster);
        }
        let max_lag = Duration::from_millis(self.max_lag.as_millis());
        let cluster = self.cluster.map(|url| Cluster { url, max_lag });
        let tls = match (self.tls_cert, self.tls_key) {
            (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
            (Some(_), None) => return Err(ConfigError::HalfTls { given: "tls-cert", absent: "tls-key" }),
            (None, Some(_)) => return Err(ConfigError::HalfTls { given: "tls-key", absent: "tls-cert" }),
            (None, None) => None,
        };
        Ok(Config {
            addr,
            late: self.late,
            retention,
            data: self.data,
            open: self.open,
            anonymous,
            cluster,
            boards: self.boards,
            allow_origins: self.allow_origin,
            allow_frames: self.allow_frame,
            hosts,
            trusted_proxies: self.trusted_proxy,
            remote_users,
            tls,
            compression: if self.compress { Compression::Offered } else { Compression::Off },
            limits: self.limits,
            timeouts: self.phase_timeout.map(|ms| Timeouts::all(Duration::from_millis(ms))).unwrap_or_default(),
            heartbeat: Duration::from_secs(self.heartbeat.into()),
            agent: if self.agent { Agent::On } else { Agent::Off },
            log: self.log,
        })
    }
}

fn resolve_address(addr: &str) -> Result<SocketAddr, ConfigError> {
    let wrong = |message: String| ConfigError::Address { addr: addr.to_owned(), message };
    let mut found = addr.to_socket_addrs().map_err(|error| wrong(error.to_string()))?;
    found.next().ok_or_else(|| wrong("no such host".to_owned()))
}

#[cfg(test)]
mod tests;
