//! Editing a board in place.
//!
//! - Pure logic: [`draft`] is the document and the edits of it, [`arrange`] the placement of widgets, [`undo`]
//!   undo and redo, [`fields`] the form fields of a widget, [`choosing`] the choice of series for a new widget,
//!   [`keys`] the keyboard commands.
//! - User interface: [`editor`] has the handles that all parts share, [`bar`] the buttons, [`tools`] the tools on
//!   each widget, [`drag`] the pointer; [`form`], [`add`] and [`confirm`] are dialogs in front of the page.
//! - [`storing`] sends boards to the server. [`files`] downloads and uploads a board as a file, also without editing.
//!
//! All of it is fetched on demand, except [`entry`], which is the entry into editing.

pub mod add;
pub mod arrange;
pub mod bar;
pub mod choosing;
pub mod confirm;
pub mod draft;
pub mod drag;
pub mod editor;
pub mod entry;
pub mod fields;
pub mod files;
pub mod form;
pub mod keys;
pub mod sheet;
pub mod storing;
pub mod tools;
pub mod undo;
