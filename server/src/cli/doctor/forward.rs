//! Uses the forward proxy that the environment names, like browsers and curl: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`,
//! `NO_PROXY`.
//!
//! ureq tunnels everything (CONNECT), which many proxies allow for HTTPS only. So plain HTTP uses the absolute form of
//! RFC 9112, 3.2.2: the proxy gets the whole address in the request line. The transport does that, by rewriting the
//! request line.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, TcpConnector, Transport};
use ureq::{Agent, Error, Proxy, ProxyProtocol};

use super::Address;

/// The route of a request to a server.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// A direct connection.
    Straight,
    /// A tunnel: the proxy passes all bytes on.
    Tunnel(Proxy),
    /// A forward proxy, which passes each request on.
    Forward(Proxy),
}

impl Way {
    /// Chooses the route to an address. A loopback address is reached directly unless the proxy is on this machine too:
    /// for a proxy elsewhere, it would mean that other machine.
    pub(super) fn to(address: &Address) -> Self {
        let names = if address.is_https() { ["https_proxy", "HTTPS_PROXY"] } else { ["http_proxy", "HTTP_PROXY"] };
        let set = names.into_iter().chain(["all_proxy", "ALL_PROXY"]).filter_map(|name| std::env::var(name).ok());
        let Some(proxy) = set.filter(|url| !url.is_empty()).find_map(|url| Proxy::new(&url).ok()) else {
            return Self::Straight;
        };
        let is_here = proxy.host().parse::<Address>().is_ok_and(|proxy| proxy.is_loopback());
        let excepted = address.origin().parse::<Uri>().is_ok_and(|uri| {
            // Only `try_from_env` reads NO_PROXY.
            Proxy::try_from_env().is_some_and(|proxy| proxy.is_no_proxy(&uri))
        });
        match proxy.protocol() {
            _ if excepted || (address.is_loopback() && !is_here) => Self::Straight,
            ProxyProtocol::Http if !address.is_https() => Self::Forward(proxy),
            _ => Self::Tunnel(proxy),
        }
    }

    /// Names the proxy, for people.
    pub(super) fn through(&self) -> Option<String> {
        match self {
            Self::Straight => None,
            Self::Tunnel(proxy) | Self::Forward(proxy) => Some(format!("the proxy {}:{}", proxy.host(), proxy.port())),
        }
    }

    /// The header `Proxy-Authorization` of a request. In a tunnel, ureq sends it.
    pub(super) fn login(&self) -> Option<String> {
        let Self::Forward(proxy) = self else { return None };
        let login = format!("{}:{}", proxy.username()?, proxy.password().unwrap_or_default());
        Some(format!("Basic {}", BASE64_STANDARD.encode(login)))
    }
}

/// Makes an agent that sends requests for `origin` to `proxy`.
pub(super) fn agent(config: Config, proxy: &Proxy, origin: String) -> Agent {
    let resolver = ProxyResolver { proxy: proxy.uri().clone(), resolver: DefaultResolver::default() };
    Agent::with_parts(config, ().chain(TcpConnector::default()).chain(AbsoluteFormConnector { origin }), resolver)
}

/// Resolves the address of the proxy, whatever the request's host is: perhaps only the proxy can resolve that one.
struct ProxyResolver {
    proxy: Uri,
    resolver: DefaultResolver,
}

impl fmt::Debug for ProxyResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyResolver({:?})", self.proxy.host())
    }
}

impl Resolver for ProxyResolver {
    fn resolve(&self, _: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        self.resolver.resolve(&self.proxy, config, timeout)
    }
}

#[derive(Debug)]
struct AbsoluteFormConnector {
    origin: String,
}

impl<In: Transport> Connector<In> for AbsoluteFormConnector {
    type Out = AbsoluteForm<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        let begun = |transport| AbsoluteForm { transport, origin: Some(self.origin.clone()) };
        Ok(chained.map(begun))
    }
}

/// A connection for one request.
#[derive(Debug)]
struct AbsoluteForm<T> {
    transport: T,
    /// The origin to insert before the path; `None` once that is done.
    origin: Option<String>,
}

impl<T: Transport> Transport for AbsoluteForm<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let Some(origin) = self.origin.take() else { return self.transport.transmit_output(amount, timeout) };
        let output = self.transport.buffers().output();
        let path = output[..amount].iter().position(|&byte| byte == b' ').map_or(0, |space| space + 1);
        let longer = amount + origin.len();
        if longer > output.len() {
            return Err(Error::Io(std::io::Error::other("the request is too long for a proxy")));
        }
        output.copy_within(path..amount, path + origin.len());
        output[path..path + origin.len()].copy_from_slice(origin.as_bytes());
        self.transport.transmit_output(longer, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.transport.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.transport.is_open()
    }
}
