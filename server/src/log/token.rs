//! Tokens: the credentials of programs, and their changes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shared::name::NameError;
use shared::{BoardId, Capability, Millis, Seq};

/// The name of a token, by which people know it: one segment of a series name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct TokenName(BoardId);

impl TokenName {
    /// The name in normal form C.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for TokenName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        text.parse().map(Self)
    }
}

impl TryFrom<String> for TokenName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The SHA-256 of the secret of a token.
///
/// A plain hash is enough: the secret is 256 random bits, so nobody can guess it and compare hashes, as with the
/// password of a person. A slow hash would cost each push its time.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// A token as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// The name.
    pub name: TokenName,
    /// The hash of the secret.
    pub hash: TokenHash,
    /// Everything that its holder may do.
    pub capability: Capability,
    /// The time at which it was created.
    pub created: Millis,
    /// The time at which it got its present secret, if that is not the first.
    pub rotated: Option<Millis>,
    /// The time at which it was revoked. A revoked token stays in the list until its name is used again.
    pub revoked: Option<Millis>,
    /// The position of the log at the last change. A cursor up to it may belong to another capability.
    pub since: Seq,
}

/// A change of a token. The node that appends it draws the secret and reads the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenChange {
    /// A token is created, unless a token of this name is valid.
    Create {
        /// The name.
        name: TokenName,
        /// The hash of the secret.
        hash: TokenHash,
        /// Everything that its holder may do.
        capability: Capability,
        /// The time of the change.
        at: Millis,
    },
    /// A token gets another secret.
    Rotate {
        /// The name.
        name: TokenName,
        /// The hash of the new secret.
        hash: TokenHash,
        /// The time of the change.
        at: Millis,
    },
    /// A token is revoked.
    Revoke {
        /// The name.
        name: TokenName,
        /// The time of the change.
        at: Millis,
    },
}

impl TokenChange {
    /// The name of the token.
    #[must_use]
    pub fn name(&self) -> &TokenName {
        match self {
            Self::Create { name, .. } | Self::Rotate { name, .. } | Self::Revoke { name, .. } => name,
        }
    }
}

/// The reason why a change of a token was not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// A token of this name is valid.
    #[error(
        "there is a token {0} already; revoke it first, give the new one another name, or rotate it for a new secret"
    )]
    NameTaken(TokenName),
    /// No token of this name is valid.
    #[error("there is no token {0}; pulseboard token list shows what there is")]
    Absent(TokenName),
    /// There are too many tokens.
    #[error("there are {MAX_TOKENS} tokens, the most that there may be; revoke those that nobody uses")]
    TooMany,
}

/// The most tokens, including revoked ones.
pub const MAX_TOKENS: usize = 1_000;
