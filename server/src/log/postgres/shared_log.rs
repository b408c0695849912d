//! The handle of one node to the shared log. It is used by one thread, which may block; a small runtime of its own
//! drives the connections.

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use parking_lot::Mutex;
use shared::Millis;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::link::{Batch, Link, LinkError};
use super::tables::{LogError, OpenedLog};
use super::{ClusterStatus, ClusterUrl, LogIdentity, LogRow, Position, Run};

/// The longest time that the server may take for an answer. After it, the log counts as away: the thread that waits
/// also serves everything else.
const LONGEST_ANSWER: Duration = Duration::from_secs(1);

/// The time between two attempts to connect: it doubles from the first to the second.
const RECONNECT: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(800)];

/// The shortest time between two rings of the doorbell.
const TICK: Duration = Duration::from_millis(5);

/// The shared log cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the shared log has been away since {}: {why}", utc(*.since))]
pub struct Away {
    /// The time at which it was lost.
    pub since: Millis,
    /// The reason.
    pub why: String,
}

/// The reason why a batch was not appended, or may not have been.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The log cannot be reached; nothing was appended.
    #[error(transparent)]
    Away(#[from] Away),
    /// The server refused it; nothing was appended.
    #[error("PostgreSQL refused to append to the shared log: {0}")]
    Refused(String),
    /// The connection was lost before the answer came: the batch may have been appended.
    #[error("the shared log was lost while this was appended: {0}")]
    InDoubt(String),
}

/// Receives the events of the connections.
pub(super) struct Events {
    ring: OnceLock<Box<dyn Fn() + Send + Sync>>,
    link: Mutex<Option<Arc<Link>>>,
    status: OnceLock<ClusterStatus>,
    /// Wakes the task that connects.
    reconnect: Notify,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").field("link", &self.link.lock().is_some()).finish_non_exhaustive()
    }
}

impl Events {
    /// Another node has appended.
    pub(super) fn ring(&self) {
        if let Some(ring) = self.ring.get() {
            ring();
        }
    }

    /// A connection of the link with this number has ended.
    pub(super) fn lost(&self, number: u64, why: &str) {
        let mut link = self.link.lock();
        if link.as_ref().is_some_and(|link| link.number() == number) {
            let lost = link.take();
            drop(link);
            drop(lost);
            if let Some(status) = self.status.get() {
                status.lost(why, wall());
            }
            self.reconnect.notify_one();
        }
    }
}

/// Formats a time to the second, in UTC.
fn utc(at: Millis) -> String {
    let seconds = i64::try_from(at.0 / 1_000).unwrap_or_default();
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|time| time.format(&Rfc3339).ok());
    time.unwrap_or_else(|| at.to_string())
}

/// Returns the time for messages. It takes no part in any state.
fn wall() -> Millis {
    Millis(std::time::UNIX_EPOCH.elapsed().map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)))
}

/// The handle of one node to the shared log.
#[derive(Debug)]
pub struct SharedLog {
    /// Drives the connections. Empty only while it is dropped.
    runtime: Option<Runtime>,
    events: Arc<Events>,
    status: ClusterStatus,
    identity: LogIdentity,
    run: Run,
    next_batch: u64,
    /// The batch whose commit answer was lost.
    in_doubt: Option<Batch>,
    /// The last position when the log was opened.
    head_at_start: Position,
    /// True if the log began with the content of a data folder.
    has_seed: bool,
}

impl SharedLog {
    /// Opens the shared log, and creates it if the database has none. Keeps the connections open from then on. With a lag
    /// beyond `max_lag` the node is not ready.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn open(url: &ClusterUrl, max_lag: Duration) -> Result<Self, LogError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("shared-log")
            .enable_all()
            .build()?;
        // Positive, so that it is the same in each form.
        let run = Run((getrandom::u64().map_err(LogError::Random)? >> 1).cast_signed());
        let events = Arc::new(Events {
            ring: OnceLock::new(),
            link: Mutex::new(None),
            status: OnceLock::new(),
            reconnect: Notify::new(),
        });
        let (link, opened) = runtime.block_on(Link::open(url, run, 0, &events))?;
        let OpenedLog { identity, position, has_seed } = opened;
        let link = Arc::new(link);
        runtime.block_on(link.log_promises(url));
        let status = ClusterStatus::new(identity.epoch, position, max_lag);
        let _first = events.status.set(status.clone());
        *events.link.lock() = Some(link.clone());
        if link.is_closed() {
            events.lost(0, "the connection was closed");
        }
        runtime.spawn(link.keep_ringing(run, TICK));
        runtime.spawn(keep_connected(url.clone(), run, identity.clone(), events.clone(), status.clone()));
        let runtime = Some(runtime);
        Ok(Self {
            runtime,
            events,
            status,
            identity,
            run,
            next_batch: 1,
            in_doubt: None,
            head_at_start: position,
            has_seed,
        })
    }

    /// Returns the identity of the log.
    #[must_use]
    pub fn identity(&self) -> &LogIdentity {
        &self.identity
    }

    /// Returns the run of this handle.
    #[must_use]
    pub fn run(&self) -> Run {
        self.run
    }

    /// Returns the last position when the log was opened.
    #[must_use]
    pub fn head_at_start(&self) -> Position {
        self.head_at_start
    }

    /// Returns true if the log began with the content of a data folder.
    #[must_use]
    pub fn has_seed(&self) -> bool {
        self.has_seed
    }

    /// Returns the status for other threads.
    #[must_use]
    pub fn status(&self) -> ClusterStatus {
        self.status.clone()
    }

    /// Calls `ring` whenever another node has appended, and when the log is back.
    pub fn on_ring(&self, ring: Box<dyn Fn() + Send + Sync>) {
        let _first = self.events.ring.set(ring);
    }

    /// Appends rows, each with packed entries, as one batch. Returns the number of the first row and its position.
    ///
    /// # Errors
    /// [`AppendError`].
    pub fn append(&mut self, rows: Vec<Vec<u8>>) -> Result<(u64, Position), AppendError> {
        self.settle()?;
        let link = self.link()?;
        let batch = Batch { first: self.next_batch, rows };
        self.next_batch = batch.last() + 1;
        let appending = link.append(&self.identity, self.run, &batch);
        match self.wait(appending) {
            Some(Ok(Some(position))) => Ok((batch.first, position)),
            Some(Ok(None)) => Err(AppendError::Refused("its number was used already".to_owned())),
            Some(Err(LinkError::Refused(why))) => Err(AppendError::Refused(why)),
            Some(Err(LinkError::Lost(why))) => Err(self.doubt(&link, batch, why)),
            None => {
                let why = format!("PostgreSQL did not answer within {} s", LONGEST_ANSWER.as_secs());
                Err(self.doubt(&link, batch, why))
            }
        }
    }

    fn doubt(&mut self, link: &Link, batch: Batch, why: String) -> AppendError {
        self.events.lost(link.number(), &why);
        self.in_doubt = Some(batch);
        AppendError::InDoubt(why)
    }

    /// Finds out whether the batch in doubt was appended; if it was not, it never will be.
    fn settle(&mut self) -> Result<(), Away> {
        let Some(batch) = &self.in_doubt else { return Ok(()) };
        let link = self.link()?;
        let settling = link.settle(&self.identity, self.run, batch);
        match self.wait(settling) {
            Some(Ok(is_there)) => {
                tracing::info!(is_there, "a batch whose answer was lost is settled");
                self.in_doubt = None;
                Ok(())
            }
            Some(Err(LinkError::Refused(why) | LinkError::Lost(why))) => Err(self.lost(&link, &why)),
            None => Err(self.lost(&link, "PostgreSQL did not answer")),
        }
    }

    /// Returns the number of the open link, and the last position of the log when it was opened. After another link was
    /// opened, the log may have another past: a standby without the last rows may have taken over.
    ///
    /// # Errors
    /// [`Away`].
    pub fn link_opened(&self) -> Result<(u64, Position), Away> {
        self.link().map(|link| (link.number(), link.head()))
    }

    /// Reads the next rows after a position. Returns them, and true if there may be more.
    ///
    /// # Errors
    /// [`Away`].
    pub fn rows_after(&self, position: Position) -> Result<(Vec<LogRow>, bool), Away> {
        let link = self.link()?;
        let reading = link.rows_after(position);
        match self.wait(reading) {
            Some(Ok(rows)) => Ok(rows),
            Some(Err(why)) => Err(self.lost(&link, &why)),
            None => Err(self.lost(&link, "PostgreSQL did not answer")),
        }
    }

    /// Reads the row at a position; `None` if the log does not have it.
    ///
    /// # Errors
    /// [`Away`].
    pub fn row_at(&self, position: Position) -> Result<Option<LogRow>, Away> {
        let link = self.link()?;
        let reading = link.row_at(position);
        match self.wait(reading) {
            Some(Ok(row)) => Ok(row),
            Some(Err(why)) => Err(self.lost(&link, &why)),
            None => Err(self.lost(&link, "PostgreSQL did not answer")),
        }
    }

    /// Waits for an answer of the server, at most for [`LONGEST_ANSWER`].
    fn wait<T>(&self, answer: impl Future<Output = T>) -> Option<T> {
        self.block(async { tokio::time::timeout(LONGEST_ANSWER, answer).await }).ok()
    }

    /// Waits for an answer of the server.
    pub(super) fn block<T>(&self, answer: impl Future<Output = T>) -> T {
        self.runtime.as_ref().expect("it is there until the drop").block_on(answer)
    }

    /// Returns the open link.
    pub(super) fn link(&self) -> Result<Arc<Link>, Away> {
        let link = self.events.link.lock().clone();
        if let Some(link) = &link
            && link.is_closed()
        {
            return Err(self.lost(link, "the connection was closed"));
        }
        link.ok_or_else(|| self.away())
    }

    fn lost(&self, link: &Link, why: &str) -> Away {
        self.events.lost(link.number(), why);
        self.away()
    }

    fn away(&self) -> Away {
        self.status.away().unwrap_or_else(|| Away { since: wall(), why: "the connection was closed".to_owned() })
    }
}

impl Drop for SharedLog {
    fn drop(&mut self) {
        // Does not wait, since a thread that runs futures must not.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Opens the link again whenever it is lost.
async fn keep_connected(url: ClusterUrl, run: Run, wanted: LogIdentity, events: Arc<Events>, status: ClusterStatus) {
    let [shortest, longest] = RECONNECT;
    let mut number = 0;
    loop {
        events.reconnect.notified().await;
        let mut wait = shortest;
        while events.link.lock().is_none() {
            number += 1;
            let opened = tokio::time::timeout(2 * LONGEST_ANSWER, Link::open(&url, run, number, &events)).await;
            match opened {
                Ok(Ok((_, OpenedLog { identity, .. }))) if identity != wanted => {
                    tracing::error!(found = %identity.id, wanted = %wanted.id, at = %url, "another shared log is there now; nothing is changed in it");
                }
                Ok(Ok((link, OpenedLog { position: head, .. }))) => {
                    let link = Arc::new(link);
                    link.log_promises(&url).await;
                    *events.link.lock() = Some(link.clone());
                    status.found(head);
                    if link.is_closed() {
                        events.lost(number, "the connection was closed");
                        continue;
                    }
                    tokio::spawn(link.keep_ringing(run, TICK));
                    events.ring();
                    break;
                }
                Ok(Err(error)) => tracing::debug!(%error, "the shared log is still away"),
                Err(_) => tracing::debug!("the shared log is still away: it does not answer"),
            }
            tokio::time::sleep(wait).await;
            wait = (2 * wait).min(longest);
        }
    }
}
