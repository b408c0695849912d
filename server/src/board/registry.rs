//! The board registry: all boards in memory, and the only place where they change.
//!
//! Changes are operations of the thread that appends to the log ([`Writer::change_boards`]). So they are checked and made
//! one after the other. Each is an entry of the log between the points before it and the points after it, which the
//! registry and the hub receive as subscribers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use shared::board::Etag;
use shared::{BoardId, Selector, Seq};

use super::document::selectors;
use super::edition::{Edition, Found, Origin};
use super::precondition::Conditions;
use super::{Document, Refusal};
use crate::clock;
use crate::hub::{BoardRecord, Boards};
use crate::log::{Applied, BoardChange, BoardDocument, Subscriber, Tracks};
use crate::store::boards::KeptBoard;
use crate::store::local_log::LocalLog;
use crate::store::operation::BoardOperation;
use crate::store::{CommitError, Writer};

/// Maximum number of uploaded boards; they are kept in memory.
pub const MAX_BOARDS: usize = 1_000;

/// Maximum size of all uploaded documents together: 32 MiB. Parsed, they take several times as much memory.
pub const MAX_BYTES: usize = 32 << 20;

/// Maximum number of deleted boards that are remembered one by one. After that, the oldest is forgotten, and its
/// subscribers with an old cursor begin with a snapshot.
const MAX_DELETED: usize = 1_000;

/// The result of a PUT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// The board is new.
    Made,
    /// The board existed, and now has the new document.
    Replaced,
}

/// Reason why a board was not changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BoardError {
    /// The board, or a condition of the request, does not permit the change.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// All documents together would have more than [`MAX_BYTES`].
    #[error(
        "the other boards have {there} bytes and this one {bytes}; all boards together may have {MAX_BYTES}; delete boards that nobody needs"
    )]
    TooManyBytes {
        /// Bytes of the other boards.
        there: usize,
        /// Bytes of the document.
        bytes: usize,
    },
    /// The store cannot write now.
    #[error(transparent)]
    Store(#[from] CommitError),
}

/// A board that has, or had, a document.
#[derive(Clone, Debug)]
struct Entry {
    uploaded: Option<Edition>,
    /// The board from the folder. It hides the uploaded one.
    filed: Option<Edition>,
    /// The selectors of its subscribers and the point since which they apply, as the store and the hub have them.
    selectors: Vec<Selector>,
    since: Seq,
}

impl Entry {
    /// Returns the entry of a board that has no entry. Cursors up to `since` may belong to another selection, since the
    /// board may have been forgotten.
    fn never_made(id: &BoardId, since: Seq) -> Self {
        Self { uploaded: None, filed: None, selectors: vec![id.selector()], since }
    }

    fn shown(&self) -> Option<&Edition> {
        self.filed.as_ref().or(self.uploaded.as_ref())
    }

    fn etag(&self) -> Option<Etag> {
        self.shown().map(|edition| edition.document.etag())
    }

    fn for_hub(&self) -> BoardRecord {
        BoardRecord { selectors: self.selectors.clone(), etag: self.etag(), since: self.since }
    }

    /// Returns the selectors that follow from the document that is shown.
    fn selected(&self, id: &BoardId) -> Vec<Selector> {
        selectors(id, self.shown().map(|edition| &*edition.document))
    }

    /// Returns the change that gives the board this state.
    fn as_change(&self, id: &BoardId) -> BoardChange {
        let document = self.uploaded.as_ref().map(|edition| BoardDocument {
            form: edition.document.form(),
            source: edition.document.source().to_owned(),
            changed: edition.changed,
        });
        BoardChange { id: id.clone(), selectors: self.selected(id), etag: self.etag(), document }
    }

    /// Appends the board in its present state.
    fn append(mut self, log: &mut LocalLog, id: &BoardId) -> Result<Self, CommitError> {
        self.selectors = self.selected(id);
        self.since = log.change_board(self.as_change(id))?;
        Ok(self)
    }
}

/// All boards that were made and are not forgotten. Loaded before the server accepts changes.
#[derive(Debug, Default)]
pub struct Entries {
    all: BTreeMap<BoardId, Entry>,
    /// [`Entry::since`] of all other boards.
    forgotten: Seq,
}

impl Entries {
    /// Loads the boards from the store, and adds those of the folder. A file that came or went while the server was
    /// stopped counts as a change that happens now.
    ///
    /// # Errors
    /// Any error of SQLite.
    pub fn load(log: &mut LocalLog, found: &Found) -> Result<Self, CommitError> {
        let mut entries = Self { all: BTreeMap::new(), forgotten: log.store().forgotten() };
        for KeptBoard { id, selectors, since, document } in log.store().boards()? {
            let uploaded = document.map(|BoardDocument { form, source, changed }| Edition {
                document: Arc::new(Document::restore(form, source)),
                changed,
                origin: Origin::Stored,
            });
            let filed = found.editions.get(&id).cloned();
            let entry = Entry { uploaded, filed, selectors, since };
            // Each write is synced, so unchanged boards are not written again.
            let entry = if entry.selected(&id) == entry.selectors { entry } else { entry.append(log, &id)? };
            entries.all.insert(id, entry);
        }
        for (id, edition) in &found.editions {
            if !entries.all.contains_key(id) {
                let entry = Entry { filed: Some(edition.clone()), ..Entry::never_made(id, entries.forgotten) }
                    .append(log, id)?;
                entries.all.insert(id.clone(), entry);
            }
        }
        while let Some((id, since)) = entries.surplus() {
            log.forget_board(id.clone(), since)?;
            entries.forget(&id, since);
        }
        Ok(entries)
    }

    /// Returns the board that was deleted first, if too many deleted boards are remembered.
    fn surplus(&self) -> Option<(BoardId, Seq)> {
        let deleted = || self.all.iter().filter(|(_, entry)| entry.shown().is_none());
        let oldest = deleted().min_by_key(|(_, entry)| entry.since).filter(|_| deleted().count() > MAX_DELETED);
        oldest.map(|(id, entry)| (id.clone(), entry.since))
    }

    fn forget(&mut self, id: &BoardId, since: Seq) {
        self.all.remove(id);
        self.forgotten = self.forgotten.max(since);
    }

    /// Returns the boards in the form that the hub needs.
    #[must_use]
    pub fn for_hub(&self) -> Boards {
        let mut boards = Boards::default();
        boards.forget(None, self.forgotten);
        for (id, entry) in &self.all {
            boards.set(id.clone(), entry.for_hub());
        }
        boards
    }
}

/// All boards in memory. Clones share the same state. It subscribes to the log, so it changes where the log does.
#[derive(Clone, Debug)]
pub struct LoadedBoards(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Only the store's thread writes it, so a value that is read on that thread stays current there.
    entries: RwLock<Entries>,
    /// The board that is being appended, with its parsed documents.
    pending: Mutex<Option<Entry>>,
}

impl LoadedBoards {
    /// Makes the boards of a running server.
    #[must_use]
    pub fn new(entries: Entries) -> Self {
        Self(Arc::new(Inner { entries: RwLock::new(entries), pending: Mutex::default() }))
    }
}

impl Subscriber for LoadedBoards {
    fn apply(&mut self, applied: &Applied<'_>, _: &dyn Tracks) {
        match *applied {
            Applied::Board { id, selectors, since, .. } => {
                if let Some(entry) = self.0.pending.lock().take() {
                    let entry = Entry { selectors: selectors.to_vec(), since, ..entry };
                    self.0.entries.write().all.insert(id.clone(), entry);
                }
            }
            Applied::BoardForgotten { id, since } => self.0.entries.write().forget(id, since),
            Applied::Points(_) | Applied::SeriesRemoved { .. } => {}
        }
    }
}

/// The board registry. Clones share the same state.
#[derive(Clone, Debug)]
pub struct BoardRegistry {
    boards: LoadedBoards,
    writer: Writer,
}

impl BoardRegistry {
    /// Makes the registry of a running server. `boards` subscribe to the log of `writer`.
    #[must_use]
    pub fn new(boards: LoadedBoards, writer: Writer) -> Self {
        Self { boards, writer }
    }

    /// Returns the board as it is shown; `None` where it has no document.
    #[must_use]
    pub fn get(&self, id: &BoardId) -> Option<Edition> {
        self.boards.0.entries.read().all.get(id).and_then(Entry::shown).cloned()
    }

    /// Returns every board that has a document, by name.
    #[must_use]
    pub fn list(&self) -> Vec<(BoardId, Edition)> {
        let entries = self.boards.0.entries.read();
        entries.all.iter().filter_map(|(id, entry)| Some((id.clone(), entry.shown()?.clone()))).collect()
    }

    /// Creates or replaces a board, if `conditions` permit it.
    ///
    /// # Errors
    /// [`BoardError`].
    pub async fn put(&self, id: BoardId, document: Document, conditions: Conditions) -> Result<Put, BoardError> {
        let boards = self.boards.clone();
        self.writer.change_boards(PutBoard { boards, id, document, conditions }).await?
    }

    /// Deletes the uploaded document of a board, if `conditions` permit it.
    ///
    /// # Errors
    /// [`BoardError`].
    pub async fn delete(&self, id: BoardId, conditions: Conditions) -> Result<(), BoardError> {
        let boards = self.boards.clone();
        self.writer.change_boards(DeleteBoard { boards, id, conditions }).await?
    }

    /// Applies the contents of the folder. A board whose file is broken stays as it is.
    ///
    /// # Errors
    /// Where the store cannot write now.
    pub async fn apply_folder(&self, found: Found) -> Result<(), CommitError> {
        let boards = self.boards.clone();
        self.writer.change_boards(ApplyFolder { boards, found }).await?
    }
}

/// Creates or replaces a board.
struct PutBoard {
    boards: LoadedBoards,
    id: BoardId,
    document: Document,
    conditions: Conditions,
}

impl BoardOperation for PutBoard {
    type Answer = Result<Put, BoardError>;

    fn run(self, log: &mut LocalLog) -> Self::Answer {
        self.boards.0.put(log, &self.id, self.document, &self.conditions)
    }
}

/// Deletes the uploaded document of a board.
struct DeleteBoard {
    boards: LoadedBoards,
    id: BoardId,
    conditions: Conditions,
}

impl BoardOperation for DeleteBoard {
    type Answer = Result<(), BoardError>;

    fn run(self, log: &mut LocalLog) -> Self::Answer {
        self.boards.0.delete(log, self.id, &self.conditions)
    }
}

/// Applies the contents of the folder of boards.
struct ApplyFolder {
    boards: LoadedBoards,
    found: Found,
}

impl BoardOperation for ApplyFolder {
    type Answer = Result<(), CommitError>;

    fn run(self, log: &mut LocalLog) -> Self::Answer {
        self.boards.0.apply_folder(log, self.found)
    }
}

impl Inner {
    fn entry(&self, id: &BoardId) -> Entry {
        let entries = self.entries.read();
        entries.all.get(id).cloned().unwrap_or_else(|| Entry::never_made(id, entries.forgotten))
    }

    /// Appends the board in its new state. The subscribers of the log have it on return, this registry among them.
    fn change(&self, log: &mut LocalLog, id: &BoardId, entry: Entry) -> Result<(), CommitError> {
        let change = entry.as_change(id);
        *self.pending.lock() = Some(entry);
        let changed = log.change_board(change);
        // It is left over if the append failed.
        *self.pending.lock() = None;
        changed?;
        let surplus = self.entries.read().surplus();
        if let Some((id, since)) = surplus
            && let Err(error) = log.forget_board(id.clone(), since)
        {
            // The next change tries again.
            tracing::debug!(board = %id, %error, "cannot forget a deleted board");
        }
        Ok(())
    }

    fn put(
        &self,
        log: &mut LocalLog,
        id: &BoardId,
        document: Document,
        conditions: &Conditions,
    ) -> Result<Put, BoardError> {
        let mut entry = self.entry(id);
        refuse_file(id, &entry)?;
        let (current, new) = (entry.etag(), document.etag());
        conditions.check(id, current, Some(new))?;
        if current == Some(new) {
            return Ok(Put::Replaced);
        }
        let uploaded = self.entries.read().all.values().filter(|entry| entry.uploaded.is_some()).count();
        if current.is_none() && uploaded >= MAX_BOARDS {
            return Err(Refusal::TooMany.into());
        }
        let bytes = document.source().len();
        self.check_bytes(id, bytes)?;
        log.check_space_for_board(bytes)?;
        // The clock is read before the change is appended, and is part of it.
        let (document, changed) = (Arc::new(document), clock::now().wall);
        entry.uploaded = Some(Edition { document, changed, origin: Origin::Stored });
        self.change(log, id, entry)?;
        Ok(if current.is_some() { Put::Replaced } else { Put::Made })
    }

    /// Refuses a document if all documents together would exceed [`MAX_BYTES`].
    fn check_bytes(&self, id: &BoardId, bytes: usize) -> Result<(), BoardError> {
        let entries = self.entries.read();
        let others = entries.all.iter().filter(|(other, _)| *other != id);
        let others = others.filter_map(|(_, entry)| entry.uploaded.as_ref());
        let there: usize = others.map(|edition| edition.document.source().len()).sum();
        if there + bytes <= MAX_BYTES {
            return Ok(());
        }
        Err(BoardError::TooManyBytes { there, bytes })
    }

    fn delete(&self, log: &mut LocalLog, id: BoardId, conditions: &Conditions) -> Result<(), BoardError> {
        let mut entry = self.entry(&id);
        refuse_file(&id, &entry)?;
        conditions.check(&id, entry.etag(), None)?;
        if entry.uploaded.take().is_none() {
            return Err(Refusal::NotMade(id).into());
        }
        Ok(self.change(log, &id, entry)?)
    }

    fn apply_folder(&self, log: &mut LocalLog, mut found: Found) -> Result<(), CommitError> {
        let known: BTreeSet<_> = self.entries.read().all.keys().chain(found.editions.keys()).cloned().collect();
        for id in known {
            if found.broken.contains_key(&id) {
                continue;
            }
            let before = self.entry(&id);
            let filed = found.editions.remove(&id);
            if before.filed != filed {
                tracing::info!(board = %id, made = filed.is_some(), "the file of a board changed");
                self.change(log, &id, Entry { filed, ..before })?;
            }
        }
        Ok(())
    }
}

fn refuse_file(id: &BoardId, entry: &Entry) -> Result<(), Refusal> {
    match entry.filed.as_ref().map(|edition| &edition.origin) {
        Some(Origin::File(file)) => Err(Refusal::FromFile { id: id.clone(), file: file.clone() }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn deleted_boards_are_forgotten_beyond_a_bound_and_their_old_cursors_get_a_snapshot() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let id = |n: usize| -> BoardId { format!("b{n}").parse().unwrap() };
        for n in 0..MAX_DELETED + 3 {
            let (id, selectors) = (id(n), vec![id(n).selector()]);
            let since = Seq(10 + n as u64);
            store.keep_board(&KeptBoard { id, selectors, since, document: None }).unwrap();
        }
        let mut log = LocalLog::new(store);
        let entries = Entries::load(&mut log, &Found::default()).unwrap();
        assert_eq!((entries.all.len(), entries.forgotten), (MAX_DELETED, Seq(12)));
        assert_eq!(log.store().boards().unwrap().len(), MAX_DELETED);
        let subscription = |n: usize| crate::hub::Subscription {
            series: Vec::new(),
            boards: vec![id(n)],
            rate: crate::hub::Rate::of_hz(20).unwrap(),
        };
        let boards = entries.for_hub();
        for (board, since) in [(0, 12), (2, 12), (3, 13), (MAX_DELETED + 9, 12)] {
            assert_eq!(boards.since(&subscription(board)), Seq(since), "board {board}");
        }
    }
}
