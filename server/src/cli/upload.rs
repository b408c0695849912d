//! Pushes over HTTP, for the agent and `pulseboard push`, like any other client.

use std::time::Duration;

use serde::Serialize;
use shared::{Declared, Millis, Problem, SeriesName};
use ureq::tls::TlsConfig;

use crate::cli::server::{SendsToken, Server, Token};
use crate::cli::trust;

/// Time limit of a push.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A point in the form that `POST /in` accepts.
#[derive(Clone, Debug, Serialize)]
pub struct Sent {
    /// The series.
    pub series: SeriesName,
    /// A number, in a series of numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// A text, in a series of texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The time; the server's clock if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ts: Option<Millis>,
    /// The declared type of the series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Declared>,
}

/// Reason why a push failed.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The server refused it, and would refuse the same push again.
    #[error("refused: {0}")]
    Refused(Problem),
    /// The server cannot be reached, or cannot store the push now.
    #[error("cannot push to {url}: {message}")]
    Unavailable {
        /// The address of the request.
        url: String,
        /// The error, as text.
        message: String,
    },
}

/// Error: the text is not the address of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write the address of a server, such as http://127.0.0.1:7878 or https://example.com/pulse")]
pub struct ServerUrlError;

/// Parses the address of a server, and adds `http://` to one without a scheme.
///
/// # Errors
/// [`ServerUrlError`] if the scheme is not http or https, or if there is no host.
pub fn server_url(text: &str) -> Result<String, ServerUrlError> {
    let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let uri: ureq::http::Uri = url.parse().map_err(|_| ServerUrlError)?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    if is_web && uri.host().is_some_and(|host| !host.is_empty()) { Ok(url) } else { Err(ServerUrlError) }
}

/// Makes a client for `base` with a time limit per request. An HTTP error status is an ordinary answer to it, so that
/// the caller can read the problem. Sends `token` with each request.
#[must_use]
pub fn http(base: &str, token: Option<Token>) -> ureq::Agent {
    // Only for HTTPS: loading the machine's certificate authorities takes a while.
    let tls = if base.starts_with("https:") { trust::tls(&trust::roots()) } else { TlsConfig::default() };
    http_with(tls, token)
}

fn http_with(tls: TlsConfig, token: Option<Token>) -> ureq::Agent {
    let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false);
    config.tls_config(tls).middleware(SendsToken(token)).build().into()
}

/// A client that pushes to one server.
#[derive(Debug)]
pub struct Uploader {
    http: ureq::Agent,
    url: String,
}

impl Uploader {
    /// Makes a client for a server.
    #[must_use]
    pub fn new(server: &Server) -> Self {
        Self { http: server.http(), url: format!("{}/in", server.url()) }
    }

    /// Makes a client for the server itself, at the address that it listens on. Its certificate is for the name that
    /// other machines use, so it cannot be verified here.
    #[must_use]
    pub fn to_self(server: &Server) -> Self {
        let tls = TlsConfig::builder().disable_verification(true).build();
        Self { http: http_with(tls, server.token().cloned()), url: format!("{}/in", server.url()) }
    }

    /// Pushes a batch, all or nothing. With a `key`, it counts once however often it is sent.
    ///
    /// # Errors
    /// [`UploadError`].
    pub fn push(&self, points: &[Sent], key: Option<&str>) -> Result<(), UploadError> {
        let unavailable = |message: String| UploadError::Unavailable { url: self.url.clone(), message };
        let lines: Vec<String> = points
            .iter()
            .map(serde_json::to_string)
            .collect::<Result<_, _>>()
            .map_err(|error| unavailable(error.to_string()))?;
        let mut request = self.http.post(&self.url).content_type("application/x-ndjson");
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let mut response = request.send(lines.join("\n")).map_err(|error| unavailable(error.to_string()))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let body = response.body_mut().read_to_string().unwrap_or_default();
        match serde_json::from_str::<Problem>(&body) {
            Ok(problem) if !status.is_server_error() => Err(UploadError::Refused(problem)),
            Ok(problem) => Err(unavailable(problem.detail)),
            Err(_) => Err(unavailable(format!("it answered {status}; is that a pulseboard?"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_needs_no_scheme_but_a_host() {
        for (text, wanted) in [
            ("localhost:7878", "http://localhost:7878"),
            ("example.com/pulse", "http://example.com/pulse"),
            ("https://example.com/pulse/", "https://example.com/pulse/"),
            ("[::1]:7878", "http://[::1]:7878"),
        ] {
            assert_eq!(server_url(text).as_deref(), Ok(wanted));
        }
        for text in ["", "ftp://example.com", "http://", "/pulse", "a b"] {
            assert_eq!(server_url(text), Err(ServerUrlError), "{text}");
        }
    }
}
