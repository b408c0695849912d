//! The tables of the shared log: creates them, and checks that they are what this program can use.
//!
//! - `pulseboard_head`: one row, which each append locks. It has the identity of the log, its last position, and the
//!   number of rows of a partition.
//! - `pulseboard_runs`: the last batch of each start of a node.
//! - `pulseboard_seed`: the pieces of the database with which the log began; empty if it began empty.
//! - `pulseboard_log`: the rows, in partitions, so that old ones can be dropped at once.

use getrandom::Error as RandomError;
use shared::Epoch;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::{ClusterUrl, LogIdentity, Position};

/// The value of the column `product`.
const PRODUCT: &str = "pulseboard";

/// The version of the tables.
const FORM: i32 = 1;

/// The oldest version of PostgreSQL, as `server_version_num`.
const OLDEST_SERVER: i32 = 150_000;

/// The rows of a partition of a new log: some hours of a busy cluster.
const PARTITION_ROWS: i64 = 1 << 20;

/// A lock that all nodes take while they create tables: the first bytes of a hash of the product's name.
const CREATE_LOCK: i64 = 0x7075_6c73_6562_6f61;

/// The days after which a run that appended nothing is forgotten. Its connections are closed long before.
const FORGET_RUNS: &str = "DELETE FROM pulseboard_runs WHERE seen < now() - interval '7 days'";

const CREATE: &str = "
    CREATE TABLE pulseboard_head (
        one            boolean PRIMARY KEY DEFAULT true CHECK (one),
        product        text    NOT NULL,
        form           integer NOT NULL,
        id             text    NOT NULL,
        epoch          text    NOT NULL,
        position       bigint  NOT NULL,
        partition_rows bigint  NOT NULL
    );
    CREATE TABLE pulseboard_runs (
        run   bigint      PRIMARY KEY,
        batch bigint      NOT NULL,
        seen  timestamptz NOT NULL
    );
    CREATE TABLE pulseboard_log (
        position bigint NOT NULL,
        run      bigint NOT NULL,
        batch    bigint NOT NULL,
        entries  bytea  NOT NULL,
        PRIMARY KEY (position)
    ) PARTITION BY RANGE (position);
    ALTER TABLE pulseboard_log ALTER COLUMN entries SET STORAGE EXTERNAL;
    CREATE TABLE pulseboard_seed (
        number bigint PRIMARY KEY,
        data   bytea  NOT NULL
    );
    ALTER TABLE pulseboard_seed ALTER COLUMN data SET STORAGE EXTERNAL;
";

/// The reason why a database cannot be used as the shared log. Each message is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The database cannot be reached, or refuses the connection.
    #[error(
        "cannot reach the shared log at {url}: {reason}; start PostgreSQL there, or correct the address, user, password or database in --cluster"
    )]
    Unreachable {
        /// The address.
        url: ClusterUrl,
        /// The error of the client or of the server.
        reason: String,
    },
    /// The server is too old.
    #[error("PostgreSQL at {url} has version {version}; the shared log needs 15 or later: upgrade it")]
    TooOld {
        /// The address.
        url: ClusterUrl,
        /// Its version.
        version: String,
    },
    /// The server is a standby.
    #[error(
        "PostgreSQL at {0} is a standby, which takes no writes; name the primary with --cluster, or all servers as postgres://…@HOST,HOST/…"
    )]
    Standby(ClusterUrl),
    /// The tables are of another program or version.
    #[error(
        "the tables pulseboard_… in {url} are not a shared log that this version can use: {reason}; name another database with --cluster"
    )]
    Foreign {
        /// The address.
        url: ClusterUrl,
        /// What differs.
        reason: String,
    },
    /// The log is not the one that this node has followed so far.
    #[error(
        "{url} has another shared log than this node follows ({found}, not {wanted}); correct --cluster, or name an empty folder with --data"
    )]
    Other {
        /// The address.
        url: ClusterUrl,
        /// The id of the log that is there.
        found: String,
        /// The id of the log of this node.
        wanted: String,
    },
    /// The server refused a statement.
    #[error("PostgreSQL at {url} refused to open the shared log: {reason}")]
    Refused {
        /// The address.
        url: ClusterUrl,
        /// The error of the server.
        reason: String,
    },
    /// The system gave no random number.
    #[error("cannot draw a random number: {0}")]
    Random(RandomError),
    /// The system cannot start the threads of the connections.
    #[error("the system refused: {0}")]
    System(#[from] std::io::Error),
}

/// A log as it is when it is opened.
#[derive(Clone, Debug)]
pub(super) struct OpenedLog {
    pub(super) identity: LogIdentity,
    /// The last position.
    pub(super) position: Position,
    /// True if it began with the content of a data folder.
    pub(super) has_seed: bool,
}

/// Describes an error of the client in one line.
pub(super) fn reason(error: &tokio_postgres::Error) -> String {
    let cause = error.as_db_error().map(|cause| cause.message().to_owned());
    let cause = cause.or_else(|| std::error::Error::source(error).map(|cause| format!("{error}: {cause}")));
    cause.unwrap_or_else(|| error.to_string()).replace('\n', " ")
}

/// Checks the server, and creates the tables if there are none.
///
/// # Errors
/// [`LogError`]. Tables that are there are not changed.
pub(super) async fn open(client: &mut Client, url: &ClusterUrl) -> Result<OpenedLog, LogError> {
    let refused = |error: tokio_postgres::Error| LogError::Refused { url: url.clone(), reason: reason(&error) };
    check_server(client, url).await?;
    let found = read(client).await;
    match found {
        Ok(head) => return head.check(url),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => {}
        Err(error) => return Err(LogError::Foreign { url: url.clone(), reason: reason(&error) }),
    }
    let identity = LogIdentity {
        id: format!(
            "{:016x}{:016x}",
            getrandom::u64().map_err(LogError::Random)?,
            getrandom::u64().map_err(LogError::Random)?
        ),
        epoch: Epoch(getrandom::u32().map_err(LogError::Random)?),
    };
    let tx = client.transaction().await.map_err(refused)?;
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&CREATE_LOCK]).await.map_err(refused)?;
    // Another node may have created the tables meanwhile.
    let there = "SELECT to_regclass('pulseboard_head') IS NOT NULL";
    let there: bool = tx.query_one(there, &[]).await.map_err(refused)?.get(0);
    if !there {
        tx.batch_execute(CREATE).await.map_err(refused)?;
        let head = "INSERT INTO pulseboard_head (product, form, id, epoch, position, partition_rows)
                    VALUES ($1, $2, $3, $4, 0, $5)";
        let epoch = identity.epoch.to_string();
        tx.execute(head, &[&PRODUCT, &FORM, &identity.id, &epoch, &PARTITION_ROWS]).await.map_err(refused)?;
        tracing::info!(log = %identity.id, at = %url, "created an empty shared log");
    }
    tx.commit().await.map_err(refused)?;
    let head = read(client).await;
    head.map_err(|error| LogError::Foreign { url: url.clone(), reason: reason(&error) })?.check(url)
}

/// The row of the table of the head.
struct Head {
    product: String,
    form: i32,
    id: String,
    epoch: String,
    position: i64,
    has_seed: bool,
}

async fn read(client: &Client) -> Result<Head, tokio_postgres::Error> {
    let select = "SELECT product, form, id, epoch, position, EXISTS (SELECT FROM pulseboard_seed) FROM pulseboard_head";
    let row = client.query_one(select, &[]).await?;
    Ok(Head {
        product: row.try_get(0)?,
        form: row.try_get(1)?,
        id: row.try_get(2)?,
        epoch: row.try_get(3)?,
        position: row.try_get(4)?,
        has_seed: row.try_get(5)?,
    })
}

impl Head {
    fn check(self, url: &ClusterUrl) -> Result<OpenedLog, LogError> {
        let Self { product, form, id, epoch, position, has_seed } = self;
        let foreign = |reason: String| LogError::Foreign { url: url.clone(), reason };
        if product != PRODUCT {
            return Err(foreign(format!("they belong to {product:?}")));
        }
        if form != FORM {
            return Err(foreign(format!("their form is version {form}, known is {FORM}")));
        }
        let epoch = epoch.parse().map_err(|_| foreign(format!("{epoch:?} is no epoch")))?;
        let position = Position::try_from(position).map_err(|_| foreign(format!("{position} is no position")))?;
        Ok(OpenedLog { identity: LogIdentity { id, epoch }, position, has_seed })
    }
}

async fn check_server(client: &Client, url: &ClusterUrl) -> Result<(), LogError> {
    let select =
        "SELECT current_setting('server_version_num')::integer, current_setting('server_version'), pg_is_in_recovery()";
    let row = client.query_one(select, &[]).await;
    let row = row.map_err(|error| LogError::Refused { url: url.clone(), reason: reason(&error) })?;
    if row.get::<_, i32>(0) < OLDEST_SERVER {
        return Err(LogError::TooOld { url: url.clone(), version: row.get(1) });
    }
    if row.get::<_, bool>(2) { Err(LogError::Standby(url.clone())) } else { Ok(()) }
}

/// Registers a run, and forgets those of nodes that stopped long ago.
pub(super) async fn begin_run(client: &Client, run: super::Run) -> Result<(), tokio_postgres::Error> {
    client.batch_execute(FORGET_RUNS).await?;
    let insert = "INSERT INTO pulseboard_runs (run, batch, seen) VALUES ($1, 0, now()) ON CONFLICT (run) DO UPDATE SET seen = now()";
    client.execute(insert, &[&run.0]).await.map(|_| ())
}

/// Creates the partitions of the next rows. Nodes that start at once wait for each other: `IF NOT EXISTS` alone fails if
/// another connection creates the same table at that moment.
pub(super) async fn add_partitions(client: &Client) -> Result<(), tokio_postgres::Error> {
    let head = client.query_one("SELECT position, partition_rows FROM pulseboard_head", &[]).await?;
    let (position, rows): (i64, i64) = (head.get(0), head.get(1));
    let current = position / rows;
    // An append may begin in one partition and end in the next.
    for number in [current, current + 1] {
        let (from, to) = (number * rows, (number + 1) * rows);
        let create = format!(
            "BEGIN; SELECT pg_advisory_xact_lock({CREATE_LOCK});
             CREATE TABLE IF NOT EXISTS pulseboard_log_{number} PARTITION OF pulseboard_log FOR VALUES FROM ({from}) TO ({to});
             COMMIT"
        );
        client.batch_execute(&create).await?;
    }
    Ok(())
}

/// Describes in one line whether an acknowledged push survives a crash of the server and the loss of a server, and
/// returns true if one could be lost.
pub(super) async fn promises(client: &Client) -> Result<(String, bool), tokio_postgres::Error> {
    let select = "SELECT current_setting('fsync'), current_setting('full_page_writes'),
                         current_setting('synchronous_commit'), current_setting('synchronous_standby_names')";
    let row = client.query_one(select, &[]).await?;
    let [fsync, pages, commit, standbys] = [0, 1, 2, 3].map(|at| row.get::<_, String>(at));
    Ok(describe(&fsync, &pages, &commit, &standbys))
}

fn describe(fsync: &str, pages: &str, commit: &str, standbys: &str) -> (String, bool) {
    let settings = format!("fsync={fsync}, synchronous_commit={commit}, synchronous_standby_names='{standbys}'");
    let (verdict, loses) = if fsync != "on" || pages != "on" {
        (
            "an acknowledged push can be lost when the machine of PostgreSQL crashes: set fsync and full_page_writes to on",
            true,
        )
    } else if commit == "off" {
        ("an acknowledged push can be lost when PostgreSQL crashes: set synchronous_commit to on", true)
    } else if standbys.is_empty() {
        (
            "an acknowledged push survives a crash of PostgreSQL, and can be lost with its disk, or when a standby is promoted: name a standby in synchronous_standby_names",
            true,
        )
    } else if commit == "local" {
        ("an acknowledged push can be lost when a standby is promoted: set synchronous_commit to on", true)
    } else {
        ("an acknowledged push survives the loss of the primary", false)
    };
    (format!("{verdict} ({settings})"), loses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_can_lose_an_acknowledged_push_are_warned_of() {
        for (settings, loses, wanted) in [
            (["off", "on", "on", "s1"], true, "fsync and full_page_writes"),
            (["on", "off", "on", "s1"], true, "fsync and full_page_writes"),
            (["on", "on", "off", "s1"], true, "synchronous_commit to on"),
            (["on", "on", "local", "s1"], true, "promoted"),
            (["on", "on", "on", ""], true, "synchronous_standby_names"),
            (["on", "on", "on", "s1"], false, "survives the loss"),
            (["on", "on", "remote_apply", "ANY 1 (*)"], false, "survives the loss"),
        ] {
            let [fsync, pages, commit, standbys] = settings;
            let (line, can_lose) = describe(fsync, pages, commit, standbys);
            assert!(can_lose == loses && line.contains(wanted), "{settings:?}: {line}");
        }
    }
}
