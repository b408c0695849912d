//! Serves one HTTP/2 connection, whose requests and event streams share a socket.
//!
//! Adds the bounds that hyper does not have: on a preface that does not end, on a connection without streams, and on a
//! stream whose client takes nothing. The last cannot be seen at the socket, because each stream has a window of its
//! own (RFC 9113, 5.2). hyper polls a body for its first frame at once, and for the next one when the stream has taken
//! the last. So a stream counts as stalled when its body gave a frame and is not polled again in time; its task is
//! dropped, which resets the stream. Bodies give their frames in small pieces, so that the body of a slow but live
//! client is polled often enough.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// Bytes of the preface, with the first SETTINGS frame without any setting (RFC 9113, 3.4 and 4.1).
const PREFACE: u64 = 24 + 9;

/// Maximum number of bytes in the head of a request.
const HEADERS: u32 = 16 << 10;

/// Requests that a client may reset before they are handled; one more ends the connection (CVE-2023-44487).
const RESETS: usize = 20;

/// Streams that may break the protocol before the connection is ended.
const ERRORS: usize = 256;

/// Maximum number of bytes that a body gives at once.
const PIECE: usize = 16 << 10;

/// Time for a connection to end after GOAWAY.
const FAREWELL: Duration = Duration::from_secs(2);

/// Bounds of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Time for the preface.
    pub(super) preface: Duration,
    /// Time without a stream, after which the connection is ended.
    pub(super) idle: Duration,
    /// Time for a peer to answer a PING. A stream may take nothing for twice as long.
    pub(super) patience: Duration,
    /// Maximum number of concurrent streams.
    pub(super) streams: u32,
}

/// Serves until the connection ends or exceeds a bound, or the server stops and the current requests are answered.
pub(super) async fn serve<T, S>(
    socket: T,
    service: S,
    bounds: Bounds,
    mut stopping: watch::Receiver<()>,
) -> hyper::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<Body>> + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let read = Arc::new(AtomicU64::new(0));
    let streams = Streams::new(2 * bounds.patience);
    let mut http = http2::Builder::new(streams.clone());
    http.timer(TokioTimer::new())
        .keep_alive_interval(bounds.patience)
        .keep_alive_timeout(bounds.patience)
        .max_concurrent_streams(bounds.streams)
        .max_header_list_size(HEADERS)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(ERRORS);
    let socket = TokioIo::new(Counted { socket, read: read.clone() });
    let mut connection = std::pin::pin!(http.serve_connection(socket, Tracking { service }));
    let mut look = std::pin::pin!(sleep(bounds.preface));
    let mut ending = false;
    loop {
        tokio::select! {
            ended = &mut connection => return ended,
            Ok(()) = stopping.changed() => connection.as_mut().graceful_shutdown(),
            () = &mut look => {
                if read.load(Ordering::Relaxed) < PREFACE {
                    return Ok(());
                }
                let idle = streams.idle();
                match idle {
                    Some(_) if ending => return Ok(()),
                    Some(idle) if idle >= bounds.idle => {
                        connection.as_mut().graceful_shutdown();
                        ending = true;
                    }
                    _ => {}
                }
                let wait = if ending { FAREWELL } else { bounds.idle.saturating_sub(idle.unwrap_or_default()) };
                look.as_mut().reset(Instant::now() + wait);
            }
        }
    }
}

/// Runs the streams of a connection, each as a task, and counts them.
#[derive(Clone, Debug)]
struct Streams(Arc<StreamsInner>);

#[derive(Debug)]
struct StreamsInner {
    patience: Duration,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    streams: usize,
    /// Time at which the last stream ended, or the connection began.
    since: Instant,
}

impl Streams {
    fn new(patience: Duration) -> Self {
        Self(Arc::new(StreamsInner { patience, open: Mutex::new(Open { streams: 0, since: Instant::now() }) }))
    }

    /// Time since the last stream ended; `None` while there is one.
    fn idle(&self) -> Option<Duration> {
        let open = self.0.open.lock();
        (open.streams == 0).then(|| open.since.elapsed())
    }

    fn begin(&self) -> Running {
        self.0.open.lock().streams += 1;
        Running(self.clone())
    }
}

/// A stream that is counted; dropped when it ends.
struct Running(Streams);

impl Drop for Running {
    fn drop(&mut self) {
        let mut open = self.0.0.open.lock();
        open.streams -= 1;
        open.since = Instant::now();
    }
}

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        let running = self.begin();
        let progress = Progress::default();
        let patience = self.0.patience;
        let stream = Bounded { stream: Box::pin(stream), progress: progress.clone(), patience, deadline: None };
        tokio::spawn(PROGRESS.scope(progress, async move {
            stream.await;
            drop(running);
        }));
    }
}

tokio::task_local! {
    /// The progress of the stream that the task serves.
    static PROGRESS: Progress;
}

/// Time at which a stream's body gave a frame that is not taken yet; `None` if there is no such frame.
#[derive(Clone, Debug, Default)]
struct Progress(Arc<Mutex<Option<Instant>>>);

/// A stream that ends when its client takes nothing for `patience`.
struct Bounded<F> {
    stream: Pin<Box<F>>,
    progress: Progress,
    patience: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<F: Future> Future for Bounded<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.stream.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        let given = *self.progress.0.lock();
        let Some(given) = given else {
            self.deadline = None;
            return Poll::Pending;
        };
        let due = given + self.patience;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if deadline.deadline() != due {
            deadline.as_mut().reset(due);
        }
        deadline.as_mut().poll(context)
    }
}

/// The service of a connection; its response bodies record their [`Progress`].
struct Tracking<S> {
    service: S,
}

impl<S> Service<Request<Incoming>> for Tracking<S>
where
    S: Service<Request<Incoming>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Tracked>;
    type Error = S::Error;
    type Future = TrackingFuture<S::Future>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        TrackingFuture(Box::pin(self.service.call(request)))
    }
}

/// The future of [`Tracking`].
struct TrackingFuture<F>(Pin<Box<F>>);

impl<F, E> Future for TrackingFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<Tracked>, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.0.as_mut().poll(context))?;
        // `Streams` sets it for the task of each stream.
        let progress = PROGRESS.try_with(Clone::clone).unwrap_or_default();
        Poll::Ready(Ok(response.map(|body| Tracked { body, rest: Bytes::new(), progress })))
    }
}

/// A body that gives its frames in pieces, and records when it gave one.
struct Tracked {
    body: Body,
    /// The rest of the last frame.
    rest: Bytes,
    progress: Progress,
}

impl HttpBody for Tracked {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        *self.progress.0.lock() = None;
        let data = if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)).map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => data,
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        } else {
            std::mem::take(&mut self.rest)
        };
        self.rest = data.slice(data.len().min(PIECE)..);
        *self.progress.0.lock() = Some(Instant::now());
        Poll::Ready(Some(Ok(Frame::data(data.slice(..data.len().min(PIECE))))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut whole = SizeHint::new();
        if let Some(upper) = hint.upper() {
            whole.set_upper(upper + rest);
        }
        whole.set_lower(hint.lower() + rest);
        whole
    }
}

/// A socket that counts the bytes read from it.
#[derive(Debug)]
struct Counted<T> {
    socket: T,
    read: Arc<AtomicU64>,
}

impl<T: AsyncRead + Unpin> AsyncRead for Counted<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(context, into);
        self.read.fetch_add((into.filled().len() - before) as u64, Ordering::Relaxed);
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Counted<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
