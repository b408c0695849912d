//! Sends one request as a browser would: with the headers and credentials that the user gave, and through the forward
//! proxy of the environment.

use std::io;
use std::str::FromStr;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use shared::doctor::{Certificate, Failure, Head};
use ureq::http::{HeaderName, HeaderValue, Method, Request, Response, header};
use ureq::tls::TlsConfig;
use ureq::{Agent, Body};

use super::Address;
use super::forward::{self, Way};
use crate::cli::server::Token;
use crate::cli::trust;

/// A header of `--header`.
#[derive(Clone, Debug)]
pub struct ExtraHeader {
    name: HeaderName,
    value: HeaderValue,
}

/// Error: the text is not a header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a name, a colon and a value, such as 'X-Api-Key: 42'")]
pub struct HeaderError;

impl FromStr for ExtraHeader {
    type Err = HeaderError;

    fn from_str(text: &str) -> Result<Self, HeaderError> {
        let (name, value) = text.split_once(':').ok_or(HeaderError)?;
        let name = name.trim().parse().map_err(|_| HeaderError)?;
        let mut value: HeaderValue = value.trim().parse().map_err(|_| HeaderError)?;
        value.set_sensitive(true);
        Ok(Self { name, value })
    }
}

impl From<&Token> for ExtraHeader {
    fn from(token: &Token) -> Self {
        Self { name: header::AUTHORIZATION, value: token.header().clone() }
    }
}

/// A request to the server.
#[derive(Clone, Debug)]
pub(super) struct Asked<'a> {
    pub(super) method: Method,
    /// The whole path on the host, with the query.
    pub(super) path: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: Option<&'a [u8]>,
    /// Time limit for the whole exchange.
    pub(super) deadline: Duration,
}

/// Sends requests.
#[derive(Debug)]
pub(super) struct Client {
    roots: Vec<CertificateDer<'static>>,
    tls: TlsConfig,
    certificate: Certificate,
    headers: Vec<ExtraHeader>,
}

impl Client {
    /// Makes a client that trusts the certificate authorities of this machine (or of `SSL_CERT_FILE`), else those of
    /// Mozilla. With [`Certificate::Ignored`] it trusts every certificate.
    pub(super) fn new(certificate: Certificate, headers: &[ExtraHeader]) -> Self {
        let roots = trust::roots();
        let tls = match certificate {
            Certificate::Checked => trust::tls(&roots),
            Certificate::Ignored => TlsConfig::builder().disable_verification(true).build(),
        };
        Self { tls, roots, certificate, headers: headers.to_vec() }
    }

    pub(super) fn roots(&self) -> &[CertificateDer<'static>] {
        &self.roots
    }

    pub(super) fn certificate(&self) -> Certificate {
        self.certificate
    }

    /// Sends a request. Each one has a new connection, as each `EventSource` may need one. The body arrives as it was
    /// sent, since this build of ureq does not decompress.
    pub(super) fn send(&self, address: &Address, asked: &Asked<'_>) -> Result<Response<Body>, Failure> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(asked.deadline))
            .tls_config(self.tls.clone());
        let way = Way::to(address);
        let agent: Agent = match &way {
            Way::Straight => config.proxy(None).build().into(),
            Way::Tunnel(proxy) => config.proxy(Some(proxy.clone())).build().into(),
            Way::Forward(proxy) => forward::agent(config.proxy(None).build(), proxy, address.origin()),
        };
        let mut request =
            Request::builder().method(asked.method.clone()).uri(format!("{}{}", address.origin(), asked.path));
        for (name, value) in asked.headers {
            request = request.header(*name, *value);
        }
        if let Some(login) = way.login() {
            request = request.header(header::PROXY_AUTHORIZATION, login);
        }
        let own = |name: &HeaderName| self.headers.iter().any(|header| header.name == *name);
        if let Some(login) = address.authorization().filter(|_| !own(&header::AUTHORIZATION)) {
            request = request.header(header::AUTHORIZATION, login);
        }
        for ExtraHeader { name, value } in self.headers.iter().filter(|_| address.is_named()) {
            request = request.header(name, value);
        }
        let answer = match asked.body {
            Some(body) => request.body(body).map(|request| agent.run(request)),
            None => request.body(()).map(|request| agent.run(request)),
        };
        answer.map_err(|error| Failure::Other(error.to_string()))?.map_err(failure)
    }
}

/// Extracts the parts of the response's head that the doctor examines.
pub(super) fn head(response: &Response<Body>) -> Head {
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    Head {
        status: response.status().as_u16(),
        content_type: header("content-type"),
        cache_control: header("cache-control"),
        content_encoding: header("content-encoding").filter(|encoding| encoding != "identity"),
        accel_buffering: header("x-accel-buffering"),
        age: header("age"),
        location: header("location"),
        authenticate: header("www-authenticate").or_else(|| header("proxy-authenticate")),
        server: header("server"),
        via: header("via"),
    }
}

fn failure(error: ureq::Error) -> Failure {
    match error {
        ureq::Error::Timeout(_) => Failure::TimedOut,
        ureq::Error::HostNotFound => Failure::NoSuchHost,
        ureq::Error::Rustls(error) => Failure::Tls(error.to_string()),
        ureq::Error::Tls(text) => Failure::Tls(text.to_owned()),
        ureq::Error::Io(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => Failure::Refused,
            io::ErrorKind::TimedOut => Failure::TimedOut,
            // rustls wraps its errors about certificates into an I/O error.
            io::ErrorKind::InvalidData => Failure::Tls(error.to_string()),
            _ => Failure::Other(error.to_string()),
        },
        other => Failure::Other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_has_a_name_and_a_value() {
        let header: ExtraHeader = "Authorization: Bearer a:b".parse().unwrap();
        assert_eq!((header.name.as_str(), header.value.as_bytes()), ("authorization", &b"Bearer a:b"[..]));
        for text in ["", "no colon", ": value", "a b: c", "a: b\nc: d"] {
            assert_eq!(text.parse::<ExtraHeader>().unwrap_err(), HeaderError, "{text}");
        }
    }
}
