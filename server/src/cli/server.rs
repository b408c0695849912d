//! The server that a command calls, and the token that it sends.

use std::fmt;
use std::str::FromStr;

use clap::Args;
use ureq::http::header::AUTHORIZATION;
use ureq::http::{HeaderValue, Request, Response};
use ureq::middleware::{Middleware, MiddlewareNext};
use ureq::{Body, SendBody};

use crate::cli::upload;

/// The variable with the token of all commands.
pub const TOKEN_VARIABLE: &str = "PULSEBOARD_TOKEN";

/// A server, by its address and the credential that it asks for.
#[derive(Args, Clone, Debug)]
pub struct Server {
    /// The server
    #[arg(long, visible_alias = "url", env = "PULSEBOARD_TO", default_value = "http://127.0.0.1:7878", value_parser = upload::server_url)]
    to: String,
    /// The token that the server asks for; better in the variable, since others can see the arguments of a command
    #[arg(long, env = TOKEN_VARIABLE, hide_env_values = true)]
    token: Option<Token>,
}

impl Server {
    /// Makes the server at `to`, such as `http://127.0.0.1:7878`.
    #[must_use]
    pub fn new(to: &str, token: Option<Token>) -> Self {
        Self { to: to.to_owned(), token }
    }

    /// Its address, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        self.to.trim_end_matches('/')
    }

    /// Makes a client that sends the token with each request.
    #[must_use]
    pub fn http(&self) -> ureq::Agent {
        upload::http(&self.to, self.token.clone())
    }

    /// Its token.
    #[must_use]
    pub fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }
}

/// A token of a server, as the value of a header.
#[derive(Clone)]
pub struct Token(HeaderValue);

/// Error: the text cannot be a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token has only letters, digits and punctuation; copy it again, as pulseboard token create printed it")]
pub struct TokenError;

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError);
        }
        let mut value = HeaderValue::try_from(format!("Bearer {text}")).map_err(|_| TokenError)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl Token {
    /// The value of the header `Authorization`.
    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Sends a token with each request.
pub(super) struct SendsToken(pub(super) Option<Token>);

impl Middleware for SendsToken {
    fn handle(
        &self,
        mut request: Request<SendBody<'_>>,
        next: MiddlewareNext<'_>,
    ) -> Result<Response<Body>, ureq::Error> {
        if let Some(token) = &self.0 {
            request.headers_mut().entry(AUTHORIZATION).or_insert_with(|| token.0.clone());
        }
        next.handle(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_trimmed_and_not_shown() {
        let token: Token = " pb_x-Y_9\n".parse().unwrap();
        assert_eq!(token.header(), "Bearer pb_x-Y_9");
        assert_eq!(format!("{token:?} {:?}", Server::new("http://a", Some(token.clone()))).matches("pb_").count(), 0);
        for wrong in ["", " ", "a b", "a\nb", "ü"] {
            assert_eq!(wrong.parse::<Token>().err(), Some(TokenError), "{wrong}");
        }
    }
}
