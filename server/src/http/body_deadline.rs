//! Limits the time that a client may take to send the body of a request.
//!
//! Only the body has a deadline, not the handler: once a handler has the whole body, its answer must report the real
//! outcome. A handler that is cut off could store a push and answer with an error; the client would send the push
//! again, and it would count twice.

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

use crate::http::problem::ApiError;

/// Longest time from the head of a request to the end of its body.
const LONGEST: Duration = Duration::from_secs(30);

/// Answers 408 if a body does not arrive in time. The handler gets an error from the body, so it has changed nothing.
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

/// A body that ends with an error at a deadline.
struct TimedBody {
    body: Body,
    by: Instant,
    /// The timer. Created when the body is not ready for the first time; most bodies always are ready.
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
#[error("the body took too long")]
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

    /// Returns the status of the answer when the handler works for `work` after it has read the body.
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
    async fn slow_body_is_answered_with_408_also_when_it_trickles() {
        let second = Duration::from_secs(1);
        assert_eq!(answer(slowly(20, second), Duration::ZERO).await, StatusCode::NO_CONTENT);
        assert_eq!(answer(slowly(1_000, second), Duration::ZERO).await, StatusCode::REQUEST_TIMEOUT);
        assert_eq!(answer(slowly(1, 60 * second), Duration::ZERO).await, StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn handler_that_has_the_body_is_never_cut_off() {
        assert_eq!(answer(Body::from("1"), 10 * LONGEST).await, StatusCode::NO_CONTENT);
    }
}
