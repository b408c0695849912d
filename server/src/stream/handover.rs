//! Taking the socket of a stream over from hyper.
//!
//! A stream is one request and an answer without an end, for which a task, its buffers and a chunk encoded anew for
//! each reader are a waste. So where the connection is plain HTTP/1.1, the listener takes the socket away from hyper once
//! the response's head is known, and gives it to a [`Writers`](super::writer::Writers) thread that serves many. Elsewhere (HTTP/2, TLS, a
//! test without sockets) the same response has a body that does the same.

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
use crate::hub::driver::{Listener, Subscription};
use crate::hub::frame::Frame;

/// Bytes from which on a frame is not encoded on a thread that serves connections: a millisecond of work.
const ENCODED_ELSEWHERE: usize = 128 << 10;

/// What a response carries to whoever serves its stream: the subscription and what it is encoded in, to be taken once.
#[derive(Clone, Debug)]
pub struct Offer(Arc<Mutex<Option<(Subscription, Coding)>>>);

impl Offer {
    /// What is offered, if nobody took it yet.
    #[must_use]
    pub fn take(&self) -> Option<(Subscription, Coding)> {
        self.0.lock().take()
    }
}

/// A response whose stream may be taken over; until then its body streams by itself.
#[must_use]
pub fn response(subscription: Subscription, coding: Coding) -> Response<Body> {
    let offer = Offer(Arc::new(Mutex::new(Some((subscription, coding)))));
    let offered = offer.clone();
    // The subscription becomes the body's when it is first asked for a frame.
    let pieces = stream::unfold(BodyStage::Offered(offered), async |stage| {
        let (piece, stage) = stage.next().await?;
        Some((Ok::<_, Infallible>(piece), stage))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    response.extensions_mut().insert(offer);
    response
}

/// A body that streams by itself. What it is delimited by is not its concern.
enum BodyStage {
    Offered(Offer),
    Open(Box<Listener>, Coding),
    Over,
}

impl BodyStage {
    /// The next piece, and what comes after it.
    async fn next(self) -> Option<(Bytes, Self)> {
        let (mut listener, mut coding) = match self {
            Self::Offered(offer) => {
                let (subscription, coding) = offer.take()?;
                let begin = coding.begin(Framing::Bare);
                let open = Self::Open(Box::new(subscription.listen()), coding);
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
pub struct Taken {
    /// Its place at the hub.
    pub subscription: Subscription,
    /// The response's head and what the stream begins with, to be written first.
    pub head: Bytes,
    /// How the rest is delimited.
    pub framing: Framing,
    /// What it is encoded in.
    pub coding: Coding,
}

/// Where a [`Diverted`] service leaves a stream for the connection's task.
pub type Slot = Arc<Mutex<Option<Taken>>>;

/// A service of one connection of HTTP/1, that leaves streams in a [`Slot`] and never answers them.
#[derive(Clone, Debug)]
pub struct Diverted<S> {
    /// What answers.
    pub service: S,
    /// Where streams are left.
    pub slot: Slot,
}

impl<S> Service<Request<Incoming>> for Diverted<S>
where
    S: Service<Request<Incoming>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = DivertedFuture<S::Future>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let framing = match (request.method(), request.version()) {
            (&Method::GET, Version::HTTP_11) => Some(Framing::Chunked),
            (&Method::GET, Version::HTTP_10) => Some(Framing::Bare),
            _ => None,
        };
        DivertedFuture { answer: Box::pin(self.service.call(request)), framing, slot: self.slot.clone() }
    }
}

/// The answer of [`Diverted`].
#[derive(Debug)]
pub struct DivertedFuture<F> {
    answer: Pin<Box<F>>,
    framing: Option<Framing>,
    slot: Slot,
}

impl<F, E> Future for DivertedFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = self.answer.as_mut().poll(context);
        let Poll::Ready(Ok(response)) = &answer else { return answer };
        let Some(framing) = self.framing else { return answer };
        let Some((subscription, coding)) = response.extensions().get::<Offer>().and_then(Offer::take) else {
            return answer;
        };
        let mut head = head(response.headers(), framing);
        head.extend_from_slice(&coding.begin(framing).unwrap_or_default());
        *self.slot.lock() = Some(Taken { subscription, head: head.into(), framing, coding });
        // The task looks into the slot after each poll of its connection, and takes the connection apart.
        Poll::Pending
    }
}

/// The head of the response, whose status is always 200, as hyper would write it.
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
