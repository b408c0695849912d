//! What is said of the connection.

/// What the page says of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The first connection is being made; there is nothing to show yet.
    Connecting,
    /// What is shown is what the server has.
    Live,
    /// The line is lost, only just; what is shown was true a moment ago.
    Reconnecting,
    /// What is shown is old.
    Stale,
    /// What is shown is old, and there is no network to get newer by.
    Offline,
}

impl State {
    /// The state as a word, for the page and for its `data-state`.
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

    /// The word for what is shown, rather than for the line: what is old is old, for whatever reason.
    #[must_use]
    pub fn of_picture(self) -> &'static str {
        match self {
            Self::Offline => Self::Stale.word(),
            other => other.word(),
        }
    }
}

/// A state, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it is.
    pub state: State,
    /// Since when: where not live, the moment that the picture was last known to be true.
    pub since: u64,
}
