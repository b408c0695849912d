//! The server: it takes numbers in, keeps them, adds them up and streams what changed.
//!
//! Data flows one way, and the modules follow it:
//!
//! [`ingest`] (or [`influx`] or [`collectd`]) parses a push → [`store`] commits it → [`rollup`] folds it into the recent past of its series →
//! [`hub`] decides what which reader has to hear → [`stream`] writes it to the reader's socket.
//!
//! Around them: [`config`] and [`serve`] start and end the program, [`listener`] takes connections in ([`places`] counts them), [`app`] is the router,
//! [`names`] finds the series that selectors match, [`problem`] is what an error looks like from outside, [`catalog`] lists the series, [`history`] reads their past,
//! [`csv`] makes cells, [`board`]
//! keeps the boards that somebody made, [`openapi`] describes all calls, [`accept`] reads which encodings a request takes,
//! [`limits`], [`push_memory`] and [`body_deadline`] bound what requests cost, [`csrf`] keeps the pages of other sites out,
//! [`hosts`] requests for other servers ([`forwarded`] is what proxies say of them), [`assets`] is the page, [`headers`] are those of every answer, [`ahead`] says what it will fetch, [`metrics`], [`rejections`] and [`health`] are for those who run it. [`agent`] and [`push`] are other commands: both push over HTTP, by [`upload`], as
//! anyone would.
//! [`import`] is the command that pushes files of the past. [`ready`] is the command that checks whether a server takes pushes.
//! [`doctor`] is the command that finds what breaks a stream on its way. [`trust`] is whose certificates these commands trust,
//! [`terminal`] is text as they may print it, [`logging`] what is logged, [`environment`] finds misspelt variables.

pub mod accept;
pub mod agent;
pub mod ahead;
pub mod app;
pub mod assets;
pub mod board;
pub mod body_deadline;
pub mod catalog;
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
pub mod places;
pub mod problem;
pub mod push;
pub mod push_memory;
pub mod ready;
pub mod recall;
pub mod rejections;
pub mod rollup;
pub mod serve;
pub mod store;
pub mod stream;
pub mod terminal;
pub mod trust;
pub mod upload;
