//! Boards: their documents as they were written, and what they select since when.

use rusqlite::Connection;
use shared::board::Form;
use shared::board::word::Word as _;
use shared::{BoardId, Millis, Selector, Seq};

use super::{CommitError, Store};

/// A row stays when its document is deleted: `since` must outlive it.
const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS boards (
        id        TEXT    PRIMARY KEY,
        selectors TEXT    NOT NULL,
        since     INTEGER NOT NULL,
        form      TEXT,
        source    TEXT,
        changed   INTEGER
    ) WITHOUT ROWID
";

/// A board that was ever made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptBoard {
    /// Which board.
    pub id: BoardId,
    /// What its readers select; from a file of `--boards` where there is one.
    pub selectors: Vec<Selector>,
    /// The last point that was committed before they selected that.
    pub since: Seq,
    /// What was uploaded; nothing where it was deleted, or nothing ever was.
    pub document: Option<KeptDocument>,
}

/// A document as it was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptDocument {
    /// How it is written.
    pub form: Form,
    /// Its text, byte for byte.
    pub source: String,
    /// When it was uploaded.
    pub changed: Millis,
}

pub(super) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(TABLE)
}

impl Store {
    /// Every board that was ever made.
    ///
    /// # Errors
    /// Whatever SQLite says.
    pub fn boards(&self) -> rusqlite::Result<Vec<KeptBoard>> {
        let mut select = self.conn.prepare("SELECT id, selectors, since, form, source, changed FROM boards")?;
        let rows = select.query_map([], |row| {
            let id: String = row.get(0)?;
            let selectors: String = row.get(1)?;
            let form: Option<String> = row.get(3)?;
            let source: Option<String> = row.get(4)?;
            let changed = Millis(row.get::<_, Option<i64>>(5)?.unwrap_or_default().unsigned_abs());
            let document = form.as_deref().and_then(Form::of).zip(source);
            Ok(KeptBoard {
                id: id.parse().map_err(|error| unreadable(0, error))?,
                selectors: serde_json::from_str(&selectors).map_err(|error| unreadable(1, error))?,
                since: Seq(row.get::<_, i64>(2)?.unsigned_abs()),
                document: document.map(|(form, source)| KeptDocument { form, source, changed }),
            })
        })?;
        rows.collect()
    }

    /// Keeps the board in place of what was kept of it; on return it is on the disk.
    ///
    /// # Errors
    /// [`CommitError`]; then all is as it was.
    pub fn keep_board(&mut self, board: &KeptBoard) -> Result<(), CommitError> {
        let selectors = serde_json::to_string(&board.selectors).expect("selectors are texts");
        let document = board.document.as_ref();
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO boards (id, selectors, since, form, source, changed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                board.id.as_str(),
                selectors,
                signed(board.since.0),
                document.map(|document| document.form.word()),
                document.map(|document| document.source.as_str()),
                document.map(|document| signed(document.changed.0)),
            ))?;
        Ok(())
    }
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_is_read_back_as_it_was_kept_also_after_its_document_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let source = "# über\r\ntitle = \"x\"\n\n".to_owned();
        let mut board = KeptBoard {
            id: "ops".parse().unwrap(),
            selectors: vec!["a/*".parse().unwrap(), "b".parse().unwrap()],
            since: Seq(7),
            document: Some(KeptDocument { form: Form::Toml, source, changed: Millis(9) }),
        };
        for _ in 0..2 {
            store.keep_board(&board).unwrap();
            drop(store);
            store = Store::open(folder.path()).unwrap();
            assert_eq!(store.boards().unwrap(), [board.clone()]);
            board.document = None;
        }
    }
}
