//! A push: points that a node has parsed and that wait to be appended to the log.

use shared::{Declared, Millis, Point, SeriesName, Value};

use super::idempotency::IdempotencyKey;
use super::point_time::{PointTime, SetBy};
use super::series::SeriesId;
use super::source::Source;

/// Decides what happens to a push if some of its points are of another kind than their series holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Atomicity {
    /// The whole push is refused.
    #[default]
    AllOrNothing,
    /// The other points are stored.
    Partial,
}

/// The points of one request.
#[derive(Clone, Debug)]
pub struct Push {
    /// At least one point.
    pub points: Vec<Pushed>,
    /// The idempotency key that the sender gave. A push whose key is known counts as done if it is the same request,
    /// and is refused otherwise.
    pub key: Option<IdempotencyKey>,
    /// Decides whether points of the wrong kind spoil the whole push.
    pub atomicity: Atomicity,
}

impl Push {
    /// Creates a push of these points, without a key.
    #[must_use]
    pub fn of(points: impl IntoIterator<Item = Point>) -> Self {
        let points = points.into_iter().map(Pushed::from).collect();
        Self { points, key: None, atomicity: Atomicity::default() }
    }

    /// Returns the work to commit the push: 1 for each number of a known series, more for other points.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.points.iter().map(Pushed::weight).sum()
    }
}

/// The weight of a database row, for a text or a new series. A number of a known series has weight 1.
const ROW_WEIGHT: usize = 10;

/// A point that waits to be committed.
#[derive(Clone, Debug, PartialEq)]
pub struct Pushed {
    pub(crate) target: Target,
    pub(crate) ts: Millis,
    pub(crate) set_by: SetBy,
    pub(crate) value: Value,
    /// The metric type that the sender declares for the series.
    pub(crate) declares: Option<Declared>,
}

impl Pushed {
    pub(crate) fn at(target: Target, PointTime { ts, set_by }: PointTime, value: Value) -> Self {
        Self { target, ts, set_by, value, declares: None }
    }

    /// Marks the time as set by the sender, with `nanos` nanoseconds beyond the millisecond.
    #[must_use]
    pub fn sent(self, nanos: u32) -> Self {
        Self { set_by: SetBy::sender(nanos), ..self }
    }

    /// Adds a declaration about the series.
    #[must_use]
    pub fn declaring(self, declares: Option<Declared>) -> Self {
        Self { declares, ..self }
    }

    /// Returns the work to commit the point: 1 for a number of a known series, which is packed with many others.
    pub(crate) fn weight(&self) -> usize {
        let begins = matches!(self.target, Target::New(_));
        let is_text = matches!(self.value, Value::Text(_));
        1 + ROW_WEIGHT * (usize::from(begins) + usize::from(is_text))
    }

    /// Returns the bytes of memory that the point takes besides its own size: its text, and the name of a new series
    /// with its entries in maps.
    #[must_use]
    pub fn bytes_beside(&self) -> usize {
        let text = match &self.value {
            Value::Number(_) => 0,
            Value::Text(text) => text.as_str().len(),
        };
        let name = match &self.target {
            Target::Row(_) => 0,
            Target::New(new) => new.name.as_str().len() + 192,
        };
        text + name
    }
}

/// The series of a pushed point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A series that existed when the push was read, and holds points of this kind. A row never changes its kind. The
    /// series may have been removed since (`store::removal`).
    Row(SeriesId),
    /// A series that did not exist when the push was read, or that holds points of another kind.
    New(Box<NewSeries>),
}

/// The series of a point that had none when the push was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewSeries {
    /// The name that the sender gave, or the readable name of the source.
    pub(crate) name: SeriesName,
    /// The source, if the sender gave no name.
    pub(crate) source: Option<Source>,
}

impl Target {
    /// The series of this name, given by the sender.
    pub(crate) fn named(name: SeriesName) -> Self {
        Self::New(Box::new(NewSeries { name, source: None }))
    }
}

impl From<Point> for Pushed {
    fn from(Point { series, ts, value }: Point) -> Self {
        Self { target: Target::named(series), ts, set_by: SetBy::SERVER, value, declares: None }
    }
}
