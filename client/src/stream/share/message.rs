//! What tabs tell each other.

use serde::{Deserialize, Serialize};

use super::interest::Interest;
use crate::stream::refusal::Refusal;

/// The name of a tab: drawn by chance, so that no two are alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TabId(pub String);

/// A frame of the stream, passed on. It is a claim that stands by itself, whoever makes it and however late: this is
/// all that changed of `interest` after `after`. Who shows no more than that and is no further behind can go on with
/// it. So nothing goes wrong where two tabs believe for a moment that they lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relayed {
    /// Of what it speaks.
    pub interest: Interest,
    /// After which cursor; nothing where it is the first of all.
    pub after: Option<String>,
    /// For whom, where not for all.
    pub to: Option<TabId>,
    /// The frame's id.
    pub id: String,
    /// The frame's data.
    pub data: String,
}

/// What a tab that is here needs of the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Nothing: it answers the roll call.
    Nothing,
    /// A sign that there is a leader.
    Sign,
    /// All of what it shows.
    Snapshot,
}

/// Something a tab says to all others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "says", rename_all = "snake_case")]
pub enum Said {
    /// A tab is here.
    Here {
        /// Which.
        tab: TabId,
        /// What it shows.
        interest: Interest,
        /// What for.
        needs: Need,
    },
    /// A tab goes.
    Gone {
        /// Which.
        tab: TabId,
    },
    /// The leader asks who is here.
    RollCall,
    /// The leader is there, and at it.
    Leading,
    /// The leader passes on what it heard.
    Frame(Relayed),
    /// The leader lost the server and is at it again, or was refused.
    Trouble {
        /// Why, where the server said.
        refusal: Option<Refusal>,
    },
    /// Somebody looks at a tab again, or there may be a network: try now.
    Nudge,
}
