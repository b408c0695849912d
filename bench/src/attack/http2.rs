//! HTTP/2 connections that do what browsers never do.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use h2::client::{Builder, SendRequest};
use http::Request;
use tokio::net::TcpSocket;

use super::client::Client;
use super::tally::Tally;

/// The timeout of one step of a connection.
const SOON: Duration = Duration::from_secs(2);

/// A connection and the address of its server.
pub(crate) struct Connection {
    send: SendRequest<Bytes>,
    server: SocketAddr,
}

/// Runs a future on its own thread, since nothing else here is asynchronous.
pub(crate) fn block_on(future: impl Future<Output = anyhow::Result<()>> + Send) -> anyhow::Result<()> {
    let run = || tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future);
    std::thread::scope(|scope| {
        let running = scope.spawn(run);
        running.join().map_err(|_| anyhow::anyhow!("the thread of HTTP/2 panicked"))?
    })
}

impl Connection {
    /// Opens a connection with an initial window of `window` bytes for each answer.
    pub(crate) async fn open(client: &Client, window: u32) -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((client.source, 0)))?;
        let stream = tokio::time::timeout(client.patience, socket.connect(client.server)).await??;
        stream.set_nodelay(true)?;
        let handshake = Builder::new().initial_window_size(window).handshake(stream);
        let (send, driver) = tokio::time::timeout(client.patience, handshake).await??;
        tokio::spawn(async move {
            // The end of the connection shows in the next send.
            let _end = driver.await;
        });
        Ok(Self { send, server: client.server })
    }

    fn request(&self, path: &str) -> anyhow::Result<Request<()>> {
        Ok(Request::get(format!("http://{}{path}", self.server)).body(())?)
    }

    /// Sends a request and resets it at once.
    pub(crate) async fn ask_and_reset(&mut self, path: &str) -> anyhow::Result<()> {
        self.send = tokio::time::timeout(SOON, self.send.clone().ready()).await??;
        let (_answer, mut stream) = self.send.send_request(self.request(path)?, true)?;
        // A reset before the request is sent would cost the server nothing.
        tokio::time::sleep(Duration::from_millis(2)).await;
        stream.send_reset(Reason::CANCEL);
        Ok(())
    }

    /// Sends a request, waits for the head of the answer, and never reads the rest. Returns the body, which keeps the
    /// stream open.
    pub(crate) async fn ask_and_wait(&mut self, path: &str, tally: &Tally) -> anyhow::Result<h2::RecvStream> {
        self.send = tokio::time::timeout(SOON, self.send.clone().ready()).await??;
        let (answer, _stream) = self.send.send_request(self.request(path)?, true)?;
        let answer = tokio::time::timeout(SOON, answer).await??;
        tally.count(answer.status().as_str());
        let is_open = answer.status().is_success();
        anyhow::ensure!(is_open, "refused");
        Ok(answer.into_body())
    }
}
