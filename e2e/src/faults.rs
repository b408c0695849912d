//! A TCP proxy between the browser and the server that injects network faults.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::until;

/// The fault that is applied to the bytes from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// They pass at once.
    None,
    /// They pass after a delay.
    Delay(Duration),
    /// They vanish, with all later bytes of the connection, which stays open.
    Stall,
    /// Half of them pass, then the connection is closed in good order.
    Cut,
    /// Half of them pass, then the connection is reset.
    Reset,
    /// They pass one at a time.
    OneByteAtATime,
    /// The contract hash in them is changed.
    OtherContract,
    /// The preload links of pages are removed.
    WithoutLinks,
    /// A request for the stream does not reach the server. The proxy answers it with this head and no body.
    Answer(&'static str),
}

/// A proxy for a server. It ends with the test process.
#[derive(Debug)]
pub struct FaultyProxy {
    base: String,
    fault: watch::Sender<Fault>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// The number of times that the present fault was applied.
    struck: AtomicU32,
    /// The number of stream requests so far.
    asked: AtomicU32,
}

impl FaultyProxy {
    /// Starts the proxy on a free port, for the server at `base`.
    ///
    /// # Panics
    /// If it cannot listen on loopback.
    pub async fn start(base: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be listened on");
        let here = format!("http://{}", listener.local_addr().expect("it is bound"));
        let server = base.trim_start_matches("http://").to_owned();
        let (fault, faults) = watch::channel(Fault::None);
        let counts = Arc::new(Counts::default());
        let counting = Arc::clone(&counts);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                // If the server is down, the browser sees a closed connection.
                let Ok(far) = TcpStream::connect(&server).await else { continue };
                tokio::spawn(carry(near, far, faults.clone(), Arc::clone(&counting)));
            }
        });
        Self { base: here, fault, counts }
    }

    /// The base URL, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sets the fault for existing and new connections.
    pub fn set(&self, fault: Fault) {
        self.counts.struck.store(0, Ordering::SeqCst);
        self.fault.send_replace(fault);
    }

    /// Waits until the fault has been applied.
    ///
    /// # Panics
    /// If that does not happen in time.
    pub async fn struck(&self) {
        until("the fault strikes", async || match self.counts.struck.load(Ordering::SeqCst) {
            0 => Err("nothing was sent".to_owned()),
            _ => Ok(()),
        })
        .await;
    }

    /// The number of stream requests so far.
    #[must_use]
    pub fn asked(&self) -> u32 {
        self.counts.asked.load(Ordering::SeqCst)
    }
}

/// Forwards bytes in both directions until one side closes, and then closes the other.
async fn carry(
    mut near: TcpStream,
    mut far: TcpStream,
    faults: watch::Receiver<Fault>,
    counts: Arc<Counts>,
) -> io::Result<()> {
    // Without `TCP_NODELAY`, bytes that are sent one at a time would be combined again.
    near.set_nodelay(true)?;
    let (mut request, mut response) = ([0; 16_384], [0; 16_384]);
    loop {
        tokio::select! {
            read = near.read(&mut request) => {
                let bytes = &request[..read?];
                if bytes.is_empty() {
                    return Ok(());
                }
                if bytes.starts_with(b"GET /sse") {
                    counts.asked.fetch_add(1, Ordering::SeqCst);
                    let fault = *faults.borrow();
                    if let Fault::Answer(head) = fault {
                        let head = format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                        near.write_all(head.as_bytes()).await?;
                        return near.shutdown().await;
                    }
                }
                let fault = *faults.borrow();
                match fault {
                    // The contract cannot be changed in a compressed stream.
                    Fault::OtherContract => far.write_all(&without_compression(bytes)).await?,
                    _ => far.write_all(bytes).await?,
                }
            }
            read = far.read(&mut response) => {
                let bytes = &response[..read?];
                if bytes.is_empty() {
                    return Ok(());
                }
                let fault = *faults.borrow();
                if fault != Fault::None {
                    counts.struck.fetch_add(1, Ordering::SeqCst);
                }
                if !pass_on(fault, bytes, &mut near).await? {
                    return Ok(());
                }
            }
        }
    }
}

/// Forwards bytes of the server with the fault applied. Returns true if the connection stays open.
async fn pass_on(fault: Fault, bytes: &[u8], near: &mut TcpStream) -> io::Result<bool> {
    let half = &bytes[..bytes.len() / 2];
    match fault {
        Fault::None | Fault::Answer(_) => near.write_all(bytes).await?,
        Fault::Delay(time) => {
            sleep(time).await;
            near.write_all(bytes).await?;
        }
        Fault::Stall => {
            // Waits until the browser closes the connection.
            while near.read(&mut [0; 4096]).await? > 0 {}
            return Ok(false);
        }
        Fault::Cut => {
            near.write_all(half).await?;
            near.shutdown().await?;
            return Ok(false);
        }
        Fault::Reset => {
            near.write_all(half).await?;
            near.set_zero_linger()?;
            return Ok(false);
        }
        Fault::OneByteAtATime => {
            for byte in bytes {
                near.write_all(&[*byte]).await?;
                // Sends each byte in its own packet.
                sleep(Duration::from_millis(1)).await;
            }
        }
        Fault::OtherContract => near.write_all(&with_other_contract(bytes)).await?,
        Fault::WithoutLinks => near.write_all(&renamed(bytes, b"\r\nlink: ")).await?,
    }
    Ok(true)
}

/// Removes the request for compression.
fn without_compression(bytes: &[u8]) -> Vec<u8> {
    renamed(bytes, b"\r\naccept-encoding:")
}

/// Renames a header to an unknown name of the same length.
fn renamed(bytes: &[u8], header: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(at) = bytes.windows(header.len()).position(|window| window.eq_ignore_ascii_case(header)) {
        // The first byte of the name, after the end of the previous line.
        bytes[at + 2] = b'x';
    }
    bytes
}

/// Reverses the contract hash in a `hello`, which keeps the length.
fn with_other_contract(bytes: &[u8]) -> Vec<u8> {
    const FIELD: &[u8] = br#""contract":""#;
    let mut bytes = bytes.to_vec();
    if let Some(at) = bytes.windows(FIELD.len()).position(|window| window == FIELD) {
        let hash = at + FIELD.len()..at + FIELD.len() + 16;
        bytes[hash].reverse();
    }
    bytes
}
