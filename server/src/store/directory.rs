//! Which series there are. A pushed name is looked up once, as text, where the push is read; from there on it is a number.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;
use parking_lot::{RwLock, RwLockReadGuard};
use shared::name::NameError;
use shared::point::Kind;
use shared::{Declared, Millis, Point, SeriesName, Value};

use super::SeriesId;

/// The row of a series, and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its row.
    pub id: SeriesId,
    /// What it holds.
    pub kind: Kind,
}

/// A point that is to be committed.
#[derive(Clone, Debug, PartialEq)]
pub struct Pushed {
    pub(super) whose: Whose,
    pub(super) ts: Millis,
    pub(super) value: Value,
    /// What its sender says of all numbers of the series.
    pub(super) declares: Option<Declared>,
}

impl Pushed {
    /// The same, which also says this of its series.
    #[must_use]
    pub fn declaring(self, declares: Option<Declared>) -> Self {
        Self { declares, ..self }
    }
}

/// Whose a pushed point is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// A series that was there when the push was read, and holds what is pushed. Series never go, nor change their kind.
    Row(SeriesId),
    /// One that was not there, or holds something else.
    Named(SeriesName),
}

impl From<Point> for Pushed {
    fn from(Point { series, ts, value }: Point) -> Self {
        Self { whose: Whose::Named(series), ts, value, declares: None }
    }
}

/// All series that have a row, by name. Clones are the same one; only the thread that commits adds to it.
#[derive(Clone, Debug, Default)]
pub struct Directory(Arc<RwLock<Names>>);

/// A map of names. Its hash is seeded by chance, so that nobody can choose names that collide.
pub(super) type Names = HashMap<SeriesName, Row, RandomState>;

impl Directory {
    pub(super) fn new(names: Names) -> Self {
        Self(Arc::new(RwLock::new(names)))
    }

    /// Looks many up. New series wait meanwhile, so be quick.
    #[must_use]
    pub fn look(&self) -> Look<'_> {
        Look(self.0.read())
    }

    /// Takes series in, whose rows are on the disk.
    pub(super) fn extend(&self, begun: Names) {
        if !begun.is_empty() {
            self.0.write().extend(begun);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.read().len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The directory while it does not change.
#[derive(Debug)]
pub struct Look<'a>(RwLockReadGuard<'a, Names>);

impl Look<'_> {
    /// The point of the series of that name. Allocates nothing where the series is known.
    ///
    /// # Errors
    /// [`NameError`] where the text is no name.
    pub fn point(&self, name: &str, ts: Millis, value: Value) -> Result<Pushed, NameError> {
        let whose = match self.0.get(name) {
            Some(row) if row.kind == value.kind() => Whose::Row(row.id),
            _ => Whose::Named(name.parse()?),
        };
        Ok(Pushed { whose, ts, value, declares: None })
    }

    pub(super) fn find(&self, name: &SeriesName) -> Option<Row> {
        self.0.get(name).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&SeriesName, Row)> {
        self.0.iter().map(|(name, &row)| (name, row))
    }
}
