//! The command `pulseboard series`: lists and deletes the series of a server, over HTTP.

use std::io::Write;

use serde::Deserialize;
use shared::problem::CONTENT_TYPE;
use shared::{Problem, SeriesName};
use ureq::http::StatusCode;

use crate::terminal::Plain;
use crate::upload;

/// Writes the name as the path of an address: escapes bytes that are not ASCII.
fn path(name: &SeriesName) -> String {
    let mut path = String::with_capacity(name.as_str().len());
    for byte in name.as_str().bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b':' => path.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => path.push(char::from(byte)),
            byte => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

/// The number of series in one request.
const PAGE: usize = 1_000;

/// Reasons why a command failed. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The server refused the request.
    #[error("refused: {0}")]
    Refused(Problem),
    /// The server cannot be reached, or the address is not one of pulseboard.
    #[error("cannot reach {url}: {message}")]
    Unavailable {
        /// The address.
        url: String,
        /// The reason.
        message: String,
    },
    /// Some of the series do not exist.
    #[error("there is no series {0}; pulseboard series list shows what there is")]
    Absent(String),
    /// The output cannot be written.
    #[error("cannot write: {0}")]
    Output(#[from] std::io::Error),
}

#[derive(Deserialize)]
struct Listed {
    name: SeriesName,
    value: Option<f64>,
    text: Option<String>,
}

/// A client for the series of a server.
#[derive(Debug)]
pub struct Remote {
    http: ureq::Agent,
    url: String,
}

impl Remote {
    /// Creates a client for the server at `base`, such as `http://127.0.0.1:7878`.
    #[must_use]
    pub fn new(base: &str) -> Self {
        Self { http: upload::http(base), url: format!("{}/api/series", base.trim_end_matches('/')) }
    }

    /// Writes a line for each series whose name begins with `prefix`: name, tab, newest value or text.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn list(&self, prefix: &str, out: &mut impl Write) -> Result<(), CommandError> {
        let mut after: Option<SeriesName> = None;
        loop {
            let mut request = self.http.get(&self.url).query("limit", PAGE.to_string()).query("prefix", prefix);
            if let Some(after) = &after {
                request = request.query("after", after.as_str());
            }
            let (status, body) = self.answer(request.call())?;
            let listed = serde_json::from_str::<Vec<Listed>>(&body);
            let listed =
                listed.map_err(|error| self.unavailable(format!("the answer {status} is no list: {error}")))?;
            for Listed { name, value, text } in &listed {
                match (value, text) {
                    (Some(value), _) => writeln!(out, "{name}\t{value}")?,
                    (None, text) => writeln!(out, "{name}\t{}", Plain(text.as_deref().unwrap_or_default()))?,
                }
            }
            match listed.into_iter().last() {
                Some(last) => after = Some(last.name),
                None => return Ok(out.flush()?),
            }
        }
    }

    /// Deletes series with their history, one after the other.
    ///
    /// # Errors
    /// [`CommandError`]; the series before the first failure are deleted. Names without a series do not stop the
    /// deletion of the others.
    pub fn delete(&self, names: &[SeriesName]) -> Result<(), CommandError> {
        let mut absent = Vec::new();
        for name in names {
            match self.answer(self.http.delete(format!("{}/{}", self.url, path(name))).call()) {
                Ok(_) => {}
                Err(CommandError::Refused(problem)) if problem.status == 404 => absent.push(name.to_string()),
                Err(error) => return Err(error),
            }
        }
        if absent.is_empty() { Ok(()) } else { Err(CommandError::Absent(absent.join(", "))) }
    }

    fn answer(
        &self,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<(StatusCode, String), CommandError> {
        let mut answer = answer.map_err(|error| self.unavailable(error.to_string()))?;
        let status = answer.status();
        let body = answer.body_mut().with_config().limit(64 << 20).read_to_string();
        let body = body.map_err(|error| self.unavailable(error.to_string()))?;
        if status.is_success() {
            return Ok((status, body));
        }
        let is_problem =
            answer.headers().get("content-type").is_some_and(|kind| kind.as_bytes() == CONTENT_TYPE.as_bytes());
        match serde_json::from_str(&body) {
            Ok(problem) if is_problem => Err(CommandError::Refused(problem)),
            _ => Err(self.unavailable(format!("it answers {status}"))),
        }
    }

    fn unavailable(&self, message: String) -> CommandError {
        CommandError::Unavailable { url: self.url.clone(), message }
    }
}
