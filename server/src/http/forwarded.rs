//! Reverse proxies: finds the host that the browser used, if a trusted proxy reports it.
//!
//! Many proxies send a `Host` of their own to the server and put the browser's into `X-Forwarded-Host`. Anyone can send
//! that header, so it is used only if it comes from the address of a trusted proxy.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use axum::http::HeaderMap;
use ipnet::IpNet;
use serde::Deserialize;

use crate::limits::client::Client;

/// Header with the host that the browser used, and perhaps its port.
const HOST: &str = "x-forwarded-host";
/// Header with the addresses of the client and of the proxies on the way, each appended by the next proxy.
const CLIENTS: &str = "x-forwarded-for";
/// Header with the scheme that the browser used.
const SCHEME: &str = "x-forwarded-proto";
/// Header with the port that the browser used, for proxies that send it apart from the host.
const PORT: &str = "x-forwarded-port";

/// The addresses of a proxy: a single one, or a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ProxyNetwork(IpNet);

/// Error: the text is neither an address nor a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address; write one like 10.0.0.7, or a network like 172.16.0.0/12")]
pub struct NetworkError(String);

impl FromStr for ProxyNetwork {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let address = || text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        let network = text.parse().map(canonical).or_else(|_| address());
        network.map(Self).map_err(|_| NetworkError(text.to_owned()))
    }
}

/// Returns a network of IPv4 addresses that are written as IPv6 ones (RFC 4291, section 2.5.5.2) as one of IPv4. The
/// addresses of clients are compared in that form.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else { return network };
    let Some(address) = mapped.addr().to_ipv4_mapped() else { return network };
    let prefix = mapped.prefix_len().checked_sub(96);
    prefix.and_then(|prefix| IpNet::new(address.into(), prefix).ok()).unwrap_or(network)
}

impl ProxyNetwork {
    /// Returns true if it has the address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl TryFrom<String> for ProxyNetwork {
    type Error = NetworkError;

    fn try_from(text: String) -> Result<Self, NetworkError> {
        text.parse()
    }
}

impl fmt::Display for ProxyNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The proxies that are trusted: those on this machine, and those of `--trusted-proxy`. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[ProxyNetwork]>);

/// The host that a browser used to reach a proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Forwarded {
    /// No header names it.
    #[default]
    Absent,
    /// A trusted proxy names this host, with its port if there is one.
    Host(String),
    /// The header is there, but its sender is not a trusted proxy. Holds the sender's address, if it is known.
    Untrusted(Option<IpAddr>),
}

impl TrustedProxies {
    /// Trusts proxies on this machine and those in `networks`.
    #[must_use]
    pub fn new(networks: &[ProxyNetwork]) -> Self {
        Self(networks.into())
    }

    /// Returns true if `address` belongs to a trusted proxy.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.0.iter().any(|network| network.contains(address))
    }

    /// Returns the address of the client of a request that came from `sender`: the last address that no trusted proxy has,
    /// as far as trusted proxies report it. For logs only: a program on this machine can send any.
    #[must_use]
    pub fn client_address(&self, headers: &HeaderMap, sender: Option<Client>) -> Option<IpAddr> {
        let mut nearest = sender?.address();
        let values = headers.get_all(CLIENTS).iter().rev().filter_map(|value| value.to_str().ok());
        for address in values.flat_map(|value| value.rsplit(',')) {
            if !self.trusts(nearest) {
                break;
            }
            let Ok(address) = address.trim().parse::<IpAddr>() else { break };
            nearest = address.to_canonical();
        }
        Some(nearest)
    }

    /// Returns true if a trusted proxy reports that the browser used HTTPS for a request that came from `sender`.
    #[must_use]
    pub fn reports_https(&self, headers: &HeaderMap, sender: Option<Client>) -> bool {
        let scheme = headers.get(SCHEME).and_then(|value| value.to_str().ok()?.split(',').next());
        let is_https = scheme.is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"));
        is_https && sender.is_some_and(|client| self.trusts(client.address()))
    }

    /// Returns the host that the browser used for a request that came from `sender`. Each proxy of a chain appends to
    /// the header, so the browser's host is the first.
    #[must_use]
    pub fn host(&self, headers: &HeaderMap, sender: Option<Client>) -> Forwarded {
        let first = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            value.split(',').next().map(str::trim).filter(|value| !value.is_empty())
        };
        let Some(host) = first(HOST) else { return Forwarded::Absent };
        let address = sender.map(Client::address);
        if !address.is_some_and(|address| self.trusts(address)) {
            return Forwarded::Untrusted(address);
        }
        // The brackets of an IPv6 address contain colons too; a port follows after them.
        let has_port = host.rsplit_once(']').map_or(host, |(_, port)| port).contains(':');
        match first(PORT).filter(|_| !has_port) {
            Some(port) => Forwarded::Host(format!("{host}:{port}")),
            None => Forwarded::Host(host.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(trusted: &[&str], sender: &str, headers: &[(&'static str, &str)]) -> Forwarded {
        let networks: Vec<ProxyNetwork> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        TrustedProxies::new(&networks).host(&headers, Some(Client::at(sender.parse().unwrap())))
    }

    #[test]
    fn forwarded_host_counts_from_this_machine_and_from_trusted_networks() {
        let named = [("x-forwarded-host", "board.lan")];
        let known = Forwarded::Host("board.lan".into());
        for sender in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "172.18.0.3", "::ffff:172.18.0.3", "2001:db8::7"] {
            assert_eq!(host(&["172.16.0.0/12", "2001:db8::7"], sender, &named), known, "{sender}");
        }
        assert_eq!(host(&["::ffff:10.0.0.0/104"], "10.200.0.3", &named), known, "a network of mapped addresses");
        for sender in ["172.15.0.3", "192.0.2.1", "2001:db8::8"] {
            let untrusted = Forwarded::Untrusted(Some(sender.parse().unwrap()));
            assert_eq!(host(&["172.16.0.0/12", "2001:db8::7"], sender, &named), untrusted, "{sender}");
        }
        assert_eq!(host(&[], "127.0.0.1", &[]), Forwarded::Absent);
        assert_eq!(TrustedProxies::default().host(&HeaderMap::new(), None), Forwarded::Absent);
    }

    #[test]
    fn client_is_the_last_address_that_is_no_trusted_proxy() {
        for (sender, forwarded, wanted) in [
            ("127.0.0.1", &["192.0.2.1"][..], "192.0.2.1"),
            ("127.0.0.1", &["198.51.100.9, 192.0.2.1, 10.0.0.7"], "192.0.2.1"),
            ("127.0.0.1", &["198.51.100.9", "192.0.2.1 ,10.0.0.7"], "192.0.2.1"),
            ("192.0.2.5", &["198.51.100.9"], "192.0.2.5"),
            ("10.0.0.7", &["unknown"], "10.0.0.7"),
            ("10.0.0.7", &["192.0.2.1, x"], "10.0.0.7"),
            ("10.0.0.7", &[], "10.0.0.7"),
            ("10.0.0.7", &["::ffff:192.0.2.1"], "192.0.2.1"),
        ] {
            let proxies = TrustedProxies::new(&["10.0.0.7".parse().unwrap()]);
            let headers: HeaderMap =
                forwarded.iter().map(|value| (CLIENTS.parse().unwrap(), value.parse().unwrap())).collect();
            let headers = headers.iter().fold(HeaderMap::new(), |mut all, (name, value)| {
                all.append(name, value.clone());
                all
            });
            let found = proxies.client_address(&headers, Some(Client::at(sender.parse().unwrap())));
            assert_eq!(found, Some(wanted.parse().unwrap()), "{sender} {forwarded:?}");
        }
        assert_eq!(TrustedProxies::default().client_address(&HeaderMap::new(), None), None);
    }

    #[test]
    fn first_of_several_hosts_is_the_one_of_the_browser_and_a_port_may_come_apart() {
        for (headers, named) in [
            (&[("x-forwarded-host", "a.lan:8080, inner:1")][..], "a.lan:8080"),
            (&[("x-forwarded-host", " a.lan ,inner"), ("x-forwarded-port", "8080")], "a.lan:8080"),
            (&[("x-forwarded-host", "a.lan:1"), ("x-forwarded-port", "8080")], "a.lan:1"),
            (&[("x-forwarded-host", "[::1]"), ("x-forwarded-port", "8080, 80")], "[::1]:8080"),
            (&[("x-forwarded-host", "[::1]:2"), ("x-forwarded-port", "8080")], "[::1]:2"),
        ] {
            assert_eq!(host(&[], "127.0.0.1", headers), Forwarded::Host(named.into()), "{headers:?}");
        }
        assert_eq!(host(&[], "127.0.0.1", &[("x-forwarded-host", " , a")]), Forwarded::Absent);
    }

    #[test]
    fn text_that_is_no_network_is_refused() {
        for text in ["", "proxy", "10.0.0.7:80", "10.0.0.0/33", "10.0.0", "*"] {
            assert!(text.parse::<ProxyNetwork>().unwrap_err().to_string().contains("172.16.0.0/12"), "{text}");
        }
        assert_eq!("10.0.0.7".parse::<ProxyNetwork>().unwrap().to_string(), "10.0.0.7/32");
    }
}
