//! The types that the server and the browser share.
//!
//! One idea carries the product: a reader's picture is `fold(snapshot, updates)`. The types of that sentence live
//! only here. They do no I/O, read no clock, and compile natively and to wasm:
//!
//! - [`name`]: [`SeriesName`], [`Selector`] and [`BoardId`], parsed once at the edge; [`unicode`] defines which
//!   characters are letters;
//! - [`point`]: the unit of a push, a [`Point`] of a [`Value`] at a [`Millis`]; [`millis`] also has intervals of
//!   time;
//! - [`duration`]: a [`Duration`] as users write it;
//! - [`bucket`]: a [`Bucket`] of points, and its merge;
//! - [`sketch`]: the distribution of the values of a bucket;
//! - [`tier`]: the widths of buckets, and [`rolled`]: buckets made of finer ones;
//! - [`track`]: the recent past of one series, and its changes since a [`Seq`];
//! - [`as_of`]: a track as of a moment, without the points ahead of it;
//! - [`event`]: an [`Event`] of the stream;
//! - [`fold`]: the [`Picture`] that results from the events;
//! - [`cursor`]: the position of a reader in the stream, `EPOCH-SEQ`;
//! - [`sse`]: encodes events as bytes and decodes them;
//! - [`contract`]: a hash of the wire format, by which a page notices a server of another version;
//! - [`problem`]: an error in the format of RFC 9457;
//! - [`access`]: the permissions of users and programs, each a [`Capability`];
//! - [`board`]: the document of a board, and [`markdown`], the format of its notes;
//! - [`reading`]: the numbers that widgets show, and [`format`](mod@format), their texts;
//! - [`doctor`]: diagnoses the network path of a stream from measurements.

pub mod access;
pub mod as_of;
pub mod board;
pub mod bucket;
pub mod contract;
pub mod cursor;
pub mod doctor;
pub mod duration;
pub mod event;
pub mod fold;
pub mod format;
pub mod markdown;
pub mod millis;
pub mod moment;
pub mod name;
pub mod order;
pub mod point;
pub mod problem;
pub mod reading;
pub mod rolled;
pub mod sketch;
pub mod sse;
pub mod tier;
pub mod track;
pub mod unicode;

pub use access::Capability;
pub use board::Board;
pub use bucket::{Bucket, Sample, Stamp};
pub use cursor::{Cursor, Epoch, Seq};
pub use duration::Duration;
pub use event::{BoardEdition, ByeReason, Event, GapReason};
pub use fold::{Applied, Picture};
pub use millis::{Millis, TimeRange};
pub use name::{BoardId, Selector, SeriesName};
pub use point::{Declared, Number, Point, Text, Value};
pub use problem::Problem;
pub use rolled::Rolled;
pub use sketch::{Bin, Sketch};
pub use tier::Tier;
pub use track::{LogLine, SeriesPart, TextLog, Track};
pub use unicode::nfc;
