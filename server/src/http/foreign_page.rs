//! The refusal of a request from a page of another site.

use std::fmt;

use crate::http::forwarded::Forwarded;

/// Error: a page of another site sent the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForeignPage {
    /// Its origin, if the browser sent it.
    pub origin: Option<String>,
    /// The host of the request. Only set if the check compared the origin with `Host` or a proxy's header, because a
    /// proxy may have changed it.
    pub host: Option<String>,
    /// The host that a proxy named.
    pub forwarded: Forwarded,
}

impl fmt::Display for ForeignPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(origin) = &self.origin else {
            return f.write_str(
                "a page of another site may not read or push here; name its origin with --allow-origin, and let it use \
                 fetch or EventSource, which send the origin",
            );
        };
        let Some(host) = &self.host else {
            return write!(f, "a page of {origin} may not read or push here; allow it with --allow-origin {origin}");
        };
        write!(f, "the page is of {origin}, but the request is for the host {host}. ")?;
        match &self.forwarded {
            Forwarded::Untrusted(Some(address)) => write!(
                f,
                "If a proxy stands between: it names the host in X-Forwarded-Host, but is not trusted; start the server \
                 with --trusted-proxy {address}. "
            )?,
            _ => f.write_str(
                "If a proxy stands between, let it pass on the header Host, or add X-Forwarded-Host; in nginx: \
                 proxy_set_header Host $http_host; ",
            )?,
        }
        write!(f, "If it is a page of another site, allow it with --allow-origin {origin}")
    }
}
