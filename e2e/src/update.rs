//! A proxy that simulates an update of the server while a page is open. From then on it serves the files of the page
//! by other names, like a binary with another page.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The version of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The server's page, by its own names.
    Old,
    /// The same page by other names. The old names are gone.
    New,
    /// Like [`Version::New`], but all its modules are missing.
    NewAndBroken,
    /// Like [`Version::New`], but the page of a board is still the old one, as from a stubborn cache.
    NewBehindOldCache,
}

/// A proxy for a server that may be updated. It ends with the test process.
#[derive(Debug)]
pub struct UpdatedServer {
    base: String,
    version: watch::Sender<Version>,
    boards: Arc<AtomicU32>,
}

impl UpdatedServer {
    /// Starts the proxy on a free port, for the server at `base`. The version is the old one.
    ///
    /// # Panics
    /// If it cannot listen on loopback.
    pub async fn start(base: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be listened on");
        let here = format!("http://{}", listener.local_addr().expect("it is bound"));
        let server = base.trim_start_matches("http://").to_owned();
        let (version, versions) = watch::channel(Version::Old);
        let boards = Arc::new(AtomicU32::new(0));
        let counting = Arc::clone(&boards);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(&server).await else { continue };
                tokio::spawn(answer(near, far, versions.clone(), Arc::clone(&counting)));
            }
        });
        Self { base: here, version, boards }
    }

    /// The base URL, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sets the version from now on.
    pub fn set(&self, version: Version) {
        self.version.send_replace(version);
    }

    /// The number of requests for a board's page.
    #[must_use]
    pub fn boards(&self) -> u32 {
        self.boards.load(Ordering::SeqCst)
    }
}

/// Answers one request. Each connection is used once, so that the next request is examined too.
async fn answer(
    mut near: TcpStream,
    mut far: TcpStream,
    versions: watch::Receiver<Version>,
    boards: Arc<AtomicU32>,
) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if near.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let path = text.split(' ').nth(1).unwrap_or_default();
    let board = path.starts_with("/b/");
    boards.fetch_add(u32::from(board), Ordering::SeqCst);
    let version = *versions.borrow();
    let file = named(path);
    let page = board || path == "/";
    if version == Version::Old || !(page || file.is_some()) || (board && version == Version::NewBehindOldCache) {
        far.write_all(text.replace("keep-alive", "close").as_bytes()).await?;
        copy_bidirectional(&mut near, &mut far).await?;
        return Ok(());
    }
    // The new name is the old one with its hash reversed.
    far.write_all(format!("GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", turned(path)).as_bytes())
        .await?;
    let mut whole = Vec::new();
    far.read_to_end(&mut whole).await?;
    let broken = version == Version::NewAndBroken && file.is_some_and(|name| !name.contains("/pulseboard-client"));
    let is_module = path.ends_with(".wasm");
    if whole.starts_with(b"HTTP/1.1 404") || (broken && is_module) {
        whole = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec();
    } else if !is_module {
        // The inline scripts change with the names, so their hashes in the page's policy no longer match.
        let text = turned(&String::from_utf8_lossy(&whole));
        whole = text.replacen("content-security-policy:", "x-policy-of-the-old-page:", 1).into_bytes();
    }
    near.write_all(&whole).await?;
    near.shutdown().await
}

/// Returns the path if it is of a file with a hash in its name.
fn named(path: &str) -> Option<&str> {
    (turned(path) != path).then_some(path)
}

/// Reverses each hash in a text (`-0123456789abcdef.` or `-0123456789abcdef/`), which keeps the length.
fn turned(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for at in 0..bytes.len().saturating_sub(17) {
        let (before, after) = (text.as_bytes()[at], text.as_bytes()[at + 17]);
        let hash = &mut bytes[at + 1..at + 17];
        if before == b'-'
            && matches!(after, b'.' | b'/')
            && text.as_bytes()[at + 1..at + 17].iter().all(u8::is_ascii_hexdigit)
        {
            hash.reverse();
        }
    }
    String::from_utf8(bytes).expect("digits were exchanged for digits")
}
