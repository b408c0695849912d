//! The state of the connection, as the page shows it.

/// State of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// The first connection is being made; there is nothing to show yet.
    Connecting,
    /// The page shows the server's current state.
    Live,
    /// The connection was lost a moment ago; the page shows the state of that moment.
    Reconnecting,
    /// The page shows old values.
    Stale,
    /// The page shows old values, and there is no network.
    Offline,
}

impl ConnectionState {
    /// Returns the state as a word, for the page and its `data-state`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Reconnecting => "reconnecting",
            Self::Stale => "stale",
            Self::Offline => "offline",
        }
    }

    /// Returns the word for the shown values rather than the connection: without a network they are just stale.
    #[must_use]
    pub fn of_picture(self) -> &'static str {
        match self {
            Self::Offline => Self::Stale.word(),
            other => other.word(),
        }
    }
}

/// A state, and the time since which it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionStatus {
    /// The state.
    pub state: ConnectionState,
    /// Start of the state, in milliseconds. For a state other than live: the last moment at which the picture was
    /// known to be up to date.
    pub since: u64,
}
