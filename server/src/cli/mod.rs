//! The commands beside `serve`. Except for those of [`data_folder`], they are clients of the HTTP API of a server.
//!
//! - [`agent`] and [`push`] push over HTTP like any client, by [`upload`]; [`import`] pushes files of the past.
//! - [`board`] and [`series`] read and change the boards and series of a server, by [`remote`].
//! - [`data_folder`] checks and copies a data folder.
//! - [`ready`] checks if a server accepts pushes; [`doctor`] finds problems on the way of a stream.
//! - [`link`] makes links that show one board. [`audit`] prints who changed what.
//! - [`token`] manages the tokens of a server, also without it; [`user`] manages its users.
//! - [`server`] is the server that a command calls; [`trust`] has the certificate authorities that these commands trust.

pub mod agent;
pub mod audit;
pub mod board;
pub mod data_folder;
pub mod doctor;
pub mod import;
pub mod link;
pub mod push;
pub mod ready;
pub mod remote;
pub mod series;
pub mod server;
pub mod token;
pub mod trust;
pub mod upload;
pub mod user;
