//! Extracts the client of a request, for handlers that bound it.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::limits::client::{Client, LimitedClient};

impl<S: Sync> FromRequestParts<S> for LimitedClient {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let client = parts.extensions.get::<Client>().copied();
        Ok(Self(client.filter(|client| !client.is_loopback())))
    }
}
