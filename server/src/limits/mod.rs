//! Bounds on the work and memory that one client, or all clients together, can cause.
//!
//! Each field is a flag of `pulseboard serve` with the prefix `max-` (see [`crate::config`]). A request over a bound is
//! answered with [`ApiError::LimitReached`](crate::http::problem::ApiError::LimitReached) or a more specific error that names
//! the flag, and is counted in `pulseboard_refused_total{limit="…"}` of `/metrics`.
//!
//! [`client`] counts the connections and streams of each client, [`push_memory`] the bytes of pushes in progress.

pub mod client;
pub mod push_memory;

use bytesize::ByteSize;
use clap::{Args, Command, FromArgMatches as _};

/// Every bound that an operator can set. The comment of each is its help.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most streams that may be open at once; more are asked to come back later
    #[arg(long = "max-readers", value_name = "COUNT", default_value_t = 10_000)]
    pub readers: usize,
    /// Most points that one request may push
    #[arg(long = "max-points", value_name = "COUNT", default_value_t = 200_000)]
    pub points: usize,
    /// Most series that one stream may select
    #[arg(long = "max-selected", value_name = "COUNT", default_value_t = 100_000)]
    pub selected: usize,
    /// Most steps that matching the selectors of one request with the names of all series may take
    #[arg(long = "max-match-steps", value_name = "COUNT", default_value_t = 1_000_000)]
    pub match_steps: u64,
    /// Most memory for the selections of all open streams
    #[arg(long = "max-topic-memory", value_name = "SIZE", default_value = "256MiB", value_parser = memory)]
    pub topic_memory: usize,
    /// Most memory that all pushes in progress may take, from the first byte of a body to its answer
    #[arg(long = "max-queue", value_name = "SIZE", default_value = "128MiB", value_parser = memory)]
    pub queue: usize,
    /// Most database rows that one push may cause: new series, texts, minutes of the past that change
    #[arg(long = "max-rows", value_name = "COUNT", default_value_t = 25_000)]
    pub rows: usize,
    /// Most series in the store; a push that would start more is refused
    #[arg(long = "max-series", value_name = "COUNT", default_value_t = 2_000_000)]
    pub series: usize,
    /// Most space that the database may take on disk, such as 10GB; pushes beyond it are refused [default: all of the
    /// disk]
    #[arg(id = "max-data", long = "max-data", value_name = "SIZE", value_parser = size)]
    pub data: Option<u64>,
    /// Most idempotency keys to remember; beyond it, the oldest are forgotten in less than a day
    #[arg(long = "max-keys", value_name = "COUNT", default_value_t = 1_000_000)]
    pub keys: usize,
    /// Most streams of one client address; a reverse proxy is one address too [default: half of --max-readers; no bound on loopback]
    #[arg(long = "max-readers-per-address", value_name = "COUNT")]
    pub readers_per_address: Option<usize>,
    /// Most connections that may be open at once [default: half more than --max-readers, as far as file descriptors go]
    #[arg(long = "max-connections", value_name = "COUNT")]
    pub connections: Option<usize>,
    /// Most connections of one client address; a reverse proxy is one address too [default: all but a quarter of
    /// --max-connections, or all but 1000 if that is more]
    #[arg(long = "max-connections-per-address", value_name = "COUNT")]
    pub connections_per_address: Option<usize>,
    /// Most answers of /api/history in progress at once; more are asked to try again
    #[arg(long = "max-history", value_name = "COUNT", default_value_t = 256)]
    pub history: usize,
    /// Longest answer of /api/history
    #[arg(long = "max-history-bytes", value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    pub history_bytes: u64,
}

/// Reads a size, such as `10GB`, in bytes.
fn size(text: &str) -> Result<u64, String> {
    text.parse().map(|ByteSize(bytes)| bytes)
}

/// Reads a size of memory, in bytes.
fn memory(text: &str) -> Result<usize, String> {
    size(text).map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
}

impl Default for Limits {
    fn default() -> Self {
        let matches = Self::augment_args(Command::new("limits").no_binary_name(true)).get_matches_from::<_, &str>([]);
        Self::from_arg_matches(&matches).expect("each default is valid")
    }
}

/// A bound is so small that the server would reject every request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--{flag} must be at least {least}; write, for example, --{flag} {example}")]
pub struct TooSmall {
    /// The flag, without its leading dashes.
    pub flag: &'static str,
    /// The minimum value.
    pub least: &'static str,
    /// A typical value.
    pub example: &'static str,
}

impl Limits {
    /// Checks that each bound permits something.
    ///
    /// # Errors
    /// [`TooSmall`] for the first that does not.
    pub fn check(&self) -> Result<(), TooSmall> {
        let count = |count: usize, flag, example| (count > 0, flag, "1", example);
        let optional = |most: Option<usize>, flag, example| (most != Some(0), flag, "1", example);
        let size = |bytes: u64, flag, example| (bytes > 0, flag, "1B", example);
        // The flag once counted MiB. A number without a unit counts bytes now, so an old value is below this minimum
        // and is refused.
        let is_some_memory = self.topic_memory >= 1 << 20;
        let bounds = [
            count(self.readers, "max-readers", "10000"),
            count(self.points, "max-points", "200000"),
            count(self.selected, "max-selected", "100000"),
            (self.match_steps > 0, "max-match-steps", "1", "1000000"),
            (is_some_memory, "max-topic-memory", "1MiB", "256MiB"),
            size(self.queue as u64, "max-queue", "128MiB"),
            count(self.rows, "max-rows", "25000"),
            count(self.series, "max-series", "2000000"),
            size(self.data.unwrap_or(u64::MAX), "max-data", "10GB"),
            count(self.keys, "max-keys", "1000000"),
            optional(self.readers_per_address, "max-readers-per-address", "5000"),
            optional(self.connections, "max-connections", "15000"),
            optional(self.connections_per_address, "max-connections-per-address", "11000"),
            count(self.history, "max-history", "256"),
            size(self.history_bytes, "max-history-bytes", "256MiB"),
        ];
        match bounds.into_iter().find(|&(is_enough, ..)| !is_enough) {
            Some((_, flag, least, example)) => Err(TooSmall { flag, least, example }),
            None => Ok(()),
        }
    }
}

/// The name of a bound: the flag that sets it, or the constant where no flag does. It is the label of
/// `pulseboard_refused_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// `--max-readers`.
    Readers,
    /// `--max-points`.
    Points,
    /// `--max-selected`.
    Selected,
    /// `--max-match-steps`.
    MatchSteps,
    /// `--max-topic-memory`.
    TopicMemory,
    /// [`MAX_SELECTORS`](crate::hub::boards::MAX_SELECTORS).
    Selectors,
    /// The requests of one address whose selectors take long to match. No flag sets it.
    MatchesPerAddress,
    /// `--max-queue`.
    Queue,
    /// The threads that parse large bodies. No flag sets it.
    Parsers,
    /// The bytes that one body may have. No flag sets it.
    BodySize,
    /// The time that a body may take to arrive. No flag sets it.
    BodyTime,
    /// The requests that wait for the store, and the time for which they wait. No flag sets it.
    QueueWait,
    /// `--max-rows`.
    Rows,
    /// `--max-series`.
    Series,
    /// `--max-data`.
    Data,
    /// The free space of the file system.
    Disk,
    /// The bytes of all uploaded boards together. No flag sets it.
    Boards,
    /// The number of boards. No flag sets it.
    BoardCount,
    /// `--max-readers-per-address`.
    ReadersPerAddress,
    /// `--max-connections`.
    Connections,
    /// `--max-connections-per-address`.
    ConnectionsPerAddress,
    /// `--max-history`.
    History,
    /// `--max-history-bytes`.
    HistoryBytes,
    /// The time that an answer of `/api/history`, or one step of it, may take. No flag sets it.
    HistoryTime,
    /// The time for which a client may leave an answer of `/api/history` unread: `--heartbeat`.
    HistoryUnread,
    /// The failed sign-ins of a name or an address. No flag sets it.
    SignIns,
    /// The live links, of all makers or of one. No flag sets it.
    Links,
}

impl Limit {
    /// All bounds.
    pub const ALL: [Self; 27] = [
        Self::Readers,
        Self::Points,
        Self::Selected,
        Self::MatchSteps,
        Self::TopicMemory,
        Self::Selectors,
        Self::MatchesPerAddress,
        Self::Queue,
        Self::Parsers,
        Self::BodySize,
        Self::BodyTime,
        Self::QueueWait,
        Self::Rows,
        Self::Series,
        Self::Data,
        Self::Disk,
        Self::Boards,
        Self::BoardCount,
        Self::ReadersPerAddress,
        Self::Connections,
        Self::ConnectionsPerAddress,
        Self::History,
        Self::HistoryBytes,
        Self::HistoryTime,
        Self::HistoryUnread,
        Self::SignIns,
        Self::Links,
    ];

    /// Returns the value of the label `limit`: the flag without its leading dashes, or a word where no flag sets the
    /// bound.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Readers => "max-readers",
            Self::Points => "max-points",
            Self::Selected => "max-selected",
            Self::MatchSteps => "max-match-steps",
            Self::TopicMemory => "max-topic-memory",
            Self::Selectors => "max-selectors",
            Self::MatchesPerAddress => "matches-per-address",
            Self::Queue => "max-queue",
            Self::Parsers => "parsers",
            Self::BodySize => "body-size",
            Self::BodyTime => "body-time",
            Self::QueueWait => "queue-wait",
            Self::Rows => "max-rows",
            Self::Series => "max-series",
            Self::Data => "max-data",
            Self::Disk => "disk",
            Self::Boards => "boards",
            Self::BoardCount => "board-count",
            Self::ReadersPerAddress => "max-readers-per-address",
            Self::Connections => "max-connections",
            Self::ConnectionsPerAddress => "max-connections-per-address",
            Self::History => "max-history",
            Self::HistoryBytes => "max-history-bytes",
            Self::HistoryTime => "history-time",
            Self::HistoryUnread => "history-unread",
            Self::SignIns => "sign-ins",
            Self::Links => "links",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn list_of_bounds_has_each_of_them() {
        let labels: BTreeSet<_> = Limit::ALL.into_iter().map(Limit::label).collect();
        assert_eq!(labels.len(), Limit::ALL.len());
        // Variants without fields are numbered, so the last one has the number of the others.
        assert_eq!(Limit::Links as usize + 1, Limit::ALL.len());
    }
}
