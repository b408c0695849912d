//! The command `pulseboard series`: lists and deletes the series of a server, over HTTP.

use std::io::Write;

use serde::Deserialize;
use shared::SeriesName;

use crate::cli::remote::{CallError, Collection};
use crate::cli::server::Server;
use crate::plain_text::Plain;

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
    /// The server refused the request, or cannot be reached.
    #[error(transparent)]
    Call(#[from] CallError),
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
    series: Collection,
}

impl Remote {
    /// Creates a client for a server.
    #[must_use]
    pub fn new(server: &Server) -> Self {
        Self { series: Collection::new(server, "/api/series") }
    }

    /// Writes a line for each series whose name begins with `prefix`: name, tab, newest value or text.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn list(&self, prefix: &str, out: &mut impl Write) -> Result<(), CommandError> {
        let mut after: Option<SeriesName> = None;
        loop {
            let mut request =
                self.series.http.get(&self.series.url).query("limit", PAGE.to_string()).query("prefix", prefix);
            if let Some(after) = &after {
                request = request.query("after", after.as_str());
            }
            let answer = self.series.read(request.call())?;
            let listed = serde_json::from_slice::<Vec<Listed>>(answer.body());
            let listed = listed.map_err(|error| self.series.unavailable(format!("the answer is no list: {error}")))?;
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

    /// Deletes series with their history, one after the other, and writes a line for each that was deleted.
    ///
    /// # Errors
    /// [`CommandError`]; the series before the first failure are deleted. Names without a series do not stop the
    /// deletion of the others.
    pub fn delete(&self, names: &[SeriesName], out: &mut impl Write) -> Result<(), CommandError> {
        let mut absent = Vec::new();
        for name in names {
            let address = format!("{}/{}", self.series.url, path(name));
            match self.series.read(self.series.http.delete(address).call()) {
                Ok(_) => writeln!(out, "deleted {name}")?,
                Err(CallError::Refused(problem)) if problem.status == 404 => absent.push(name.to_string()),
                Err(error) => return Err(error.into()),
            }
        }
        if absent.is_empty() { Ok(()) } else { Err(CommandError::Absent(absent.join(", "))) }
    }
}
