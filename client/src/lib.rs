//! The page of Pulseboard: subscribes to the server's stream, folds events into a picture, and paints it.
//!
//! Pages and their parts:
//! - [`route`] reads the page from an address, and [`app`] shows it. [`home`] is the page of all boards, [`board`]
//!   the page of one, [`pages`] the pages that are neither, [`kiosk`] the wall screen.
//! - [`widget`] has the widgets of a board, [`range`] the range of time that they show, [`past`] their state at the end
//!   of a fixed range, [`chart`] the charts on canvas.
//! - [`edit`] edits a board in place. [`manage`] shows refused pushes and deletes series. [`doctor`] diagnoses the
//!   connection.
//! - [`badge`] shows the state of the connection, [`help`] the keyboard shortcuts, [`curl_line`] a command that
//!   pushes a number, [`theme`] switches between light and dark, [`zone`] between local time and UTC.
//!
//! Data:
//! - [`stream`] keeps the connection to the server, [`live`] the picture that it carries, [`history`] what was
//!   before.
//! - [`fetch`] sends single requests, [`json`] reads answers, [`browser`] reads time, address and visibility from the
//!   browser.
//!
//! Tools:
//! - [`calendar`] computes dates and offsets. [`icon`] has the icons, [`dom`] helps with listeners and the focus.
//! - [`lazy`] fetches parts of the page when they are needed, [`reload`] replaces a page that is older than its
//!   server.
//!
//! Code that decides has no browser and no clock, and is tested natively. Code that touches the browser is thin.

pub mod app;
pub mod badge;
pub mod board;
pub mod browser;
pub mod calendar;
pub mod chart;
pub mod curl_line;
pub mod doctor;
pub mod dom;
pub mod edit;
pub mod fetch;
pub mod help;
pub mod history;
pub mod home;
pub mod icon;
pub mod json;
pub mod kiosk;
pub mod lazy;
pub mod live;
pub mod manage;
pub mod pages;
pub mod past;
pub mod range;
pub mod reload;
pub mod route;
pub mod stream;
pub mod theme;
pub mod widget;
pub mod zone;

pub use app::start;
