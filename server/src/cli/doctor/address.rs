//! Parses the address of a server, as users write it for `pulseboard doctor`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use shared::doctor::{Head, probe};
use ureq::http::Uri;

use crate::http::host::Host;

/// Scheme, host and port of a server, and its path if a proxy serves it below one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    https: bool,
    /// Credentials for `Authorization`, if the address has a user and a password. Never printed.
    login: Option<Login>,
    /// True for the server that the user named: only that one gets the user's login and headers.
    is_named: bool,
    host: String,
    port: Option<u16>,
    /// Empty, or like `/pulse`.
    path: String,
}

/// A user and a password (RFC 7617).
#[derive(Clone, PartialEq, Eq)]
struct Login {
    user: String,
    password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a login")
    }
}

/// The text is not an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address; write one like http://127.0.0.1:7878 or https://board.example.com/b/ops")]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    /// Parses the address of a server, a board or a stream. Without a scheme, it is http.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(text.to_owned());
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = full.parse().map_err(|_| wrong())?;
        let https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        let (host, port) = (authority.host(), authority.port_u16());
        let after_host = authority.as_str().rsplit_once(host).map_or("", |(_, rest)| rest);
        // The authority has a colon without a number, or with a number that is not a port.
        let has_wrong_port = port.is_none() && !after_host.is_empty();
        if host.parse::<Host>().is_err() || has_wrong_port {
            return Err(wrong());
        }
        let login = authority.as_str().rsplit_once('@').map(|(login, _)| {
            let (user, password) = login.split_once(':').unwrap_or((login, ""));
            let [user, password] =
                [user, password].map(|text| percent_decode_str(text).decode_utf8_lossy().into_owned());
            Login { user, password }
        });
        let path = root_of(uri.path()).to_owned();
        Ok(Self { https, login, is_named: true, host: host.to_owned(), port, path })
    }
}

/// Finds the root path of the server in the path of one of its pages or streams. The result is empty, or has no slash
/// at its end.
fn root_of(path: &str) -> &str {
    let mut root = path.trim_end_matches('/');
    loop {
        let above = without_page(root).trim_end_matches('/');
        if above.len() == root.len() {
            return root;
        }
        root = above;
    }
}

fn without_page(path: &str) -> &str {
    let file = ["/sse", probe::PATH, "/index.html"].into_iter().find_map(|file| path.strip_suffix(file));
    let board = path.rsplit_once("/b/").filter(|(_, id)| !id.is_empty() && !id.contains('/')).map(|(root, _)| root);
    file.or(board).unwrap_or(path)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.path)
    }
}

impl Address {
    /// The host, without the brackets of an IPv6 address.
    pub(super) fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    pub(super) fn port(&self) -> u16 {
        self.port.unwrap_or(if self.https { 443 } else { 80 })
    }

    /// Its origin, as a browser writes it (RFC 6454): without the default port.
    pub(super) fn origin(&self) -> String {
        let (scheme, default_port) = if self.https { ("https", 443) } else { ("http", 80) };
        let port = self.port.filter(|port| *port != default_port).map(|port| format!(":{port}"));
        format!("{scheme}://{}{}", self.host, port.unwrap_or_default())
    }

    /// The path of the server on its host: empty, or like `/pulse`.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The header `Authorization`, if the address has a user and a password.
    pub(super) fn authorization(&self) -> Option<String> {
        let Login { user, password } = self.login.as_ref()?;
        Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
    }

    pub(super) fn is_https(&self) -> bool {
        self.https
    }

    /// Returns true if the connection never leaves this machine.
    pub(super) fn is_loopback(&self) -> bool {
        self.host().eq_ignore_ascii_case("localhost")
            || self.host().parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Returns the server's address after a redirect of the probe. `None` if the answer is not a redirect, or leads
    /// somewhere else, such as to a login page.
    pub(super) fn redirected(&self, head: &Head) -> Option<Self> {
        let location = head.location.as_deref().filter(|_| (301..=308).contains(&head.status))?;
        let full = if location.starts_with('/') { format!("{}{location}", self.origin()) } else { location.to_owned() };
        let base = full.split(['?', '#']).next()?.trim_end_matches('/').strip_suffix(probe::PATH)?;
        let mut to: Self = base.parse().ok()?;
        to.is_named = self.is_named && self.vouches_for(&to);
        to.login = self.login.clone().filter(|_| to.is_named);
        Some(to).filter(|to| to != self)
    }

    /// Returns true for the same origin (RFC 6454), and for the same host over https instead of http. Any other server
    /// must not see what the user sends to this one.
    fn vouches_for(&self, to: &Self) -> bool {
        let is_same_service = self.https == to.https && self.port == to.port;
        self.host.eq_ignore_ascii_case(&to.host) && (is_same_service || (!self.https && to.https))
    }

    /// Returns true if the server may get the user's login and headers.
    pub(super) fn is_named(&self) -> bool {
        self.is_named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> String {
        text.parse::<Address>().unwrap().to_string()
    }

    #[test]
    fn any_address_of_a_server_will_do() {
        assert_eq!(base("127.0.0.1:8080"), "http://127.0.0.1:8080");
        assert_eq!(base("https://board.example.com/"), "https://board.example.com");
        assert_eq!(base("https://board.example.com/b/ops"), "https://board.example.com");
        assert_eq!(base("http://[::1]:7878/sse?series=a"), "http://[::1]:7878");
        assert_eq!(base("https://example.com/pulse/b/ops"), "https://example.com/pulse");
        assert_eq!(base("https://example.com/b/b/ops?range=6h"), "https://example.com/b");
        assert_eq!(base("https://example.com/b/"), "https://example.com/b");
        assert_eq!(base("https://example.com/pulse/sse/probe?frames=1"), "https://example.com/pulse");
        assert_eq!(base("https://example.com:443/pulse/index.html"), "https://example.com/pulse");
        assert!("ftp://example.com".parse::<Address>().is_err());
        for wrong in
            ["ftp://example.com", ":/M//sD%o", "http://:7878", "localhost:", "localhost:99999", "http://a[::5]:1"]
        {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
        assert!("".parse::<Address>().unwrap_err().to_string().contains("write one like"));
    }

    #[test]
    fn login_is_sent_and_never_printed() {
        let address: Address = "https://ann:p%40ss:word@example.com/pulse/b/ops".parse().unwrap();
        // The output of `printf ann:p@ss:word | base64`.
        assert_eq!(address.authorization().as_deref(), Some("Basic YW5uOnBAc3M6d29yZA=="));
        assert_eq!(address.to_string(), "https://example.com/pulse");
        assert!(!format!("{address:?}").contains("word"));
        assert_eq!("http://example.com".parse::<Address>().unwrap().authorization(), None);
    }

    #[test]
    fn redirect_to_another_server_gets_neither_login_nor_headers() {
        let to = |from: &str, location: &str| {
            let head = Head { status: 301, location: Some(location.into()), ..Head::default() };
            let to = from.parse::<Address>().unwrap().redirected(&head).unwrap();
            assert_eq!(to.authorization().is_some(), to.is_named());
            to.is_named()
        };
        let (plain, encrypted) = ("http://ann:pass@example.com/pulse", "https://ann:pass@example.com/pulse");
        assert!(to(encrypted, "https://example.com/other/sse/probe"));
        assert!(to(encrypted, "/other/sse/probe"));
        assert!(to(plain, "https://EXAMPLE.com/sse/probe"));
        assert!(!to(encrypted, "https://evil.example/sse/probe"));
        assert!(!to(encrypted, "http://example.com/sse/probe"), "no longer encrypted");
        assert!(!to(encrypted, "https://example.com:8443/sse/probe"), "another service of the host");
        assert!(!to(plain, "http://example.com.evil.example/sse/probe"));
        // Once lost, also on the way back.
        let head = |location: &str| Head { status: 302, location: Some(location.into()), ..Head::default() };
        let away = plain.parse::<Address>().unwrap().redirected(&head("http://evil.example/sse/probe")).unwrap();
        assert!(!away.redirected(&head("http://example.com/sse/probe")).unwrap().is_named());
    }

    #[test]
    fn loopback_is_known_by_name_and_number() {
        let local = |text: &str| text.parse::<Address>().unwrap().is_loopback();
        assert!(local("localhost:1") && local("127.0.0.2") && local("http://[::1]"));
        assert!(!local("192.0.2.1") && !local("localhost.example.com"));
    }

    #[test]
    fn a_redirect_counts_where_it_leads_to_the_probe() {
        let to = |location: &str| {
            let head = Head { status: 301, location: Some(location.into()), ..Head::default() };
            "http://a.example".parse::<Address>().unwrap().redirected(&head).map(|to| to.to_string())
        };
        assert_eq!(to("https://a.example/sse/probe?frames=1").as_deref(), Some("https://a.example"));
        assert_eq!(to("/pulse/sse/probe").as_deref(), Some("http://a.example/pulse"));
        assert_eq!(to("https://a.example/login"), None);
        assert_eq!(to("/sse/probe"), None, "in circles");
    }
}
