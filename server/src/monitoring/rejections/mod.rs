//! Records refused pushes: counts them by reason, logs a few of them each second, and keeps the last of them
//! for `GET /api/rejected`, so that a user finds out why a sender's numbers do not arrive.
//!
//! [`ApiError::into_response`](crate::http::problem::ApiError) adds a [`Rejection`] to its answer. If the body was read,
//! its wrong line is added ([`crate::ingest::Refused`]). The outermost layer then [notes](Rejections::note) each
//! answer to a push that has one. All texts are untrusted: they are cut to a bounded length, and control characters
//! and direction marks in them are escaped.

mod excerpt;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use serde::Serialize;
use shared::{Millis, Problem};

use crate::clock::{self, Now};
use crate::limits::client::Client;
use crate::plain_text::Plain;

use excerpt::cut;
pub use excerpt::excerpt;

/// The number of refused pushes that are kept; the oldest is dropped first.
pub const KEPT: usize = 100;

/// The number of refused pushes that are logged each second; the others are counted.
const LOGGED_A_SECOND: u32 = 5;

/// The most characters of a path, and of the address in `X-Forwarded-For`.
const MAX_SHORT: usize = 200;

/// The most characters of a reason.
const MAX_DETAIL: usize = 400;

/// Paths that take points, besides those below `/in/`.
const PUSHES: [&str; 5] = ["/in", "/write", "/api/v2/write", "/api/v3/write_lp", "/collectd"];

/// The reason why a push was refused: an extension of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The label in `/metrics`.
    pub reason: &'static str,
    /// The reason in words.
    pub detail: String,
    /// The first wrong line, counted from 1, if the body has lines.
    pub line: Option<usize>,
    /// The beginning of the wrong line, or of the body.
    pub text: Option<String>,
}

impl Rejection {
    /// Takes the first reason from a problem.
    #[must_use]
    pub fn new(reason: &'static str, problem: Problem) -> Self {
        let first = problem.errors.into_iter().next();
        let line = first.as_ref().and_then(|error| error.line);
        let detail = first.map_or(problem.detail, |error| error.to_string());
        Self { reason, detail: cut(&detail, MAX_DETAIL), line, text: None }
    }
}

/// The part of a request that is kept if it is refused.
#[derive(Clone, Debug)]
pub struct Sender {
    method: Method,
    uri: Uri,
    client: Option<Client>,
    forwarded_for: Option<HeaderValue>,
}

impl Sender {
    /// Returns the sender of a push; `None` for other requests.
    #[must_use]
    pub fn of(request: &Request) -> Option<Self> {
        let path = request.uri().path();
        (path.starts_with("/in/") || PUSHES.contains(&path)).then(|| Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            client: request.extensions().get().copied(),
            forwarded_for: request.headers().get("x-forwarded-for").cloned(),
        })
    }
}

/// A refused push, as in the answer of `GET /api/rejected`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// The time of the server's clock when the push was refused.
    pub ts: Millis,
    /// The address that the connection came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<IpAddr>,
    /// The address that a proxy gives in `X-Forwarded-For`. It is not verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarded_for: Option<String>,
    /// The method.
    pub method: String,
    /// The path, without the query, which may hold a password.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// The label in `/metrics`.
    pub reason: &'static str,
    /// The reason in words.
    pub detail: String,
    /// The first wrong line, counted from 1, if the body has lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The beginning of the wrong line, or of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// The label of the counter of refused pushes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Reason {
    reason: &'static str,
}

/// The refused pushes since the start. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Rejections(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    counted: Family<Reason, Counter>,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    /// The number of refused pushes.
    total: u64,
    /// The last of them, oldest first.
    last: VecDeque<Rejected>,
    sampler: Sampler,
}

/// Decides which refused pushes are logged.
#[derive(Debug, Default)]
struct Sampler {
    /// The current second of the server's uptime.
    second: u64,
    logged: u32,
    left_out: u64,
}

impl Sampler {
    /// Returns true if one more may be logged now; if not, counts it.
    fn admits(&mut self, now: Now) -> bool {
        let second = now.up.0 / 1_000;
        if second != self.second {
            (self.second, self.logged) = (second, 0);
        }
        if self.logged < LOGGED_A_SECOND {
            self.logged += 1;
            return true;
        }
        self.left_out += 1;
        false
    }
}

impl Rejections {
    /// Counts and keeps a refused push, and logs it unless too many were logged in this second.
    pub fn note(&self, sender: &Sender, status: StatusCode, rejection: Rejection) {
        let now = clock::now();
        let rejected = rejected(sender, status, rejection, now.wall);
        self.0.counted.get_or_create(&Reason { reason: rejected.reason }).inc();
        let mut noted = self.0.noted.lock();
        let logs = noted.sampler.admits(now);
        let copy = logs.then(|| rejected.clone());
        noted.total += 1;
        if noted.last.len() == KEPT {
            noted.last.pop_front();
        }
        noted.last.push_back(rejected);
        drop(noted);
        if let Some(rejected) = copy {
            log(&rejected);
        }
    }

    /// Logs how many refused pushes were left out of the log since the last call; logs nothing if none was.
    pub fn log_left_out(&self) {
        let left_out = std::mem::take(&mut self.0.noted.lock().sampler.left_out);
        if left_out > 0 {
            tracing::warn!(left_out, "more pushes were refused; GET /api/rejected has the last {KEPT}");
        }
    }

    /// Returns the counters by reason.
    #[must_use]
    pub fn counted(&self) -> Family<Reason, Counter> {
        self.0.counted.clone()
    }

    /// Returns the number of refused pushes since the start, and the last of them, newest first.
    #[must_use]
    pub fn last(&self) -> Inbox {
        let noted = self.0.noted.lock();
        Inbox { total: noted.total, rejected: noted.last.iter().rev().cloned().collect() }
    }
}

/// The answer of `GET /api/rejected`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inbox {
    /// The number of refused pushes since the start of the server.
    pub total: u64,
    /// The last of them, newest first.
    pub rejected: Vec<Rejected>,
}

fn rejected(sender: &Sender, status: StatusCode, rejection: Rejection, ts: Millis) -> Rejected {
    let Rejection { reason, detail, line, text } = rejection;
    let short = |text: &str| Plain(cut(text, MAX_SHORT)).to_string();
    let text_of = |header: &HeaderValue| short(&String::from_utf8_lossy(header.as_bytes()));
    Rejected {
        ts,
        sender: sender.client.map(Client::address),
        forwarded_for: sender.forwarded_for.as_ref().map(text_of),
        method: short(sender.method.as_str()),
        path: short(sender.uri.path()),
        status: status.as_u16(),
        reason,
        detail: Plain(detail).to_string(),
        line,
        text: text.map(|text| Plain(text).to_string()),
    }
}

fn log(rejected: &Rejected) {
    let Rejected { forwarded_for, method, path, status, reason, detail, line, text, .. } = rejected;
    let sender = rejected.sender.map(|address| address.to_string());
    let (forwarded_for, text) = (forwarded_for.as_deref(), text.as_deref());
    tracing::warn!(sender, forwarded_for, method, path, status, reason, line, text, "refused a push: {detail}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Uptime;
    use crate::http::problem::ApiError;

    fn sender(path: &str) -> Sender {
        let request = Request::post(path).header("x-forwarded-for", "203.0.113.9");
        let mut request = request.body(axum::body::Body::empty()).unwrap();
        request.extensions_mut().insert(Client::at("2001:db8::5".parse().unwrap()));
        Sender::of(&request).unwrap()
    }

    #[test]
    fn only_pushes_have_a_sender() {
        for (path, is_push) in [
            ("/in/ops/temp", true),
            ("/in", true),
            ("/write?u=me&p=secret", true),
            ("/collectd", true),
            ("/api/series", false),
            ("/inn", false),
            ("/", false),
        ] {
            let request = Request::post(path).body(axum::body::Body::empty()).unwrap();
            assert_eq!(Sender::of(&request).is_some(), is_push, "{path}");
        }
    }

    #[test]
    fn last_pushes_are_kept_within_bounds_and_all_are_counted() {
        let rejections = Rejections::default();
        let error = ApiError::field("value", "a number", "x".repeat(10_000));
        for n in 0..KEPT + 7 {
            let mut rejection = Rejection::new("value", error.problem());
            rejection.text = Some(n.to_string());
            rejections.note(&sender("/write?p=secret"), StatusCode::UNPROCESSABLE_ENTITY, rejection);
        }
        let inbox = rejections.last();
        assert_eq!((inbox.total, inbox.rejected.len()), (107, KEPT));
        let newest = &inbox.rejected[0];
        assert_eq!((newest.text.as_deref(), newest.sender), (Some("106"), "2001:db8::5".parse().ok()));
        assert_eq!((newest.path.as_str(), newest.forwarded_for.as_deref()), ("/write", Some("203.0.113.9")));
        assert_eq!(inbox.rejected[KEPT - 1].text.as_deref(), Some("7"));
        let json = serde_json::to_string(&inbox).unwrap();
        assert!(json.len() < KEPT * 1_000 && !json.contains("secret"), "{} bytes", json.len());
        assert_eq!(rejections.counted().get_or_create(&Reason { reason: "value" }).get(), 107);
    }

    #[test]
    fn a_few_are_logged_each_second_and_the_rest_counted() {
        let mut sampler = Sampler::default();
        let mut logged = 0;
        for n in 0..3_000 {
            let now = Now { wall: Millis(0), up: Uptime(n) };
            logged += u64::from(sampler.admits(now));
        }
        assert_eq!((logged, sampler.left_out), (15, 2_985));
    }
}
