//! Compares each request with the `access` column of the route table, before any handler runs. It also counts refusals
//! by the bound that they reached, and records some in the audit log.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use shared::Problem;

use super::authority::{Authority, Identified};
use super::principal::{Principal, Who};
use super::refusals::{RefusalKind, Refusals};
use super::sign_in;
use crate::clock;
use crate::http::body_deadline;
use crate::http::forwarded::TrustedProxies;
use crate::http::problem::ApiError;
use crate::http::route::{Access, Methods};
use crate::ingest::intake;
use crate::limits::Limit;
use crate::limits::client::Client;
use crate::log::{AuditAction, AuditEvent};
use crate::monitoring::metrics::Metrics;
use crate::store::Writer;

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
    proxies: TrustedProxies,
    /// Adds refusals to the audit log.
    writer: Writer,
    refusals: Refusals,
}

impl Admission {
    /// Checks requests for these routes.
    #[must_use]
    pub fn new(
        authority: Authority,
        routes: impl IntoIterator<Item = (&'static str, Methods)>,
        metrics: Metrics,
        proxies: TrustedProxies,
        writer: Writer,
    ) -> Self {
        let (routes, refusals) = (routes.into_iter().collect(), Refusals::default());
        Self(Arc::new(Inner { authority, routes, metrics, proxies, writer, refusals }))
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
    /// [`Refused`] if it may not do anything of what the request needs.
    fn check(&self, request: &Request) -> Result<Arc<Principal>, Refused> {
        if let Some(everyone) = self.0.authority.everyone() {
            return Ok(everyone);
        }
        let needed = self.needed(request);
        let Identified { principal, is_refused } = {
            let client = request.extensions().get::<Client>().copied();
            self.0.authority.identify(request.headers(), request.uri(), client)
        };
        match missing(&principal, needed) {
            _ if needed == Access::Public => Ok(principal),
            _ if is_refused => Err(Refused { error: ApiError::Unauthorized, principal, needed, is_refused }),
            Some(what) => Err(Refused { error: principal.refuse(what), principal, needed, is_refused }),
            None => Ok(principal),
        }
    }

    /// Adds a refusal to the audit log, in the background, if it is to be recorded.
    fn note(&self, attempt: Attempt, response: &Response) {
        if !matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return;
        }
        // A page that leads to the sign-in is no refusal.
        let Some(problem) = response.extensions().get::<Problem>() else { return };
        let (kind, event) = attempt.event(problem);
        if self.0.refusals.chooses(kind, clock::now().up) {
            let writer = self.0.writer.clone();
            tokio::spawn(async move {
                if let Err(error) = writer.add_event(event).await {
                    tracing::warn!(%error, "the audit log lacks a refusal");
                }
            });
        }
    }
}

/// A request that is not admitted.
struct Refused {
    error: ApiError,
    principal: Arc<Principal>,
    needed: Access,
    /// True if the request presented credentials, and none of them is valid.
    is_refused: bool,
}

/// The parts of a request by which the audit log describes its refusal. Cheap to make, since each request may be refused.
struct Attempt {
    principal: Arc<Principal>,
    from: Option<IpAddr>,
    method: Method,
    route: Option<MatchedPath>,
}

impl Attempt {
    fn of(request: &Request, principal: Arc<Principal>, proxies: &TrustedProxies) -> Self {
        let (extensions, method) = (request.extensions(), request.method().clone());
        let from = proxies.client_address(request.headers(), extensions.get::<Client>().copied());
        Self { principal, from, method, route: extensions.get::<MatchedPath>().cloned() }
    }

    /// Makes the event and its kind.
    fn event(self, problem: &Problem) -> (RefusalKind, AuditEvent) {
        let (who, from) = (self.principal.who().to_string(), self.from);
        let route = self.route.as_ref().map(MatchedPath::as_str);
        let object = format!("{} {}", self.method, route.unwrap_or_default());
        let event = AuditEvent::new(clock::now().wall, &who, from, AuditAction::Refused, &object, &problem.detail);
        (RefusalKind { who, from, route: route.map(str::to_owned), status: problem.status }, event)
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

/// Middleware: admits a request with its principal, or refuses it. It also limits the time of the body, since each layer
/// costs every push some time.
pub async fn admit(State(admission): State<Admission>, mut request: Request, next: Next) -> Response {
    let response = match admission.check(&request) {
        Ok(principal) => {
            // A visitor without a credential is no event, and nobody is refused on an open server.
            let attempt = (!matches!(principal.who(), Who::Everyone | Who::Anonymous))
                .then(|| Attempt::of(&request, principal.clone(), &admission.0.proxies));
            request.extensions_mut().insert(principal);
            let response = body_deadline::hold(request, next).await;
            if let Some(attempt) = attempt {
                admission.note(attempt, &response);
            }
            response
        }
        Err(Refused { error, principal, needed, is_refused }) => {
            let response = refuse(&request, error, needed);
            // Each browser begins as a visitor.
            if is_refused || *principal.who() != Who::Anonymous {
                admission.note(Attempt::of(&request, principal, &admission.0.proxies), &response);
            }
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
