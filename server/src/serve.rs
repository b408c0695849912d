//! `pulseboard serve`: starts the server, and shuts it down in order.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sd_notify::NotifyState;
use shared::ByeReason;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::access::Authority;
use crate::access::authority::{BoardSelectors, Openness, Reach, StoredCredentials};
use crate::access::password::Passwords;
use crate::access::sign_in::SignIn;
use crate::app::state::AppState;
use crate::app::{RequestSources, app};
use crate::board::edition::Found;
use crate::board::{BoardRegistry, BoardsAtStart, LoadedBoards, folder};
use crate::catalog::overview::Overview;
use crate::cli::agent;
use crate::clock;
use crate::config::{Agent, Cluster, Config};
use crate::history::History;
use crate::http::forwarded::TrustedProxies;
use crate::http::hosts::{self, Hosts};
use crate::hub::Hub;
use crate::hub::driver::HubHandle;
use crate::ingest::intake::Intake;
use crate::ingest::{Ingest, ParserSettings};
use crate::limits::Limits;
use crate::limits::client::ClientSlots;
use crate::listener::capacity::{Capacity, TooFewFiles};
use crate::listener::renewal::Certificate;
use crate::listener::{self, Listener, tls};
use crate::log::OutOfRange;
use crate::log::postgres::{ClusterStatus, SharedLog};
use crate::monitoring::exposition::Sources;
use crate::monitoring::metrics::Metrics;
use crate::monitoring::rejections::Rejections;
use crate::monitoring::starting::Starting;
use crate::rollup::Rollup;
use crate::store::cluster_log::ClusterLog;
use crate::store::disk_space::NoSpace;
use crate::store::join::{self, JoinError};
use crate::store::local_log::LocalLog;
use crate::store::migration::Progress;
use crate::store::node_log::NodeLog;
use crate::store::table_sizes::TableSizes;
use crate::store::{CommitError, Condition, OpenError, Store, StoreStats, Writer};
use crate::stream::state::{StreamSlots, Streams};
use crate::stream::writer::Writers;

/// Time for requests in progress when the server stops. Streams end at once.
const GRACE: Duration = Duration::from_millis(700);

/// Interval of the check for tokens that have expired.
const LEASE_CHECK: Duration = Duration::from_millis(500);

/// Clients reconnect within this many milliseconds of `bye`, each at a random time.
const RETURN_SPREAD_MS: u32 = 2_000;

/// Reason why the server does not start, or stops. Each message is one line that says what to do.
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
        /// The folder.
        folder: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The folder of boards cannot be watched.
    #[error("cannot watch the folder of boards {}: {source}; name another with --boards", folder.display())]
    BoardWatch {
        /// The folder.
        folder: PathBuf,
        /// The error of the operating system.
        source: notify::Error,
    },
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// The process may open too few files.
    #[error(transparent)]
    Files(#[from] TooFewFiles),
    /// Others could reach the server, and there is no token.
    #[error(
        "{addr} can be reached by others, and there is no user and no token: add the first with \
         `pulseboard user add NAME --data {}` or `pulseboard token create NAME --admin --data {}`; or add --open, \
         so that everyone can read, push, edit and delete without a password",
        data.display(), data.display()
    )]
    NoCredentials {
        /// The address.
        addr: SocketAddr,
        /// The data folder.
        data: PathBuf,
    },
    /// Others could reach the node of a cluster, and there is no token.
    #[error(
        "{0} can be reached by others, and the cluster has no user and no token: start this node with --addr 127.0.0.1:0, add the \
         first with `pulseboard user add NAME` at the address that it prints, and start it as before; or add --open, so \
         that everyone can read, push, edit and delete without a password"
    )]
    NoCredentialsOfCluster(SocketAddr),
    /// Another program listens on the address.
    #[error(
        "{0} is in use by another program; stop that one, or name another address with --addr (port 0 takes a free one)"
    )]
    InUse(SocketAddr),
    /// The operating system does not let the server listen on the address.
    #[error("cannot listen on {addr}: {source}; name another address with --addr")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The node cannot join its cluster.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The node cannot follow the shared log any more.
    #[error("{0}")]
    Stopped(String),
    /// The log changed while the server started.
    #[error(transparent)]
    Log(#[from] OutOfRange),
    /// The operating system refused a resource that every server needs.
    #[error("the system refused: {0}")]
    System(#[from] std::io::Error),
}

/// Serves until SIGINT or SIGTERM, then ends within a second.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(config: Config) -> Result<(), ServeError> {
    // Installed before all else: a SIGHUP without a handler ends the process.
    let hangup = signal(SignalKind::hangup())?;
    // Every stream holds a file descriptor, and the system's default limit of 1,024 is too low for that.
    let files = rlimit::increase_nofile_limit(u64::MAX).or_else(|error| {
        tracing::warn!(%error, "cannot raise the number of files that may be open");
        rlimit::Resource::NOFILE.get_soft()
    })?;
    let (capacity, warnings) = Capacity::fit(&config.limits, files)?;
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let limits = Limits { readers: capacity.readers, ..config.limits.clone() };
    let encrypt = config.tls.as_ref().map(Certificate::load).transpose()?;
    let scheme = if encrypt.is_some() { "https" } else { "http" };
    // Bound before the store is opened, so that a port in use is noticed at once.
    let listener = listen(config.addr)?;
    let addr = listener.local_addr()?;
    let (mut store, shared) = match config.cluster.clone() {
        Some(Cluster { url, max_lag }) => {
            let (data, limits) = (config.data.clone(), config.limits.clone());
            let join = move || join::join(&data, &limits, || SharedLog::open(&url, max_lag));
            let (store, shared) = tokio::task::spawn_blocking(join).await.map_err(std::io::Error::other)??;
            (store, Some(shared))
        }
        None => (open_store(&config, &listener).await?, None),
    };
    store.set_limits(&config.limits);
    let credentials = StoredCredentials { tokens: store.tokens()?, users: store.users()?, links: store.links()? };
    let openness = openness(&config, &credentials)?;

    let mut rollup = Rollup::new(store.epochs(), store.head());
    rollup.set_now(clock::now().wall);
    store.recover(|recovered| _ = rollup.restore(recovered))?;
    rollup.make_ready();
    tracing::info!(series = rollup.len(), points = rollup.head().0, data = %config.data.display(), "read the store");

    let directory = store.directory();
    let history = History::new(&store, config.retention, &config.limits, config.heartbeat);
    let found = config.boards.as_ref().map_or_else(|| Ok(Found::default()), |folder| read_boards(folder))?;
    let removed_since = store.removed_since();
    let (mut log, boards): (Box<dyn NodeLog>, _) = match shared {
        Some(shared) => {
            let boards = BoardsAtStart::of_store(&store)?;
            (Box::new(ClusterLog::new(store, shared)), boards)
        }
        None => {
            let mut log = LocalLog::new(store);
            let boards = BoardsAtStart::load(&mut log, &found)?;
            (Box::new(log), boards)
        }
    };
    // Board files that changed while the server was stopped were given seqs.
    let head = log.store().head();
    rollup.reach(head);
    let hub = HubHandle::new(Hub::new(rollup, boards.for_hub(), config.heartbeat).with_removed(removed_since), &limits);
    let metrics = Metrics::default();
    let boards = LoadedBoards::new(boards);
    let of_board = boards.clone();
    let selectors = BoardSelectors::new(move |id| of_board.selectors(id));
    let authority =
        Authority::new(credentials, openness, config.anonymous.clone(), selectors, config.remote_users.clone(), head);
    log.subscribe(head, Box::new(metrics.clone()))?;
    // Before the hub: a client that hears of a change can fetch the document at once.
    log.subscribe(head, Box::new(boards.clone()))?;
    // After the boards, whose selectors it reads, and before the hub, which then ends the streams whose leases are over.
    log.subscribe(head, Box::new(authority.clone()))?;
    log.subscribe(head, Box::new(hub.clone()))?;
    let (writer, writing) = Writer::start(log, config.retention)?;
    let cluster = writer.cluster().cloned();
    let registry = BoardRegistry::new(boards, writer.clone());
    let watch = |folder: PathBuf| {
        folder::watch(folder.clone(), registry.clone(), found)
            .map_err(|source| ServeError::BoardWatch { folder, source })
    };
    let boards = config.boards.map(watch).transpose()?;
    let pacer = tokio::spawn(hub.clone().pace());
    let rejections = Rejections::default();
    let watched =
        Watched { condition: writer.condition().clone(), stats: writer.shared_stats(), cluster: cluster.clone() };
    let warner = tokio::spawn(warn(hub.clone(), watched, rejections.clone()));
    let timekeeper = tokio::spawn(keep_leases(authority.clone(), hub.clone(), writer.clone()));
    let renewal = encrypt.clone().map(|certificate| tokio::spawn(certificate.renew()));
    let rereading = tokio::spawn(reread(hangup, encrypt.clone(), boards));

    let writers = Writers::start(&hub, config.heartbeat)?;

    let mut stop = Stop::listen()?;
    let settings = ParserSettings { directory, late_ms: config.late.as_millis(), most_points: limits.points };
    let intake = Intake::new(&limits);
    let connections = ClientSlots::new(capacity.connections, capacity.connections_per_address);
    let slots = StreamSlots::new(capacity.readers, capacity.readers_per_address);
    let sources = Sources {
        metrics: metrics.clone(),
        rejections: rejections.clone(),
        hub: hub.clone(),
        history: history.clone(),
        writer: writer.clone(),
        memory: intake.memory().clone(),
        connections: connections.clone(),
        tables: TableSizes::new(&config.data),
        limits,
    };
    let hosts = Hosts::new(addr.ip(), &config.allow_origins, &config.hosts, hosts::machine().as_deref());
    let proxies = TrustedProxies::new(&config.trusted_proxies);
    let service = app(
        AppState {
            authority: authority.clone(),
            proxies: proxies.clone(),
            sign_in: SignIn {
                authority: authority.clone(),
                writer: writer.clone(),
                is_https: encrypt.is_some(),
                proxies: proxies.clone(),
                passwords: Passwords::default(),
                throttle: Arc::default(),
            },
            ingest: Ingest { writer: writer.clone(), intake, settings, metrics: metrics.clone() },
            influx: Arc::default(),
            streams: Streams { hub: hub.clone(), writer: writer.clone(), slots, compression: config.compression },
            hub: hub.clone(),
            writer,
            overview: Overview::new(hub.clone(), registry.clone(), history.clone()),
            history,
            boards: registry,
            metrics: metrics.clone(),
            rejections,
            sources,
        },
        RequestSources { hosts, origins: config.allow_origins, frames: config.allow_frames, proxies },
    );
    warn_if_open(&authority, config.open, addr);
    announce(scheme, addr)?;
    notify_supervisor(&NotifyState::Ready);
    if config.agent == Agent::On {
        let secret =
            authority.make_agent(agent::capability()).map_err(|error| std::io::Error::other(error.to_string()))?;
        agent::spawn(scheme, addr, secret.reveal())?;
    }

    let stopped = OnceLock::new();
    let stopping = async {
        tokio::select! {
            signal = stop.wait() => tracing::info!(signal, "stopping"),
            why = end_of_cluster(cluster) => stopped.set(why).expect("the server stops once"),
        }
        notify_supervisor(&NotifyState::Stopping);
        hub.close(ByeReason::Shutdown, RETURN_SPREAD_MS);
    };
    let listener = Listener {
        socket: listener,
        encrypt,
        service,
        writers,
        patience: config.heartbeat,
        timeouts: config.timeouts,
        streams: streams_of_connection(capacity.readers),
        slots: connections,
        metrics,
    };
    listener.serve(stopping, GRACE).await;
    pacer.abort();
    timekeeper.abort();
    warner.abort();
    rereading.abort();
    if let Some(renewal) = renewal {
        renewal.abort();
    }
    // The writer thread ends once all its handles are gone; everything that it acknowledged is on the disk already.
    drop(writing);
    stopped.get().map_or(Ok(()), |why| Err(ServeError::Stopped(why.clone())))
}

/// Waits until this node can no longer follow the shared log; for ever if it has none.
async fn end_of_cluster(cluster: Option<ClusterStatus>) -> String {
    match cluster {
        Some(cluster) => cluster.stopped().await,
        None => std::future::pending().await,
    }
}

/// Decides what the server permits while there is no token.
///
/// # Errors
/// [`ServeError::NoCredentials`] if others can reach it, and nobody said that they may do everything.
fn openness(config: &Config, credentials: &StoredCredentials) -> Result<Openness, ServeError> {
    if config.addr.ip().is_loopback() {
        return Ok(Openness::Open(Reach::Loopback));
    }
    if config.open {
        return Ok(Openness::Open(Reach::Network));
    }
    if credentials.is_empty() && config.remote_users.is_none() && config.cluster.is_some() {
        return Err(ServeError::NoCredentialsOfCluster(config.addr));
    }
    if credentials.is_empty() && config.remote_users.is_none() {
        return Err(ServeError::NoCredentials { addr: config.addr, data: config.data.clone() });
    }
    Ok(Openness::Closed)
}

fn warn_if_open(authority: &Authority, open: bool, addr: SocketAddr) {
    let is_open = authority.everyone().is_some();
    if is_open && !addr.ip().is_loopback() {
        tracing::warn!(
            "--open: everyone who can reach {addr} can read, push, edit and delete without a password; let only trusted networks \
             reach it, or create a token (pulseboard token create)"
        );
    }
    if open && !is_open {
        tracing::warn!(
            "--open has no effect: there are tokens, or --anonymous, and everything is denied that they do not grant"
        );
    }
}

/// Ends the streams whose tokens expire, and stores when tokens were last used.
async fn keep_leases(authority: Authority, hub: HubHandle, writer: Writer) {
    let mut every = tokio::time::interval(LEASE_CHECK);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if authority.end_expired(clock::now().wall) {
            hub.access_changed();
        }
        let uses = authority.new_uses();
        if !uses.is_empty()
            && let Err(error) = writer.note_token_uses(uses).await
        {
            tracing::debug!(%error, "cannot store when tokens were last used");
        }
    }
}

/// Opens the store. While a folder of an earlier version is upgraded, `GET /readyz` shows the progress, unless the server
/// uses TLS: then clients wait.
async fn open_store(config: &Config, listener: &TcpListener) -> Result<Store, ServeError> {
    let progress = Progress::default();
    let mut opening = tokio::task::spawn_blocking({
        let (data, progress) = (config.data.clone(), progress.clone());
        move || Store::open_with(&data, &progress)
    });
    let mut starting = None;
    loop {
        tokio::select! {
            opened = &mut opening => return Ok(opened.map_err(std::io::Error::other)??),
            () = tokio::time::sleep(Duration::from_millis(100)) => {
                if starting.is_none() && config.tls.is_none() && progress.text().is_some() {
                    starting = Some(Starting::serve(listener, progress.clone())?);
                }
            }
        }
    }
}

/// Maximum number of concurrent streams of one HTTP/2 connection: at most half of the maximum number of streams, but at
/// least 16, which is enough for a page with all its files.
fn streams_of_connection(readers: usize) -> u32 {
    u32::try_from(readers / 2).unwrap_or(u32::MAX).clamp(16, 100)
}

/// At each SIGHUP, reads the files again that may change while the server runs. Without this, SIGHUP would end the
/// process.
async fn reread(mut hangup: Signal, certificate: Option<Certificate>, boards: Option<Arc<Notify>>) {
    while hangup.recv().await.is_some() {
        let again = [certificate.as_ref().map(|_| "the certificate"), boards.as_ref().map(|_| "the folder of boards")];
        let again: Vec<_> = again.into_iter().flatten().collect();
        if again.is_empty() {
            tracing::info!(
                "SIGHUP: there is nothing to read again; flags, environment and --config are read at the start only"
            );
        } else {
            tracing::info!("SIGHUP: reading {} again", again.join(" and "));
        }
        if let Some(certificate) = &certificate {
            certificate.look();
        }
        if let Some(boards) = &boards {
            boards.notify_one();
        }
    }
}

/// The parts of the server whose warnings pages show.
struct Watched {
    condition: Condition,
    stats: Arc<StoreStats>,
    cluster: Option<ClusterStatus>,
}

/// Sends the warnings of the store and of the shared log to open pages; checks once a second if they changed. Also logs
/// how many refused pushes were not logged in that second.
async fn warn(hub: HubHandle, Watched { condition, stats, cluster }: Watched, rejections: Rejections) {
    let mut every = tokio::time::interval(Duration::from_secs(1));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        // Without figures, which would change all the time.
        let no_space = stats.no_space().map(|no_space| match no_space {
            NoSpace::Data { .. } => "the database has the size that --max-data allows".to_owned(),
            NoSpace::Disk { .. } => "the file system of --data is full".to_owned(),
        });
        let refusal = condition.refusal().or(no_space).map(|why| format!("pushes are refused: {why}"));
        rejections.log_left_out();
        let cluster = cluster.as_ref().and_then(ClusterStatus::warning);
        hub.warn(refusal.into_iter().chain(cluster).chain(condition.warnings()).collect());
    }
}

fn read_boards(path: &Path) -> Result<Found, ServeError> {
    let found = folder::read(path).map_err(|source| ServeError::BoardFolder { folder: path.to_owned(), source })?;
    folder::warn(&found, &Found::default());
    Ok(found)
}

/// Prints the first line of standard output, so that a caller that asked for port 0 learns which port it got.
fn announce(scheme: &str, addr: SocketAddr) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {scheme}://{addr}")?;
    out.flush()
}

/// Reports the state of the service to systemd (`sd_notify`(3)). Does nothing where `NOTIFY_SOCKET` is not set.
fn notify_supervisor(state: &NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(std::slice::from_ref(state)) {
        tracing::warn!(%error, "cannot tell the service manager the state of the service");
    }
}

fn listen(addr: SocketAddr) -> Result<TcpListener, ServeError> {
    listener::listen(addr).map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => ServeError::InUse(addr),
        _ => ServeError::Listen { addr, source },
    })
}

/// The signals that stop the server.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
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
