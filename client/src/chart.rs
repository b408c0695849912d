//! Charts on canvas.
//!
//! - [`frames`]: the loop of animation frames; [`pen`], [`palette`]: drawing on a canvas;
//! - [`time_chart`]: a chart over time, with its [`legend`], the [`colours`] of its series and the [`gesture`]s on
//!   it; [`look`]: the options of its document; [`content`]: its content, made of [`trace`]s (which [`stack`] puts on
//!   each other), [`lanes`] and [`heat`], and drawn as [`lines`], [`bars`] or [`timeline`]; over it [`markers`] and
//!   the tooltip ([`tip`]);
//! - [`plot`], [`time_axis`], [`value_axis`], [`number_labels`]: coordinates and labels;
//! - [`spark`], [`scale`]: sparklines.

pub mod bars;
pub mod colours;
pub mod content;
pub mod frames;
pub mod gesture;
pub mod heat;
pub mod lanes;
pub mod legend;
pub mod lines;
pub mod look;
pub mod markers;
pub mod number_labels;
pub mod palette;
pub mod pen;
pub mod plot;
pub mod scale;
pub mod spark;
pub mod stack;
pub mod time_axis;
pub mod time_chart;
pub mod timeline;
pub mod tip;
pub mod trace;
pub mod value_axis;
