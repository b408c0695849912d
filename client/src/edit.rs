//! Editing a board in its place.
//!
//! What decides is pure: [`draft`] is the document and what can be done to it, [`arrange`] where widgets go,
//! [`history`] what can be taken back, [`fields`] how a widget is written in a form, [`keys`] which key does what.
//! The rest is what is seen of it: [`editor`] has the handles that all parts share, [`bar`] the buttons, [`tools`] what
//! is on each widget, [`drag`] the pointer; [`form`], [`add`] and [`confirm`] are in front of the page, and
//! [`storing`] is the line to the server. [`files`] is there without editing too: a board as a file.
//! All of it is fetched when it is wanted; [`desk`] is what is there before.

pub mod add;
pub mod arrange;
pub mod bar;
pub mod choosing;
pub mod confirm;
pub mod desk;
pub mod draft;
pub mod drag;
pub mod editor;
pub mod fields;
pub mod files;
pub mod form;
pub mod history;
pub mod keys;
pub mod storing;
pub mod tools;
