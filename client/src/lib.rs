//! The page: it subscribes, folds and paints.
//!
//! - [`route`]: which page an address names; [`app`] shows it;
//! - [`home`]: all boards; [`board`]: one board; [`widget`]: what is on it, and [`range`] of when; [`badge`]: the state of the connection;
//! - [`stream`]: the line to the server; [`live`]: the picture that comes over it; [`history`]: what was before;
//! - [`chart`]: lines that move; [`format`](mod@format): numbers and times as text; [`icon`]: signs;
//! - [`edit`]: changing a board in its place; [`kiosk`]: a wall screen; [`manage`]: refused pushes, and deleting series; [`theme`]: light or dark; [`help`]: the keys;
//! - [`curl_line`]: the line that pushes a number; [`reload`]: a page older than its server;
//! - [`part`]: elements, and [`dynamic`]: signals, each of one type; [`lazy`]: parts of the page that are fetched when they are wanted;
//! - [`elsewhere`]: what is shown where there is not one board; [`browser`]: what the browser knows; [`fetch`]: one request, and its answer.
//!
//! What decides is code without browser and clock, tested natively; what touches the browser is thin.

pub mod app;
pub mod badge;
pub mod board;
pub mod browser;
pub mod chart;
pub mod curl_line;
pub mod doctor;
pub mod dynamic;
pub mod edit;
pub mod elsewhere;
pub mod fetch;
pub mod format;
pub mod help;
pub mod history;
pub mod home;
pub mod icon;
pub mod json;
pub mod kiosk;
pub mod lazy;
pub mod live;
pub mod manage;
pub mod part;
pub mod range;
pub mod reload;
pub mod route;
pub mod stream;
pub mod theme;
pub mod widget;

pub use app::start;
