//! Configuration lines that fix each problem, for each known proxy.

mod lines;

use serde::{Deserialize, Serialize};

use super::Head;

/// A proxy for which the doctor knows the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proxy {
    /// nginx, and `OpenResty`.
    Nginx,
    /// Caddy.
    Caddy,
    /// `HAProxy`.
    Haproxy,
    /// Traefik.
    Traefik,
    /// Apache httpd.
    Apache,
    /// Varnish.
    Varnish,
    /// Envoy.
    Envoy,
}

impl Proxy {
    /// All proxies.
    pub const ALL: [Self; 7] =
        [Self::Nginx, Self::Caddy, Self::Haproxy, Self::Traefik, Self::Apache, Self::Varnish, Self::Envoy];

    /// The name in its makers' spelling.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Caddy => "Caddy",
            Self::Haproxy => "HAProxy",
            Self::Traefik => "Traefik",
            Self::Apache => "Apache",
            Self::Varnish => "Varnish",
            Self::Envoy => "Envoy",
        }
    }

    /// Recognises the proxy that names itself in an answer.
    #[must_use]
    pub fn of(head: &Head) -> Option<Self> {
        let names = [&head.server, &head.via].into_iter().flatten().map(|name| name.to_ascii_lowercase());
        let known = [
            ("nginx", Self::Nginx),
            ("openresty", Self::Nginx),
            ("caddy", Self::Caddy),
            ("haproxy", Self::Haproxy),
            ("traefik", Self::Traefik),
            ("apache", Self::Apache),
            ("varnish", Self::Varnish),
            ("envoy", Self::Envoy),
        ];
        names.into_iter().find_map(|name| known.iter().find(|(word, _)| name.contains(word)).map(|(_, proxy)| *proxy))
    }
}

/// A change to the configuration of one proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mend {
    /// The proxy.
    pub proxy: Proxy,
    /// The place in the configuration where the lines go.
    pub place: String,
    /// The lines.
    pub lines: Vec<String>,
}

/// A problem that configuration can fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Events are held back.
    Buffering,
    /// Compression holds events back.
    Compression,
    /// Silent streams are cut.
    Idle,
    /// HTTP/2 is missing.
    Protocol,
    /// Last-Event-ID is lost.
    Resume,
    /// The content type is lost.
    ContentType,
    /// The stream may be cached.
    Caching,
    /// The duration of a whole answer is limited.
    Lifetime,
    /// A path prefix is not removed, or some paths are not passed on.
    Path,
    /// The host of requests is changed.
    Host,
    /// Long bodies are refused.
    Bodies,
}

/// Returns the lines for each proxy; those for `first` come first.
#[must_use]
pub fn mend(trouble: Trouble, first: Option<Proxy>) -> Vec<Mend> {
    let mut all: Vec<Mend> = Proxy::ALL.into_iter().map(|proxy| of(trouble, proxy)).collect();
    all.sort_by_key(|mend| Some(mend.proxy) != first);
    all
}

fn of(trouble: Trouble, proxy: Proxy) -> Mend {
    let (place, lines) = lines::of(trouble, proxy);
    Mend { proxy, place: place.to_owned(), lines: lines.iter().map(|&line| line.to_owned()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(server: Option<&str>, via: Option<&str>) -> Option<Proxy> {
        let text = |name: Option<&str>| name.map(str::to_owned);
        Proxy::of(&Head { server: text(server), via: text(via), ..Head::default() })
    }

    #[test]
    fn a_proxy_is_known_by_the_name_that_it_gives() {
        assert_eq!(named(Some("nginx/1.22.1"), None), Some(Proxy::Nginx));
        assert_eq!(named(Some("Caddy"), None), Some(Proxy::Caddy));
        assert_eq!(named(Some("cloudflare"), Some("1.1 Caddy")), Some(Proxy::Caddy));
        assert_eq!(named(None, Some("1.1 varnish (Varnish/7.1)")), Some(Proxy::Varnish));
        assert_eq!(named(None, None), None);
    }

    #[test]
    fn the_lines_for_the_known_proxy_come_first_and_all_others_follow() {
        let names = |first| mend(Trouble::Idle, first).into_iter().map(|mend| mend.proxy.name()).collect::<Vec<_>>();
        assert_eq!(names(None), ["nginx", "Caddy", "HAProxy", "Traefik", "Apache", "Varnish", "Envoy"]);
        assert_eq!(names(Some(Proxy::Haproxy)), ["HAProxy", "nginx", "Caddy", "Traefik", "Apache", "Varnish", "Envoy"]);
    }
}
