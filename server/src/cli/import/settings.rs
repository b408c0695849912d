//! The settings of an import, and the reasons why it stops.

use std::path::PathBuf;

use super::source::Format;
use crate::cli::server::Server;
use crate::config::duration::Keep;

/// The settings of an import.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server.
    pub server: Server,
    /// The format of all files; `None` to derive it from the name of each file.
    pub format: Option<Format>,
    /// The unit of the times of line protocol: `ns`, `us`, `ms`, `s`, `m` or `h`.
    pub precision: String,
    /// A text before each series name of a CSV file, joined with a slash.
    pub prefix: Option<String>,
    /// The time for which the import tries to reach the server again.
    pub give_up: Keep,
}

/// Reasons why an import stopped.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read.
    #[error("cannot read {}{}: {source}", file.display(), if *line == 0 { String::new() } else { format!(" after line {line}") })]
    Read {
        /// The file.
        file: PathBuf,
        /// The last line that was read.
        line: u64,
        /// The error of the system, or of gzip.
        source: std::io::Error,
    },
    /// The format of a file is unknown.
    #[error("cannot tell the format of {} by its name; add --format lines, ndjson or csv", .0.display())]
    Format(PathBuf),
    /// The head of a CSV file is missing a column.
    #[error("{}: {message}", file.display())]
    Table {
        /// The file.
        file: PathBuf,
        /// The mistake, and what is expected.
        message: String,
    },
    /// The server refused a whole push, or could not be reached for too long.
    #[error("{message}; nothing is lost: the same command goes on where it stopped")]
    Server {
        /// The answer of the server, or the reason why there is none.
        message: String,
    },
}
