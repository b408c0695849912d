//! An open pair of connections to the shared log. One appends, and the other reads and carries the doorbell: so a
//! `NOTIFY` is never part of the transaction of an append.

use std::future::poll_fn;
use std::sync::Arc;

use futures_util::future;
use tokio::sync::Notify;
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client, Connection, Statement};

use super::shared_log::Events;
use super::tables::{self, LogError, OpenedLog};
use super::{ClusterUrl, LogIdentity, LogRow, Position, Run};

/// The channel of the doorbell.
const CHANNEL: &str = "pulseboard_log";

/// The most rows that one read returns. A row has up to about a megabyte.
const READ_ROWS: i64 = 64;

/// An open pair of connections.
#[derive(Debug)]
pub(super) struct Link {
    /// Appends.
    append: Client,
    lock_head: Statement,
    insert: Statement,
    use_up: Statement,
    /// Reads, listens and notifies.
    read: Client,
    select: Statement,
    /// Tells the task of the doorbell that something was appended.
    appended: Arc<Notify>,
    /// The number of this link, which distinguishes its end from that of a later one.
    number: u64,
    /// The last position of the log when the link was opened.
    head: Position,
}

/// The result of appending a batch.
#[derive(Debug)]
pub(super) enum LinkError {
    /// The server refused it: nothing was appended.
    Refused(String),
    /// The answer is lost: it may have been appended.
    Lost(String),
}

/// A batch: the number of its first row, and the packed entries of each row.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) first: u64,
    pub(super) rows: Vec<Vec<u8>>,
}

impl Batch {
    pub(super) fn last(&self) -> u64 {
        self.first + self.rows.len() as u64 - 1
    }
}

fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Drives a connection until it ends; `notified` is called for each notification.
async fn drive<S, T>(mut connection: Connection<S, T>, mut notified: impl FnMut(&str)) -> String
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(notification))) => notified(notification.payload()),
            Some(Ok(_)) => {}
            Some(Err(error)) => return tables::reason(&error),
            None => return "the connection was closed".to_owned(),
        }
    }
}

impl Link {
    /// Opens both connections, checks the log, and registers the run.
    ///
    /// # Errors
    /// [`LogError`].
    pub(super) async fn open(
        url: &ClusterUrl,
        run: Run,
        number: u64,
        events: &Arc<Events>,
    ) -> Result<(Self, OpenedLog), LogError> {
        let unreachable =
            |error: tokio_postgres::Error| LogError::Unreachable { url: url.clone(), reason: tables::reason(&error) };
        let refused =
            |error: tokio_postgres::Error| LogError::Refused { url: url.clone(), reason: tables::reason(&error) };
        let (mut append, connection) = url.connect().await.map_err(unreachable)?;
        tokio::spawn({
            let events = events.clone();
            async move { events.lost(number, &drive(connection, |_| {}).await) }
        });
        let opened = tables::open(&mut append, url).await?;
        tables::begin_run(&append, run).await.map_err(refused)?;
        tables::add_partitions(&append).await.map_err(refused)?;
        let (read, connection) = url.connect().await.map_err(unreachable)?;
        tokio::spawn({
            let events = events.clone();
            async move {
                let own = run.0.to_string();
                let ring = |payload: &str| {
                    if payload != own {
                        events.ring();
                    }
                };
                let why = drive(connection, ring).await;
                events.lost(number, &why);
            }
        });
        read.batch_execute(&format!("LISTEN {CHANNEL}")).await.map_err(refused)?;
        let lock_head = append.prepare("SELECT position FROM pulseboard_head WHERE id = $1 FOR UPDATE");
        // The number of the batch is used up first: a batch whose number is used up already has no rows here.
        let insert = append.prepare(
            "WITH fresh AS (
                 INSERT INTO pulseboard_runs AS runs (run, batch, seen) VALUES ($1, $3, now())
                 ON CONFLICT (run) DO UPDATE SET batch = $3, seen = now() WHERE runs.batch < $2 RETURNING run
             ), head AS (
                 UPDATE pulseboard_head SET position = position + cardinality($4::bytea[]) FROM fresh WHERE id = $5
                 RETURNING position - cardinality($4::bytea[]) AS before
             )
             INSERT INTO pulseboard_log (position, run, batch, entries)
             SELECT head.before + one.number, $1, $2 + one.number - 1, one.entries
             FROM head, unnest($4::bytea[]) WITH ORDINALITY AS one (entries, number)
             RETURNING position",
        );
        let use_up = append.prepare(
            "INSERT INTO pulseboard_runs AS runs (run, batch, seen) VALUES ($1, $3, now())
             ON CONFLICT (run) DO UPDATE SET batch = $3, seen = now() WHERE runs.batch < $2 RETURNING batch",
        );
        let (lock_head, insert, use_up) = future::try_join3(lock_head, insert, use_up).await.map_err(refused)?;
        let select = read.prepare(
            "SELECT position, run, batch, entries FROM pulseboard_log WHERE position > $1 ORDER BY position LIMIT $2",
        );
        let select = select.await.map_err(refused)?;
        let appended = Arc::new(Notify::new());
        let head = opened.position;
        let link = Self { append, lock_head, insert, use_up, read, select, appended, number, head };
        Ok((link, opened))
    }

    /// Returns the connection that appends, for work before the first row.
    pub(super) fn client(&self) -> &Client {
        &self.append
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn head(&self) -> Position {
        self.head
    }

    pub(super) fn is_closed(&self) -> bool {
        self.append.is_closed() || self.read.is_closed()
    }

    /// Logs the promises of the server.
    pub(super) async fn log_promises(&self, url: &ClusterUrl) {
        match tables::promises(&self.read).await {
            Ok((line, false)) => tracing::info!(at = %url, "the shared log: {line}"),
            Ok((line, true)) => tracing::warn!(at = %url, "the shared log: {line}"),
            Err(error) => {
                tracing::warn!(at = %url, "cannot read the settings of PostgreSQL: {}", tables::reason(&error));
            }
        }
    }

    /// Appends a batch, unless it is there already. Returns the position of its first row; `None` if its numbers are
    /// used up.
    ///
    /// # Errors
    /// [`LinkError`].
    pub(super) async fn append(
        &self,
        log: &LogIdentity,
        run: Run,
        batch: &Batch,
    ) -> Result<Option<Position>, LinkError> {
        match self.try_append(log, run, batch).await {
            Err(AppendFailed::NoPartition) => {
                let added = tables::add_partitions(&self.append).await;
                added.map_err(|error| LinkError::Refused(tables::reason(&error)))?;
                self.try_append(log, run, batch).await.map_err(AppendFailed::into_error)
            }
            other => other.map_err(AppendFailed::into_error),
        }
    }

    /// Sends the whole transaction at once, so that it takes one round trip. Each statement sees what was committed
    /// before it, so the second sees everything that was appended before the head was locked.
    async fn try_append(
        &self,
        log: &LogIdentity,
        run: Run,
        Batch { first, rows }: &Batch,
    ) -> Result<Option<Position>, AppendFailed> {
        let last = sql(first + rows.len() as u64 - 1);
        let first = sql(*first);
        let (begun, locked, inserted, committed) = future::join4(
            self.append.batch_execute("BEGIN"),
            self.append.query_opt(&self.lock_head, &[&log.id]),
            self.append.query(&self.insert, &[&run.0, &first, &last, rows, &log.id]),
            self.append.batch_execute("COMMIT"),
        )
        .await;
        let lost = |error: &tokio_postgres::Error| AppendFailed::Lost(tables::reason(error));
        // A statement that the server refused has undone the transaction.
        let refused = begun.as_ref().err().or(locked.as_ref().err()).or(inserted.as_ref().err());
        if let Some(error) = refused {
            return Err(match error.as_db_error() {
                Some(cause) if is_no_partition(cause) => AppendFailed::NoPartition,
                Some(cause) => AppendFailed::Refused(cause.message().to_owned()),
                None => lost(error),
            });
        }
        committed.map_err(|error| lost(&error))?;
        if locked.is_ok_and(|row| row.is_none()) {
            return Err(AppendFailed::Refused("the log was replaced by another".to_owned()));
        }
        self.appended.notify_one();
        let positions = inserted.unwrap_or_default();
        Ok(positions.iter().map(|row| row.get::<_, i64>(0)).min().map(i64::cast_unsigned))
    }

    /// Uses up the numbers of a batch whose commit answer was lost. Returns true if the batch is in the log; after
    /// false it never will be.
    ///
    /// # Errors
    /// [`LinkError`]; then it is still not known.
    pub(super) async fn settle(&self, log: &LogIdentity, run: Run, batch: &Batch) -> Result<bool, LinkError> {
        let (first, last) = (sql(batch.first), sql(batch.last()));
        let (begun, locked, used_up, committed) = future::join4(
            self.append.batch_execute("BEGIN"),
            self.append.query_opt(&self.lock_head, &[&log.id]),
            self.append.query_opt(&self.use_up, &[&run.0, &first, &last]),
            self.append.batch_execute("COMMIT"),
        )
        .await;
        let lost = |error: tokio_postgres::Error| LinkError::Lost(tables::reason(&error));
        begun.and(locked.map(|_| ())).and(committed).map_err(lost)?;
        Ok(used_up.map_err(lost)?.is_none())
    }

    /// Reads the rows after a position, up to [`READ_ROWS`]. Returns them, and true if there may be more.
    ///
    /// # Errors
    /// The reason.
    pub(super) async fn rows_after(&self, position: Position) -> Result<(Vec<LogRow>, bool), String> {
        let rows = self.read.query(&self.select, &[&sql(position), &READ_ROWS]).await;
        let rows = rows.map_err(|error| tables::reason(&error))?;
        let is_full = sql(rows.len() as u64) == READ_ROWS;
        let read = rows.iter().map(|row| LogRow {
            position: row.get::<_, i64>(0).cast_unsigned(),
            run: Run(row.get(1)),
            batch: row.get::<_, i64>(2).cast_unsigned(),
            entries: row.get(3),
        });
        Ok((read.collect(), is_full))
    }

    /// Reads the row at a position; `None` if the log does not have it.
    ///
    /// # Errors
    /// The reason.
    pub(super) async fn row_at(&self, position: Position) -> Result<Option<LogRow>, String> {
        let (rows, _) = self.rows_after(position.saturating_sub(1)).await?;
        Ok(rows.into_iter().next().filter(|row| row.position == position))
    }

    /// Rings at the other nodes after each append, at most once in `tick`. Ends with the connection.
    pub(super) async fn keep_ringing(self: Arc<Self>, run: Run, tick: std::time::Duration) {
        let appended = self.appended.clone();
        let notify = format!("NOTIFY {CHANNEL}, '{}'", run.0);
        // The task must not keep the connections open.
        let link = Arc::downgrade(&self);
        drop(self);
        loop {
            appended.notified().await;
            let Some(link) = link.upgrade() else { return };
            if link.read.batch_execute(&notify).await.is_err() {
                return;
            }
            drop(link);
            tokio::time::sleep(tick).await;
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The task of the doorbell ends.
        self.appended.notify_one();
    }
}

/// The reason why an append failed.
enum AppendFailed {
    NoPartition,
    Refused(String),
    Lost(String),
}

impl AppendFailed {
    fn into_error(self) -> LinkError {
        match self {
            Self::NoPartition => LinkError::Refused("there is no partition for the next rows".to_owned()),
            Self::Refused(why) => LinkError::Refused(why),
            Self::Lost(why) => LinkError::Lost(why),
        }
    }
}

/// Returns true if no partition takes the rows. PostgreSQL has no code of its own for that.
fn is_no_partition(error: &tokio_postgres::error::DbError) -> bool {
    *error.code() == SqlState::CHECK_VIOLATION && error.constraint().is_none()
}
