//! The types of the stored form, in the order of their bytes. A change of any of them needs another
//! [`VERSION`](super::VERSION).

use serde::{Deserialize, Serialize};

/// A group of entries.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Group {
    /// The series of all points of the group. A point has an index into this list.
    pub(super) series: Vec<Series>,
    pub(super) entries: Vec<StoredEntry>,
}

impl Group {
    /// Returns the number of points, to reserve memory.
    pub(super) fn points(&self) -> usize {
        let points = |entry: &StoredEntry| match &entry.change {
            StoredChange::Points(push) => push.points.len(),
            _ => 0,
        };
        self.entries.iter().map(points).sum()
    }
}

/// A series: its name, and the hashes of its source if the sender gave no name.
#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) source: Option<(u64, u64)>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredEntry {
    pub(super) terms: StoredTerms,
    pub(super) change: StoredChange,
    /// The event of the audit log, as JSON.
    pub(super) by: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredTerms {
    pub(super) at: u64,
    pub(super) oldest: u64,
    pub(super) max_series: u64,
    pub(super) max_rows: u64,
    pub(super) max_keys: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum StoredChange {
    Points(StoredPush),
    Board(StoredBoardChange),
    ForgetBoard { id: String, since: u64 },
    RemoveSeries(String),
    Token(StoredTokenChange),
    User(StoredUserChange),
    Link(StoredLinkChange),
    Event,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredPush {
    pub(super) points: Vec<StoredPoint>,
    pub(super) key: Option<(String, [u8; 16])>,
    pub(super) is_partial: bool,
}

/// A point: the index of its series, the time after the point before it in milliseconds, the code of the party that set
/// the time, the value, and the declared metric type.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredPoint(pub(super) u32, pub(super) i64, pub(super) u32, pub(super) StoredValue, pub(super) u8);

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum StoredValue {
    Number(f64),
    Text(String),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredBoardChange {
    pub(super) id: String,
    pub(super) selectors: Vec<String>,
    pub(super) etag: Option<String>,
    pub(super) document: Option<StoredDocument>,
    pub(super) expects: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredDocument {
    pub(super) form: String,
    pub(super) source: String,
    pub(super) changed: u64,
}

/// A change of a token. A capability is JSON, as in the tables.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum StoredTokenChange {
    Create { name: String, hash: [u8; 32], capability: String, at: u64 },
    Rotate { name: String, hash: [u8; 32], at: u64 },
    Revoke { name: String, at: u64 },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum StoredUserChange {
    Add { name: String, password: String, capability: String, at: u64 },
    SetPassword { name: String, password: String, at: u64 },
    SetCapability { name: String, capability: String, at: u64 },
    Remove { name: String, at: u64 },
    EndSessions { name: String },
    BeginSession { hash: [u8; 32], user: String, created: u64, expires: u64 },
    EndSession([u8; 32]),
}

/// A change of a live link. The scope is JSON, as in the tables.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum StoredLinkChange {
    Create { id: String, hash: [u8; 32], board: String, scope: String, maker: String, created: u64, expires: u64 },
    Revoke { id: String, at: u64 },
}
