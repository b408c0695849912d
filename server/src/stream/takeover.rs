//! Takeover: takes the socket of a stream from hyper.
//!
//! A stream is one request and an endless answer. For that, a task, its buffers and a chunk that is encoded again for
//! each subscriber are a waste. So if the connection is plain HTTP/1.1, the listener takes the socket from hyper once
//! the response's head is known, and gives it to a [`Writers`](super::writer::Writers) thread that serves many.
//! Elsewhere (HTTP/2, TLS, a test without sockets) the same response has a body that streams the same events.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, Version, header};
use bytes::Bytes;
use futures_util::stream;
use hyper::body::Incoming;
use hyper::service::Service;
use parking_lot::Mutex;

use super::form::{Coding, Framing};
use crate::hub::driver::{Listener, Subscriber};
use crate::hub::frame::Frame;

/// Frames of this size or more are not encoded on a thread that serves connections: it takes a millisecond.
const ENCODED_ELSEWHERE: usize = 128 << 10;

/// An extension of the response, for the code that serves its stream: the subscriber and its coding. Can be taken
/// once.
#[derive(Clone, Debug)]
pub struct PendingStream(Arc<Mutex<Option<(Subscriber, Coding)>>>);

impl PendingStream {
    /// Takes the subscriber; `None` if it was taken already.
    #[must_use]
    pub fn take(&self) -> Option<(Subscriber, Coding)> {
        self.0.lock().take()
    }
}

/// Makes a response whose stream can be taken over. Without a takeover, its body streams the events.
#[must_use]
pub fn response(subscriber: Subscriber, coding: Coding) -> Response<Body> {
    let pending = PendingStream(Arc::new(Mutex::new(Some((subscriber, coding)))));
    let of_body = pending.clone();
    // The body takes the subscriber when it is first polled for a frame.
    let pieces = stream::unfold(BodyStage::Pending(of_body), async |stage| {
        let (piece, stage) = stage.next().await?;
        Some((Ok::<_, Infallible>(piece), stage))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    response.extensions_mut().insert(pending);
    response
}

/// The state of a body that streams events. hyper delimits it.
enum BodyStage {
    Pending(PendingStream),
    Open(Box<Listener>, Coding),
    Over,
}

impl BodyStage {
    /// Returns the next piece, and the state after it.
    async fn next(self) -> Option<(Bytes, Self)> {
        let (mut listener, mut coding) = match self {
            Self::Pending(pending) => {
                let (subscriber, coding) = pending.take()?;
                let begin = coding.begin(Framing::Bare);
                let open = Self::Open(Box::new(subscriber.listen()), coding);
                match begin {
                    Some(begin) => return Some((begin, open)),
                    None => return Box::pin(open.next()).await,
                }
            }
            Self::Open(listener, coding) => (listener, coding),
            Self::Over => return None,
        };
        match listener.next().await {
            Some(frame) => {
                let frame = encoded(frame).await?;
                Some((coding.frame(&frame, Framing::Bare).clone(), Self::Open(listener, coding)))
            }
            None => Some((coding.end(Framing::Bare), Self::Over)).filter(|(end, _)| !end.is_empty()),
        }
    }
}

/// Encodes a frame; a large one on another thread, so that other connections do not wait. `None` if the server is
/// shutting down.
async fn encoded(frame: Frame) -> Option<Frame> {
    if frame.is_encoded() || frame.size() < ENCODED_ELSEWHERE {
        return Some(frame);
    }
    let encode = move || {
        let _encoded = frame.text();
        frame
    };
    tokio::task::spawn_blocking(encode).await.ok()
}

/// A stream that was taken over.
#[derive(Debug)]
pub struct UpgradedStream {
    /// Its subscriber at the hub.
    pub subscriber: Subscriber,
    /// The response's head and the first bytes of the stream, to be written first.
    pub head: Bytes,
    /// The delimiting of the rest.
    pub framing: Framing,
    /// The coding of the events.
    pub coding: Coding,
}

/// The slot where a [`TakeoverService`] leaves a stream for the connection's task.
pub type TakeoverSlot = Arc<Mutex<Option<UpgradedStream>>>;

/// The service of one HTTP/1 connection. It leaves streams in a [`TakeoverSlot`], and never answers their requests.
#[derive(Clone, Debug)]
pub struct TakeoverService<S> {
    /// Answers all other requests.
    pub service: S,
    /// Receives the streams.
    pub slot: TakeoverSlot,
}

impl<S> Service<Request<Incoming>> for TakeoverService<S>
where
    S: Service<Request<Incoming>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = TakeoverFuture<S::Future>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let framing = match (request.method(), request.version()) {
            (&Method::GET, Version::HTTP_11) => Some(Framing::Chunked),
            (&Method::GET, Version::HTTP_10) => Some(Framing::Bare),
            _ => None,
        };
        TakeoverFuture { answer: Some(Box::pin(self.service.call(request))), framing, slot: self.slot.clone() }
    }
}

/// The future of [`TakeoverService`].
#[derive(Debug)]
pub struct TakeoverFuture<F> {
    /// `None` once the answer was diverted: hyper may poll again before the connection is taken apart.
    answer: Option<Pin<Box<F>>>,
    framing: Option<Framing>,
    slot: TakeoverSlot,
}

impl<F, E> Future for TakeoverFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(pending) = &mut self.answer else { return Poll::Pending };
        let answer = pending.as_mut().poll(context);
        let Poll::Ready(Ok(response)) = &answer else { return answer };
        let Some(framing) = self.framing else { return answer };
        let Some((subscriber, coding)) = response.extensions().get::<PendingStream>().and_then(PendingStream::take)
        else {
            return answer;
        };
        let mut head = head(response.headers(), framing);
        self.answer = None;
        head.extend_from_slice(&coding.begin(framing).unwrap_or_default());
        *self.slot.lock() = Some(UpgradedStream { subscriber, head: head.into(), framing, coding });
        // The connection's task checks the slot after each poll of its connection, and then takes the connection apart.
        Poll::Pending
    }
}

/// Writes the head of the response as hyper would; its status is always 200.
fn head(headers: &HeaderMap, framing: Framing) -> Vec<u8> {
    let mut head = String::from("HTTP/1.1 200 OK\r\n");
    let mut line = |name: &str, value: &str| {
        // Writing to a string does not fail.
        let _written = write!(head, "{name}: {value}\r\n");
    };
    for (name, value) in headers {
        if let Ok(value) = value.to_str() {
            line(name.as_str(), value);
        }
    }
    if framing == Framing::Chunked {
        line(header::TRANSFER_ENCODING.as_str(), "chunked");
    }
    // The socket does not go back to hyper after the stream.
    line(header::CONNECTION.as_str(), "close");
    line(header::DATE.as_str(), &httpdate::fmt_http_date(SystemTime::now()));
    head.push_str("\r\n");
    head.into_bytes()
}
