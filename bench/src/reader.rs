//! Readers: those that read, and those that do not.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;

/// What a stalled reader takes before its socket is full, in bytes.
const SMALL_WINDOW: u32 = 4_096;

async fn ask(mut socket: TcpStream, query: &str) -> anyhow::Result<TcpStream> {
    socket.write_all(format!("GET /sse?{query} HTTP/1.1\r\nHost: bench\r\n\r\n").as_bytes()).await?;
    Ok(socket)
}

/// Opens a stream and never reads of it.
pub(crate) async fn stalled(addr: SocketAddr, query: &str) -> anyhow::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(SMALL_WINDOW)?;
    ask(socket.connect(addr).await?, query).await
}

/// Reads until `stop` and notes how long after its intended time each push arrived. The text of a push begins with
/// `@`, its number, and a space; `sent` says when that number was to be sent, so that waiting counts.
pub(crate) async fn reading(
    addr: SocketAddr,
    query: &str,
    sent: Arc<dyn Fn(u64) -> Instant + Send + Sync>,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<Vec<Duration>> {
    let mut socket = ask(TcpStream::connect(addr).await?, query).await?;
    let mut latencies = Vec::new();
    let mut piece = vec![0; 64 << 10];
    let mut last = 0;
    while !*stop.borrow() {
        let len = tokio::select! {
            len = socket.read(&mut piece) => len?,
            _ = stop.changed() => break,
        };
        anyhow::ensure!(len > 0, "the server closed the stream of one that reads");
        let now = Instant::now();
        // The newest number in what came. Parsing all of it would measure this program instead.
        let numbers = piece[..len].split(|&byte| byte == b'@').skip(1).filter_map(|rest| {
            let digits = rest.split(|&byte| byte == b' ').next()?;
            std::str::from_utf8(digits).ok()?.parse::<u64>().ok()
        });
        if let Some(newest) = numbers.max().filter(|&newest| newest > last) {
            last = newest;
            latencies.push(now.saturating_duration_since(sent(newest)));
        }
    }
    Ok(latencies)
}
