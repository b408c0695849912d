//! The sender of a change, as the audit log names it.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::principal::Principal;
use crate::clock;
use crate::http::forwarded::TrustedProxies;
use crate::limits::client::Client;
use crate::log::{AuditAction, AuditEvent, By};

/// The principal of a request, and the address that it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    who: String,
    from: Option<IpAddr>,
}

impl Actor {
    /// Makes an actor. Behind a trusted proxy, the address is that of the proxy's client.
    #[must_use]
    pub fn new(who: String, headers: &HeaderMap, client: Option<Client>, proxies: &TrustedProxies) -> Self {
        Self { who, from: proxies.client_address(headers, client) }
    }

    /// Makes an actor for a test.
    #[cfg(test)]
    pub(crate) fn unknown() -> Self {
        Self { who: "unknown".to_owned(), from: None }
    }

    /// Returns the same sender under another name, such as that of the user who signs in.
    #[must_use]
    pub fn named(&self, who: String) -> Self {
        Self { who, from: self.from }
    }

    /// The name of the principal.
    #[must_use]
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Makes the event of an action of now.
    #[must_use]
    pub fn event(&self, action: AuditAction, object: &str, detail: &str) -> AuditEvent {
        AuditEvent::new(clock::now().wall, &self.who, self.from, action, object, detail)
    }

    /// Makes the event for the entry of a change.
    #[must_use]
    pub fn by(&self, action: AuditAction, object: &str, detail: &str) -> By {
        Some(Box::new(self.event(action, object, detail)))
    }
}

impl<S> FromRequestParts<S> for Actor
where
    S: Send + Sync,
    TrustedProxies: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let principal = parts.extensions.get::<Arc<Principal>>();
        let who = principal.map_or_else(|| "unknown".to_owned(), |principal| principal.who().to_string());
        let client = parts.extensions.get::<Client>().copied();
        Ok(Self::new(who, &parts.headers, client, &TrustedProxies::from_ref(state)))
    }
}
