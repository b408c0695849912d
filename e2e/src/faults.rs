//! A network that misbehaves: a TCP proxy between the browser and the server.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::until;

/// What becomes of the bytes that a server sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// They go on at once.
    None,
    /// They go on after a while.
    Delay(Duration),
    /// They vanish, and so does all that comes after them on this connection; it stays open.
    Stall,
    /// Half of them go on, then the connection ends in good order.
    Cut,
    /// Half of them go on, then the connection is reset.
    Reset,
    /// They go on one at a time.
    OneByteAtATime,
    /// Another contract is named in them than the server's.
    OtherContract,
    /// No page says what it will fetch.
    WithoutLinks,
    /// A request for the stream never reaches the server, and is answered with this head and no body.
    Answer(&'static str),
}

/// A proxy for a server. It ends with the process of the test.
#[derive(Debug)]
pub struct FaultyProxy {
    base: String,
    fault: watch::Sender<Fault>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// How often a fault struck since it was set.
    struck: AtomicU32,
    /// How many requests for the stream came, ever.
    asked: AtomicU32,
}

impl FaultyProxy {
    /// Starts it on a free port, in front of the server at `base`.
    ///
    /// # Panics
    /// When loopback cannot be listened on.
    pub async fn start(base: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be listened on");
        let here = format!("http://{}", listener.local_addr().expect("it is bound"));
        let server = base.trim_start_matches("http://").to_owned();
        let (fault, faults) = watch::channel(Fault::None);
        let counts = Arc::new(Counts::default());
        let counting = Arc::clone(&counts);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                // Where the server is gone, the browser finds its connection closed.
                let Ok(far) = TcpStream::connect(&server).await else { continue };
                tokio::spawn(carry(near, far, faults.clone(), Arc::clone(&counting)));
            }
        });
        Self { base: here, fault, counts }
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// From now on this becomes of what the server sends, on the connections that there are and on new ones.
    pub fn set(&self, fault: Fault) {
        self.counts.struck.store(0, Ordering::SeqCst);
        self.fault.send_replace(fault);
    }

    /// Waits until the fault has struck.
    ///
    /// # Panics
    /// When it does not.
    pub async fn struck(&self) {
        until("the fault strikes", async || match self.counts.struck.load(Ordering::SeqCst) {
            0 => Err("nothing was sent".to_owned()),
            _ => Ok(()),
        })
        .await;
    }

    /// How many requests for the stream came.
    #[must_use]
    pub fn asked(&self) -> u32 {
        self.counts.asked.load(Ordering::SeqCst)
    }
}

/// Carries bytes both ways until one side ends, which takes the other with it.
async fn carry(
    mut near: TcpStream,
    mut far: TcpStream,
    faults: watch::Receiver<Fault>,
    counts: Arc<Counts>,
) -> io::Result<()> {
    // Else what is sent one at a time would be gathered again.
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
                    // What is compressed has no contract to be read.
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

/// Passes on what the server sent; whether the connection lives on.
async fn pass_on(fault: Fault, bytes: &[u8], near: &mut TcpStream) -> io::Result<bool> {
    let half = &bytes[..bytes.len() / 2];
    match fault {
        Fault::None | Fault::Answer(_) => near.write_all(bytes).await?,
        Fault::Delay(time) => {
            sleep(time).await;
            near.write_all(bytes).await?;
        }
        Fault::Stall => {
            // Until the browser has had enough of it.
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
                // A packet each.
                sleep(Duration::from_millis(1)).await;
            }
        }
        Fault::OtherContract => near.write_all(&with_other_contract(bytes)).await?,
        Fault::WithoutLinks => near.write_all(&renamed(bytes, b"\r\nlink: ")).await?,
    }
    Ok(true)
}

/// A request that asks for no compression.
fn without_compression(bytes: &[u8]) -> Vec<u8> {
    renamed(bytes, b"\r\naccept-encoding:")
}

/// What is sent, with a header under a name that nobody knows, so that lengths stay as they are.
fn renamed(bytes: &[u8], header: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(at) = bytes.windows(header.len()).position(|window| window.eq_ignore_ascii_case(header)) {
        // After the end of the line before it.
        bytes[at + 2] = b'x';
    }
    bytes
}

/// The hash in a hello, turned around, so that lengths stay as they are.
fn with_other_contract(bytes: &[u8]) -> Vec<u8> {
    const FIELD: &[u8] = br#""contract":""#;
    let mut bytes = bytes.to_vec();
    if let Some(at) = bytes.windows(FIELD.len()).position(|window| window == FIELD) {
        let hash = at + FIELD.len()..at + FIELD.len() + 16;
        bytes[hash].reverse();
    }
    bytes
}
