//! Answers while the store is being opened and its folder upgraded, which may take minutes.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::health::healthz;
use crate::store::migration::Progress;

/// Seconds after which a client may try again.
const RETRY_AFTER: &str = "5";

/// A server that answers each request with 503 and the progress, except `GET /healthz`. Ends on drop.
#[derive(Debug)]
pub struct Starting {
    _end: oneshot::Sender<()>,
}

impl Starting {
    /// Serves on a copy of the socket that the server will use.
    ///
    /// # Errors
    /// The system cannot copy the socket.
    pub fn serve(socket: &TcpListener, progress: Progress) -> std::io::Result<Self> {
        let copy = rustix::io::dup(socket)?;
        let socket = TcpListener::from_std(std::net::TcpListener::from(copy))?;
        let (end, ended) = oneshot::channel::<()>();
        let answer = move || {
            let text = progress.text().unwrap_or_else(|| "the store is being read".to_owned());
            let head = [(header::RETRY_AFTER, RETRY_AFTER)];
            std::future::ready((StatusCode::SERVICE_UNAVAILABLE, head, format!("not ready: {text}\n")).into_response())
        };
        let router = Router::new().route("/healthz", get(healthz)).fallback(answer);
        let served = axum::serve(socket, router).with_graceful_shutdown(async {
            _ = ended.await;
        });
        tokio::spawn(async {
            if let Err(error) = served.await {
                tracing::warn!(%error, "cannot answer while the store is being opened");
            }
        });
        Ok(Self { _end: end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    async fn ask(addr: std::net::SocketAddr, path: &str) -> String {
        let mut socket = TcpStream::connect(addr).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn readyz_shows_the_progress_until_the_server_takes_over() {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = socket.local_addr().unwrap();
        let progress = Progress::default();
        progress.set(30, 120);
        let starting = Starting::serve(&socket, progress).unwrap();
        let ready = ask(addr, "/readyz").await;
        assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("25 % of 120 rows"), "{ready}");
        assert!(ask(addr, "/api/series").await.contains("retry-after: 5"));
        assert!(ask(addr, "/healthz").await.starts_with("HTTP/1.1 200"));
        drop(starting);
        // The next connection comes to the server itself.
        let (taken, _client) = tokio::join!(socket.accept(), TcpStream::connect(addr));
        assert!(taken.is_ok());
    }
}
