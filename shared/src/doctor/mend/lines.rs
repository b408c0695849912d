//! The configuration lines for each problem and each proxy, with the place where they go.

use super::{Proxy, Trouble};

/// The place where the lines go, and the lines.
type Lines = (&'static str, &'static [&'static str]);

/// The lines that fix a problem in the configuration of a proxy.
pub(super) fn of(trouble: Trouble, proxy: Proxy) -> Lines {
    match proxy {
        Proxy::Nginx => nginx(trouble),
        Proxy::Caddy => caddy(trouble),
        Proxy::Haproxy => haproxy(trouble),
        Proxy::Traefik => traefik(trouble),
        Proxy::Apache => apache(trouble),
        Proxy::Varnish => varnish(trouble),
        Proxy::Envoy => envoy(trouble),
    }
}

fn nginx(trouble: Trouble) -> Lines {
    const LOCATION: &str = "in the location with proxy_pass";
    match trouble {
        Trouble::Buffering => (LOCATION, &["proxy_buffering off;"]),
        Trouble::Compression => (LOCATION, &["gzip off;"]),
        Trouble::Idle => (LOCATION, &["proxy_read_timeout 1h;"]),
        Trouble::Lifetime => (LOCATION, &["proxy_read_timeout 1h;", "send_timeout 1h;"]),
        Trouble::Protocol => ("in the server; http2 on; since nginx 1.25", &["listen 443 ssl http2;"]),
        Trouble::Resume => (LOCATION, &["proxy_set_header Last-Event-ID $http_last_event_id;"]),
        Trouble::ContentType => {
            ("in a location /sse", &["proxy_hide_header Content-Type;", "add_header Content-Type text/event-stream;"])
        }
        Trouble::Caching => (LOCATION, &["proxy_cache off;", "expires off;"]),
        Trouble::Path => (
            "as the location; both slashes at the ends matter",
            &["location /pulse/ {", "    proxy_pass http://127.0.0.1:7878/;", "}"],
        ),
        Trouble::Host => (LOCATION, &["proxy_set_header Host $http_host;"]),
        Trouble::Bodies => (LOCATION, &["client_max_body_size 5m;"]),
    }
}

fn caddy(trouble: Trouble) -> Lines {
    const REVERSE_PROXY: &str = "in reverse_proxy { … }";
    const SITE: &str = "in the site";
    match trouble {
        Trouble::Buffering => (REVERSE_PROXY, &["flush_interval -1"]),
        Trouble::Compression => {
            ("in the site, in place of encode", &["@notstream not path /sse /sse/*", "encode @notstream zstd gzip"])
        }
        Trouble::Idle => (REVERSE_PROXY, &["transport http {", "    read_timeout 1h", "}"]),
        Trouble::Lifetime => {
            ("in the global options", &["servers {", "    timeouts {", "        write 0", "    }", "}"])
        }
        Trouble::Protocol => (
            "as the site: a name gets TLS and HTTP/2",
            &["board.example.com {", "    reverse_proxy 127.0.0.1:7878", "}"],
        ),
        Trouble::Resume => (REVERSE_PROXY, &["header_up Last-Event-ID {http.request.header.Last-Event-ID}"]),
        Trouble::ContentType => (SITE, &["header /sse* >Content-Type text/event-stream"]),
        Trouble::Caching => (SITE, &["header /sse* >Cache-Control no-cache"]),
        Trouble::Path => {
            (SITE, &["redir /pulse /pulse/", "handle_path /pulse/* {", "    reverse_proxy 127.0.0.1:7878", "}"])
        }
        Trouble::Host => (REVERSE_PROXY, &["header_up Host {http.request.hostport}"]),
        Trouble::Bodies => (SITE, &["request_body {", "    max_size 5MB", "}"]),
    }
}

fn haproxy(trouble: Trouble) -> Lines {
    const BACKEND: &str = "in the backend";
    match trouble {
        Trouble::Buffering => (BACKEND, &["option http-no-delay"]),
        Trouble::Compression => (
            "in place of compression type; no text/event-stream",
            &["compression type text/html text/css text/javascript application/json application/wasm"],
        ),
        Trouble::Idle | Trouble::Lifetime => ("in defaults", &["timeout server 1h", "timeout client 1h"]),
        Trouble::Protocol => ("in the frontend", &["bind :443 ssl crt /etc/haproxy/board.pem alpn h2,http/1.1"]),
        Trouble::Resume => ("take this away", &["http-request del-header Last-Event-ID"]),
        Trouble::ContentType => {
            (BACKEND, &["http-response set-header Content-Type text/event-stream if { capture.req.uri -m beg /sse }"])
        }
        Trouble::Caching => {
            (BACKEND, &["http-response set-header Cache-Control no-cache if { capture.req.uri -m beg /sse }"])
        }
        Trouble::Path => (BACKEND, &["http-request replace-path /pulse/(.*) /\\1"]),
        Trouble::Host => (
            "in the frontend, before the line that changes Host",
            &["http-request set-header X-Forwarded-Host %[req.hdr(host)]"],
        ),
        Trouble::Bodies => ("take this away", &["http-request deny deny_status 413 if { req.body_size gt … }"]),
    }
}

fn traefik(trouble: Trouble) -> Lines {
    const LABELS: &str = "as labels of the service";
    const STATIC: &str = "as arguments of traefik";
    match trouble {
        Trouble::Buffering => (
            "as labels of the service; and take its buffering middleware away",
            &["traefik.http.services.pulseboard.loadbalancer.responseforwarding.flushinterval=1ms"],
        ),
        Trouble::Compression => {
            (LABELS, &["traefik.http.middlewares.compress.compress.excludedcontenttypes=text/event-stream"])
        }
        Trouble::Idle | Trouble::Lifetime => {
            (STATIC, &["--entrypoints.websecure.transport.respondingtimeouts.writetimeout=0s"])
        }
        Trouble::Protocol => (
            LABELS,
            &["traefik.http.routers.pulseboard.entrypoints=websecure", "traefik.http.routers.pulseboard.tls=true"],
        ),
        Trouble::Resume => {
            ("take this away", &["traefik.http.middlewares.NAME.headers.customrequestheaders.Last-Event-ID="])
        }
        Trouble::ContentType => {
            ("take this away", &["traefik.http.middlewares.NAME.headers.customresponseheaders.Content-Type=…"])
        }
        Trouble::Caching => {
            (LABELS, &["traefik.http.middlewares.nocache.headers.customresponseheaders.Cache-Control=no-cache"])
        }
        Trouble::Path => (LABELS, &["traefik.http.middlewares.pulse.stripprefix.prefixes=/pulse"]),
        Trouble::Host => (LABELS, &["traefik.http.services.pulseboard.loadbalancer.passhostheader=true"]),
        Trouble::Bodies => (LABELS, &["traefik.http.middlewares.NAME.buffering.maxrequestbodybytes=5000000"]),
    }
}

fn apache(trouble: Trouble) -> Lines {
    const HOST: &str = "in the virtual host";
    match trouble {
        Trouble::Buffering => ("as the line with ProxyPass", &["ProxyPass / http://127.0.0.1:7878/ flushpackets=on"]),
        Trouble::Compression => (HOST, &["SetEnvIf Request_URI \"/sse\" no-gzip"]),
        Trouble::Idle | Trouble::Lifetime => (HOST, &["Timeout 3600", "ProxyTimeout 3600"]),
        Trouble::Protocol => ("in the virtual host, with mod_http2", &["Protocols h2 http/1.1"]),
        Trouble::Resume => ("take this away", &["RequestHeader unset Last-Event-ID"]),
        Trouble::ContentType => ("take this away", &["Header set Content-Type …"]),
        Trouble::Caching => (HOST, &["CacheDisable /sse"]),
        Trouble::Path => (HOST, &["RedirectMatch ^/pulse$ /pulse/", "ProxyPass /pulse/ http://127.0.0.1:7878/"]),
        Trouble::Host => (HOST, &["ProxyPreserveHost On"]),
        Trouble::Bodies => (HOST, &["LimitRequestBody 5000000"]),
    }
}

fn varnish(trouble: Trouble) -> Lines {
    const RECV: &str = "in vcl_recv";
    const PIPE: &[&str] = &["if (req.url ~ \"/sse\") {", "    return (pipe);", "}"];
    match trouble {
        Trouble::Buffering | Trouble::Idle | Trouble::Lifetime | Trouble::Caching | Trouble::Compression => {
            (RECV, PIPE)
        }
        Trouble::Protocol => ("as an argument of varnishd, behind something that speaks TLS", &["-p feature=+http2"]),
        Trouble::Resume => ("take this away", &["unset req.http.Last-Event-ID;"]),
        Trouble::ContentType => ("take this away", &["set beresp.http.Content-Type = …;"]),
        Trouble::Path => (RECV, &["set req.url = regsub(req.url, \"^/pulse/\", \"/\");"]),
        Trouble::Host => {
            ("in vcl_recv, before the line that changes Host", &["set req.http.X-Forwarded-Host = req.http.Host;"])
        }
        Trouble::Bodies => ("take this away", &["return (synth(413));"]),
    }
}

fn envoy(trouble: Trouble) -> Lines {
    const ROUTE: &str = "in the route";
    match trouble {
        Trouble::Buffering => ("take this filter away", &["envoy.filters.http.buffer"]),
        Trouble::Compression => {
            ("in the compressor's response_direction_config", &["content_type: [text/html, text/css]"])
        }
        Trouble::Idle => (ROUTE, &["idle_timeout: 0s"]),
        Trouble::Lifetime => (ROUTE, &["timeout: 0s"]),
        Trouble::Protocol => ("in the TLS context of the listener", &["alpn_protocols: [h2, http/1.1]"]),
        Trouble::Resume => ("take this away", &["request_headers_to_remove: [last-event-id]"]),
        Trouble::ContentType => ("take this away", &["response_headers_to_add: content-type"]),
        Trouble::Caching => ("take this filter away", &["envoy.filters.http.cache"]),
        Trouble::Path => (ROUTE, &["match: { prefix: /pulse/ }", "route: { prefix_rewrite: / }"]),
        Trouble::Host => (ROUTE, &["append_x_forwarded_host: true"]),
        Trouble::Bodies => ("in the buffer filter", &["max_request_bytes: 5000000"]),
    }
}
