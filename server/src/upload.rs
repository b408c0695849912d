//! Pushing over HTTP: what the agent and `pulseboard push` do, as anyone would.

use std::time::Duration;

use serde::Serialize;
use shared::{Declared, Millis, Problem, SeriesName};
use ureq::tls::TlsConfig;

use crate::trust;

/// How long a push may take before it counts as failed.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A point as `POST /in` takes it.
#[derive(Clone, Debug, Serialize)]
pub struct Sent {
    /// Whose.
    pub series: SeriesName,
    /// A number, in a series of numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// A text, in a series of texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// When; the server's clock where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ts: Option<Millis>,
    /// What is said of all numbers of the series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Declared>,
}

/// Why a push failed.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The server refused it; the same again will be refused again.
    #[error("refused: {0}")]
    Refused(Problem),
    /// The server cannot be reached, or cannot take it now.
    #[error("cannot push to {url}: {message}")]
    Unavailable {
        /// Where to.
        url: String,
        /// What happened.
        message: String,
    },
}

/// A client for `base` whose requests do not take for ever, and that reads problems as it reads any answer.
#[must_use]
pub fn http(base: &str) -> ureq::Agent {
    // Reading whom the machine trusts takes a while.
    let tls = if base.starts_with("https:") { trust::tls(&trust::roots()) } else { TlsConfig::default() };
    http_with(tls)
}

fn http_with(tls: TlsConfig) -> ureq::Agent {
    let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false);
    config.tls_config(tls).build().into()
}

/// The way to a server.
#[derive(Debug)]
pub struct Uploader {
    http: ureq::Agent,
    url: String,
}

impl Uploader {
    /// The way to the server at `base`, such as `http://127.0.0.1:7878`.
    #[must_use]
    pub fn new(base: &str) -> Self {
        Self { http: http(base), url: format!("{}/in", base.trim_end_matches('/')) }
    }

    /// The way of a server to itself, at the address that it listens on. Its certificate has the name by which others
    /// reach it, so there is nothing to hold it against.
    #[must_use]
    pub fn to_self(base: &str) -> Self {
        let tls = TlsConfig::builder().disable_verification(true).build();
        Self { http: http_with(tls), ..Self::new(base) }
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
