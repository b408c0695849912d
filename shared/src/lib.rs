//! What the server and the browser agree on.
//!
//! One idea carries the product: a reader's picture is `fold(snapshot, updates)`. The types of that sentence live
//! here and nowhere else, do no I/O, read no clock, and compile natively and to wasm:
//!
//! - [`name`]: [`SeriesName`], [`Selector`] and [`BoardId`], parsed once at the edge; [`script`] says which characters are
//!   letters;
//! - [`point`]: what is pushed, a [`Point`] of a [`Value`] at a [`Millis`];
//! - [`bucket`]: a [`Bucket`] of points, and its merge;
//! - [`sketch`]: how the values of a bucket are spread;
//! - [`tier`]: the widths of buckets, and [`rolled`]: those that are made of finer ones;
//! - [`track`]: the recent past of one series, and what of it changed since a [`Seq`];
//! - [`as_of`]: a track as of a moment, without the points ahead of it;
//! - [`event`]: what the stream says, an [`Event`];
//! - [`fold`]: the [`Picture`] that events add up to;
//! - [`cursor`]: where in the stream a reader is, `EPOCH-SEQ`;
//! - [`sse`]: events as bytes and back;
//! - [`contract`]: a hash of all that, by which a page notices that the server speaks otherwise;
//! - [`problem`]: an error as RFC 9457 has it;
//! - [`board`]: what a page shows, as a document, and [`markdown`], in which its notes are written;
//! - [`doctor`]: what is wrong on the way of a stream, from measurements of it.

pub mod as_of;
pub mod board;
pub mod bucket;
pub mod contract;
pub mod cursor;
pub mod doctor;
pub mod event;
pub mod fold;
pub mod markdown;
pub mod millis;
pub mod name;
pub mod point;
pub mod problem;
pub mod rolled;
pub mod script;
pub mod sketch;
pub mod sse;
pub mod tier;
pub mod track;

pub use board::Board;
pub use bucket::{Bucket, Sample, Stamp};
pub use cursor::{Cursor, Epoch, Seq};
pub use event::{BoardEdition, ByeReason, Event, GapReason};
pub use fold::{Applied, Picture};
pub use millis::{Millis, Stretch};
pub use name::{BoardId, Selector, SeriesName};
pub use point::{Declared, Number, Point, Text, Value};
pub use problem::Problem;
pub use rolled::Rolled;
pub use script::nfc;
pub use sketch::{Bin, Sketch};
pub use tier::Tier;
pub use track::{Line, Log, SeriesPart, Track};
