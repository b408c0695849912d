//! Boards as documents: what someone wrote, in JSON or TOML, of what a page shows.
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
//! - [`document`]: the [`Board`] and its limits; [`Board::read`] takes in JSON that anyone may have written (a server
//!   brings TOML into that form) and [`Reading`] says every mistake in it, with its place;
//! - [`widget`]: what all widgets have, a [`Widget`], and their [`View`]s, each kind with its options in a file of its
//!   own: [`stat`], [`lines`], [`bars`], [`gauge`], [`states`], [`table`], [`log`], [`heatmap`], [`text`];
//! - [`axis`], [`threshold`], [`unit`], [`span`]: what several kinds share;
//! - [`place`] and [`layout`]: where widgets are, also those that do not say;
//! - [`drawn`]: which kinds of widgets not every page can draw;
//! - [`automatic`]: the board that nobody made; [`nature`]: what its series look like;
//! - [`notice`]: what is no mistake, but may not be meant;
//! - [`etag`]: which edition of a document;
//! - [`read`] and [`word`]: how a document is read, field by field.
//!
//! **Two modes.** [`Reading::strict`] is for who stores boards: one mistake, and there is no board; so what is stored
//! is always valid. [`Reading::board`] is for who shows one, whatever later or earlier version wrote it: a widget that
//! cannot be made out is left out, an option that cannot is as if it were absent, and the page goes on.

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
