//! Capacity: fits the bounds on connections and streams to the file descriptors of the process.

use crate::limits::Limits;

/// File descriptors that connections never use: the store and its connections, event queues and threads take some
/// fifty, the lanes of an overloaded server 32, and the rest is spare.
pub const RESERVE: usize = 128;

/// Minimum number of connections that a server must be able to have open.
const LEAST: usize = 16;

/// Connections that one client cannot take from the others by default: a quarter of all, and at most this many.
const LEFT_TO_OTHERS: usize = 1_000;

/// The bounds on connections and streams that the server applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Connections at once.
    pub connections: usize,
    /// Connections of one client at once.
    pub connections_per_address: usize,
    /// Streams at once.
    pub readers: usize,
    /// Streams of one client at once. `None`: half of `readers` for clients of other machines, no bound on loopback.
    pub readers_per_address: Option<usize>,
}

/// Error: the process may open too few files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "only {0} files may be open at once, and a server needs at least {least}; raise the limit: `ulimit -n {least}` in the shell, \
     or LimitNOFILE={least} in the unit of systemd",
    least = RESERVE + LEAST
)]
pub struct TooFewFiles(u64);

impl Capacity {
    /// Fits `limits` into `files`, the number of files that may be open at once. Returns a warning for each bound that
    /// had to be lowered.
    ///
    /// # Errors
    /// [`TooFewFiles`].
    pub fn fit(limits: &Limits, files: u64) -> Result<(Self, Vec<String>), TooFewFiles> {
        let room = usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(RESERVE);
        if room < LEAST {
            return Err(TooFewFiles(files));
        }
        let mut warnings = Vec::new();
        // Streams never take all connections: a quarter is left for pushes.
        let mut fit = |flag: &str, wanted: usize, room: usize| {
            if wanted > room {
                warnings.push(format!(
                    "--{flag} is {room} instead of {wanted}: {files} files may be open, {RESERVE} of them are kept for the store; raise \
                     the limit (ulimit -n, LimitNOFILE=), or pass --{flag} {room}"
                ));
            }
            wanted.min(room)
        };
        let readers = fit("max-readers", limits.readers, room - room / 4);
        let default = readers.saturating_add((readers / 2).max(LEFT_TO_OTHERS)).min(room);
        let connections = fit("max-connections", limits.connections.unwrap_or(default), room);
        let per_address = connections - (connections / 4).min(LEFT_TO_OTHERS);
        let capacity = Self {
            connections,
            connections_per_address: limits.connections_per_address.unwrap_or(per_address).min(connections),
            readers,
            readers_per_address: limits.readers_per_address,
        };
        Ok((capacity, warnings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_leave_room_for_ten_thousand_readers_of_one_address() {
        let (capacity, warnings) = Capacity::fit(&Limits::default(), 20_000).unwrap();
        assert_eq!((capacity.readers, capacity.connections), (10_000, 15_000));
        assert_eq!((capacity.connections_per_address, warnings.len()), (14_000, 0));
    }

    #[test]
    fn bounds_are_lowered_to_the_files_with_a_warning_that_names_the_flag() {
        let limits = Limits { connections: Some(500), ..Limits::default() };
        let (capacity, warnings) = Capacity::fit(&limits, 400).unwrap();
        assert_eq!((capacity.readers, capacity.connections, capacity.connections_per_address), (204, 272, 204));
        for (warning, flag) in warnings.iter().zip(["--max-readers 204", "--max-connections 272"]) {
            assert!(warning.contains(flag) && warning.contains("ulimit -n"), "{warning}");
        }
        assert_eq!(warnings.len(), 2);
    }

    #[test]
    fn error_for_too_few_files_says_what_to_do() {
        let error = Capacity::fit(&Limits::default(), 100).unwrap_err().to_string();
        assert!(error.contains("ulimit -n 144") && !error.contains('\n'), "{error}");
        assert!(Capacity::fit(&Limits::default(), 144).is_ok());
    }
}
