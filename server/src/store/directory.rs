//! The directory of all series by name. Parsing a push looks each name up once, as text; later steps use the row's
//! id.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;
use parking_lot::{RwLock, RwLockReadGuard};
use shared::name::NameError;
use shared::point::Kind;
use shared::{SeriesName, Value};

use super::source::SeriesOrigin;
use crate::log::push::{NewSeries, Target};
use crate::log::{PointTime, Pushed, SeriesId, Source};

/// The row of a series, the kind of its points and their origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The row's id.
    pub id: SeriesId,
    /// The kind of its points.
    pub kind: Kind,
    /// The origin of its points.
    pub origin: SeriesOrigin,
}

/// All series that have a row, by name. Clones share it; only the writer thread adds to it.
#[derive(Clone, Debug, Default)]
pub struct Directory(Arc<RwLock<Listed>>);

#[derive(Debug, Default)]
struct Listed {
    names: Names,
    /// The series of [`SeriesOrigin::Suffixed`], by their sources.
    suffixed: SuffixedNames,
    /// The greatest row in use, including rows of series whose name cannot be read.
    last: u32,
}

/// Maps names to rows. The hash has a random seed, so that no sender can choose names that collide.
pub(super) type Names = HashMap<SeriesName, Row, RandomState>;

/// Maps sources to rows.
pub(super) type SuffixedNames = HashMap<Source, Row, RandomState>;

impl Directory {
    /// Creates a directory of these series. All rows up to `last` count as in use.
    pub(super) fn new(names: Names, last: u32) -> Self {
        let suffixed = names.values().filter_map(suffixed).collect();
        Self(Arc::new(RwLock::new(Listed { names, suffixed, last })))
    }

    /// Marks all rows up to this one as in use.
    pub(super) fn reserve(&self, row: SeriesId) {
        let mut listed = self.0.write();
        listed.last = listed.last.max(row.0);
    }

    /// Returns the greatest row in use, which is the length of a list of all rows.
    pub(super) fn last_row(&self) -> u32 {
        self.0.read().last
    }

    /// Locks the directory for several lookups. New series wait meanwhile, so hold it briefly.
    #[must_use]
    pub fn look(&self) -> Look<'_> {
        Look(self.0.read())
    }

    /// Adds series whose rows are on the disk. A series that is listed already gets the new origin.
    pub(super) fn extend(&self, begun: Names) {
        if !begun.is_empty() {
            let mut listed = self.0.write();
            listed.last = begun.values().map(|row| row.id.0).fold(listed.last, u32::max);
            listed.suffixed.extend(begun.values().filter_map(suffixed));
            listed.names.extend(begun);
        }
    }

    /// Takes out a removed series. Its row stays in use.
    pub(super) fn remove(&self, name: &SeriesName) {
        let mut listed = self.0.write();
        if let Some((source, _)) = listed.names.remove(name).as_ref().and_then(suffixed) {
            listed.suffixed.remove(&source);
        }
    }

    /// Returns the number of series.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.read().names.len()
    }

    /// Returns true if there is no series.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Returns the entry of a series for [`SuffixedNames`], if a hash is in its name because its readable name was taken.
pub(super) fn suffixed(row: &Row) -> Option<(Source, Row)> {
    match row.origin {
        SeriesOrigin::Suffixed(source) => Some((source, *row)),
        SeriesOrigin::Unknown | SeriesOrigin::Name | SeriesOrigin::Readable(_) => None,
    }
}

/// The locked directory, for lookups.
#[derive(Debug)]
pub struct Look<'a>(RwLockReadGuard<'a, Listed>);

impl Look<'_> {
    /// Creates a point of the series of this name; the name need not be in Unicode normalization form C. Allocates
    /// nothing if the series is known.
    ///
    /// # Errors
    /// [`NameError`] if the text is not a valid name.
    pub fn point(&self, name: &str, time: PointTime, value: Value) -> Result<Pushed, NameError> {
        let target = match self.0.names.get(name) {
            Some(row) if row.kind == value.kind() => Target::Row(row.id),
            _ => Target::named(name.parse()?),
        };
        Ok(Pushed::at(target, time, value))
    }

    /// Creates a point of the series of this source, whose readable name is `name`. Allocates nothing if the series
    /// is known.
    ///
    /// # Errors
    /// [`NameError`] if the text is not a valid name.
    pub fn point_of(&self, name: &str, source: Source, time: PointTime, value: Value) -> Result<Pushed, NameError> {
        let target = match self.of_source(name, source) {
            Some(row) if row.kind == value.kind() => Target::Row(row.id),
            _ => Target::New(Box::new(NewSeries { name: name.parse()?, source: Some(source) })),
        };
        Ok(Pushed::at(target, time, value))
    }

    /// Returns the row of the series of a source.
    pub(super) fn of_source(&self, name: &str, source: Source) -> Option<Row> {
        let Listed { names, suffixed, .. } = &*self.0;
        names
            .get(name)
            .filter(|row| row.origin == SeriesOrigin::Readable(source))
            .or_else(|| suffixed.get(&source))
            .copied()
    }

    /// Returns the row of a series that holds points of this kind.
    pub(super) fn row_of(&self, NewSeries { name, source }: &NewSeries, kind: Kind) -> Option<SeriesId> {
        let row = match source {
            None => self.find(name),
            Some(source) => self.of_source(name.as_str(), *source),
        };
        row.filter(|row| row.kind == kind).map(|row| row.id)
    }

    /// Releases the lock for a waiting writer, and takes it again.
    pub fn give_way(&mut self) {
        RwLockReadGuard::bump(&mut self.0);
    }

    pub(super) fn find(&self, name: &SeriesName) -> Option<Row> {
        self.0.names.get(name).copied()
    }

    /// Returns the number of series.
    pub(super) fn len(&self) -> usize {
        self.0.names.len()
    }

    /// Returns the greatest row in use.
    pub(super) fn last_row(&self) -> u32 {
        self.0.last
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&SeriesName, Row)> {
        self.0.names.iter().map(|(name, &row)| (name, row))
    }
}
