//! `pulseboard agent`: pushes the figures of the machine that it runs on, through `POST /in` as anyone would.

pub mod host;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use host::Host;

use crate::upload::{UploadError, Uploader};

/// How often the server's own agent looks.
const EVERY: Duration = Duration::from_secs(1);

/// Looks at the machine every so often and pushes what it sees, for ever. What cannot be pushed is lost: the next
/// figures are on their way.
pub fn run(to: &str, every: Duration) -> ! {
    push(to, &Uploader::new(to), every)
}

fn push(to: &str, uploader: &Uploader, every: Duration) -> ! {
    let mut host = Host::new();
    let mut failing = false;
    let mut next = Instant::now();
    loop {
        // Kept to the beat, however long a push takes; a beat that was missed is not made up for.
        next = (next + every).max(Instant::now());
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        match uploader.push(&host.look(), None) {
            Ok(()) => {
                if std::mem::take(&mut failing) {
                    tracing::info!(to, "pushing again");
                }
            }
            Err(error @ UploadError::Refused(_)) => tracing::error!(%error, "the server does not take these figures"),
            // Said once, not every second.
            Err(error) if !failing => {
                tracing::warn!(%error, "trying again every {every:?}");
                failing = true;
            }
            Err(_) => {}
        }
    }
}

/// Runs the agent of a server, on a thread that ends with it.
///
/// # Errors
/// Where the system has no thread left.
pub fn spawn(scheme: &str, server: SocketAddr) -> std::io::Result<()> {
    // A server that listens on every address is reached on loopback.
    let ip = match server.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let to = format!("{scheme}://{}", SocketAddr::new(ip, server.port()));
    std::thread::Builder::new().name("agent".to_owned()).spawn(move || push(&to, &Uploader::to_self(&to), EVERY))?;
    Ok(())
}
