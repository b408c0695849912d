//! Host check: answers only requests that address the server by one of its own names.
//!
//! A page of another site can point its own DNS name at this server (DNS rebinding); to the browser the two are then
//! one origin. The name that the page uses still comes in `Host` (HTTP/1) or `:authority` (HTTP/2), so a request for a
//! name that is not the server's is refused with 421. An address cannot be rebound: only names have DNS records.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{Version, header};

use crate::http::host::{Host, HostError, MAX_SHOWN};
use crate::http::origin::Origin;
use crate::http::problem::ApiError;

/// The hosts that clients may use for this server. Clones share them.
#[derive(Clone, Debug)]
pub struct Hosts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Names and addresses that the operator gave, and those of the machine.
    named: HashSet<Host>,
    /// Accepts every address: the server listens on all interfaces, and cannot know the addresses of a NAT in front.
    any_address: bool,
}

impl Hosts {
    /// Collects the hosts of a server that listens on `bound`: loopback, the address itself (any address where it
    /// listens on all interfaces), the hosts of `origins`, and `named`. Beyond loopback also `machine`, the name of
    /// this machine, as DNS and mDNS know it.
    #[must_use]
    pub fn new(bound: IpAddr, origins: &[Origin], named: &[Host], machine: Option<&str>) -> Self {
        let mut accepted: HashSet<Host> = named.iter().cloned().collect();
        accepted.extend(origins.iter().filter_map(Origin::host));
        accepted.insert(Host::Address(bound.to_canonical()));
        if !bound.to_canonical().is_loopback()
            && let Some(Ok(Host::Name(machine))) = machine.map(str::parse)
        {
            let label = machine.split('.').next().unwrap_or_default();
            accepted.extend([label.to_owned(), format!("{label}.local")].map(Host::Name));
            accepted.insert(Host::Name(machine));
        }
        Self(Arc::new(Inner { named: accepted, any_address: bound.is_unspecified() }))
    }

    /// Returns true if `host` is a name or address of this server.
    #[must_use]
    pub fn accepts(&self, host: &Host) -> bool {
        let built_in = match host {
            Host::Address(address) => self.0.any_address || address.is_loopback(),
            Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        };
        built_in || self.0.named.contains(host)
    }

    /// Checks that a request addresses this server.
    ///
    /// # Errors
    /// [`ApiError::Misdirected`], or [`ApiError::Malformed`] where `Host` breaks RFC 9112, 3.2.
    pub fn check(&self, request: &Request) -> Result<(), ApiError> {
        match addressed(request)?.into_iter().find(|host| !self.accepts(host)) {
            Some(host) => Err(ApiError::Misdirected(host.to_string().chars().take(MAX_SHOWN).collect())),
            None => Ok(()),
        }
    }
}

/// Returns every host that the request names, in its target and in `Host`.
fn addressed(request: &Request) -> Result<Vec<Host>, ApiError> {
    let malformed = |text: &str| ApiError::Malformed(text.to_owned());
    let target = request.uri().authority().map(|authority| authority.as_str().parse());
    let mut headers = request.headers().get_all(header::HOST).iter();
    let header = headers.next().map(|value| value.to_str().unwrap_or("\u{fffd}").parse());
    if headers.next().is_some() {
        return Err(malformed("the request has two Host headers; send one (RFC 9112, 3.2)"));
    }
    let may_lack_host = match request.version() {
        Version::HTTP_09 | Version::HTTP_10 => true,
        Version::HTTP_11 => false,
        _ => target.is_some(),
    };
    if header.is_none() && !may_lack_host {
        return Err(malformed("the request has no Host header; send one that names this server (RFC 9112, 3.2)"));
    }
    let named: Result<Vec<Host>, HostError> = target.into_iter().chain(header).collect();
    named.map_err(|error| ApiError::Malformed(format!("the request names no valid host: {error}")))
}

/// Returns the host name of this machine; `None` if it is not UTF-8.
#[must_use]
pub fn machine() -> Option<String> {
    rustix::system::uname().nodename().to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(bound: &str, origins: &[&str], named: &[&str]) -> Hosts {
        let origins: Vec<Origin> = origins.iter().map(|origin| origin.parse().unwrap()).collect();
        let named: Vec<Host> = named.iter().map(|host| host.parse().unwrap()).collect();
        Hosts::new(bound.parse().unwrap(), &origins, &named, Some("Rack7.example.net"))
    }

    #[test]
    fn accepts_only_loopback_the_bound_address_and_configured_hosts() {
        let on_loopback = hosts("127.0.0.1", &["https://app.example.org:8443"], &["Board.example.org."]);
        for host in [
            "localhost",
            "LOCALHOST:7878",
            "localhost.",
            "a.localhost",
            "127.0.0.1",
            "127.8.9.10:1",
            "[::1]:7878",
            "[::ffff:127.0.0.1]",
            "app.example.org",
            "board.example.org:1",
            "BOARD.example.org.",
        ] {
            assert!(on_loopback.accepts(&host.parse().unwrap()), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "evillocalhost",
            "127.0.0.1.evil.example",
            "127.1",
            "0.0.0.0",
            "192.168.1.4",
            "[fe80::1]",
            "rack7",
            "xboard.example.org",
            "example.org",
        ] {
            assert!(!on_loopback.accepts(&host.parse().unwrap()), "{host}");
        }
    }

    #[test]
    fn accepts_the_machine_name_beyond_loopback_and_any_address_on_all_interfaces() {
        let (one, every) = (hosts("192.168.1.4", &[], &[]), hosts("::", &[], &[]));
        for host in ["192.168.1.4:7878", "localhost", "rack7", "rack7.local", "RACK7.example.net"] {
            assert!(one.accepts(&host.parse().unwrap()) && every.accepts(&host.parse().unwrap()), "{host}");
        }
        for host in ["192.168.1.5", "[2001:db8::1]:7878"] {
            assert!(!one.accepts(&host.parse().unwrap()) && every.accepts(&host.parse().unwrap()), "{host}");
        }
        assert!(!every.accepts(&"evil.example".parse().unwrap()));
    }

    #[test]
    fn text_that_is_no_host_is_refused() {
        for text in [
            "", ".", ":7878", "a@b", "a:b", "a:1:2", "a/b", "a b", "[::1", "[zz]", "http://a", "a,b c", "é", "a[",
            "a[::5]:1", "a..", "a..b", ".a",
        ] {
            assert!(text.parse::<Host>().is_err(), "{text}: {:?}", text.parse::<Host>());
        }
        assert_eq!("::1".parse::<Host>().unwrap().to_string(), "[::1]");
    }
}
