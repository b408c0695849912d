//! One connection: detects its protocol, and serves it within the time-outs of each phase.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::client::WithClient;
use super::shared::Shared;
use super::unanswered::Waiting;
use super::watched::Watched;
use super::{http2, tls};
use crate::limits::client::Client;
use crate::stream::takeover::{TakeoverService, TakeoverSlot};
use crate::stream::writer::Open;

/// The size of hyper's read buffer; the body of a push comes in few pieces of this size.
const READ_BUFFER: usize = 16 << 10;

/// First bytes of HTTP/2 that was not negotiated (RFC 9113, 3.4). HTTP/1 has no method of this name, so four bytes are
/// enough to tell them apart.
const PREFACE: &[u8; 4] = b"PRI ";

/// First byte of TLS: a record of the handshake (RFC 8446, 5.1).
const HANDSHAKE: u8 = 22;

/// Time for a rejected client to read the answer.
const LINGER: Duration = Duration::from_secs(2);

/// A connection that was accepted.
pub(super) struct Accepted {
    pub(super) socket: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) shared: Arc<Shared>,
    /// Its slot among the connections; passed on to the stream that the connection becomes.
    pub(super) open: Open,
    /// Its slot among those whose first request is not answered yet.
    pub(super) waiting: Arc<Waiting>,
}

/// Waits for the first byte of a new connection, and then serves it.
///
/// Allocates nothing large before that byte: when ten thousand clients connect at once, only few of them have a
/// connection's state and buffers at the same time, and that memory is used again.
#[expect(
    clippy::manual_async_fn,
    reason = "that would keep its arguments twice, and a waiting connection costs these bytes"
)]
pub(super) fn handle_connection(accepted: Accepted) -> impl Future<Output = ()> {
    async move {
        let Accepted { socket, peer, shared, open, waiting } = accepted;
        let mut stopping = shared.stopping.subscribe();
        let Some(first) = first_bytes(&socket, &shared, &mut stopping).await else { return };
        let (client, waiting) = (Client::at(peer.ip()), Some(waiting));
        let session = Session { shared: &shared, service: &shared.service, client, waiting, stopping };
        if let Err(error) = Box::pin(session.serve(socket, first, open)).await {
            tracing::debug!(%peer, %error, "a connection failed");
        }
    }
}

/// Peeks at the first bytes of a connection; `None` if none come in time, or the server stops.
pub(super) async fn first_bytes(
    socket: &TcpStream,
    shared: &Shared,
    stopping: &mut watch::Receiver<()>,
) -> Option<[u8; PREFACE.len()]> {
    let mut first = [0; PREFACE.len()];
    let asked = tokio::select! {
        // `peek` rather than `readable`, which may report a socket without data right after it was accepted.
        asked = timeout(shared.timeouts.first_byte, socket.peek(&mut first)) => asked,
        _ = stopping.changed() => return None,
    };
    matches!(asked, Ok(Ok(1..))).then_some(first)
}

/// The context that a connection is served in.
pub(super) struct Session<'a> {
    pub(super) shared: &'a Shared,
    /// Answers its requests.
    pub(super) service: &'a Router,
    pub(super) client: Client,
    /// Its slot among the connections whose first request is not answered yet.
    pub(super) waiting: Option<Arc<Waiting>>,
    pub(super) stopping: watch::Receiver<()>,
}

/// The service that each protocol passes requests to.
type Handler = WithClient<TowerToHyperService<Router>>;

impl Session<'_> {
    pub(super) async fn serve(self, socket: TcpStream, first: [u8; PREFACE.len()], open: Open) -> hyper::Result<()> {
        match &self.shared.encrypt {
            Some(_) if first[0] != HANDSHAKE => reject_plaintext(socket).await,
            Some(encrypt) => self.serve_tls(socket, encrypt.acceptor(), open).await,
            // A preface whose first piece has less than four bytes is served as HTTP/1, which rejects it.
            None if first == *PREFACE => {
                let socket = self.watch(socket);
                self.serve_http2(socket, open).await
            }
            None => self.serve_http1(socket, open).await,
        }
    }

    fn handler(&self) -> Handler {
        let service = TowerToHyperService::new(self.service.clone());
        WithClient { service, client: self.client, waiting: self.waiting.clone() }
    }

    fn watch(&self, socket: TcpStream) -> Watched {
        Watched::new(socket, self.shared.patience)
    }

    /// Serves HTTP over TLS. hyper writes the streams too: the encrypted bytes differ for each subscriber, so they
    /// cannot share frames.
    async fn serve_tls(mut self, socket: TcpStream, encrypt: TlsAcceptor, open: Open) -> hyper::Result<()> {
        let agreed = tokio::select! {
            agreed = timeout(self.shared.timeouts.handshake, encrypt.accept(self.watch(socket))) => agreed,
            _ = self.stopping.changed() => return Ok(()),
        };
        let socket = match agreed {
            Ok(Ok(socket)) => socket,
            Ok(Err(error)) => {
                tracing::debug!(%error, "the TLS handshake failed");
                return Ok(());
            }
            Err(_) => return Ok(()),
        };
        if socket.get_ref().1.alpn_protocol() == Some(tls::HTTP_2) {
            return self.serve_http2(socket, open).await;
        }
        let connection = self.http1().serve_connection(TokioIo::new(socket), self.handler());
        let ended = finish(connection, self.stopping).await;
        drop(open);
        ended
    }

    /// Serves HTTP/1 until the connection ends, becomes a stream, or the server stops and the current request is
    /// answered.
    async fn serve_http1(mut self, socket: TcpStream, open: Open) -> hyper::Result<()> {
        let slot = TakeoverSlot::default();
        let service = TakeoverService { service: self.handler(), slot: slot.clone() };
        let socket = self.watch(socket);
        let full = socket.full();
        // A client may close its sending side after its request; the stream itself detects a client that left.
        let mut connection = self.http1().half_close(true).serve_connection(TokioIo::new(socket), service);
        let taken = loop {
            let progress = std::future::poll_fn(|context| match Pin::new(&mut connection).poll(context) {
                Poll::Ready(ended) => Poll::Ready(Err(ended)),
                // With pipelined requests, hyper must first finish the answers before the stream.
                Poll::Pending if full.get() => Poll::Pending,
                Poll::Pending => slot.lock().take().map_or(Poll::Pending, |taken| Poll::Ready(Ok(taken))),
            });
            tokio::select! {
                progress = progress => match progress {
                    Ok(taken) => break taken,
                    Err(ended) => return ended,
                },
                Ok(()) = self.stopping.changed() => Pin::new(&mut connection).graceful_shutdown(),
            }
        };
        let socket = connection.into_parts().io.into_inner().socket;
        if let Err(error) = self.shared.writers.take(socket, taken, open) {
            tracing::warn!(%error, "cannot move a socket to the writers");
        }
        Ok(())
    }

    async fn serve_http2<T>(self, socket: T, open: Open) -> hyper::Result<()>
    where
        T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let bounds = http2::Bounds {
            preface: self.shared.timeouts.preface,
            idle: self.shared.timeouts.http2_idle,
            patience: self.shared.patience,
            streams: self.shared.streams,
        };
        let ended = http2::serve(socket, self.handler(), bounds, self.stopping).await;
        drop(open);
        ended
    }

    fn http1(&self) -> http1::Builder {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.shared.timeouts.request_head).max_buf_size(READ_BUFFER);
        http
    }
}

/// Answers plain HTTP on an HTTPS port with 400.
async fn reject_plaintext(socket: TcpStream) -> hyper::Result<()> {
    let text = "HTTPS is spoken here: write https:// before the address.\n";
    let len = text.len();
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: {len}\r\nconnection: close\r\n\r\n{text}"
    );
    turn_away(socket, answer.as_bytes()).await;
    Ok(())
}

/// Answers without reading the request, and gives the client [`LINGER`] to read the answer.
async fn turn_away(mut socket: TcpStream, answer: &[u8]) {
    // Closing a socket with unread bytes resets the connection, perhaps before the client has read the answer.
    let mut request = vec![0; READ_BUFFER];
    let answered = async {
        socket.write_all(answer).await?;
        socket.shutdown().await?;
        while socket.read(&mut request).await? > 0 {}
        Ok::<_, std::io::Error>(())
    };
    let _gone = timeout(LINGER, answered).await;
}

/// Serves until the connection ends, or the server stops and the current requests are answered.
async fn finish<C>(connection: C, mut stopping: watch::Receiver<()>) -> hyper::Result<()>
where
    C: GracefulConnection<Error = hyper::Error>,
{
    let mut connection = std::pin::pin!(connection);
    loop {
        tokio::select! {
            ended = &mut connection => return ended,
            Ok(()) = stopping.changed() => connection.as_mut().graceful_shutdown(),
        }
    }
}
