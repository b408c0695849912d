//! The mistakes of a configuration.

use std::path::PathBuf;

use shared::access::CapabilityError;

use crate::limits::TooSmall;

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
    #[error("{}:{line}: {message}", file.display())]
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
    /// Visitors get too many permissions.
    #[error("--anonymous: {0}")]
    Anonymous(#[from] CapabilityError),
    /// A user of a proxy, without a proxy.
    #[error(
        "--remote-user believes the proxies of --trusted-proxy; name their addresses, such as --trusted-proxy 10.0.0.7"
    )]
    NoProxy,
    /// Groups of users that nobody names.
    #[error("--remote-group has no effect without --remote-user; add it")]
    NoRemoteUsers,
    /// A certificate without a key, or a key without a certificate.
    #[error("--{given} alone does not make HTTPS; add --{absent} and a PEM file")]
    HalfTls {
        /// The setting that was given.
        given: &'static str,
        /// The setting that is missing.
        absent: &'static str,
    },
    /// A node of a cluster has a folder of boards.
    #[error(
        "--boards cannot be used with --cluster: all nodes have the same boards; upload each file once with pulseboard board import"
    )]
    BoardsOfCluster,
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

/// The command line is wrong, or the file that it names.
#[derive(Debug, thiserror::Error)]
pub enum CommandLineError {
    /// A flag, a variable or a command is wrong, or the user asked for help.
    #[error(transparent)]
    Flags(#[from] clap::Error),
    /// The file is wrong.
    #[error(transparent)]
    File(#[from] ConfigError),
}
