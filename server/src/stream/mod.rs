//! `GET /sse`: a subscription as an endless response.
//!
//! [`api`] opens a stream: [`query`] parses the request, [`form`] is the form of the bytes, [`takeover`] takes the socket
//! from hyper, and the threads of [`writer`] write it. [`state`] is the state of all of them. [`probe`] and [`diagnose`]
//! are calls of the doctor.

pub mod api;
pub mod diagnose;
pub mod form;
pub mod probe;
pub mod query;
pub mod state;
pub mod takeover;
pub mod writer;
