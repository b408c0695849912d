//! The lines of configuration that mend what is found.

use serde::{Deserialize, Serialize};

use super::Head;

/// A proxy that can be told what to do.
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
}

impl Proxy {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Nginx, Self::Caddy, Self::Haproxy, Self::Traefik];

    /// Its name as its makers write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Caddy => "Caddy",
            Self::Haproxy => "HAProxy",
            Self::Traefik => "Traefik",
        }
    }

    /// The one that names itself in an answer.
    #[must_use]
    pub fn of(head: &Head) -> Option<Self> {
        let names = [&head.server, &head.via].into_iter().flatten().map(|name| name.to_ascii_lowercase());
        let known = [
            ("nginx", Self::Nginx),
            ("openresty", Self::Nginx),
            ("caddy", Self::Caddy),
            ("haproxy", Self::Haproxy),
            ("traefik", Self::Traefik),
        ];
        names.into_iter().find_map(|name| known.iter().find(|(word, _)| name.contains(word)).map(|(_, proxy)| *proxy))
    }
}

/// What to write into the configuration of one proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mend {
    /// Whose.
    pub proxy: Proxy,
    /// Where the lines go.
    pub place: String,
    /// The lines.
    pub lines: Vec<String>,
}

/// What can be mended by configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Events are held back.
    Buffering,
    /// The compression holds events back.
    Compression,
    /// Silent streams are cut.
    Idle,
    /// No HTTP/2.
    Protocol,
    /// Last-Event-ID is lost.
    Resume,
    /// The content type is lost.
    ContentType,
    /// The stream may be cached.
    Caching,
}

/// The lines for each proxy; those for `first` come first.
#[must_use]
pub fn mend(trouble: Trouble, first: Option<Proxy>) -> Vec<Mend> {
    let mut all: Vec<Mend> = Proxy::ALL.into_iter().map(|proxy| of(trouble, proxy)).collect();
    all.sort_by_key(|mend| Some(mend.proxy) != first);
    all
}

fn of(trouble: Trouble, proxy: Proxy) -> Mend {
    use Proxy::{Caddy, Haproxy, Nginx, Traefik};
    use Trouble::{Buffering, Caching, Compression, ContentType, Idle, Protocol, Resume};
    const LOCATION: &str = "in the location with proxy_pass";
    const REVERSE_PROXY: &str = "in reverse_proxy { … }";
    const BACKEND: &str = "in the backend";
    const LABELS: &str = "as labels of the service";
    const STATIC: &str = "as arguments of traefik";
    let (place, lines): (&str, &[&str]) = match (trouble, proxy) {
        (Buffering, Nginx) => (LOCATION, &["proxy_buffering off;"]),
        (Buffering, Caddy) => (REVERSE_PROXY, &["flush_interval -1"]),
        (Buffering, Haproxy) => (BACKEND, &["option http-no-delay"]),
        (Buffering, Traefik) => (
            "as labels of the service; and take its buffering middleware away",
            &["traefik.http.services.pulseboard.loadbalancer.responseforwarding.flushinterval=1ms"],
        ),
        (Compression, Nginx) => (LOCATION, &["gzip off;"]),
        (Compression, Caddy) => {
            ("in the site, in place of encode", &["@notstream not path /sse /sse/*", "encode @notstream zstd gzip"])
        }
        (Compression, Haproxy) => (
            "in place of compression type; no text/event-stream",
            &["compression type text/html text/css text/javascript application/json application/wasm"],
        ),
        (Compression, Traefik) => {
            (LABELS, &["traefik.http.middlewares.compress.compress.excludedcontenttypes=text/event-stream"])
        }
        (Idle, Nginx) => (LOCATION, &["proxy_read_timeout 1h;"]),
        (Idle, Caddy) => (REVERSE_PROXY, &["transport http {", "    read_timeout 1h", "}"]),
        (Idle, Haproxy) => ("in defaults", &["timeout server 1h", "timeout client 1h"]),
        (Idle, Traefik) => (STATIC, &["--entrypoints.websecure.transport.respondingtimeouts.writetimeout=0s"]),
        (Protocol, Nginx) => ("in the server; http2 on; since nginx 1.25", &["listen 443 ssl http2;"]),
        (Protocol, Caddy) => (
            "as the site: a name gets TLS and HTTP/2",
            &["board.example.com {", "    reverse_proxy 127.0.0.1:7878", "}"],
        ),
        (Protocol, Haproxy) => ("in the frontend", &["bind :443 ssl crt /etc/haproxy/board.pem alpn h2,http/1.1"]),
        (Protocol, Traefik) => (
            LABELS,
            &["traefik.http.routers.pulseboard.entrypoints=websecure", "traefik.http.routers.pulseboard.tls=true"],
        ),
        (Resume, Nginx) => (LOCATION, &["proxy_set_header Last-Event-ID $http_last_event_id;"]),
        (Resume, Caddy) => (REVERSE_PROXY, &["header_up Last-Event-ID {http.request.header.Last-Event-ID}"]),
        (Resume, Haproxy) => ("take this away", &["http-request del-header Last-Event-ID"]),
        (Resume, Traefik) => {
            ("take this away", &["traefik.http.middlewares.NAME.headers.customrequestheaders.Last-Event-ID="])
        }
        (ContentType, Nginx) => {
            ("in a location /sse", &["proxy_hide_header Content-Type;", "add_header Content-Type text/event-stream;"])
        }
        (ContentType, Caddy) => ("in the site", &["header /sse* >Content-Type text/event-stream"]),
        (ContentType, Haproxy) => {
            (BACKEND, &["http-response set-header Content-Type text/event-stream if { capture.req.uri -m beg /sse }"])
        }
        (ContentType, Traefik) => {
            ("take this away", &["traefik.http.middlewares.NAME.headers.customresponseheaders.Content-Type=…"])
        }
        (Caching, Nginx) => (LOCATION, &["proxy_cache off;", "expires off;"]),
        (Caching, Caddy) => ("in the site", &["header /sse* >Cache-Control no-cache"]),
        (Caching, Haproxy) => {
            (BACKEND, &["http-response set-header Cache-Control no-cache if { capture.req.uri -m beg /sse }"])
        }
        (Caching, Traefik) => {
            (LABELS, &["traefik.http.middlewares.nocache.headers.customresponseheaders.Cache-Control=no-cache"])
        }
    };
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
        assert_eq!(named(None, None), None);
    }

    #[test]
    fn the_lines_for_the_known_proxy_come_first_and_all_others_follow() {
        let names = |first| mend(Trouble::Idle, first).into_iter().map(|mend| mend.proxy.name()).collect::<Vec<_>>();
        assert_eq!(names(None), ["nginx", "Caddy", "HAProxy", "Traefik"]);
        assert_eq!(names(Some(Proxy::Haproxy)), ["HAProxy", "nginx", "Caddy", "Traefik"]);
    }
}
