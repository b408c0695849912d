//! The boards in memory: a fold of the applied entries of the log, and the files of `--boards` on this node.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use shared::board::Etag;
use shared::{BoardId, Millis, Selector, Seq};

use super::Document;
use super::bounds::MAX_DELETED;
use super::document::selectors;
use super::edition::{DocumentOrigin, Edition, Found};
use crate::hub::{BoardRecord, Boards};
use crate::log::{Applied, BoardChange, BoardChanged, BoardDocument, LogSubscriber, Tracks};
use crate::store::boards::StoredBoard;
use crate::store::local_log::LocalLog;
use crate::store::node_log::NodeLog as _;
use crate::store::{CommitError, Store};

/// A board that has, or had, a document.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LoadedBoard {
    /// The document that was uploaded.
    pub(super) uploaded: Option<Edition>,
    /// The board from the folder. It hides the uploaded one. Only this node knows it.
    pub(super) filed: Option<Edition>,
    /// The selectors of its subscribers and the point since which they apply, as the store and the hub have them.
    pub(super) selectors: Vec<Selector>,
    pub(super) since: Seq,
}

impl LoadedBoard {
    /// Returns a board that was never made. Cursors up to `since` may belong to another selection, since the board may
    /// have been forgotten.
    fn never_made(id: &BoardId, since: Seq) -> Self {
        Self { uploaded: None, filed: None, selectors: vec![id.selector()], since }
    }

    fn shown(&self) -> Option<&Edition> {
        self.filed.as_ref().or(self.uploaded.as_ref())
    }

    /// Returns the tag of the document that is shown.
    pub(super) fn etag(&self) -> Option<Etag> {
        self.shown().map(|edition| edition.document.etag())
    }

    fn uploaded_tag(&self) -> Option<Etag> {
        self.uploaded.as_ref().map(|edition| edition.document.etag())
    }

    fn for_hub(&self) -> BoardRecord {
        BoardRecord { selectors: self.selectors.clone(), etag: self.etag(), since: self.since }
    }

    /// Returns the selectors that follow from the document that is shown.
    fn selected(&self, id: &BoardId) -> Vec<Selector> {
        selectors(id, self.shown().map(|edition| &*edition.document))
    }

    /// Returns the change that gives the board this state, if it still has the state `before`.
    pub(super) fn as_change(&self, id: &BoardId, before: &Self) -> BoardChange {
        let document = self.uploaded.as_ref().map(|edition| BoardDocument {
            form: edition.document.form(),
            source: edition.document.source().to_owned(),
            changed: edition.changed,
        });
        let (selectors, expects) = (self.selected(id), before.uploaded_tag());
        BoardChange { id: id.clone(), selectors, etag: self.etag(), document, expects }
    }

    /// Appends the board in its present state, before there are other changes.
    fn append(mut self, log: &mut LocalLog, id: &BoardId) -> Result<Self, CommitError> {
        self.selectors = self.selected(id);
        if let BoardChanged::Since(since) = log.change_board(self.as_change(id, &self), None)? {
            self.since = since;
        }
        Ok(self)
    }
}

/// All boards that were made and are not forgotten.
#[derive(Debug, Default)]
pub struct BoardsAtStart {
    all: BTreeMap<BoardId, LoadedBoard>,
    /// The `since` of all other boards.
    forgotten: Seq,
}

impl BoardsAtStart {
    /// Loads the boards from the store, and adds those of the folder. A file that came or went while the server was
    /// stopped counts as a change that happens now.
    ///
    /// # Errors
    /// Any error of SQLite.
    pub fn load(log: &mut LocalLog, found: &Found) -> Result<Self, CommitError> {
        let mut boards = Self { all: BTreeMap::new(), forgotten: log.store().forgotten_since() };
        for (id, mut board) in Self::of_store(log.store())?.all {
            board.filed = found.editions.get(&id).cloned();
            // Each write is synced, so unchanged boards are not written again.
            let board = if board.selected(&id) == board.selectors { board } else { board.append(log, &id)? };
            boards.all.insert(id, board);
        }
        for (id, edition) in &found.editions {
            if !boards.all.contains_key(id) {
                let filed = Some(edition.clone());
                let board = LoadedBoard { filed, ..LoadedBoard::never_made(id, boards.forgotten) }.append(log, id)?;
                boards.all.insert(id.clone(), board);
            }
        }
        while let Some((id, since)) = boards.surplus() {
            log.forget_board(id.clone(), since)?;
            boards.forget(&id, since);
        }
        Ok(boards)
    }

    /// Loads the boards as the store has them. The node of a shared log changes nothing at its start.
    ///
    /// # Errors
    /// Any error of SQLite.
    pub fn of_store(store: &Store) -> Result<Self, CommitError> {
        let mut boards = Self { all: BTreeMap::new(), forgotten: store.forgotten_since() };
        for StoredBoard { id, selectors, since, document } in store.boards()? {
            let uploaded = document.map(|BoardDocument { form, source, changed }| Edition {
                document: Arc::new(Document::restore(form, source)),
                changed,
                origin: DocumentOrigin::Stored,
            });
            boards.all.insert(id, LoadedBoard { uploaded, filed: None, selectors, since });
        }
        Ok(boards)
    }

    /// Returns the board that was deleted first, if too many deleted boards are remembered.
    fn surplus(&self) -> Option<(BoardId, Seq)> {
        let deleted = || self.all.iter().filter(|(_, board)| board.shown().is_none());
        let oldest = deleted().min_by_key(|(_, board)| board.since).filter(|_| deleted().count() > MAX_DELETED);
        oldest.map(|(id, board)| (id.clone(), board.since))
    }

    fn forget(&mut self, id: &BoardId, since: Seq) {
        self.all.remove(id);
        self.forgotten = self.forgotten.max(since);
    }

    fn board(&self, id: &BoardId) -> LoadedBoard {
        self.all.get(id).cloned().unwrap_or_else(|| LoadedBoard::never_made(id, self.forgotten))
    }

    /// Returns the boards in the form that the hub needs.
    #[must_use]
    pub fn for_hub(&self) -> Boards {
        let mut boards = Boards::default();
        boards.forget(None, self.forgotten);
        for (id, board) in &self.all {
            boards.set(id.clone(), board.for_hub());
        }
        boards
    }
}

/// The uploaded documents of all boards but one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Uploaded {
    /// Their number.
    pub(super) count: usize,
    /// Their bytes.
    pub(super) bytes: usize,
}

/// All boards in memory. Clones share the same state. It subscribes to the log, so it changes where the log does.
#[derive(Clone, Debug)]
pub struct LoadedBoards(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Only the thread that appends to the log writes it.
    boards: RwLock<BoardsAtStart>,
    /// The board that is being changed, as it will be. It saves the writer thread from parsing its documents, and has
    /// the file of `--boards`, which no entry has.
    announced: Mutex<Option<(BoardId, LoadedBoard)>>,
}

impl LoadedBoards {
    /// Makes the boards of a running server.
    #[must_use]
    pub fn new(boards: BoardsAtStart) -> Self {
        Self(Arc::new(Inner { boards: RwLock::new(boards), announced: Mutex::default() }))
    }

    /// Returns the board as it is shown; `None` where it has no document.
    pub(super) fn shown(&self, id: &BoardId) -> Option<Edition> {
        self.0.boards.read().all.get(id).and_then(LoadedBoard::shown).cloned()
    }

    /// Returns every board that has a document, by name.
    pub(super) fn list(&self) -> Vec<(BoardId, Edition)> {
        let boards = self.0.boards.read();
        boards.all.iter().filter_map(|(id, board)| Some((id.clone(), board.shown()?.clone()))).collect()
    }

    /// Returns the ids of all boards that were made and are not forgotten.
    pub(super) fn ids(&self) -> Vec<BoardId> {
        self.0.boards.read().all.keys().cloned().collect()
    }

    /// Returns a board, whether it was made or not.
    pub(super) fn board(&self, id: &BoardId) -> LoadedBoard {
        self.0.boards.read().board(id)
    }

    /// Counts the uploaded documents of all boards but this one.
    pub(super) fn uploaded_beside(&self, id: &BoardId) -> Uploaded {
        let boards = self.0.boards.read();
        let others = boards.all.iter().filter(|(other, _)| *other != id);
        others.filter_map(|(_, board)| board.uploaded.as_ref()).fold(Uploaded::default(), |sum, edition| Uploaded {
            count: sum.count + 1,
            bytes: sum.bytes + edition.document.source().len(),
        })
    }

    /// Returns the board that was deleted first, if too many deleted boards are remembered.
    pub(super) fn surplus(&self) -> Option<(BoardId, Seq)> {
        self.0.boards.read().surplus()
    }

    /// Announces the state that a board has after the change that is appended next.
    pub(super) fn announce(&self, id: &BoardId, after: &LoadedBoard) {
        *self.0.announced.lock() = Some((id.clone(), after.clone()));
    }

    /// Takes back an announcement.
    pub(super) fn withdraw(&self, id: &BoardId) {
        self.0.announced.lock().take_if(|(announced, _)| announced == id);
    }

    /// Returns the announced state of a board, if the change with this tag of the shown document leads to it.
    fn announced(&self, id: &BoardId, etag: Option<Etag>) -> Option<LoadedBoard> {
        let announced = self.0.announced.lock();
        let (_, after) = announced.as_ref().filter(|(of, after)| of == id && after.etag() == etag)?;
        Some(after.clone())
    }
}

/// Makes the edition of an uploaded document, from one of the `known` editions if it has the same document.
fn edition<'a>(document: &BoardDocument, mut known: impl Iterator<Item = &'a Edition>) -> Edition {
    let tag = document.tag();
    let same = known.find(|edition| edition.document.etag() == tag).map(|edition| edition.document.clone());
    let parsed = same.unwrap_or_else(|| Arc::new(Document::restore(document.form, document.source.clone())));
    let changed: Millis = document.changed;
    Edition { document: parsed, changed, origin: DocumentOrigin::Stored }
}

impl LoadedBoards {
    /// Returns the selectors of a board as it is shown.
    #[must_use]
    pub fn selectors(&self, id: &BoardId) -> Vec<Selector> {
        selectors(id, self.shown(id).as_ref().map(|edition| &*edition.document))
    }
}

impl LogSubscriber for LoadedBoards {
    fn apply(&mut self, applied: &Applied<'_>, _: &dyn Tracks) {
        match *applied {
            Applied::Board { id, selectors, etag, document, since, .. } => {
                let before = self.board(id);
                let announced = self.announced(id, etag);
                let known = announced.iter().chain([&before]).filter_map(|board| board.uploaded.as_ref());
                let uploaded = document.map(|document| edition(document, known));
                let filed = announced.as_ref().unwrap_or(&before).filed.clone();
                let board = LoadedBoard { uploaded, filed, selectors: selectors.to_vec(), since };
                self.0.boards.write().all.insert(id.clone(), board);
            }
            Applied::BoardForgotten { id, since } => self.0.boards.write().forget(id, since),
            Applied::Points(_)
            | Applied::SeriesRemoved { .. }
            | Applied::Token(_)
            | Applied::User(_)
            | Applied::Link(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
