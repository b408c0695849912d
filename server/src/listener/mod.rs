//! The listener: accepts connections, serves each within its bounds, and ends them when the server ends.
//!
//! `axum::serve` would do, but for what a server of long streams among strangers needs: a backlog for storms of
//! reconnects, peers that vanished noticed by the kernel, a time-out for every phase of a connection ([`timeouts`]), bounds
//! on connections in total and of each client ([`capacity`]), and an end that does not wait for ever.

pub mod capacity;
mod client;
mod connection;
mod http2;
mod overload;
pub mod renewal;
pub mod timeouts;
pub mod tls;
mod watched;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use crate::metrics::Metrics;
use crate::places::{Client, Place, Places};
use crate::stream::writer::{Open, Writers};
use connection::{Accepted, handle_connection};
use overload::Overload;
use renewal::Certificate;
use timeouts::Timeouts;

/// Connections that may wait to be accepted. The kernel's bound (`somaxconn`) is 4,096 on Linux; tokio's 1,024 makes a
/// storm of reconnects wait for retransmits.
const BACKLOG: i32 = 4_096;

/// How long to wait where no connection can be accepted (no more files may be opened): some will close meanwhile.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that listens at `addr`.
///
/// # Errors
/// Whatever the system says.
pub fn listen(addr: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    // So that a restart need not wait for the last minute's connections to be forgotten.
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

/// The parts that a listener is made of.
pub struct Listener {
    /// Where connections come in.
    pub socket: TcpListener,
    /// The certificate of HTTPS; without it, plain HTTP is served.
    pub encrypt: Option<Certificate>,
    /// What answers requests.
    pub service: Router,
    /// Who writes streams.
    pub writers: Writers,
    /// A peer that takes nothing for so long, although there is something for it, has vanished.
    pub patience: Duration,
    /// How long each phase of a connection may last.
    pub timeouts: Timeouts,
    /// Most streams at once of one HTTP/2 connection.
    pub streams: u32,
    /// The places of connections.
    pub places: Places,
    /// Where refused connections are counted.
    pub metrics: Metrics,
}

impl Listener {
    /// Serves connections until `stop` is done, then lets those that are under way finish for at most `grace`.
    pub async fn serve(self, stop: impl Future<Output = ()>, grace: Duration) {
        let Self { socket: listener, encrypt, service, writers, patience, timeouts, streams, places, metrics } = self;
        let (ended, mut all_ended) = mpsc::channel(1);
        // Until this function ends, and not only until the last connection has become a stream: dropping them ends those.
        let writers = Arc::new(writers);
        let shared = Arc::new(Shared {
            overload: Overload::new(&service, &places),
            encrypt,
            service,
            patience,
            timeouts,
            streams,
            writers: writers.clone(),
            stopping: watch::Sender::new(()),
            ended,
        });
        let mut stop = std::pin::pin!(stop);
        loop {
            let (socket, peer) = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
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
            match places.take(client) {
                Ok(place) => {
                    let open = shared.open(place);
                    tokio::spawn(handle_connection(Accepted { socket, peer, shared: shared.clone(), open }));
                }
                Err(full) => {
                    metrics.refused(shared.overload.limit(full));
                    shared.overload.answer(socket, client, full, &shared);
                }
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

/// What all connections share.
struct Shared {
    encrypt: Option<Certificate>,
    service: Router,
    /// A peer that does not answer for so long has vanished.
    patience: Duration,
    timeouts: Timeouts,
    /// Most streams at once of one HTTP/2 connection.
    streams: u32,
    /// Who writes streams.
    writers: Arc<Writers>,
    /// Answers connections that no place is left for.
    overload: Overload,
    /// Says that what is under way is to be finished.
    stopping: watch::Sender<()>,
    /// Dropped with the last connection; streams have clones of their own.
    ended: mpsc::Sender<()>,
}

impl Shared {
    /// What a connection holds until it ends.
    fn open(&self, place: Place) -> Open {
        Open::new(self.ended.clone(), place)
    }
}

fn prepare(socket: &TcpStream, patience: Duration) -> std::io::Result<()> {
    // Small frames must not wait for the acknowledgement of earlier ones (Nagle's algorithm, RFC 896).
    socket.set_nodelay(true)?;
    let socket = SockRef::from(socket);
    // Heartbeats are always under way, so a peer that is gone leaves some unacknowledged; without this the kernel
    // would try for a quarter of an hour (RFC 5482).
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(patience))?;
    // For connections on which nothing is under way.
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(patience))
}
