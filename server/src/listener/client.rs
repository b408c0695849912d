//! Adds the client to each request, for the handlers.

use std::sync::Arc;

use axum::http::Request;
use hyper::service::Service;

use super::unanswered::{Answer, Waiting};
use crate::limits::client::Client;

/// The service of one connection: adds its [`Client`] to each request.
#[derive(Clone, Debug)]
pub(super) struct WithClient<S> {
    pub(super) service: S,
    pub(super) client: Client,
    /// Marked with the first answer.
    pub(super) waiting: Option<Arc<Waiting>>,
}

impl<S, B> Service<Request<B>> for WithClient<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Answer<S::Future>;

    fn call(&self, mut request: Request<B>) -> Self::Future {
        request.extensions_mut().insert(self.client);
        Answer::new(self.service.call(request), self.waiting.clone())
    }
}
