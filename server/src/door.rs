//! The door: it takes connections in, and sees them out when the server ends.
//!
//! `axum::serve` would do, but for four things that a server of long streams needs: a backlog for storms of
//! reconnects, peers that vanished noticed by the kernel, a limit on how long a request's head may take, and an end that
//! does not wait for ever.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};

/// Connections that may wait to be accepted. The kernel's bound (`somaxconn`) is 4,096 on Linux; tokio's 1,024 makes a
/// storm of reconnects wait for retransmits.
const BACKLOG: i32 = 4_096;

/// How long the head of a request may take to come, and an idle connection may stay.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long to wait where no connection can be accepted (no more files may be opened): some will close meanwhile.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Bytes that hyper reads at once of a request; a push has its body in few such pieces.
const READ_BUFFER: usize = 16 << 10;

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

/// Takes connections in until `stop` is done, then lets those that are under way finish for at most `grace`.
///
/// A peer that takes nothing for `patience`, although there is something for it, has vanished.
pub async fn serve(
    listener: TcpListener,
    service: Router,
    patience: Duration,
    stop: impl Future<Output = ()>,
    grace: Duration,
) {
    let connections = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((socket, peer)) => {
                if let Err(error) = prepare(&socket, patience) {
                    tracing::debug!(%peer, %error, "cannot set the options of a socket");
                }
                let mut http = http1::Builder::new();
                http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(READ_BUFFER);
                let service = TowerToHyperService::new(service.clone());
                let connection = connections.watch(http.serve_connection(TokioIo::new(socket), service));
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(%peer, %error, "a connection broke off");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(grace, connections.shutdown()).await.is_err() {
        tracing::info!("some connections did not end in time; they are cut");
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
