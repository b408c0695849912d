//! The origin of a page, as browsers send it.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use axum::http::HeaderValue;
use serde::Deserialize;

use crate::http::host::Host;

/// The origin of a page, `scheme://host[:port]`, as browsers send it (RFC 6454).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Origin(HeaderValue);

impl Origin {
    /// Returns the host, if it can be parsed.
    #[must_use]
    pub fn host(&self) -> Option<Host> {
        self.0.to_str().ok()?.split_once("://")?.1.parse().ok()
    }

    /// Returns the origin as a header value.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// The text is not an origin.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is not an origin; write scheme://host or scheme://host:port, without a path, in ASCII (xn--… for other scripts), like https://example.org"
)]
pub struct OriginError(String);

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let error = || OriginError(text.to_owned());
        let (scheme, host) = text.split_once("://").ok_or_else(error)?;
        // Browsers send names of other scripts in their ASCII form, and IPv6 addresses in brackets, so any other form would
        // never be equal.
        let is_sent = host.is_ascii() && !host.contains('*') && host.parse::<Ipv6Addr>().is_err();
        let is_host = is_sent && host.parse::<Host>().is_ok();
        if !matches!(scheme, "http" | "https") || !is_host {
            return Err(error());
        }
        let text = text.to_ascii_lowercase();
        // Browsers leave the default port out, so an origin that has it would never be equal.
        let default_port = if scheme == "http" { ":80" } else { ":443" };
        HeaderValue::from_str(text.strip_suffix(default_port).unwrap_or(&text)).map(Self).map_err(|_| error())
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Self, OriginError> {
        text.parse()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_is_kept_as_browsers_send_it() {
        let kept = |text: &str| text.parse::<Origin>().map(|origin| origin.to_string()).ok();
        for (given, sent) in [
            ("https://example.org:443", "https://example.org"),
            ("http://Example.org:80", "http://example.org"),
            ("http://example.org:443", "http://example.org:443"),
            ("https://example.org:8443", "https://example.org:8443"),
            ("http://[::1]:80", "http://[::1]"),
            ("http://[fe80::80]", "http://[fe80::80]"),
        ] {
            assert_eq!(kept(given).as_deref(), Some(sent));
        }
        for wrong in [
            "example.org",
            "ftp://example.org",
            "https://*.example.org",
            "https://example.org/",
            "https://bücher.example",
            "http://8:e:3:e:1::80",
            "http://::1",
        ] {
            assert_eq!(kept(wrong), None, "{wrong}");
        }
    }
}
