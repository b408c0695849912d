//! Adds the client to each request, for the handlers.

use axum::http::Request;
use hyper::service::Service;

use crate::places::Client;

/// The service of one connection: adds its [`Client`] to each request.
#[derive(Clone, Debug)]
pub(super) struct WithClient<S> {
    pub(super) service: S,
    pub(super) client: Client,
}

impl<S, B> Service<Request<B>> for WithClient<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, mut request: Request<B>) -> Self::Future {
        request.extensions_mut().insert(self.client);
        self.service.call(request)
    }
}
