//! Reads the secrets that a request presents.
//!
//! They come in `Authorization` as `Bearer`, as `Token` (InfluxDB 2) or as the password of `Basic`; in the query as
//! `p=` on the calls of InfluxDB 1, and as `ticket=` on a stream; or in the cookie of a browser that signed in or
//! opened a link.

use axum::http::{HeaderMap, Uri, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::secret::hash_of;
use crate::log::TokenHash;

/// The cookie of a browser that signed in over plain HTTP.
pub const COOKIE: &str = "pulseboard";

/// The cookie of a browser that signed in over HTTPS: the prefix keeps other hosts from setting it.
pub const SECURE_COOKIE: &str = "__Host-pulseboard";

/// The cookie of a browser that opened a link over plain HTTP.
pub const LINK_COOKIE: &str = "pulseboard-link";

/// The cookie of a browser that opened a link over HTTPS.
pub const SECURE_LINK_COOKIE: &str = "__Host-pulseboard-link";

/// The calls of InfluxDB 1, whose clients send user and password as `u=` and `p=`.
const INFLUX_1: [&str; 2] = ["/write", "/query"];

/// The call that takes a ticket.
const STREAM: &str = "/sse";

/// The secrets of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presented {
    /// The hashes of those that may be tokens, in the order in which they are tried.
    pub tokens: Vec<TokenHash>,
    /// The hash of a ticket.
    pub ticket: Option<TokenHash>,
    /// True if there was any credential, valid or not.
    pub some: bool,
}

impl Presented {
    /// Reads the secrets of a request.
    #[must_use]
    pub fn of(headers: &HeaderMap, uri: &Uri) -> Self {
        let mut presented = Self::default();
        for value in headers.get_all(header::AUTHORIZATION) {
            presented.some = true;
            presented.tokens.extend(value.to_str().ok().and_then(of_authorization));
        }
        if let Some(query) = uri.query() {
            if INFLUX_1.contains(&uri.path()) {
                for password in values(query, "p") {
                    presented.some = true;
                    presented.tokens.extend(hash_of(&password));
                }
            } else if uri.path() == STREAM {
                for ticket in values(query, "ticket") {
                    presented.some = true;
                    presented.ticket = hash_of(&ticket);
                }
            }
        }
        // A browser that signed in may do what its user may do, whichever links it opened.
        let of_links = cookies(headers, &[LINK_COOKIE, SECURE_LINK_COOKIE]);
        for cookie in cookies(headers, &[COOKIE, SECURE_COOKIE]).chain(of_links) {
            presented.some = true;
            presented.tokens.extend(hash_of(cookie));
        }
        presented
    }
}

fn of_authorization(value: &str) -> Option<TokenHash> {
    let (scheme, rest) = value.trim().split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        hash_of(rest)
    } else if scheme.eq_ignore_ascii_case("token") {
        // InfluxDB 1.8 accepts `Token USER:PASSWORD` here.
        hash_of(rest.rsplit(':').next().unwrap_or_default())
    } else if scheme.eq_ignore_ascii_case("basic") {
        let pair = String::from_utf8(BASE64_STANDARD.decode(rest).ok()?).ok()?;
        let (user, password) = pair.split_once(':')?;
        // `curl -u TOKEN:` sends it as the user.
        hash_of(if password.is_empty() { user } else { password })
    } else {
        None
    }
}

/// Returns the values of a key of a query.
fn values(query: &str, key: &str) -> Vec<String> {
    let pairs: Vec<(String, String)> = serde_html_form::from_str(query).unwrap_or_default();
    pairs.into_iter().filter(|(known, _)| known == key).map(|(_, value)| value).collect()
}

/// Returns the values of the cookies of these names.
fn cookies<'a>(headers: &'a HeaderMap, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| names.contains(name)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::secret::Secret;

    fn presented(uri: &str, headers: &[(header::HeaderName, String)]) -> Presented {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        Presented::of(&headers, &uri.parse().unwrap())
    }

    #[test]
    fn token_is_found_wherever_clients_put_it() {
        let secret = Secret::draw().unwrap();
        let text = secret.reveal();
        let basic = |pair: String| format!("Basic {}", BASE64_STANDARD.encode(pair));
        for value in [
            format!("Bearer {text}"),
            format!("bearer  {text} "),
            format!("Token {text}"),
            format!("TOKEN user:{text}"),
            basic(format!("anyone:{text}")),
            basic(format!("{text}:")),
        ] {
            let found = presented("/in/a", &[(header::AUTHORIZATION, value.clone())]);
            assert_eq!(found.tokens, [secret.hash()], "{value}");
        }
        for uri in ["/write?u=x&p=", "/query?q=SHOW%20DATABASES&p="] {
            assert_eq!(presented(&format!("{uri}{text}"), &[]).tokens, [secret.hash()], "{uri}");
        }
        for cookie in [format!("a=b; pulseboard={text}"), format!("__Host-pulseboard={text};c=d")] {
            assert_eq!(presented("/", &[(header::COOKIE, cookie)]).tokens, [secret.hash()]);
        }
        let ticket = presented(&format!("/sse?series=a&ticket={text}"), &[]);
        assert_eq!((ticket.ticket, ticket.tokens.len()), (Some(secret.hash()), 0));
    }

    #[test]
    fn sign_in_comes_before_a_link_whatever_the_order_of_the_cookies() {
        let [one, other] = [(); 2].map(|()| Secret::draw().unwrap());
        let cookie = format!("pulseboard-link={}; pulseboard={}", one.reveal(), other.reveal());
        assert_eq!(presented("/", &[(header::COOKIE, cookie)]).tokens, [other.hash(), one.hash()]);
    }

    #[test]
    fn credential_that_cannot_be_a_token_counts_as_one_and_nothing_else_does() {
        for value in ["Bearer x", "Bearer", "Digest a=b", "Basic !", "Basic eDp5", "", "pb_"] {
            let found = presented("/in/a", &[(header::AUTHORIZATION, value.to_owned())]);
            assert_eq!(found, Presented { some: true, ..Presented::default() }, "{value}");
        }
        for (uri, cookie) in [("/in/a?p=x&ticket=y", ""), ("/sse?p=x", "session=1; xpulseboard=2"), ("/write?u=x", "a")]
        {
            let found = presented(uri, &[(header::COOKIE, cookie.to_owned())]);
            assert_eq!(found, Presented::default(), "{uri}");
        }
    }
}
