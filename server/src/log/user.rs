//! Users: people who sign in with a password, their sessions, and the changes of both.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shared::name::NameError;
use shared::{BoardId, Capability, Millis, Seq};

use super::token::TokenHash;

/// The name of a user: one segment of a series name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct UserName(BoardId);

impl UserName {
    /// The name in normal form C.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for UserName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        text.parse().map(Self)
    }
}

impl TryFrom<String> for UserName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The hash of a password, as a PHC string with its algorithm, parameters and salt.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// A user as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRecord {
    /// The name.
    pub name: UserName,
    /// The hash of the password.
    pub password: PasswordHash,
    /// Everything that the user may do.
    pub capability: Capability,
    /// The time at which the user was added.
    pub created: Millis,
    /// The time of the last change.
    pub changed: Millis,
    /// The time at which the user was removed. A removed user stays known, so that the server stays closed.
    pub removed: Option<Millis>,
    /// The position of the log at the last change of the capability. A cursor up to it may belong to another one.
    pub since: Seq,
}

/// A session: a browser in which a user has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// The hash of its secret.
    pub hash: TokenHash,
    /// The user.
    pub user: UserName,
    /// The time at which it began.
    pub created: Millis,
    /// The time at which it ends.
    pub expires: Millis,
}

/// A change of a user or of a session. The node that appends it hashes the password, draws the secret and reads the
/// clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserChange {
    /// A user is added.
    Add {
        /// The name.
        name: UserName,
        /// The hash of the password.
        password: PasswordHash,
        /// Everything that the user may do.
        capability: Capability,
        /// The time of the change.
        at: Millis,
    },
    /// A user gets another password, which ends all sessions of the user.
    SetPassword {
        /// The name.
        name: UserName,
        /// The hash of the new password.
        password: PasswordHash,
        /// The time of the change.
        at: Millis,
    },
    /// A user may do something else. The sessions go on, their streams begin anew.
    SetCapability {
        /// The name.
        name: UserName,
        /// Everything that the user may do.
        capability: Capability,
        /// The time of the change.
        at: Millis,
    },
    /// A user is removed with all sessions.
    Remove {
        /// The name.
        name: UserName,
        /// The time of the change.
        at: Millis,
    },
    /// All sessions of a user end.
    EndSessions {
        /// The name.
        name: UserName,
    },
    /// A session begins.
    BeginSession(SessionRecord),
    /// A session ends.
    EndSession(TokenHash),
}

/// A user with its sessions, after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserState {
    /// The user.
    pub user: UserRecord,
    /// The sessions, the newest first.
    pub sessions: Vec<SessionRecord>,
}

/// The reason why a change of a user was not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserRefusal {
    /// There is a user of this name.
    #[error(
        "there is a user {0} already; pulseboard user set changes what a user may do, pulseboard user password the password"
    )]
    NameTaken(UserName),
    /// There is no user of this name.
    #[error("there is no user {0}; pulseboard user list shows who there is")]
    Absent(UserName),
    /// There is no such session.
    #[error("there is no such session")]
    NoSession,
    /// There are too many users.
    #[error("there are {MAX_USERS} users, the most that there may be; remove those that nobody needs")]
    TooMany,
}

/// The most users.
pub const MAX_USERS: usize = 1_000;

/// The most sessions of a user. The oldest ends when another one begins.
pub const MAX_SESSIONS: usize = 20;
