//! The history of an edit, for undo and redo.

use std::sync::Arc;

use shared::board::WidgetId;
use shared::problem::FieldError;

use super::draft::{Draft, Edit};

/// The most edits that can be undone; more than a user remembers.
const MOST: usize = 200;

/// The present draft, with the drafts before it and those that were undone.
#[derive(Clone, Debug)]
pub struct UndoStack {
    /// The stored draft.
    stored: Arc<Draft>,
    past: Vec<Arc<Draft>>,
    now: Arc<Draft>,
    future: Vec<Arc<Draft>>,
}

impl UndoStack {
    /// Makes a history without edits.
    #[must_use]
    pub fn new(draft: Draft) -> Self {
        let now = Arc::new(draft);
        Self { stored: Arc::clone(&now), past: Vec::new(), now, future: Vec::new() }
    }

    /// The present draft.
    #[must_use]
    pub fn now(&self) -> &Arc<Draft> {
        &self.now
    }

    /// Returns true if there is something to save.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.now.document() != self.stored.document()
    }

    /// Returns true if there is something to undo.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// Returns true if there is something to redo.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    /// Edits the draft and returns the affected widget.
    ///
    /// # Errors
    /// See [`Draft::edited`].
    pub fn edit(&mut self, edit: Edit) -> Result<Option<WidgetId>, Vec<FieldError>> {
        let (edited, about) = self.now.edited(edit)?;
        if edited.document() != self.now.document() {
            if self.past.len() == MOST {
                self.past.remove(0);
            }
            self.past.push(std::mem::replace(&mut self.now, Arc::new(edited)));
            self.future.clear();
        }
        Ok(about)
    }

    /// Undoes the last edit. Returns true if there was one.
    pub fn undo(&mut self) -> bool {
        let Some(before) = self.past.pop() else { return false };
        self.future.push(std::mem::replace(&mut self.now, before));
        true
    }

    /// Redoes the edit that was undone last. Returns true if there was one.
    pub fn redo(&mut self) -> bool {
        let Some(after) = self.future.pop() else { return false };
        self.past.push(std::mem::replace(&mut self.now, after));
        true
    }
}
