//! What was edited, so that it can be taken back.

use std::sync::Arc;

use shared::board::WidgetId;
use shared::problem::FieldError;

use super::draft::{Draft, Edit};

/// How many edits can be taken back: more than anyone remembers.
const MOST: usize = 200;

/// A draft with its past, and with what was taken back.
#[derive(Clone, Debug)]
pub struct History {
    /// As it is stored.
    stored: Arc<Draft>,
    past: Vec<Arc<Draft>>,
    now: Arc<Draft>,
    future: Vec<Arc<Draft>>,
}

impl History {
    /// Nothing was edited yet.
    #[must_use]
    pub fn new(draft: Draft) -> Self {
        let now = Arc::new(draft);
        Self { stored: Arc::clone(&now), past: Vec::new(), now, future: Vec::new() }
    }

    /// The draft as it is now.
    #[must_use]
    pub fn now(&self) -> &Arc<Draft> {
        &self.now
    }

    /// Whether there is anything to save.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.now.document() != self.stored.document()
    }

    /// Whether there is anything to take back.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// Whether there is anything to do again.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    /// Edits the draft; gives the widget that the edit is about.
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

    /// Takes the last edit back; whether there was one.
    pub fn undo(&mut self) -> bool {
        let Some(before) = self.past.pop() else { return false };
        self.future.push(std::mem::replace(&mut self.now, before));
        true
    }

    /// Does again what was taken back last; whether there was anything.
    pub fn redo(&mut self) -> bool {
        let Some(after) = self.future.pop() else { return false };
        self.past.push(std::mem::replace(&mut self.now, after));
        true
    }
}
