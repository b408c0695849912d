//! Boards as documents: the description of a page, written by a user in JSON or TOML.
//!
//! ```toml
//! title = "Shop"
//! range = "6h"
//!
//! [[widgets]]
//! id = "latency"
//! type = "line"
//! series = ["shop/*/latency_ms"]
//! expect = "60s"
//! quantiles = ["p50", "p99"]
//! thresholds = [{ above = 250, level = "warn" }]
//! place = { x = 0, y = 0, w = 8, h = 4 }
//! ```
//!
//! - [`document`]: the [`Board`] and its limits. [`Board::read`] accepts any JSON (the server converts TOML to it
//!   first), and [`Reading`] lists every mistake with its place;
//! - [`widget`]: the [`Widget`], its common fields, and its [`View`]s. Each kind has its options in its own file:
//!   [`stat`], [`lines`], [`bars`], [`gauge`], [`states`], [`table`], [`log`], [`heatmap`], [`text`];
//! - [`axis`], [`threshold`], [`unit`], [`span`]: options that several kinds share;
//! - [`place`] and [`layout`]: the position of each widget, including those that do not set one;
//! - [`drawn`]: the lazily loaded page module that draws each kind of widget;
//! - [`automatic`]: the document of a board that no user has created; [`nature`]: the metric type of its series;
//! - [`notice`]: warnings about parts that are valid but may be unintended;
//! - [`etag`]: the entity tag of an edition of a document;
//! - [`read`] and [`word`]: helpers that read a document field by field.
//!
//! **Two modes.** [`Reading::strict`] is for code that stores boards: one mistake rejects the board, so stored boards
//! are always valid. [`Reading::board`] is for code that shows boards, which may come from an older or newer version:
//! it leaves out unreadable widgets, treats unreadable options as absent, and keeps the rest.

pub mod automatic;
pub mod axis;
pub mod bars;
pub mod document;
pub mod drawn;
pub mod etag;
pub mod gauge;
pub mod heatmap;
pub mod layout;
pub mod lines;
pub mod log;
pub mod nature;
pub mod notice;
pub mod place;
pub mod read;
pub mod span;
pub mod stat;
pub mod states;
pub mod table;
pub mod text;
pub mod threshold;
pub mod unit;
pub mod widget;
pub mod word;

pub use document::{Board, Columns, Reading};
pub use drawn::Drawn;
pub use etag::{Etag, Form};
pub use nature::Nature;
pub use notice::notices;
pub use place::{Place, Size};
pub use span::Span;
pub use threshold::{Level, Threshold};
pub use unit::Unit;
pub use widget::{Content, Show, Source, View, Widget, WidgetId};
