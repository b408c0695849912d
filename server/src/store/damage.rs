//! Records the parts of the database that cannot be read.
//!
//! A damaged row is skipped and stays in its table, so that it can be examined or repaired; everything else is
//! served. The row is named once in the log, and `GET /readyz` warns of it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::ErrorCode;
use shared::BoardId;

use super::block_id::{BlockId, ExtentId};
use crate::log::SeriesId;

/// The greatest possible seq: the greatest integer that a JSON number holds exactly.
pub const GREATEST: u64 = (1 << 53) - 1;

/// The most damaged parts that are recorded.
const MOST: usize = 10_000;

/// The most damaged parts that are named in the log.
const LOGGED: usize = 20;

/// The reason why the bytes of a row cannot have been written by this program.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The bytes of a row of the log, or of a row of an earlier version, cannot be decoded.
    #[error("{0}")]
    Form(#[from] postcard::Error),
    /// The value has another type than the column.
    #[error("it has the wrong type")]
    Type,
    /// The bytes can be decoded, but their content is impossible.
    #[error("{0}")]
    Content(&'static str),
}

/// A part of the database.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The row of `meta`.
    Meta,
    /// A row of `series`, by its key.
    Series(i64),
    /// A series that has points, but no readable row of `series`.
    Nameless(SeriesId),
    /// A row of `log`, by its key.
    Log(i64),
    /// A row of `blocks`.
    Block(BlockId),
    /// A row of `extents`.
    Extent(ExtentId),
    /// Rows of `lines` that belong to this series.
    Line(SeriesId),
    /// A row of `revised`, by its series.
    Revised(i64),
    /// A row of `boards`; `None` if even its name cannot be read.
    Board(Option<BoardId>),
    /// Some pages of this table.
    Table(&'static str),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Meta => write!(f, "the row of table meta"),
            Self::Series(id) => write!(f, "row {id} of table series"),
            Self::Nameless(SeriesId(id)) => write!(f, "the name of series {id}"),
            Self::Log(last) => write!(f, "row {last} of table log"),
            Self::Block(block_id) => {
                let (BlockId { tier, series, .. }, key) = (block_id, block_id.key());
                write!(f, "row {key} of table blocks (series {}, buckets of {} ms)", series.0, tier.width_ms())
            }
            Self::Extent(extent) => {
                let (ExtentId { tier, series, .. }, key) = (extent, extent.key());
                write!(f, "row {key} of table extents (series {}, buckets of {} ms)", series.0, tier.width_ms())
            }
            Self::Line(SeriesId(id)) => write!(f, "texts of series {id} in table lines"),
            Self::Revised(id) => write!(f, "row {id} of table revised"),
            Self::Board(Some(id)) => write!(f, "the row of board {id} in table boards"),
            Self::Board(None) => write!(f, "a row of table boards"),
            Self::Table(name) => write!(f, "pages of table {name}"),
        }
    }
}

/// The damaged parts that were found. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Damage(Arc<Mutex<Found>>);

#[derive(Debug, Default)]
struct Found {
    parts: HashMap<Part, String>,
    /// The first part that was found, with the reason.
    first: Option<String>,
}

impl Damage {
    /// Records that a part cannot be read.
    pub fn note(&self, part: Part, why: impl fmt::Display) {
        let mut found = self.0.lock();
        if found.parts.len() >= MOST || found.parts.contains_key(&part) {
            return;
        }
        match found.parts.len() {
            ..LOGGED => tracing::error!(%part, %why, "the database is damaged: this part is skipped and kept as it is"),
            LOGGED => tracing::error!("the database is damaged in more parts, which are not logged"),
            _ => {}
        }
        found.first.get_or_insert_with(|| format!("{part}: {why}"));
        found.parts.insert(part, why.to_string());
    }

    /// Records the part if the error means that the file is damaged; returns any other error to the caller.
    ///
    /// # Errors
    /// The given error, if it does not mean damage.
    pub fn take(&self, part: Part, error: rusqlite::Error) -> rusqlite::Result<()> {
        let is_damage = matches!(
            error,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::Utf8Error(..)
        ) || error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt);
        if !is_damage {
            return Err(error);
        }
        self.note(part, error);
        Ok(())
    }

    /// Returns true if this part was found damaged since the start.
    #[must_use]
    pub fn has(&self, part: &Part) -> bool {
        self.0.lock().parts.contains_key(part)
    }

    /// Calls `look` with each damaged part and the reason.
    pub(super) fn each(&self, mut look: impl FnMut(&Part, &str)) {
        self.0.lock().parts.iter().for_each(|(part, why)| look(part, why));
    }

    /// Returns true if no damage was found.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.lock().parts.is_empty()
    }

    /// Returns a sentence for the operator; `None` if no damage was found.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let found = self.0.lock();
        let first = found.first.as_ref()?;
        Some(match found.parts.len() {
            1 => format!("the database is damaged; the damaged part is skipped: {first}"),
            count => {
                format!("the database is damaged in {count} places; damaged parts are skipped; the first: {first}")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_counted_once_and_the_first_is_named() {
        let damage = Damage::default();
        assert!(damage.is_none() && damage.warning().is_none());
        damage.note(Part::Log(7), "it ends early");
        damage.note(Part::Log(7), "it ends early");
        assert!(damage.warning().unwrap().ends_with("row 7 of table log: it ends early"));
        damage.note(Part::Meta, "no epoch");
        assert!(damage.warning().unwrap().contains("in 2 places"));
        assert!(damage.has(&Part::Meta) && !damage.has(&Part::Log(8)));
    }
}
