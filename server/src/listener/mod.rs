//! The listener: accepts connections, serves each within its bounds, and ends them when the server ends.
//!
//! `axum::serve` is not enough for long streams to untrusted clients. This listener adds:
//!
//! - a backlog for storms of reconnects, and detection of vanished peers by the kernel;
//! - a time-out for every phase of a connection ([`timeouts`]);
//! - bounds on connections in total and per client ([`capacity`]), at which connections without an answered request
//!   give way (`unanswered`); `overload` answers the others;
//! - a shutdown that does not wait for ever.
//!
//! `connection` serves one connection, `http2` one of HTTP/2, `shared` has what all of them share, `watched` is a socket and `client` adds its address to
//! each request. [`tls`] and [`renewal`] are HTTPS and its certificate.

pub mod capacity;
mod client;
mod connection;
mod http2;
mod overload;
pub mod renewal;
mod shared;
pub mod timeouts;
pub mod tls;
mod unanswered;
mod watched;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use crate::limits::client::{Client, ClientSlots, Full};
use crate::monitoring::metrics::Metrics;
use crate::stream::writer::Writers;
use connection::{Accepted, handle_connection};
use overload::Overload;
use renewal::Certificate;
use shared::Shared;
use timeouts::Timeouts;
use unanswered::Unanswered;

/// Connections that may wait to be accepted. The kernel's bound (`somaxconn`) is 4,096 on Linux; tokio's 1,024 makes a
/// storm of reconnects wait for retransmits.
const BACKLOG: i32 = 4_096;

/// Pause after a failed `accept` (no more files may be opened): some connections will close meanwhile.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that listens at `addr`.
///
/// # Errors
/// The error of the operating system.
pub fn listen(addr: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    // Lets a restarted server bind although the kernel still remembers connections of the last minute.
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

/// The parts that a listener is made of.
pub struct Listener {
    /// Accepts the connections.
    pub socket: TcpListener,
    /// The certificate of HTTPS; without it, plain HTTP is served.
    pub encrypt: Option<Certificate>,
    /// Answers requests.
    pub service: Router,
    /// The threads that write streams.
    pub writers: Writers,
    /// Time after which a peer that takes none of the bytes sent to it counts as vanished.
    pub patience: Duration,
    /// Time-outs of the phases of a connection.
    pub timeouts: Timeouts,
    /// Maximum number of concurrent streams of one HTTP/2 connection.
    pub streams: u32,
    /// Counts connections, in total and per client.
    pub slots: ClientSlots,
    /// Counts refused connections.
    pub metrics: Metrics,
}

impl Listener {
    /// Serves connections until `stop` completes, then gives open connections at most `grace` to finish.
    pub async fn serve(self, stop: impl Future<Output = ()>, grace: Duration) {
        let Self { socket: listener, encrypt, service, writers, patience, timeouts, streams, slots, metrics } = self;
        let (ended, mut all_ended) = mpsc::channel(1);
        // Kept until this function ends: dropping the last reference ends all streams.
        let writers = Arc::new(writers);
        let overload = Arc::new(Overload::new(&service, &slots));
        let shared = Arc::new(Shared {
            encrypt,
            service,
            patience,
            timeouts,
            streams,
            writers: writers.clone(),
            stopping: watch::Sender::new(()),
            ended,
        });
        let unanswered = Unanswered::default();
        let mut stop = std::pin::pin!(stop);
        let mut accepts = true;
        loop {
            let (socket, peer) = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => {
                        accepts = true;
                        accepted
                    }
                    Err(error) => {
                        if std::mem::replace(&mut accepts, false) {
                            tracing::warn!(%error, "cannot accept connections; trying again ten times a second");
                        }
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    }
                },
                () = &mut stop => break,
            };
            if let Err(error) = prepare(&socket, patience) {
                tracing::debug!(%peer, %error, "cannot set the options of a socket");
            }
            let client = Client::at(peer.ip());
            let mut slot = slots.take(client);
            if let Err(full) = slot {
                // Counts the connection that gives way, or this one.
                metrics.refused(overload.limit(full));
                let of = (full == Full::Client).then_some(client);
                if unanswered.make_room(of).await {
                    slot = slots.take(client);
                }
            }
            match slot {
                Ok(slot) => {
                    let (open, waiting) = (shared.open(slot), unanswered.begin(client));
                    let number = waiting.number();
                    let accepted = Accepted { socket, peer, shared: shared.clone(), open, waiting };
                    unanswered.started(client, number, tokio::spawn(handle_connection(accepted)));
                }
                Err(full) => overload.answer(socket, client, full, &shared),
            }
        }
        drop(listener);
        shared.stopping.send_replace(());
        drop(shared);
        if tokio::time::timeout(grace, all_ended.recv()).await.is_err() {
            tracing::info!("some connections did not end in time; they are cut");
        }
    }
}

fn prepare(socket: &TcpStream, patience: Duration) -> std::io::Result<()> {
    // Small frames must not wait for the acknowledgement of earlier ones (Nagle's algorithm, RFC 896).
    socket.set_nodelay(true)?;
    let socket = SockRef::from(socket);
    // Heartbeats are always in flight, so a peer that is gone leaves some unacknowledged. Without this option, the
    // kernel would retransmit for a quarter of an hour (RFC 5482).
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(patience))?;
    // For connections that have nothing in flight.
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(patience))
}
