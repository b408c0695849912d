//! Live links: addresses that show one board to everyone who has them, and their changes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shared::access::Grant;
use shared::name::NameError;
use shared::{BoardId, Millis, Seq};

use super::token::TokenHash;

/// The id of a link, by which people revoke it. It opens nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct LinkId(BoardId);

impl LinkId {
    /// The id as a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for LinkId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        text.parse().map(Self)
    }
}

impl TryFrom<String> for LinkId {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A link as its maker makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLink {
    /// The id.
    pub id: LinkId,
    /// The hash of the secret.
    pub hash: TokenHash,
    /// The board.
    pub board: BoardId,
    /// The series that the maker may read. The link shows those of them that the board selects, so another document of the
    /// board shows nobody more than the maker saw.
    pub scope: Vec<Grant>,
    /// The maker, such as `user ann`.
    pub maker: String,
    /// The time at which it was made.
    pub created: Millis,
    /// The time at which it ends.
    pub expires: Millis,
}

/// A link as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRecord {
    /// The link.
    pub link: NewLink,
    /// The time at which it was revoked.
    pub revoked: Option<Millis>,
    /// The position of the log at the last change.
    pub since: Seq,
}

/// A change of a link. The node that appends it draws the secret and reads the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkChange {
    /// A link is made.
    Create(NewLink),
    /// A link is revoked.
    Revoke {
        /// The id.
        id: LinkId,
        /// The time of the change.
        at: Millis,
    },
}

/// The reason why a change of a link was not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkRefusal {
    /// No link of this id is valid.
    #[error("there is no link {0}; pulseboard link list shows what there is")]
    Absent(LinkId),
    /// The id is taken.
    #[error("there is a link {0} already; try again")]
    Taken(LinkId),
    /// There are too many links.
    #[error("there are {MAX_LINKS} links, the most that there may be; revoke those that nobody needs")]
    TooMany,
    /// The maker has too many links.
    #[error("you have {MAX_LINKS_OF_MAKER} links, the most of one maker; revoke those that nobody needs")]
    TooManyOfMaker,
}

/// The most links that are valid at a time.
pub const MAX_LINKS: usize = 1_000;

/// The most links of one maker that are valid at a time.
pub const MAX_LINKS_OF_MAKER: usize = 100;
