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
//!   first), and [`ParsedBoard`] lists every mistake with its place;
//! - [`widget`]: the [`Widget`], its common fields, and its [`WidgetView`]s. Each kind has its options in its own file:
//!   [`stat`], [`lines`], [`bars`], [`gauge`], [`states`], [`table`], [`log`], [`heatmap`], [`text`];
//! - [`axis`], [`overlay`], [`threshold`], [`unit`], [`duration`]: options that several kinds share;
//! - [`place`] and [`layout`]: the position of each widget, including those that do not set one;
//! - [`draw_module`]: the lazily loaded page module that draws each kind of widget;
//! - [`automatic`]: the document of a board that no user has created; [`metric_type`]: the metric type of its series;
//! - [`warnings`]: warnings about parts that are valid but may be unintended;
//! - [`etag`]: the entity tag of an edition of a document;
//! - [`read`] and [`keyword`]: helpers that read a document field by field.
//!
//! **Two modes.** [`ParsedBoard::strict`] is for code that stores boards: one mistake rejects the board, so stored boards
//! are always valid. [`ParsedBoard::board`] is for code that shows boards, which may come from an older or newer version:
//! it leaves out unreadable widgets, treats unreadable options as absent, and keeps the rest.

pub mod automatic;
pub mod axis;
pub mod bars;
pub mod document;
pub mod draw_module;
pub mod duration;
pub mod etag;
pub mod gauge;
pub mod heatmap;
pub mod keyword;
pub mod layout;
pub mod lines;
pub mod log;
pub mod metric_type;
pub mod overlay;
pub mod place;
pub mod read;
pub mod stat;
pub mod states;
pub mod table;
pub mod text;
pub mod threshold;
pub mod unit;
pub mod warnings;
pub mod widget;

pub use document::{Board, Columns, ParsedBoard};
pub use draw_module::DrawModule;
pub use duration::parse_duration;
pub use etag::{BoardFormat, Etag};
pub use metric_type::MetricType;
pub use overlay::Earlier;
pub use place::{Place, Size};
pub use threshold::{Level, Threshold};
pub use unit::Unit;
pub use warnings::warnings;
pub use widget::{Content, SeriesSource, Show, Widget, WidgetId, WidgetView};
