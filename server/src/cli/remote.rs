//! Calls the HTTP interface of a server, for the commands that list and change what it has.

use shared::Problem;
use shared::problem::CONTENT_TYPE;
use ureq::http::{Response, header};

use crate::cli::server::Server;

/// Most bytes of an answer.
const MAX_ANSWER: u64 = 64 << 20;

/// Error: a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The server refused it.
    #[error("refused: {0}")]
    Refused(Problem),
    /// The server cannot be reached, or something else answers there.
    #[error("cannot reach {url}: {message}")]
    Unavailable {
        /// The address.
        url: String,
        /// The reason.
        message: String,
    },
}

/// A collection of a server, such as its boards.
#[derive(Debug)]
pub struct Collection {
    /// Sends the calls.
    pub http: ureq::Agent,
    /// The address of the collection.
    pub url: String,
}

impl Collection {
    /// The collection at `path` of a server.
    #[must_use]
    pub fn new(server: &Server, path: &str) -> Self {
        Self { http: server.http(), url: format!("{}{path}", server.url()) }
    }

    /// Reads an answer and its body.
    ///
    /// # Errors
    /// [`CallError`] if the call failed or the answer is an error.
    pub fn read(&self, answer: Result<Response<ureq::Body>, ureq::Error>) -> Result<Response<Vec<u8>>, CallError> {
        let (head, mut body) = answer.map_err(|error| self.unavailable(error.to_string()))?.into_parts();
        let body = body.with_config().limit(MAX_ANSWER).read_to_vec();
        let body = body.map_err(|error| self.unavailable(error.to_string()))?;
        if head.status.is_success() {
            return Ok(Response::from_parts(head, body));
        }
        let is_problem = head.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == CONTENT_TYPE);
        match serde_json::from_slice(&body) {
            Ok(problem) if is_problem => Err(CallError::Refused(problem)),
            _ => Err(self.unavailable(format!("it answered {}; is that a pulseboard?", head.status))),
        }
    }

    /// The error of an answer that is not what this server gives.
    #[must_use]
    pub fn unavailable(&self, message: String) -> CallError {
        CallError::Unavailable { url: self.url.clone(), message }
    }
}
