//! Stores boards: their documents as uploaded, the selectors that they use, and the seq since which they use them.

use rusqlite::{Connection, Transaction, TransactionBehavior};
use shared::board::keyword::Keyword as _;
use shared::board::{BoardFormat, Etag};
use shared::{BoardId, Millis, Selector, Seq};

use super::damage::Part;
use super::{CommitError, Store, audit, membership, meta, sql};
use crate::log::entry::tag_of;
use crate::log::{BoardChange, BoardChanged, BoardDocument};

/// The row of a deleted board stays until it is [forgotten](Store::forget_board), since `since` must outlive the
/// document.
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

/// A board that exists or existed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBoard {
    /// The id of the board.
    pub id: BoardId,
    /// The selectors that subscribers of the board use. They come from a file of `--boards` if there is one.
    pub selectors: Vec<Selector>,
    /// The newest seq at which the board began to use these selectors.
    pub since: Seq,
    /// The uploaded document; `None` if it was deleted, or if none was uploaded.
    pub document: Option<BoardDocument>,
}

/// The state of a board that a change is applied to.
struct BeforeChange {
    selectors: Vec<Selector>,
    /// The seq since which it has these selectors.
    since: Seq,
    /// The tag of the uploaded document.
    document: Option<Etag>,
}

pub(super) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(TABLE)
}

impl Store {
    /// Reads every board that was created and is not forgotten. Skips rows that cannot be read.
    ///
    /// # Errors
    /// Any SQLite error.
    pub fn boards(&self) -> rusqlite::Result<Vec<StoredBoard>> {
        let mut select = self.conn.prepare("SELECT id, selectors, since, form, source, changed FROM boards")?;
        let mut rows = select.query([])?;
        let mut boards = Vec::new();
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(boards),
                Err(error) => return self.damage.take(Part::Table("boards"), error).map(|()| boards),
            };
            let id: Option<BoardId> = row.get_ref(0)?.as_str().ok().and_then(|id| id.parse().ok());
            let selectors = row.get_ref(1)?.as_str().ok().and_then(|text| serde_json::from_str(text).ok());
            let form = row.get_ref(3)?.as_str_or_null().map(|word| word.map(BoardFormat::of));
            let source = row.get_ref(4)?.as_str_or_null();
            let document = match (form, source) {
                (Ok(None), Ok(None)) => Some(None),
                (Ok(Some(Some(form))), Ok(Some(source))) => Some(Some((form, source.to_owned()))),
                _ => None,
            };
            let (Some(id), Some(selectors), Some(document)) = (id.clone(), selectors, document) else {
                self.damage.note(Part::Board(id), "its selectors or its document cannot be read");
                continue;
            };
            // If the seq is unknown, each subscriber begins with a snapshot.
            let since = meta::seq(row, 2)?.filter(|since| *since <= self.head).unwrap_or(self.head);
            let changed = Millis(row.get_ref(5)?.as_i64().map(i64::unsigned_abs).unwrap_or_default());
            let document = document.map(|(form, source)| BoardDocument { form, source, changed });
            boards.push(StoredBoard { id, selectors, since, document });
        }
    }

    /// Returns the seq up to which a cursor of a board without a row may predate its current selection.
    #[must_use]
    pub fn forgotten_since(&self) -> Seq {
        let since = self.conn.query_row("SELECT since FROM forgotten", [], |row| meta::seq(row, 0));
        since.ok().flatten().unwrap_or_default().min(self.head)
    }

    /// Removes the row of a deleted board, which selects all series under its name since `since`. From then on,
    /// cursors up to `since` count as those of another selection, for all boards without a row. Returns false, and
    /// changes nothing, if the board has a document again: another node of a cluster may have made it meanwhile.
    ///
    /// # Errors
    /// [`CommitError`]; then nothing has changed.
    pub fn forget_board(&mut self, id: &BoardId, since: Seq) -> Result<bool, CommitError> {
        if self.before_change(id)?.document.is_some() {
            return Ok(false);
        }
        let since = self.forgotten_since().max(since);
        self.change_rows(|tx| {
            tx.execute("DELETE FROM boards WHERE id = ?1", [id.as_str()])?;
            tx.execute("INSERT OR REPLACE INTO forgotten (one, since) VALUES (1, ?1)", [sql(since.0)])
        })
        .map(|()| true)
    }

    /// Applies a change of a board, unless it was overtaken; on return it is on the disk. If its selectors change, they
    /// apply from the head on.
    ///
    /// # Errors
    /// [`CommitError`]; then nothing has changed.
    pub fn apply_board(&mut self, change: &BoardChange) -> Result<BoardChanged, CommitError> {
        if let Some(why) = self.condition.lost() {
            return Err(CommitError::Lost(why));
        }
        let BoardChange { id, selectors, document, expects, .. } = change;
        let before = self.before_change(id).map_err(|error| {
            let error = CommitError::from(error);
            self.condition.failed(&error);
            error
        })?;
        if before.document != *expects {
            return Ok(BoardChanged::Overtaken);
        }
        let since = if before.selectors == *selectors { before.since } else { self.head };
        let (id, selectors, document) = (id.clone(), selectors.clone(), document.clone());
        self.store_board(&StoredBoard { id, selectors, since, document })?;
        Ok(BoardChanged::Since(since))
    }

    /// Reads the state of a board before a change.
    fn before_change(&self, id: &BoardId) -> rusqlite::Result<BeforeChange> {
        let mut select = self.conn.prepare_cached("SELECT selectors, since, form, source FROM boards WHERE id = ?1")?;
        let mut rows = select.query([id.as_str()])?;
        let Some(row) = rows.next()? else {
            return Ok(BeforeChange { selectors: vec![id.selector()], since: self.forgotten_since(), document: None });
        };
        let selectors = row.get_ref(0)?.as_str().ok().and_then(|text| serde_json::from_str(text).ok());
        let form = row.get_ref(2)?.as_str().ok().and_then(BoardFormat::of);
        // A row that cannot be read is left out by `boards`, so its board counts as one without a document, whose
        // selection changes.
        let document = form.zip(row.get_ref(3)?.as_str().ok()).filter(|_| selectors.is_some());
        Ok(BeforeChange {
            document: document.map(|(form, source)| tag_of(form, source)),
            selectors: selectors.unwrap_or_default(),
            since: meta::seq(row, 1)?.filter(|since| *since <= self.head).unwrap_or(self.head),
        })
    }

    /// Replaces the stored board; on return it is on the disk. A change of the selection, that is of
    /// [`StoredBoard::since`], takes a seq of its own. So a cursor from before the change never equals one from after
    /// it, even if the change is lost when a copy is restored.
    ///
    /// # Errors
    /// [`CommitError`]; then nothing has changed.
    pub fn store_board(&mut self, board: &StoredBoard) -> Result<(), CommitError> {
        let head = self.head.max(board.since.next());
        let selectors = serde_json::to_string(&board.selectors).expect("selectors are texts");
        let document = board.document.as_ref();
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.change_rows(|tx| {
            tx.prepare_cached("UPDATE meta SET head = ?1")?.execute([signed(head.0)])?;
            tx.prepare_cached(
                "INSERT OR REPLACE INTO boards (id, selectors, since, form, source, changed)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                board.id.as_str(),
                selectors,
                signed(board.since.0),
                document.map(|document| document.form.keyword()),
                document.map(|document| document.source.as_str()),
                document.map(|document| signed(document.changed.0)),
            ))
        })?;
        self.head = head;
        Ok(())
    }

    /// Commits a change of boards, tokens or users with its event of the audit log, and reports the result to the store's condition, as for a push.
    pub(super) fn change_rows(
        &mut self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<usize>,
    ) -> Result<(), CommitError> {
        if let Some(why) = self.condition.lost() {
            return Err(CommitError::Lost(why));
        }
        let changed = self.record_epoch().and_then(|()| {
            let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            change(&tx)?;
            audit::record(&tx, &self.by)?;
            membership::note(self.member.as_ref(), &tx)?;
            tx.commit()
        });
        match changed {
            Ok(()) => {
                membership::committed(self.member.as_mut());
                self.condition.committed();
                Ok(())
            }
            Err(error) => {
                let error = CommitError::from(error);
                self.condition.failed(&error);
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgotten_board_has_no_row_and_its_number_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        for (id, since) in [("a", 4), ("b", 9), ("c", 6)] {
            let (id, selectors) = (id.parse().unwrap(), vec!["x".parse().unwrap()]);
            store.store_board(&StoredBoard { id, selectors, since: Seq(since), document: None }).unwrap();
        }
        assert_eq!(store.forgotten_since(), Seq::ZERO);
        for (id, since) in [("a", 4), ("b", 9), ("c", 6)] {
            store.forget_board(&id.parse().unwrap(), Seq(since)).unwrap();
        }
        assert_eq!((store.boards().unwrap(), store.forgotten_since()), (Vec::new(), Seq(9)));
    }

    #[test]
    fn readiness_follows_changes_of_boards() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let board = |source: String| StoredBoard {
            id: "ops".parse().unwrap(),
            selectors: vec!["x".parse().unwrap()],
            since: Seq(4),
            document: Some(BoardDocument { form: BoardFormat::Toml, source, changed: Millis(9) }),
        };
        store.store_board(&board(String::new())).unwrap();
        let pages: i64 = store.conn.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        let _: i64 = store.conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get(0)).unwrap();
        assert_eq!(store.store_board(&board("x".repeat(1 << 20))), Err(CommitError::DiskFull));
        assert!(store.condition().is_failing());
        store.forget_board(&"gone".parse().unwrap(), Seq(4)).unwrap();
        assert!(!store.condition().is_failing());
        store.condition().lose("the file was deleted");
        assert!(matches!(store.forget_board(&"gone".parse().unwrap(), Seq(4)), Err(CommitError::Lost(_))));
    }

    #[test]
    fn a_board_is_read_back_as_it_was_kept_also_after_its_document_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let source = "# über\r\ntitle = \"x\"\n\n".to_owned();
        let mut board = StoredBoard {
            id: "ops".parse().unwrap(),
            selectors: vec!["a/*".parse().unwrap(), "b".parse().unwrap()],
            since: Seq(7),
            document: Some(BoardDocument { form: BoardFormat::Toml, source, changed: Millis(9) }),
        };
        for _ in 0..2 {
            store.store_board(&board).unwrap();
            drop(store);
            store = Store::open(folder.path()).unwrap();
            assert_eq!(store.boards().unwrap(), [board.clone()]);
            assert_eq!(store.head(), Seq(8), "the change has a number of its own");
            board.document = None;
        }
    }
}
