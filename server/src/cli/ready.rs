//! `pulseboard health`: checks if a server accepts pushes, for the health checks of containers.

use crate::cli::server::Server;
use crate::plain_text::Plain;

/// The answer of a server to `GET /readyz`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It accepts pushes. Has the text of the answer.
    Ready(String),
    /// It does not, or cannot be reached. Has the reason.
    NotReady(String),
}

/// Asks a server. Takes a few seconds at most.
#[must_use]
pub fn check(server: &Server) -> Readiness {
    let url = format!("{}/readyz", server.url());
    let answer = server.http().get(&url).call();
    let answer = answer.and_then(|mut answer| {
        let text = answer.body_mut().read_to_string()?;
        Ok((answer.status(), Plain(text.trim_end()).to_string()))
    });
    match answer {
        Ok((status, text)) if status.is_success() => Readiness::Ready(text),
        Ok((status, text)) => Readiness::NotReady(format!("{url} answered {status}: {text}")),
        Err(error) => Readiness::NotReady(format!("cannot reach {url}: {error}")),
    }
}
