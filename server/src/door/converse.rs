//! One connection: which HTTP it speaks, and serving it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::Inside;
use crate::stream::handover::{Diverted, Slot};

/// How long the head of a request may take to come, and an idle connection may stay.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes that hyper reads at once of a request; a push has its body in few such pieces.
const READ_BUFFER: usize = 16 << 10;

/// How HTTP/2 begins where it was not negotiated (RFC 9113, 3.4). No method of HTTP/1 is called so, and the first four
/// bytes are enough to know.
const PREFACE: &[u8; 4] = b"PRI ";

/// How often a peer that speaks HTTP/2 is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(15);

/// Waits until a new connection asks for something, and then serves it.
///
/// Nothing of size is made before: of ten thousand readers that come at once only few have a connection's state and
/// buffers at a time, and those are used again.
pub(super) async fn attend(socket: TcpStream, inside: Arc<Inside>) -> hyper::Result<()> {
    let mut stopping = inside.stopping.subscribe();
    let mut first = [0; PREFACE.len()];
    let asked = tokio::select! {
        // Looking is surer than `readable`, which a socket just accepted may claim to be.
        asked = timeout(HEAD_TIMEOUT, socket.peek(&mut first)) => asked,
        _ = stopping.changed() => return Ok(()),
    };
    match asked {
        // A preface that comes in smaller pieces than four bytes is answered as HTTP/1 does: with a refusal.
        Ok(Ok(1..)) if first == *PREFACE => Box::pin(multiplexed(socket, &inside, stopping)).await,
        Ok(Ok(1..)) => Box::pin(one_by_one(socket, &inside, stopping)).await,
        _ => Ok(()),
    }
}

/// HTTP/1: serves until the connection ends, becomes a stream, or the server stops and the request under way is
/// answered.
async fn one_by_one(socket: TcpStream, inside: &Inside, mut stopping: watch::Receiver<()>) -> hyper::Result<()> {
    let slot = Slot::default();
    let service = Diverted { service: TowerToHyperService::new(inside.service.clone()), slot: slot.clone() };
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(READ_BUFFER);
    let mut connection = http.serve_connection(TokioIo::new(socket), service);
    let taken = loop {
        let progress = std::future::poll_fn(|context| match Pin::new(&mut connection).poll(context) {
            Poll::Ready(ended) => Poll::Ready(Err(ended)),
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
    let socket = connection.into_parts().io.into_inner();
    // Where the door is closed already, the stream ends with it.
    let _closed = inside.streams.send((socket, taken, inside.open.clone()));
    Ok(())
}

/// HTTP/2: requests and streams share the connection, so their bodies stream by themselves.
async fn multiplexed(socket: TcpStream, inside: &Inside, mut stopping: watch::Receiver<()>) -> hyper::Result<()> {
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new()).keep_alive_interval(PING_EVERY).keep_alive_timeout(PING_EVERY);
    let service = TowerToHyperService::new(inside.service.clone());
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(socket), service));
    loop {
        tokio::select! {
            ended = &mut connection => return ended,
            Ok(()) = stopping.changed() => connection.as_mut().graceful_shutdown(),
        }
    }
}
