//! A host as requests and settings name it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use axum::http::uri::Authority;
use serde::Deserialize;

/// Maximum number of characters of a refused host in an error.
pub(super) const MAX_SHOWN: usize = 100;

/// A host in a request, without its port: an address, or a name in lower case without a dot at its end.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub enum Host {
    /// An IP address. An IPv4-mapped IPv6 address becomes the IPv4 address.
    Address(IpAddr),
    /// A DNS name.
    Name(String),
}

/// Error: the text is not a host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a host; write a name or an address without scheme and path, like board.example.org")]
pub struct HostError(String);

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let error = || HostError(text.chars().take(MAX_SHOWN).collect());
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Address(address.to_canonical()));
        }
        // `Authority` also accepts `user@host`, which no browser sends here.
        let authority: Authority = text.parse().map_err(|_| error())?;
        let host = authority.host();
        let port = text.strip_prefix(host).ok_or_else(error)?;
        let valid_port = port.strip_prefix(':').is_none_or(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        if host.is_empty() || !valid_port || (!port.is_empty() && !port.starts_with(':')) {
            return Err(error());
        }
        if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            // A link-local address may have a zone, the name of a network interface (RFC 6874).
            let address = address.split('%').next().unwrap_or_default();
            return address.parse::<Ipv6Addr>().map(|ip| Self::Address(ip.to_canonical())).map_err(|_| error());
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        // `Authority` accepts brackets and dots anywhere.
        if host.contains(['[', ']']) || host.split('.').any(str::is_empty) {
            return Err(error());
        }
        Ok(host.parse::<IpAddr>().map_or_else(|_| Self::Name(host.to_ascii_lowercase()), Self::Address))
    }
}

impl TryFrom<String> for Host {
    type Error = HostError;

    fn try_from(text: String) -> Result<Self, HostError> {
        text.parse()
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}
