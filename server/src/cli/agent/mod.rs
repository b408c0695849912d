//! `pulseboard agent`: pushes metrics of the machine that it runs on, through `POST /in` like any other client.
//! [`host`] measures them.

pub mod host;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use host::Host;
use shared::Capability;
use shared::access::Grant;

use crate::cli::server::Server;
use crate::cli::upload::{UploadError, Uploader};

/// Interval of the server's own agent.
const EVERY: Duration = Duration::from_secs(1);

/// Measures the machine at the interval `every` and pushes the result, for ever. Points that cannot be pushed are lost:
/// the next ones follow soon.
pub fn run(server: &Server, every: Duration) -> ! {
    push(server.url(), &Uploader::new(server), every)
}

fn push(to: &str, uploader: &Uploader, every: Duration) -> ! {
    let mut host = Host::new();
    let mut failing = false;
    let mut next = Instant::now();
    loop {
        // Keeps a fixed interval, however long a push takes. A missed interval is not made up for.
        next = (next + every).max(Instant::now());
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        match uploader.push(&host.look(), None) {
            Ok(()) => {
                if std::mem::take(&mut failing) {
                    tracing::info!(to, "pushing again");
                }
            }
            Err(error @ UploadError::Refused(_)) => tracing::error!(%error, "the server does not take these figures"),
            // Logged once, not every second.
            Err(error) if !failing => {
                tracing::warn!(%error, "trying again every {every:?}");
                failing = true;
            }
            Err(_) => {}
        }
    }
}

/// Returns everything that the server's own agent may do: push its metrics.
#[must_use]
pub fn capability() -> Capability {
    let grant = Grant::Push("host/**".parse().expect("it is a selector"));
    Capability::new(vec![grant], None).expect("it has a grant")
}

/// Starts the server's own agent, with its token, on a thread that ends with the process.
///
/// # Errors
/// Where the system cannot start another thread.
pub fn spawn(scheme: &str, server: SocketAddr, token: &str) -> std::io::Result<()> {
    // A server that listens on every address is reached on loopback.
    let ip = match server.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let to = format!("{scheme}://{}", SocketAddr::new(ip, server.port()));
    let server = Server::new(&to, token.parse().ok());
    let run = move || push(server.url(), &Uploader::to_self(&server), EVERY);
    std::thread::Builder::new().name("agent".to_owned()).spawn(run)?;
    Ok(())
}
