//! One connection: which HTTP it speaks, and serving it.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::watched::{Full, Watched};
use super::{Inside, tls};
use crate::stream::handover::{Diverted, Slot};

/// How long the head of a request may take to come, and an idle connection may stay.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes that hyper reads at once of a request; a push has its body in few such pieces.
const READ_BUFFER: usize = 16 << 10;

/// How HTTP/2 begins where it was not negotiated (RFC 9113, 3.4). No method of HTTP/1 is called so, and the first four
/// bytes are enough to know.
const PREFACE: &[u8; 4] = b"PRI ";

/// How TLS begins: a record of the handshake (RFC 8446, 5.1).
const HANDSHAKE: u8 = 22;

/// How long someone who is sent away may take to read why.
const LINGER: Duration = Duration::from_secs(2);

/// Waits until a new connection asks for something, and then serves it.
///
/// Nothing of size is made before: of ten thousand readers that come at once only few have a connection's state and
/// buffers at a time, and those are used again.
#[expect(clippy::manual_async_fn, reason = "that would keep its arguments twice, and this is what who waits costs")]
pub(super) fn attend(socket: TcpStream, peer: SocketAddr, inside: Arc<Inside>) -> impl Future<Output = ()> {
    async move {
        let mut stopping = inside.stopping.subscribe();
        let Some(first) = first_bytes(&socket, &mut stopping).await else { return };
        if let Err(error) = Box::pin(converse(socket, first, &inside, stopping)).await {
            tracing::debug!(%peer, %error, "a connection broke off");
        }
    }
}

/// How the connection begins; nothing where it asks for nothing in time, or the server stops.
async fn first_bytes(socket: &TcpStream, stopping: &mut watch::Receiver<()>) -> Option<[u8; PREFACE.len()]> {
    let mut first = [0; PREFACE.len()];
    let asked = tokio::select! {
        // Looking is surer than `readable`, which a socket just accepted may claim to be.
        asked = timeout(HEAD_TIMEOUT, socket.peek(&mut first)) => asked,
        _ = stopping.changed() => return None,
    };
    matches!(asked, Ok(Ok(1..))).then_some(first)
}

async fn converse(
    socket: TcpStream,
    first: [u8; PREFACE.len()],
    inside: &Inside,
    stopping: watch::Receiver<()>,
) -> hyper::Result<()> {
    match &inside.encrypt {
        Some(_) if first[0] != HANDSHAKE => sent_away(socket).await,
        Some(encrypt) => encrypted(socket, encrypt.acceptor(), inside, stopping).await,
        // A preface that comes in smaller pieces than four bytes is answered as HTTP/1 does: with a refusal.
        None if first == *PREFACE => multiplexed(socket, inside, stopping).await,
        None => one_by_one(socket, inside, stopping).await,
    }
}

/// HTTP over TLS. Its streams stay within hyper: what is written is different for each reader.
async fn encrypted(
    socket: TcpStream,
    encrypt: TlsAcceptor,
    inside: &Inside,
    mut stopping: watch::Receiver<()>,
) -> hyper::Result<()> {
    let agreed = tokio::select! {
        agreed = timeout(HEAD_TIMEOUT, encrypt.accept(socket)) => agreed,
        _ = stopping.changed() => return Ok(()),
    };
    let socket = match agreed {
        Ok(Ok(socket)) => socket,
        Ok(Err(error)) => {
            tracing::debug!(%error, "no agreement on TLS");
            return Ok(());
        }
        Err(_) => return Ok(()),
    };
    if socket.get_ref().1.alpn_protocol() == Some(tls::HTTP_2) {
        return multiplexed(socket, inside, stopping).await;
    }
    let service = TowerToHyperService::new(inside.service.clone());
    see_out(http1().serve_connection(TokioIo::new(socket), service), stopping).await
}

/// Tells someone who speaks HTTP in the plain that only HTTPS is spoken here.
async fn sent_away(mut socket: TcpStream) -> hyper::Result<()> {
    let text = "HTTPS is spoken here: write https:// before the address.\n";
    let len = text.len();
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: {len}\r\nconnection: close\r\n\r\n{text}"
    );
    // Without the request having been read, closing would reset the connection before the answer is.
    let mut request = vec![0; READ_BUFFER];
    let told = async {
        socket.write_all(answer.as_bytes()).await?;
        socket.shutdown().await?;
        while socket.read(&mut request).await? > 0 {}
        Ok::<_, std::io::Error>(())
    };
    let _gone = timeout(LINGER, told).await;
    Ok(())
}

/// HTTP/1: serves until the connection ends, becomes a stream, or the server stops and the request under way is
/// answered.
async fn one_by_one(socket: TcpStream, inside: &Inside, mut stopping: watch::Receiver<()>) -> hyper::Result<()> {
    let slot = Slot::default();
    let service = Diverted { service: TowerToHyperService::new(inside.service.clone()), slot: slot.clone() };
    let full = Full::default();
    let socket = TokioIo::new(Watched { socket, full: full.clone() });
    // Who has sent all of its request may close its side: that is told from having left by the stream itself.
    let mut connection = http1().half_close(true).serve_connection(socket, service);
    let taken = loop {
        let progress = std::future::poll_fn(|context| match Pin::new(&mut connection).poll(context) {
            Poll::Ready(ended) => Poll::Ready(Err(ended)),
            // An answer before the stream, to requests that came at once, is the connection's to finish.
            Poll::Pending if full.get() => Poll::Pending,
            Poll::Pending => slot.lock().take().map_or(Poll::Pending, |taken| Poll::Ready(Ok(taken))),
        });
        tokio::select! {
            progress = progress => match progress {
                Ok(taken) => break taken,
                Err(ended) => return ended,
            },
            Ok(()) = stopping.changed() => Pin::new(&mut connection).graceful_shutdown(),
        }
    };
    let socket = connection.into_parts().io.into_inner().socket;
    if let Err(error) = inside.writers.take(socket, taken, inside.open.clone()) {
        tracing::warn!(%error, "cannot move a socket to the writers");
    }
    Ok(())
}

/// HTTP/2: requests and streams share the connection, so their bodies stream by themselves.
async fn multiplexed<S>(socket: S, inside: &Inside, stopping: watch::Receiver<()>) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new()).keep_alive_interval(inside.patience).keep_alive_timeout(inside.patience);
    let service = TowerToHyperService::new(inside.service.clone());
    see_out(http.serve_connection(TokioIo::new(socket), service), stopping).await
}

fn http1() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(READ_BUFFER);
    http
}

/// Serves until the connection ends, or the server stops and what is under way is answered.
async fn see_out<C>(connection: C, mut stopping: watch::Receiver<()>) -> hyper::Result<()>
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
