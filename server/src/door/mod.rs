//! The door: it takes connections in, and sees them out when the server ends.
//!
//! `axum::serve` would do, but for four things that a server of long streams needs: a backlog for storms of
//! reconnects, peers that vanished noticed by the kernel, a limit on how long a request's head may take, and an end that
//! does not wait for ever.

mod converse;
pub mod renewal;
pub mod tls;
mod watched;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use crate::stream::writer::{Open, Writers};
use renewal::Certificate;

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

/// Takes connections in, encrypted where there is an `encrypt`, until `stop` is done, then lets those that are under way
/// finish for at most `grace`. Streams go to `writers`.
///
/// A peer that takes nothing for `patience`, although there is something for it, has vanished.
pub async fn serve(
    listener: TcpListener,
    encrypt: Option<Certificate>,
    service: Router,
    writers: Writers,
    patience: Duration,
    stop: impl Future<Output = ()>,
    grace: Duration,
) {
    let (open, mut all_ended) = mpsc::channel(1);
    // Until this function ends, and not only until the last connection has become a stream: who drops them ends those.
    let writers = Arc::new(writers);
    let inside = Arc::new(Inside {
        encrypt,
        service,
        patience,
        writers: writers.clone(),
        stopping: watch::Sender::new(()),
        open,
    });
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    if let Err(error) = prepare(&socket, patience) {
                        tracing::debug!(%peer, %error, "cannot set the options of a socket");
                    }
                    tokio::spawn(converse::attend(socket, peer, inside.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            () = &mut stop => break,
        }
    }
    drop(listener);
    inside.stopping.send_replace(());
    drop(inside);
    if tokio::time::timeout(grace, all_ended.recv()).await.is_err() {
        tracing::info!("some connections did not end in time; they are cut");
    }
}

/// What all connections share.
struct Inside {
    encrypt: Option<Certificate>,
    service: Router,
    /// A peer that does not answer for so long has vanished.
    patience: Duration,
    /// Who writes streams.
    writers: Arc<Writers>,
    /// Says that what is under way is to be finished.
    stopping: watch::Sender<()>,
    /// Dropped with the last connection; streams have clones of their own.
    open: Open,
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
