//! How long the body of a request may take.
//!
//! Only the body has a deadline, not the handler: once a handler has all of it and changes something, its answer says what
//! became of that. Cut off in the middle, a push would be kept and answered with an error, sent again and counted twice.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::problem::ApiError;

/// How long a body may take from its head to its end.
const LONGEST: Duration = Duration::from_secs(30);

/// Answers 408 where a body is not there in time. Handlers see a body that breaks off, and so have done nothing.
pub async fn hold(request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let is_late = Arc::new(AtomicBool::new(false));
    let by = Instant::now() + LONGEST;
    let timed = |body| Body::new(TimedBody { body, by, alarm: None, is_late: is_late.clone() });
    let response = next.run(request.map(timed)).await;
    if is_late.load(Ordering::Relaxed) { ApiError::TooSlow(LONGEST.as_secs()).into_response() } else { response }
}

/// A body that breaks off at a deadline.
struct TimedBody {
    body: Body,
    by: Instant,
    /// Set when the body keeps its reader waiting for the first time, which most never do.
    alarm: Option<Pin<Box<Sleep>>>,
    is_late: Arc<AtomicBool>,
}

impl HttpBody for TimedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            return Poll::Ready(frame);
        }
        let alarm = this.alarm.get_or_insert_with(|| Box::pin(sleep_until(this.by)));
        ready!(alarm.as_mut().poll(context));
        this.is_late.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new(TooLate))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("it took too long")]
struct TooLate;

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::http::StatusCode;
    use axum::middleware;
    use axum::routing::post;
    use futures_util::stream::{self, StreamExt as _};
    use hyper::service::Service as _;
    use hyper_util::service::TowerToHyperService;
    use std::convert::Infallible;

    /// The status with which a body is answered by a handler that takes `work` once it has the body.
    async fn answer(body: Body, work: Duration) -> StatusCode {
        let handler = move |body: Result<Bytes, _>| async move {
            body.map_err(|_: axum::extract::rejection::BytesRejection| StatusCode::BAD_REQUEST)?;
            tokio::time::sleep(work).await;
            Ok::<_, StatusCode>(StatusCode::NO_CONTENT)
        };
        let app = Router::new().route("/", post(handler)).layer(middleware::from_fn(hold));
        let request = Request::post("/").body(body).unwrap();
        TowerToHyperService::new(app).call(request).await.unwrap().status()
    }

    fn slowly(pieces: usize, wait: Duration) -> Body {
        let pieces = stream::iter(0..pieces).then(move |_| async move {
            tokio::time::sleep(wait).await;
            Ok::<_, Infallible>(Bytes::from_static(b"1"))
        });
        Body::from_stream(pieces)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_end_in_time_is_answered_with_408_however_it_trickles() {
        let second = Duration::from_secs(1);
        assert_eq!(answer(slowly(20, second), Duration::ZERO).await, StatusCode::NO_CONTENT);
        assert_eq!(answer(slowly(1_000, second), Duration::ZERO).await, StatusCode::REQUEST_TIMEOUT);
        assert_eq!(answer(slowly(1, 60 * second), Duration::ZERO).await, StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_handler_does_once_it_has_the_body_is_never_cut_off() {
        assert_eq!(answer(Body::from("1"), 10 * LONGEST).await, StatusCode::NO_CONTENT);
    }
}
