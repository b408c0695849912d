//! The audit log: who changed what, when, and from where.
//!
//! An event is a part of the entry that makes the change, so both are applied or neither. An attempt that changed nothing
//! is an entry of its own.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use shared::Millis;

/// The most characters of [`AuditEvent::who`] and [`AuditEvent::object`].
const MAX_NAME: usize = 200;

/// The most characters of [`AuditEvent::detail`].
const MAX_DETAIL: usize = 2_000;

/// The event of an entry; `None` if the change comes from no user, such as that of a file of `--boards`.
pub type By = Option<Box<AuditEvent>>;

/// A change, or an attempt, as the audit log records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// The time, by the clock of the node.
    pub at: Millis,
    /// The principal, such as `user ann`.
    pub who: String,
    /// The address of the client; `None` for a command that changes the data folder itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<IpAddr>,
    /// The action.
    pub action: AuditAction,
    /// The name of the board, token, user, link or series.
    pub object: String,
    /// The details, such as the difference between two documents. May have several lines.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub detail: String,
}

impl AuditEvent {
    /// Makes an event. Long texts are cut.
    #[must_use]
    pub fn new(at: Millis, who: &str, from: Option<IpAddr>, action: AuditAction, object: &str, detail: &str) -> Self {
        let (who, object) = (cut(who, MAX_NAME), cut(object, MAX_NAME));
        Self { at, who, from, action, object, detail: cut(detail, MAX_DETAIL) }
    }

    /// Makes the event of a command that changes the data folder while no server runs.
    #[must_use]
    pub fn of_command(at: Millis, action: AuditAction, object: &str, detail: &str) -> Self {
        Self::new(at, "command line", None, action, object, detail)
    }
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Defines the actions with the words by which they are stored and shown.
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal),* $(,)?) => {
        /// An action that the audit log records.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum AuditAction {
            $($(#[$doc])* #[serde(rename = $word)] $name,)*
        }

        impl AuditAction {
            /// All actions.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Returns the word.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

actions! {
    /// A token was created.
    TokenCreated = "token.create",
    /// A token has another secret.
    TokenRotated = "token.rotate",
    /// A token was revoked.
    TokenRevoked = "token.revoke",
    /// A user was added.
    UserAdded = "user.add",
    /// A user may do something else.
    UserGranted = "user.grants",
    /// A user has another password.
    PasswordSet = "user.password",
    /// A user was removed.
    UserRemoved = "user.remove",
    /// All sessions of a user were ended.
    SessionsEnded = "user.sign-out",
    /// A user signed in.
    SignedIn = "sign-in",
    /// A user signed out.
    SignedOut = "sign-out",
    /// A sign-in failed.
    SignInFailed = "sign-in.failed",
    /// A request was refused.
    Refused = "refused",
    /// A board has another document.
    BoardStored = "board.put",
    /// The document of a board was deleted.
    BoardDeleted = "board.delete",
    /// A link was made.
    LinkMade = "link.create",
    /// A link was revoked.
    LinkRevoked = "link.revoke",
    /// A series was deleted.
    SeriesDeleted = "series.delete",
}

impl AuditAction {
    /// Returns the action of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.word() == word)
    }

    /// Returns true if strangers can cause any number of these events. They have a bound of their own, so that they cannot
    /// push other events out.
    #[must_use]
    pub fn is_attempt(self) -> bool {
        matches!(self, Self::SignInFailed | Self::Refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        let event = AuditEvent::of_command(Millis(7), AuditAction::Refused, &"ü".repeat(300), &"x".repeat(3_000));
        assert_eq!((event.object.chars().count(), event.detail.len()), (MAX_NAME + 1, MAX_DETAIL + "…".len()));
        assert_eq!(cut("ab", 2), "ab");
    }

    #[test]
    fn action_is_read_as_it_is_written() {
        for &action in AuditAction::ALL {
            assert_eq!(AuditAction::of(action.word()), Some(action));
            assert_eq!(serde_json::to_string(&action).unwrap(), format!("{:?}", action.word()));
        }
        assert_eq!(AuditAction::of("x"), None);
    }
}
