//! A route: a path, each of its methods with the access that it needs, and the handler.
//!
//! Each module with handlers has a function `routes()`; [`super::routes`] puts them together. A route does not depend on
//! the state of the whole server: it can be added to any router whose state contains the state of its handler.

use axum::Router;
use axum::http::{Method, Uri};
use axum::routing::MethodRouter;

use crate::http::problem::ApiError;

/// The access that a client needs for a method of a route. `access::admission` checks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// None: the answer has nothing of what clients pushed.
    Public,
    /// May push points.
    Push,
    /// May read some series or boards.
    Read,
    /// May read every series: the answer is about all of them.
    ReadAll,
    /// May read some series or boards. A browser that may not is sent to the page of the sign-in.
    Page,
    /// May change some boards.
    Edit,
    /// May do everything: manage tokens, delete series, and see what clients sent in vain.
    Admin,
}

/// The methods of a route, in the order of the header `Allow`, with the access that each needs.
pub type Methods = &'static [(&'static str, Access)];

/// A route that everyone may read.
pub const PUBLIC: Methods = &[("GET", Access::Public)];
/// A route that takes pushes.
pub const PUSH: Methods = &[("POST", Access::Push)];
/// A route that takes pushes, also by GET.
pub const PUSH_OR_GET: Methods = &[("GET", Access::Push), ("POST", Access::Push)];
/// A route that clients of InfluxDB look up before their first push.
pub const SET_UP: Methods = &[("GET", Access::Push)];
/// A route that reads.
pub const READ: Methods = &[("GET", Access::Read)];
/// A route that answers with the page.
pub const PAGE: Methods = &[("GET", Access::Page)];
/// A route of one board.
pub const BOARD: Methods = &[("GET", Access::Read), ("PUT", Access::Edit), ("DELETE", Access::Edit)];

/// A path, its methods and its handler.
#[derive(Debug)]
pub struct Route<S> {
    /// The path, as axum writes it.
    pub path: &'static str,
    /// The methods.
    pub methods: Methods,
    handler: MethodRouter<S>,
}

impl<S: Clone + Send + Sync + 'static> Route<S> {
    /// Makes a route.
    pub fn new(path: &'static str, methods: Methods, handler: MethodRouter<S>) -> Self {
        Self { path, methods, handler }
    }

    /// Adds the route to a router. Other methods are answered with 405 and the header `Allow`.
    pub fn add_to(router: Router<S>, Self { path, methods, handler }: Self) -> Router<S> {
        let refuse = move |method: Method, uri: Uri| async move { not_allowed(&method, &uri, methods) };
        router.route(path, handler.fallback(refuse))
    }
}

/// Makes the answer 405 of a path that has other methods.
pub fn not_allowed(method: &Method, uri: &Uri, methods: Methods) -> ApiError {
    let allowed = methods.iter().map(|(method, _)| *method).collect::<Vec<_>>().join(", ");
    ApiError::MethodNotAllowed { method: method.to_string(), path: uri.path().to_owned(), allowed }
}
