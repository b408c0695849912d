//! Names what of the database cannot be read.
//!
//! A damaged row is left out and stays where it is, so that it can be examined or repaired; all else is served. It is named
//! once in the log, and `GET /readyz` warns of it.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::ErrorCode;
use shared::BoardId;

use super::SeriesId;
use super::block::Place;

/// The greatest number of a point that is ever given: JSON has whole numbers up to here.
pub const GREATEST: u64 = (1 << 53) - 1;

/// Most damaged parts that are told apart.
const MOST: usize = 10_000;

/// How many are named in the log.
const LOGGED: usize = 20;

/// Why the bytes of a row are no content that was ever written.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// They cannot be decoded.
    #[error("{0}")]
    Form(#[from] postcard::Error),
    /// They are of another type.
    #[error("it is of another type")]
    Type,
    /// They can be decoded, but say what cannot be.
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
    /// A series that points are of, whose row of `series` is missing.
    Nameless(SeriesId),
    /// A row of `log`, by its key.
    Log(i64),
    /// A row of `blocks`.
    Block(Place),
    /// A row of `lines` of this series.
    Line(SeriesId),
    /// A row of `revised` of this series.
    Revised(i64),
    /// A row of `boards`; nothing where even its name cannot be read.
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
            Self::Block(place) => {
                let (Place { tier, series, .. }, key) = (place, place.key());
                write!(f, "row {key} of table blocks (series {}, buckets of {} ms)", series.0, tier.width_ms())
            }
            Self::Line(SeriesId(id)) => write!(f, "texts of series {id} in table lines"),
            Self::Revised(id) => write!(f, "row {id} of table revised"),
            Self::Board(Some(id)) => write!(f, "the row of board {id} in table boards"),
            Self::Board(None) => write!(f, "a row of table boards"),
            Self::Table(name) => write!(f, "pages of table {name}"),
        }
    }
}

/// The damaged parts that were found. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Damage(Arc<Mutex<Found>>);

#[derive(Debug, Default)]
struct Found {
    parts: HashSet<Part>,
    /// The first of them, with the reason.
    first: Option<String>,
}

impl Damage {
    /// Notes that a part cannot be read.
    pub fn note(&self, part: Part, why: impl fmt::Display) {
        let mut found = self.0.lock();
        if found.parts.len() >= MOST || found.parts.contains(&part) {
            return;
        }
        match found.parts.len() {
            ..LOGGED => tracing::error!(%part, %why, "the database is damaged: left out and kept as it is"),
            LOGGED => tracing::error!("the database is damaged in more places, which are not named"),
            _ => {}
        }
        found.first.get_or_insert_with(|| format!("{part}: {why}"));
        found.parts.insert(part);
    }

    /// Takes note where an error means that the file is damaged; any other error goes on to the caller.
    ///
    /// # Errors
    /// The error, where it means something else.
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

    /// Whether a row was found to be damaged since the start.
    #[must_use]
    pub fn has(&self, part: &Part) -> bool {
        self.0.lock().parts.contains(part)
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.lock().parts.is_empty()
    }

    /// A sentence for whoever runs the server; nothing where nothing was found.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let found = self.0.lock();
        let first = found.first.as_ref()?;
        Some(match found.parts.len() {
            1 => format!("the database is damaged, and what cannot be read is left out: {first}"),
            count => format!(
                "the database is damaged in {count} places, and what cannot be read is left out; the first: {first}"
            ),
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
