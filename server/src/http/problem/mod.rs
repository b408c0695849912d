//! Errors as clients receive them: `application/problem+json` (RFC 9457), with what to change.
//!
//! When to use which variant of [`ApiError`]:
//!
//! - [`ApiError::Invalid`]: the content was understood and is wrong. It lists every wrong place.
//! - [`ApiError::PartialWrite`]: the same, but the rest of the content was stored.
//! - [`ApiError::Malformed`]: the content cannot be parsed, for example as JSON.
//! - [`ApiError::Unavailable`]: the client did everything right, and should send the same again later.
//!
//! Handlers and the parsers of requests return it. Modules below the handlers have errors of their own: `conversions`
//! has the conversion of each, and `board` the statuses of the refusals of boards.

mod board;
mod conversions;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use shared::problem::{CONTENT_TYPE, FieldError};
use shared::{Problem, SeriesName};

use crate::board::refusal::Refusal;
use crate::http::foreign_page::ForeignPage;
use crate::limits::Limit;
use crate::log::{LinkRefusal, TokenRefusal, UserRefusal};
use crate::monitoring::rejections::Rejection;

/// Seconds after which a client should retry a request for which the store was not available.
const RETRY_AFTER_SECONDS: u64 = 1;

/// Every error that a handler can return.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// 422: the content was understood, and is wrong at these places.
    #[error("{detail}")]
    Invalid {
        /// A summary in one sentence.
        detail: String,
        /// Every wrong place.
        errors: Vec<FieldError>,
    },
    /// 422: the idempotency key belongs to another request.
    #[error(
        "the Idempotency-Key belongs to another push, with another address or body, of the last 24 hours; give each push a key of its own, and repeat a push unchanged; nothing of this was stored"
    )]
    KeyReused,
    /// 400: the content cannot be parsed at all.
    #[error("{0}")]
    Malformed(String),
    /// 400: these lines of a write in line protocol were not stored; the others were.
    #[error("{detail}")]
    PartialWrite {
        /// A summary in one sentence.
        detail: String,
        /// The lines that were not stored.
        errors: Vec<FieldError>,
    },
    /// 413: the body has more bytes than this.
    #[error("the body is over {0} bytes; send it in several")]
    TooLarge(usize),
    /// 415: the body has an unknown `Content-Encoding`.
    #[error("the body has the Content-Encoding {0}; send it as it is, or with gzip")]
    UnknownEncoding(String),
    /// 404: the path does not exist.
    #[error(
        "nothing is at {0}; the calls are POST /in/SERIES, POST /in, POST /write, GET /sse, /api/series, /api/history, /api/boards, /healthz, /metrics, all of which /api/openapi.json describes"
    )]
    NotFound(String),
    /// 404: the series does not exist.
    #[error("there is no series {0}; GET /api/series lists what there is")]
    NoSeries(SeriesName),
    /// 405: the path exists, but not with this method.
    #[error("{method} is not for {path}; use {allowed}")]
    MethodNotAllowed {
        /// The method of the request.
        method: String,
        /// The path of the request.
        path: String,
        /// The methods of the path.
        allowed: String,
    },
    /// 403: a page of another site sent the request.
    #[error("{0}")]
    ForeignPage(Box<ForeignPage>),
    /// 403: a GET that would store a point came from a browser that does not say which page sent it.
    #[error(
        "this browser does not tell which page sent the request, so a GET from it stores nothing; send a POST, or reach the server \
         by HTTPS or as localhost"
    )]
    UnknownPage,
    /// 403: a GET that would store a point was a prefetch.
    #[error("this address was fetched ahead of its use (Sec-Purpose), so nothing was stored; send it when it is meant")]
    Speculative,
    /// 401: the request has no credential that is valid here. The same for each reason, so that strangers learn nothing.
    #[error(
        "this needs a credential that is valid here: sign in at /sign-in, or send a token as \"Authorization: Bearer TOKEN\", or with pulseboard's commands in \
         PULSEBOARD_TOKEN; an administrator makes one with pulseboard token create"
    )]
    Unauthorized,
    /// 403: the credential does not permit it.
    #[error("{detail}")]
    Forbidden {
        /// A sentence that names what is not permitted, and what is.
        detail: String,
        /// The lines of a batch that were refused.
        errors: Vec<FieldError>,
    },
    /// A token was not changed.
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    /// A user was not changed.
    #[error(transparent)]
    User(#[from] UserRefusal),
    /// A link was not made or revoked.
    #[error(transparent)]
    Link(#[from] LinkRefusal),
    /// 421: the request addresses another server.
    #[error("this server is not known as {0}; open it by an address or name that it has, or start it with --host {0}")]
    Misdirected(String),
    /// 408: the body did not arrive in time.
    #[error("the request took over {0} s; send it again, in less time or in smaller parts")]
    TooSlow(u64),
    /// An error of `/api/boards`.
    #[error(transparent)]
    Board(#[from] Refusal),
    /// 503: the maximum number of streams is reached.
    #[error("there are {readers} readers already; come back in {retry_after} s, or raise --max-readers")]
    Full {
        /// The number of streams.
        readers: usize,
        /// Seconds after which to try again.
        retry_after: u32,
    },
    /// A bound on work or memory was reached: 503 with `Retry-After` where waiting helps, else 413.
    #[error("{detail}")]
    LimitReached {
        /// The bound that was reached; counted in `/metrics`.
        limit: Limit,
        /// Names the flag, its value and what to do.
        detail: String,
        /// Seconds after which the same request may succeed; `None` if it never will.
        retry_after: Option<u32>,
    },
    /// 503: the store cannot accept the push now; nothing of it was stored.
    #[error("{0}; nothing of this was stored: send it again")]
    Unavailable(String),
    /// 503: the shared log was lost while the request was appended to it.
    #[error(
        "{0}; it may be stored: send it again, with an Idempotency-Key or the times of its points so that it counts once"
    )]
    InDoubt(String),
    /// 503: too many requests wait for the store; nothing of this one was stored.
    #[error("{0}; nothing of this was stored: send it again")]
    Overloaded(String),
    /// 503: the store cannot be read now.
    #[error("the past cannot be read: {0}; try again")]
    Unreadable(String),
}

impl ApiError {
    /// Makes the error for one wrong field of a request that is not a batch.
    pub fn field(field: &str, expected: impl Into<String>, got: impl Into<String>) -> Self {
        let error = FieldError { line: None, field: field.to_owned(), expected: expected.into(), got: got.into() };
        let detail = error.to_string();
        Self::Invalid { detail, errors: vec![error] }
    }

    /// Returns the bound that was reached, if that is the reason.
    #[must_use]
    pub fn limit(&self) -> Option<Limit> {
        match self {
            Self::LimitReached { limit, .. } => Some(*limit),
            Self::Full { .. } => Some(Limit::Readers),
            Self::TooLarge(_) | Self::Board(Refusal::TooLarge) => Some(Limit::BodySize),
            Self::TooSlow(_) => Some(Limit::BodyTime),
            Self::Board(Refusal::TooMany) => Some(Limit::BoardCount),
            Self::Overloaded(_) => Some(Limit::QueueWait),
            Self::Link(LinkRefusal::TooMany | LinkRefusal::TooManyOfMaker) => Some(Limit::Links),
            _ => None,
        }
    }

    /// Returns the reason why a push was refused, as the label of a counter: the bound that was reached, the first
    /// wrong field, or the type of the problem.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        let Self::Invalid { errors, .. } = self else {
            return self.limit().map_or_else(|| self.kind().0, Limit::label);
        };
        match errors.first().map(|error| error.field.as_str()) {
            Some("series") => "name",
            Some("value" | "body") => "value",
            Some("text") => "text",
            Some("ts") => "time",
            Some("kind") => "kind",
            _ => "invalid",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Invalid { .. } | Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Malformed(_) | Self::PartialWrite { .. } => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) | Self::LimitReached { retry_after: None, .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnknownEncoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotFound(_)
            | Self::NoSeries(_)
            | Self::Token(TokenRefusal::Absent(_))
            | Self::Link(LinkRefusal::Absent(_))
            | Self::User(UserRefusal::Absent(_) | UserRefusal::NoSession) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::ForeignPage(_) | Self::UnknownPage | Self::Speculative | Self::Forbidden { .. } => {
                StatusCode::FORBIDDEN
            }
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Link(LinkRefusal::TooMany | LinkRefusal::TooManyOfMaker) => StatusCode::TOO_MANY_REQUESTS,
            Self::Token(_) | Self::User(_) | Self::Link(LinkRefusal::Taken(_)) => StatusCode::CONFLICT,
            Self::Misdirected(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Board(refusal) => board::status(refusal),
            Self::LimitReached { .. }
            | Self::Full { .. }
            | Self::Unavailable(_)
            | Self::InDoubt(_)
            | Self::Overloaded(_)
            | Self::Unreadable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The type of the problem, as the last segment of its `type` and in words.
    fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::Invalid { .. } => ("invalid", "The content is wrong"),
            Self::KeyReused => ("idempotency-key-reused", "The Idempotency-Key is already used"),
            Self::Malformed(_) => ("malformed", "The content cannot be read"),
            Self::PartialWrite { .. } => ("partial-write", "Some lines were not stored"),
            Self::TooLarge(_) => ("too-large", "The body is too large"),
            Self::UnknownEncoding(_) => ("unknown-encoding", "The body cannot be unpacked"),
            Self::NotFound(_)
            | Self::NoSeries(_)
            | Self::Token(TokenRefusal::Absent(_))
            | Self::Link(LinkRefusal::Absent(_))
            | Self::User(UserRefusal::Absent(_) | UserRefusal::NoSession) => ("not-found", "Nothing is here"),
            Self::MethodNotAllowed { .. } => ("method-not-allowed", "Not by this method"),
            Self::ForeignPage(_) | Self::UnknownPage => ("foreign-page", "Not from this page"),
            Self::Speculative => ("speculative", "Not ahead of its use"),
            Self::Unauthorized => ("unauthorized", "A token is needed"),
            Self::Forbidden { .. } => ("forbidden", "Not permitted"),
            Self::Token(_) => ("token-exists", "The token cannot be created"),
            Self::User(_) => ("user-exists", "The user cannot be added"),
            Self::Misdirected(_) => ("misdirected", "Not this server"),
            Self::TooSlow(_) => ("too-slow", "The request took too long"),
            Self::Board(refusal) => board::kind(refusal),
            Self::LimitReached { .. } | Self::Link(LinkRefusal::TooMany | LinkRefusal::TooManyOfMaker) => {
                ("limit-reached", "A limit of the server is reached")
            }
            Self::Link(_) => ("link-exists", "The link cannot be made"),
            Self::Full { .. } => ("full", "Too many readers"),
            Self::Unavailable(_) | Self::InDoubt(_) | Self::Overloaded(_) | Self::Unreadable(_) => {
                ("unavailable", "The store is not available")
            }
        }
    }

    /// Returns the error as clients receive it.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let (kind, title) = self.kind();
        let errors = match self {
            Self::Invalid { errors, .. } | Self::PartialWrite { errors, .. } | Self::Forbidden { errors, .. } => {
                errors.clone()
            }
            _ => Vec::new(),
        };
        Problem {
            kind: format!("/problems/{kind}"),
            title: title.to_owned(),
            status: self.status().as_u16(),
            detail: self.to_string(),
            errors,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = self.problem();
        let json = serde_json::to_vec(&problem).expect("a problem is always JSON");
        let mut response = (self.status(), [(header::CONTENT_TYPE, CONTENT_TYPE)], json).into_response();
        // For calls whose clients need another form of error (see `influx::answer`).
        response.extensions_mut().insert(problem.clone());
        response.extensions_mut().insert(Rejection::new(self.reason(), problem));
        if let Some(limit) = self.limit() {
            response.extensions_mut().insert(limit);
        }
        let headers = response.headers_mut();
        match self {
            Self::Unavailable(_) | Self::InDoubt(_) | Self::Overloaded(_) | Self::Unreadable(_) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
            }
            Self::Full { retry_after, .. } | Self::LimitReached { retry_after: Some(retry_after), .. } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
            }
            Self::Board(refusal) => board::add_headers(&refusal, headers),
            // Not Basic: browsers would ask for a password in a window of their own.
            Self::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"pulseboard\""));
            }
            Self::MethodNotAllowed { allowed, .. } => {
                headers.extend(HeaderValue::try_from(allowed).ok().map(|allowed| (header::ALLOW, allowed)));
            }
            _ => {}
        }
        response
    }
}
