//! Compares each request with the `access` column of the route table, before any handler runs. It also counts refusals
//! by the bound that they reached.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::authority::{Authority, Identified};
use super::principal::Principal;
use super::sign_in;
use crate::http::problem::ApiError;
use crate::http::route::{Access, Methods};
use crate::ingest::intake;
use crate::limits::Limit;
use crate::monitoring::metrics::Metrics;

/// The most bytes of the body of a refused push that are read, since many clients read the answer only after they have
/// sent the whole body.
const MAX_DISCARDED: usize = 4 << 20;

/// The state of the check.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    authority: Authority,
    routes: HashMap<&'static str, Methods>,
    metrics: Metrics,
}

impl Admission {
    /// Checks requests for these routes.
    #[must_use]
    pub fn new(
        authority: Authority,
        routes: impl IntoIterator<Item = (&'static str, Methods)>,
        metrics: Metrics,
    ) -> Self {
        Self(Arc::new(Inner { authority, routes: routes.into_iter().collect(), metrics }))
    }

    /// Returns the access that a request needs. A file of the page needs none, nor does a method that is answered 405.
    fn needed(&self, request: &Request) -> Access {
        let Some(path) = request.extensions().get::<MatchedPath>() else { return Access::Public };
        let Some(methods) = self.0.routes.get(path.as_str()) else {
            // Not in the table: nobody said that it is public.
            return Access::Admin;
        };
        // axum answers HEAD like GET.
        let method = if *request.method() == Method::HEAD { "GET" } else { request.method().as_str() };
        methods.iter().find(|(known, _)| *known == method).map_or(Access::Public, |(_, access)| *access)
    }

    /// Finds the principal of a request.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] or [`ApiError::Forbidden`] if it may not do anything of what the request needs.
    fn check(&self, request: &Request) -> Result<Arc<Principal>, ApiError> {
        if let Some(everyone) = self.0.authority.everyone() {
            return Ok(everyone);
        }
        let needed = self.needed(request);
        let Identified { principal, is_refused } = self.0.authority.identify(request.headers(), request.uri());
        match missing(&principal, needed) {
            _ if needed == Access::Public => Ok(principal),
            _ if is_refused => Err(ApiError::Unauthorized),
            Some(what) => Err(principal.refuse(what)),
            None => Ok(principal),
        }
    }
}

/// Returns the words for what the principal lacks; `None` if it may do some of what is needed.
fn missing(principal: &Principal, needed: Access) -> Option<&'static str> {
    let (capability, read) = (principal.capability(), principal.read_scope());
    let (has, what) = match needed {
        Access::Public => (true, ""),
        Access::Push => (!principal.push_scope().is_empty(), "push"),
        Access::Read | Access::Page => (capability.reads_something(), "read anything"),
        Access::ReadAll => (read.series().is_all(), "read this, which is about all series: it needs read:**"),
        Access::Edit => (capability.edits_something(), "change boards"),
        Access::Admin => (capability.is_admin(), "do this, which needs admin"),
    };
    (!has).then_some(what)
}

/// Middleware: admits a request with its principal, or refuses it.
pub async fn admit(State(admission): State<Admission>, mut request: Request, next: Next) -> Response {
    let response = match admission.check(&request) {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(error) => {
            let needed = admission.needed(&request);
            let response = refuse(&request, error, needed);
            if needed == Access::Push {
                let (head, body) = request.into_parts();
                intake::discard_refused(&mut body.into_data_stream(), &head.headers, MAX_DISCARDED).await;
            }
            response
        }
    };
    if let Some(&limit) = response.extensions().get::<Limit>() {
        admission.0.metrics.refused(limit);
    }
    response
}

/// Makes the answer to a request that is not admitted. A browser that may see no page can sign in.
fn refuse(request: &Request, error: ApiError, needed: Access) -> Response {
    let redirect = || sign_in::redirect(request.headers(), request.uri()).filter(|_| needed == Access::Page);
    let mut response = redirect().unwrap_or_else(|| error.into_response());
    // The answer depends on the credential.
    response.headers_mut().append(header::VARY, header::HeaderValue::from_static("authorization, cookie"));
    response
}
