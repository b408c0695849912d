//! `pulseboard serve`: starts the server, and ends it well.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use shared::ByeReason;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::agent;
use crate::app::{AppState, app};
use crate::board::shelf::Entries;
use crate::board::{Shelf, folder};
use crate::config::{Agent, Config};
use crate::door::renewal::Certificate;
use crate::door::{self, tls};
use crate::history::History;
use crate::hub::Hub;
use crate::hub::driver::HubHandle;
use crate::ingest::intake::Intake;
use crate::metrics::Metrics;
use crate::rollup::Rollup;
use crate::store::{CommitError, OpenError, Store, Writer};
use crate::stream::writer::Writers;

/// How long requests that are under way may take when the server ends. Streams end at once.
const GRACE: Duration = Duration::from_millis(700);

/// Readers come back within this many milliseconds of `bye`, each at a time of its own.
const RETURN_SPREAD_MS: u32 = 2_000;

/// Why the server does not start, or ends. Each message is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The store cannot be read.
    #[error("cannot read the store: {0}; if it is damaged, move it away: a new one is made")]
    Read(#[from] rusqlite::Error),
    /// The boards of the store cannot be read, or brought up to date.
    #[error("cannot read the boards of the store: {0}; if it is damaged, move it away: a new one is made")]
    Boards(#[from] CommitError),
    /// The folder of boards cannot be read.
    #[error("cannot read the folder of boards {}: {source}; make it readable, or name another with --boards", folder.display())]
    BoardFolder {
        /// Which folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder of boards cannot be watched.
    #[error("cannot watch the folder of boards {}: {source}; name another with --boards", folder.display())]
    BoardWatch {
        /// Which folder.
        folder: PathBuf,
        /// What the system said.
        source: notify::Error,
    },
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// Something else listens there.
    #[error(
        "{0} is in use by another program; stop that one, or name another address with --addr (port 0 takes a free one)"
    )]
    InUse(SocketAddr),
    /// The system does not let the server listen there.
    #[error("cannot listen on {addr}: {source}; name another address with --addr")]
    Listen {
        /// Where.
        addr: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system refused something that every server needs.
    #[error("the system refused: {0}")]
    System(#[from] std::io::Error),
}

/// Serves until SIGINT or SIGTERM, then ends within a second.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(config: Config) -> Result<(), ServeError> {
    // Every reader holds a file; the system's default of 1,024 is meant for programs that do not know better.
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) => tracing::debug!(files, "files that may be open"),
        Err(error) => tracing::warn!(%error, "cannot raise the number of files that may be open"),
    }
    let encrypt = config.tls.as_ref().map(Certificate::load).transpose()?;
    let scheme = if encrypt.is_some() { "https" } else { "http" };
    let mut store = Store::open(&config.data)?;
    store.set_limits(&config.limits);
    // Bound before the store is read, so that a port in use is noticed at once.
    let listener = listen(config.addr)?;
    let addr = listener.local_addr()?;

    let mut rollup = Rollup::new(store.epoch(), store.head());
    store.recover(|recovered| _ = rollup.restore(recovered))?;
    rollup.make_ready();
    tracing::info!(series = rollup.len(), points = rollup.head().0, data = %config.data.display(), "read the store");

    let directory = store.directory();
    let history = History::new(&store, config.retention);
    let found = config.boards.as_ref().map_or_else(|| Ok(folder::Found::default()), |folder| read_boards(folder))?;
    let boards = Entries::load(&mut store, &found)?;

    let hub = HubHandle::new(Hub::new(rollup, boards.for_hub(), config.heartbeat), &config.limits);
    let metrics = Metrics::default();
    let publisher = (hub.clone(), metrics.clone());
    let (writer, writing) = Writer::start(store, config.retention, move |committed| {
        publisher.1.committed(committed.len());
        publisher.0.publish(committed);
    })?;
    let shelf = Shelf::new(boards, hub.clone(), writer.clone());
    if let Some(folder) = config.boards {
        folder::watch(folder.clone(), shelf.clone(), found)
            .map_err(|source| ServeError::BoardWatch { folder, source })?;
    }
    let pacer = tokio::spawn(hub.clone().pace());
    let renewal = encrypt.clone().map(|certificate| tokio::spawn(certificate.renew()));

    let writers = Writers::start(&hub)?;

    let mut stop = Stop::listen()?;
    let compression = config.compression;
    let late_ms = config.late.ms();
    let (limits, intake) = (config.limits.clone(), Intake::new(&config.limits));
    let hub_of_app = hub.clone();
    let service = app(
        AppState { writer, directory, hub: hub_of_app, shelf, metrics, compression, intake, late_ms, limits, history },
        &config.allow_origins,
    );
    announce(scheme, addr)?;
    if config.agent == Agent::On {
        agent::spawn(scheme, addr)?;
    }

    let stopping = async {
        let signal = stop.wait().await;
        tracing::info!(signal, "stopping");
        hub.close(ByeReason::Shutdown, RETURN_SPREAD_MS);
    };
    door::serve(listener, encrypt, service, writers, config.heartbeat, stopping, GRACE).await;
    pacer.abort();
    if let Some(renewal) = renewal {
        renewal.abort();
    }
    // The writer ends by itself once all ways to it are gone; what it acknowledged is on the disk already.
    drop(writing);
    Ok(())
}

fn read_boards(path: &Path) -> Result<folder::Found, ServeError> {
    let found = folder::read(path).map_err(|source| ServeError::BoardFolder { folder: path.to_owned(), source })?;
    folder::warn(&found, &folder::Found::default());
    Ok(found)
}

/// The first line of standard output, so that who asked for port 0 learns which it got.
fn announce(scheme: &str, addr: SocketAddr) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {scheme}://{addr}")?;
    out.flush()
}

fn listen(addr: SocketAddr) -> Result<TcpListener, ServeError> {
    door::listen(addr).map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => ServeError::InUse(addr),
        _ => ServeError::Listen { addr, source },
    })
}

/// The signals that ask the server to end.
struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn wait(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}
