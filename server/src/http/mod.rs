//! The vocabulary of HTTP: routes, the checks that every request passes, and the form of every error.
//!
//! - [`route`] is a path with its methods, access and handler. [`crate::app`] puts all of them together.
//! - [`problem`] is the form of every error: modules below the handlers have errors of their own, which it converts.
//! - [`csrf`] refuses requests from pages of other sites ([`foreign_page`]), [`hosts`] requests for other servers;
//!   [`origin`] and [`host`] are their vocabulary, and [`forwarded`] reads the headers of trusted proxies.
//! - [`headers`] adds security headers, [`body_deadline`] bounds the time of a body, [`accept`] reads the accepted
//!   encodings and media types, [`conditional`] the conditions, [`format`] chooses between JSON and CSV, and [`csv`] writes cells.
//!   `limited_client` extracts the client of a request.
//! - [`assets`] is the page, and [`preload`] its preloads.
//! - [`openapi`] describes all calls.

pub mod accept;
pub mod assets;
pub mod body_deadline;
pub mod conditional;
pub mod csrf;
pub mod csv;
pub mod foreign_page;
pub mod format;
pub mod forwarded;
pub mod headers;
pub mod host;
pub mod hosts;
mod limited_client;
pub mod openapi;
pub mod origin;
pub mod preload;
pub mod problem;
pub mod route;
