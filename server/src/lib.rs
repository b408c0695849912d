//! The server: receives points, stores them, aggregates them into buckets, and streams the changes.
//!
//! Data flows one way, and the modules follow it: [`ingest`] parses a push → [`store`] commits it → [`rollup`] folds it
//! into the recent past of its series → [`hub`] decides which frame each subscriber receives next → [`stream`] writes it
//! to the subscriber's socket.
//!
//! A request passes [`listener`] (connections) and [`app`] (the routes and checks, in the vocabulary of [`http`]) and reaches
//! the module of its call:
//!
//! - [`access`] decides who may do what, before any handler runs.
//! - [`ingest`] takes pushes, in each of its dialects, and [`stream`] serves subscriptions.
//! - [`catalog`] lists the series, and [`names`] finds those that selectors match.
//! - [`history`] reads the past of series; [`rehydrate`] loads evicted tracks from the store.
//! - [`board`] has the boards with a document. [`badge`] draws the newest value of a series.
//! - [`monitoring`] has metrics, refused pushes and health, for operators.
//!
//! All of them use [`log`] (the vocabulary of the ordered log), [`config`] (the settings), [`limits`] (the bounds on
//! what clients can cause), [`clock`], [`logging`] and [`plain_text`] (text that no terminal interprets).
//!
//! [`serve`] starts and stops the server; [`cli`] has all other commands, which are clients of it.

pub mod access;
pub mod app;
pub mod badge;
pub mod board;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod config;
#[doc(hidden)]
pub mod fuzzing;
pub mod history;
pub mod http;
pub mod hub;
pub mod ingest;
pub mod limits;
pub mod listener;
pub mod log;
pub mod logging;
pub mod monitoring;
pub mod names;
pub mod panics;
pub mod plain_text;
pub mod rehydrate;
pub mod rollup;
pub mod serve;
pub mod store;
pub mod stream;
