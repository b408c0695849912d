//! The server: receives points, stores them, aggregates them into buckets, and streams the changes.
//!
//! Data flows one way, and the modules follow it: [`ingest`] (or [`influx`] or [`collectd`]) parses a push → [`store`]
//! commits it → [`rollup`] folds it into the recent past of its series → [`hub`] decides which frame each subscriber
//! receives next → [`stream`] writes it to the subscriber's socket.
//!
//! Start, requests and errors:
//!
//! - [`config`] and [`serve`] start and stop the program; [`environment`] finds misspelt variables; [`logging`] is the
//!   log; [`clock`] has the clocks.
//! - [`listener`] accepts connections, and [`client`] counts them. [`app`] is the router.
//! - [`limits`], [`push_memory`] and [`body_deadline`] bound the cost of requests.
//! - [`csrf`] refuses requests from pages of other sites, [`hosts`] requests for other servers; [`forwarded`] reads the
//!   headers of trusted proxies.
//! - [`headers`] adds security headers; [`accept`] reads the accepted encodings; [`problem`] is the form of every
//!   error.
//!
//! Calls:
//!
//! - [`names`] finds the series that selectors match, and [`catalog`] lists them. [`history`] reads their past; [`csv`]
//!   writes cells. [`rehydrate`] rehydrates evicted tracks from the store.
//! - [`board`] has the boards with a document.
//! - [`assets`] is the page, and [`preload`] its preloads.
//! - [`openapi`] describes all calls.
//! - [`metrics`], [`rejections`] and [`health`] are for operators.
//!
//! Other commands:
//!
//! - [`agent`] and [`push`] push over HTTP like any client, by [`upload`]; [`import`] pushes files of the past.
//! - [`ready`] checks if a server accepts pushes; [`doctor`] finds problems on the way of a stream.
//! - [`trust`] has the certificate authorities that these commands trust; [`terminal`] makes text safe to print;
//!   [`length`] parses durations.

pub mod accept;
pub mod agent;
pub mod app;
pub mod assets;
pub mod board;
pub mod body_deadline;
pub mod catalog;
pub mod client;
pub mod clock;
pub mod collectd;
pub mod config;
pub mod csrf;
pub mod csv;
pub mod doctor;
pub mod environment;
pub mod forwarded;
#[doc(hidden)]
pub mod fuzzing;
pub mod headers;
pub mod health;
pub mod history;
pub mod hosts;
pub mod hub;
pub mod import;
pub mod influx;
pub mod ingest;
pub mod length;
pub mod limits;
pub mod listener;
pub mod logging;
pub mod metrics;
pub mod names;
pub mod openapi;
pub mod preload;

pub mod problem;
pub mod push;
pub mod push_memory;
pub mod ready;
pub mod rehydrate;
pub mod rejections;
pub mod remote;
pub mod rollup;
pub mod routes;
pub mod serve;
pub mod store;
pub mod stream;
pub mod terminal;
pub mod trust;
pub mod upload;
