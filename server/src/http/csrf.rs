//! Cross-site request checks: keeps the pages of other sites from reading and pushing.
//!
//! A browser sends a plain GET or POST to any address that a page names, without asking first. It withholds the answer
//! from the page only after the server has done the work. So a request is refused if the browser says that a page of
//! another site sent it:
//!
//! - by `Sec-Fetch-Site` (W3C Fetch Metadata), or,
//! - without that header, by an `Origin` whose host is not the request's host. That host comes from a trusted proxy or
//!   from `Host`.
//!
//! A no-cors GET (an `<img>`) has no `Origin`, so there `Sec-Fetch-Site` alone decides. Only the page, its files and badges
//! stay open to GET from anywhere, so that other sites can link to a board. curl, scripts and services send neither
//! header.

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, Method, header};

use crate::http::foreign_page::ForeignPage;
use crate::http::forwarded::{Forwarded, TrustedProxies};
use crate::http::origin::Origin;
use crate::http::problem::ApiError;
use crate::limits::client::Client;

/// Routes that answer with a page. A path without a route is a file of the page. A link of another site to a board leads
/// to the sign-in, if that is needed, and a live link is opened from a message or a wiki.
const PAGES: [&str; 5] = ["/", "/b/{id}", "/sign-in", "/sign-in.css", "/link/{secret}"];

/// The route that also takes a point by GET.
const PUSH: &str = "/in/{*series}";

/// The route of badges, which are images for other pages. It refuses those pages itself, unless everyone may see the series.
const BADGE: &str = "/badge/{*series}";

/// The route that judges the measurements of a page. It reads and changes nothing of the server.
const DOCTOR: &str = "/api/doctor";

/// PowerShell's name in its user agent, which begins like the user agent of a browser. A page of another site cannot set
/// that header.
const POWERSHELL: &str = "PowerShell/";

/// Headers by which browsers and proxies say that they fetch an address before it is used.
const PURPOSES: [&str; 4] = ["sec-purpose", "purpose", "x-purpose", "x-moz"];

/// The sender of a request, according to its browser's headers.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sender {
    /// A page of this server, its user, or a client that is not a browser.
    Own,
    /// A page of another site.
    Foreign(ForeignPage),
}

/// Checks that no page of another site sent the request, unless `allowed` names its origin or the request is for the
/// page.
///
/// # Errors
/// [`ApiError::ForeignPage`], or [`ApiError::Malformed`] where there are two `Origin` headers.
pub fn check(allowed: &[Origin], proxies: &TrustedProxies, request: &Request) -> Result<(), ApiError> {
    match sender(proxies, request)? {
        Sender::Own if is_push_by_get(request) => check_push_by_get(request.headers()),
        Sender::Own => Ok(()),
        Sender::Foreign(ForeignPage { origin: Some(origin), .. })
            if allowed.iter().any(|known| known.header() == origin.as_str()) =>
        {
            Ok(())
        }
        Sender::Foreign(_) if is_page(request) => Ok(()),
        Sender::Foreign(ForeignPage { origin: None, .. }) if is_for(request, BADGE) => Ok(()),
        // Behind a proxy that changes Host, the page itself looks like one of another site, and its doctor has to say so.
        Sender::Foreign(ForeignPage { host: Some(_), .. }) if is_for(request, DOCTOR) => Ok(()),
        Sender::Foreign(page) => Err(ApiError::ForeignPage(Box::new(page))),
    }
}

fn is_push_by_get(request: &Request) -> bool {
    *request.method() == Method::GET && is_for(request, PUSH)
}

/// Returns true if the request is for this route.
fn is_for(request: &Request, route: &str) -> bool {
    request.extensions().get::<MatchedPath>().is_some_and(|call| call.as_str() == route)
}

/// Checks a GET that stores a point more strictly than one that only reads. A browser fetches addresses by GET before
/// they are used, and for the images and scripts of any page. Over plain HTTP, except to localhost, it sends neither
/// `Sec-Fetch-Site` nor `Origin` with these requests. So a browser that does not name the site of the page is refused.
///
/// # Errors
/// [`ApiError::Speculative`], [`ApiError::ForeignPage`] or [`ApiError::UnknownPage`].
fn check_push_by_get(headers: &HeaderMap) -> Result<(), ApiError> {
    if PURPOSES.iter().any(|name| headers.contains_key(*name)) {
        return Err(ApiError::Speculative);
    }
    let is_kind = |kinds: &[&str], kind: &str| kinds.contains(&kind);
    if text(headers, "sec-fetch-dest").is_some_and(|dest| !is_kind(&["document", "empty"], &dest)) {
        return Err(ApiError::ForeignPage(Box::default()));
    }
    let names_site = headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN);
    let is_browser = text(headers, header::USER_AGENT.as_str())
        .is_some_and(|agent| agent.starts_with("Mozilla/") && !agent.contains(POWERSHELL));
    if !names_site && (is_browser || headers.contains_key(header::REFERER)) {
        return Err(ApiError::UnknownPage);
    }
    Ok(())
}

/// Returns true if the request reads the page or one of its files: the same bytes for everyone, without data.
fn is_page(request: &Request) -> bool {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let call = request.extensions().get::<MatchedPath>();
    reads && call.is_none_or(|call| PAGES.contains(&call.as_str()))
}

fn sender(proxies: &TrustedProxies, request: &Request) -> Result<Sender, ApiError> {
    let headers = request.headers();
    if headers.get_all(header::ORIGIN).iter().nth(1).is_some() {
        return Err(ApiError::Malformed("the request has two Origin headers; send one".to_owned()));
    }
    let origin = text(headers, header::ORIGIN.as_str());
    let mut sites = headers.get_all("sec-fetch-site").iter().peekable();
    if sites.peek().is_some() {
        let own = sites.all(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
        let page = ForeignPage { origin, host: None, forwarded: Forwarded::Absent };
        return Ok(if own { Sender::Own } else { Sender::Foreign(page) });
    }
    let Some(origin) = origin else { return Ok(Sender::Own) };
    let host = request.uri().authority().map(ToString::to_string).or_else(|| text(headers, header::HOST.as_str()));
    if host.as_deref().is_some_and(|host| is_host_of(&origin, host)) {
        return Ok(Sender::Own);
    }
    // A page of another site cannot add this header: it would need a CORS preflight, which the server does not permit.
    let forwarded = proxies.host(headers, request.extensions().get::<Client>().copied());
    match forwarded {
        Forwarded::Host(host) if is_host_of(&origin, &host) => Ok(Sender::Own),
        forwarded => Ok(Sender::Foreign(ForeignPage { origin: Some(origin), host, forwarded })),
    }
}

/// Returns true if `host` is the host of `origin`. The schemes are not compared: behind a proxy, the server does not
/// know which scheme the browser used. So a port counts as absent if it is the default port of the origin's scheme.
fn is_host_of(origin: &str, host: &str) -> bool {
    let Some((scheme, own)) = origin.split_once("://") else { return false };
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return own == host,
    };
    let bare = |host: &str| host.strip_suffix(default_port).unwrap_or(host).to_ascii_lowercase();
    bare(own) == bare(host)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request {
        let request = headers.iter().fold(Request::builder(), |request, (name, value)| request.header(*name, *value));
        request.body(Body::empty()).unwrap()
    }

    #[test]
    fn page_of_another_site_is_recognised_by_its_headers() {
        for (headers, is_foreign) in [
            (vec![("host", "a:1")], false),
            (vec![("host", "a:1"), ("origin", "http://a:1")], false),
            (vec![("host", "a:1"), ("origin", "http://b:1")], true),
            (vec![("host", "a:1"), ("origin", "http://a:2")], true),
            (vec![("host", "a:1"), ("origin", "null")], true),
            (vec![("origin", "http://a:1")], true),
            (vec![("host", "a:80"), ("origin", "http://a")], false),
            (vec![("host", "A"), ("origin", "http://a:80")], false),
            (vec![("host", "a:443"), ("origin", "https://a")], false),
            (vec![("host", "a:443"), ("origin", "http://a")], true),
            (vec![("host", "[::1]:80"), ("origin", "http://[::1]")], false),
            (vec![("host", "inner:1"), ("origin", "http://a"), ("x-forwarded-host", "a")], false),
            (vec![("host", "inner:1"), ("origin", "http://a:8"), ("x-forwarded-host", "a:8, inner:1")], false),
            (vec![("host", "inner:1"), ("origin", "http://a:8"), ("x-forwarded-host", "a")], true),
            (vec![("host", "inner:1"), ("origin", "http://b"), ("x-forwarded-host", "a")], true),
            (vec![("host", "a"), ("origin", "http://a"), ("x-forwarded-host", "b")], false),
            (
                vec![
                    ("host", "inner:1"),
                    ("origin", "http://b"),
                    ("x-forwarded-host", "b"),
                    ("sec-fetch-site", "cross-site"),
                ],
                true,
            ),
            (vec![("host", "inner:1"), ("origin", "https://a"), ("sec-fetch-site", "same-origin")], false),
            (vec![("host", "a"), ("origin", "http://b"), ("sec-fetch-site", "cross-site")], true),
            (vec![("host", "a"), ("origin", "http://c.a"), ("sec-fetch-site", "same-site")], true),
            (vec![("host", "a"), ("sec-fetch-site", "none")], false),
            (vec![("host", "a"), ("sec-fetch-site", "cross-site")], true),
            (vec![("host", "a"), ("sec-fetch-site", "same-site")], true),
            (vec![("host", "a"), ("sec-fetch-site", "new-word")], true),
            (vec![("host", "a"), ("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")], true),
        ] {
            let sender = sender(&TrustedProxies::default(), &from("127.0.0.1", &headers)).unwrap();
            assert_eq!(sender != Sender::Own, is_foreign, "{headers:?}");
        }
        let twice = [("host", "a"), ("origin", "http://a"), ("origin", "http://a")];
        assert!(matches!(sender(&TrustedProxies::default(), &request(&twice)), Err(ApiError::Malformed(_))));
    }

    /// Makes a request that comes from this address.
    fn from(address: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = request(headers);
        *request.method_mut() = Method::POST;
        request.extensions_mut().insert(Client::at(address.parse().unwrap()));
        request
    }

    #[test]
    fn refusal_says_what_the_proxy_has_to_send_or_whom_to_trust() {
        let refusal = |address: &str, headers: &[(&str, &str)]| {
            let proxies = TrustedProxies::new(&["10.0.0.7".parse().unwrap()]);
            check(&[], &proxies, &from(address, headers)).map_err(|error| error.to_string())
        };
        let rewritten = [("host", "inner:1"), ("origin", "http://board.lan")];
        let message = refusal("127.0.0.1", &rewritten).unwrap_err();
        assert!(
            message.contains("proxy_set_header Host $http_host;") && message.contains("X-Forwarded-Host"),
            "{message}"
        );
        assert!(
            message.contains("for the host inner:1") && message.contains("--allow-origin http://board.lan"),
            "{message}"
        );
        let named = [rewritten[0], rewritten[1], ("x-forwarded-host", "board.lan")];
        assert_eq!(refusal("10.0.0.7", &named), Ok(()));
        let message = refusal("10.0.0.8", &named).unwrap_err();
        assert!(message.contains("--trusted-proxy 10.0.0.8") && !message.contains("proxy_set_header"), "{message}");
        let sure = [rewritten[0], rewritten[1], ("sec-fetch-site", "cross-site")];
        let message = refusal("127.0.0.1", &sure).unwrap_err();
        assert_eq!(
            message,
            "a page of http://board.lan may not read or push here; allow it with --allow-origin http://board.lan"
        );
    }

    #[test]
    fn push_by_get_is_taken_only_from_a_device_or_a_page_that_is_known() {
        let check = |headers: &[(&str, &str)]| check_push_by_get(request(headers).headers());
        for headers in [
            vec![],
            vec![("user-agent", "ESP8266HTTPClient")],
            vec![("user-agent", "curl/8.5.0"), ("accept", "*/*")],
            vec![("user-agent", "Mozilla/5.0 (Windows NT; Windows NT 10.0; de-DE) WindowsPowerShell/5.1.19041.4291")],
            vec![("user-agent", "Mozilla/5.0 (Windows NT 10.0; Microsoft Windows 10.0.19045; en-US) PowerShell/7.4.6")],
            vec![("user-agent", "Mozilla/5.0"), ("sec-fetch-site", "none"), ("sec-fetch-dest", "document")],
            vec![("user-agent", "Mozilla/5.0"), ("sec-fetch-site", "same-origin"), ("sec-fetch-dest", "empty")],
        ] {
            assert_eq!(check(&headers), Ok(()), "{headers:?}");
        }
        for headers in [
            vec![("sec-purpose", "prefetch")],
            vec![("sec-purpose", "prefetch;prerender"), ("sec-fetch-site", "none")],
            vec![("purpose", "prefetch")],
            vec![("x-moz", "prefetch")],
            vec![("x-purpose", "preview")],
            vec![("user-agent", "Mozilla/5.0 (X11; Linux x86_64)")],
            vec![("referer", "http://evil.example/")],
            vec![("sec-fetch-site", "same-origin"), ("sec-fetch-dest", "image")],
        ] {
            assert!(check(&headers).is_err(), "{headers:?}");
        }
    }

    #[test]
    fn over_http_2_the_authority_is_the_host() {
        let own = Request::builder().uri("https://a:1/in").header("origin", "https://a:1").body(Body::empty()).unwrap();
        assert_eq!(sender(&TrustedProxies::default(), &own).unwrap(), Sender::Own);
    }
}
