//! The state of editing a board: handles that all parts of the editor share.

use std::collections::HashMap;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;
use shared::BoardId;
use shared::board::{Board, BoardFormat, Etag, Place, WidgetId};
use shared::problem::FieldError;
use wasm_bindgen::JsValue;

use super::arrange::{Target, arrange, resize, step};
use super::draft::{Draft, Edit};
use super::drag::Drag;
use super::fields::SetAside;
use super::keys::WidgetAction;
use super::storing::{Outcome, Refused, put_kept};
use super::undo::UndoStack;
use crate::board::document::{BOARD, Document, Edition, automatic, same_edition};
use crate::live::Live;
use crate::range::address;
use crate::{browser, dom};

/// An open dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sheet {
    /// Adds a widget.
    Add,
    /// Changes the options of a widget.
    Widget(WidgetId),
    /// Changes the options of the board.
    Board,
}

/// The user's request of the editor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditorRequest {
    /// No request yet.
    Nothing,
    /// The module must be loaded: for the board as a file, or because an edit has begun.
    Files,
    /// Start editing.
    Edit,
}

/// A problem that prevents saving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Another user has changed the board since this edit began.
    Conflict,
    /// The server refused the board.
    Refused(Refused),
}

/// The editor of a board. A set of handles, cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Editor {
    id: StoredValue<BoardId>,
    pub(super) document: Document,
    live: Live,
    editing: Memo<bool>,
    /// The drafts of the edit; `None` while the board is not edited.
    pub history: RwSignal<Option<UndoStack>>,
    /// The places of all widgets if the dragged one were released now.
    pub preview: RwSignal<Option<Vec<Place>>>,
    /// The open dialog.
    pub sheet: RwSignal<Option<Sheet>>,
    /// The present problem.
    pub trouble: RwSignal<Option<Trouble>>,
    /// True while the stored board is shown instead of the draft.
    pub peeking: RwSignal<bool>,
    /// The announcement for screen readers.
    pub announcement: RwSignal<String>,
    /// The edition from which the draft began, or which the user chose to overwrite.
    base: StoredValue<Option<Etag>>,
    saving: RwSignal<bool>,
    /// The user's request. The editor's module is not fetched before there is one.
    pub(super) request: RwSignal<EditorRequest>,
    /// True while the open form has changes that are not in the draft.
    pub unapplied: RwSignal<bool>,
    /// For each widget, the fields that its present type cannot have.
    pub aside: StoredValue<HashMap<WidgetId, SetAside>>,
    /// The present drag.
    pub drag: StoredValue<Option<Drag>>,
}

impl Editor {
    /// Makes the editor of a board. It does not edit until [`Editor::begin`].
    #[must_use]
    pub fn new(id: BoardId, document: Document, live: Live) -> Self {
        let history = RwSignal::new(None::<UndoStack>);
        Self {
            id: StoredValue::new(id),
            document,
            live,
            editing: Memo::new(move |_| history.with(Option::is_some)),
            history,
            preview: RwSignal::new(None),
            sheet: RwSignal::new(None),
            trouble: RwSignal::new(None),
            peeking: RwSignal::new(false),
            announcement: RwSignal::new(String::new()),
            base: StoredValue::new(None),
            saving: RwSignal::new(false),
            request: RwSignal::new(EditorRequest::Nothing),
            unapplied: RwSignal::new(false),
            aside: StoredValue::new(HashMap::new()),
            drag: StoredValue::new(None),
        }
    }

    /// Reports a conflict as soon as another user changes the board, as long as the owner lives.
    pub fn watch(self) {
        Effect::new(move |_| {
            if self.document.edition.with(Option::is_some) && !self.saving.get() {
                self.compare();
            }
        });
    }

    /// The id of the board.
    #[must_use]
    pub fn id(self) -> BoardId {
        self.id.get_value()
    }

    /// Returns true while the board is edited; reactive.
    #[must_use]
    pub fn editing(self) -> bool {
        self.editing.get()
    }

    /// Returns true once the board to edit is known; reactive.
    #[must_use]
    pub fn known(self) -> bool {
        match self.document.edition.with(|edition| edition.as_ref().map(Edition::etag)) {
            None => false,
            Some(Some(_)) => true,
            // Most automatic boards are composed by a module, which may be on its way.
            Some(None) => self.live.loaded.get() && (self.automatic().is_some() || BOARD.get().is_some()),
        }
    }

    /// Returns true if there are unsaved changes; reactive.
    #[must_use]
    pub fn changed(self) -> bool {
        self.history.with(|history| history.as_ref().is_some_and(UndoStack::changed))
    }

    /// The board to show while it is edited; reactive. `None` if the stored board should be shown.
    #[must_use]
    pub fn board(self) -> Option<Board> {
        if self.peeking.get() {
            return None;
        }
        let mut board = self.history.with(|history| Some(history.as_ref()?.now().board().clone()))?;
        self.preview.with(|places| {
            let placed = places.iter().flatten().zip(&mut board.widgets);
            placed.for_each(|(place, widget)| widget.place = Some(*place));
        });
        Some(board)
    }

    /// Starts editing, if the board is known.
    pub fn begin(self) {
        if self.history.with_untracked(Option::is_some) {
            return;
        }
        let Some(edition) = self.document.edition.get_untracked() else { return };
        self.base.set_value(edition.etag());
        let draft = match edition {
            Edition::Made { document: Value::Object(document), .. } => Draft::of(document),
            Edition::Automatic | Edition::Made { .. } => {
                let Some(mut board) = self.automatic() else { return };
                // The title that the user gave the new board.
                board.title = browser::query_value("title").or(board.title);
                Draft::automatic(&board)
            }
        };
        let unknown: Vec<_> = draft.mistakes().iter().map(ToString::to_string).collect();
        self.trouble.set((!unknown.is_empty()).then(|| {
            let why = "This page cannot make out all of this board. What it does not know stays as it is.";
            Trouble::Refused(Refused { why: why.to_owned(), places: unknown })
        }));
        self.history.set(Some(UndoStack::new(draft)));
        self.say("Editing. Tab goes from widget to widget, arrows move them.");
    }

    /// The automatic board; `None` if its series are not known yet, or the module that composes it is not loaded.
    #[must_use]
    pub fn automatic(self) -> Option<Board> {
        untrack(|| self.live.loaded.get().then(|| automatic(&self.id(), self.live, "")).flatten())
    }

    /// Fetches the server's document again.
    pub fn ask(self) {
        self.document.ask(self.id());
    }

    /// Ends the edit and drops unsaved changes.
    pub fn end(self) {
        self.history.set(None);
        self.preview.set(None);
        self.sheet.set(None);
        self.trouble.set(None);
        self.peeking.set(false);
        self.unapplied.set(false);
        self.aside.set_value(HashMap::new());
        leave_address();
    }

    /// The draft; not reactive.
    #[must_use]
    pub fn draft(self) -> Option<std::sync::Arc<Draft>> {
        self.history.with_untracked(|history| history.as_ref().map(|history| history.now().clone()))
    }

    /// Edits the draft and focuses the affected widget.
    ///
    /// # Errors
    /// The mistakes that the edit would cause.
    pub fn edit(self, edit: Edit) -> Result<Option<WidgetId>, Vec<FieldError>> {
        let edited = self.history.try_update(|history| history.as_mut().map(|history| history.edit(edit))).flatten();
        let about = edited.unwrap_or(Ok(None))?;
        if let Some(id) = &about {
            focus(id);
        }
        Ok(about)
    }

    /// Applies an action to a widget, and announces the result.
    pub fn act(self, id: &WidgetId, widget_action: WidgetAction) {
        let Some(draft) = self.draft() else { return };
        let Some(place) = draft.place(id) else { return };
        let name = name_of(&draft, id);
        let (columns, places) = (draft.board().columns(), draft.board().places());
        let index = draft.board().widgets.iter().position(|widget| widget.id == *id).unwrap_or_default();
        let edit = match widget_action {
            WidgetAction::Open => return self.sheet.set(Some(Sheet::Widget(id.clone()))),
            WidgetAction::Remove => {
                let next = draft.board().widgets.get(index + 1).or(draft.board().widgets.get(index.wrapping_sub(1)));
                if let Some(next) = next {
                    focus(&next.id);
                }
                Some(Edit::Remove(id.clone()))
            }
            WidgetAction::Duplicate => Some(Edit::Duplicate(id.clone())),
            WidgetAction::Move(direction) => {
                step(columns, &places, index, direction).map(|target| Edit::Place(id.clone(), target))
            }
            WidgetAction::Resize(direction) => {
                resize(columns, place, direction).map(|target| Edit::Place(id.clone(), target))
            }
        };
        let Some(edit) = edit else { return self.say(&format!("{name} can go no further.")) };
        match self.edit(edit) {
            Err(mistakes) => self.refuse("That cannot be.", &mistakes),
            Ok(about) => {
                let place = self.draft().and_then(|draft| Some((draft.place(about.as_ref()?)?, draft)));
                self.say(&match (widget_action, place) {
                    (WidgetAction::Remove, _) => format!("{name} is removed. Undo brings it back."),
                    (_, Some((place, draft))) => {
                        format!("{} is at {}.", about.map(|id| name_of(&draft, &id)).unwrap_or_default(), lies(place))
                    }
                    _ => String::new(),
                });
            }
        }
    }

    /// Previews the layout with a widget at `target`.
    pub fn preview(self, id: &WidgetId, target: Target) {
        let Some(draft) = self.draft() else { return };
        let board = draft.board();
        if let Some(index) = board.widgets.iter().position(|widget| widget.id == *id) {
            let places = arrange(board.columns(), &board.places(), index, target);
            if self.preview.with_untracked(|shown| shown.as_ref() != Some(&places)) {
                self.preview.set(Some(places));
            }
        }
    }

    /// Puts a widget at `target`.
    pub fn drop_at(self, id: WidgetId, target: Target) {
        self.preview.set(None);
        if let Err(mistakes) = self.edit(Edit::Place(id, target)) {
            self.refuse("That cannot be.", &mistakes);
        }
    }

    /// Undoes the last edit.
    pub fn undo(self) {
        let undone = self.history.try_update(|history| history.as_mut().is_some_and(UndoStack::undo));
        self.say(if undone == Some(true) { "Undone." } else { "There is nothing to undo." });
    }

    /// Redoes the edit that was undone last.
    pub fn redo(self) {
        let redone = self.history.try_update(|history| history.as_mut().is_some_and(UndoStack::redo));
        self.say(if redone == Some(true) { "Done again." } else { "There is nothing to do again." });
    }

    /// Saves the draft, unless another user has changed the board meanwhile.
    pub fn save(self) {
        let Some(draft) = self.draft() else { return };
        if self.saving.get_untracked() {
            return;
        }
        if self.base.get_value().is_some()
            && !self.history.with_untracked(|now| now.as_ref().is_some_and(UndoStack::changed))
        {
            self.say("There was nothing to save.");
            return self.end();
        }
        self.saving.set(true);
        self.trouble.set(None);
        spawn_local(async move {
            let base = self.base.get_value();
            // A board that is stored as TOML stays TOML, comments included.
            let form = base.map_or(BoardFormat::Json, |base| base.kept_in(BoardFormat::Json));
            match put_kept(&self.id(), form, &draft.text(), base).await {
                Outcome::Done(Some(etag)) => {
                    let etag = if form == BoardFormat::Json { etag } else { etag.rewritten(BoardFormat::Json) };
                    self.base.set_value(Some(etag));
                    self.set_edition(Edition::made(etag, Value::Object(draft.document().clone())));
                    self.end();
                    self.say("Saved. All who watch see it now.");
                }
                Outcome::Changed | Outcome::Done(None) => {
                    self.ask();
                    self.trouble.set(Some(Trouble::Conflict));
                }
                Outcome::Refused(refused) => self.trouble.set(Some(Trouble::Refused(refused))),
            }
            self.saving.set(false);
        });
    }

    /// Saves the draft over the change of another user, after the user was warned.
    pub fn overwrite(self) {
        let theirs = self.document.edition.with_untracked(|edition| edition.as_ref().and_then(Edition::etag));
        self.base.set_value(theirs);
        self.peeking.set(false);
        self.trouble.set(None);
        self.save();
    }

    /// Announces a text to screen readers.
    pub fn say(self, words: &str) {
        self.announcement.set(words.to_owned());
    }

    /// Shows the reason why an edit was refused.
    pub fn refuse(self, why: &str, mistakes: &[FieldError]) {
        let places = mistakes.iter().map(ToString::to_string).collect();
        self.trouble.set(Some(Trouble::Refused(Refused { why: why.to_owned(), places })));
    }

    /// Records the edition that the server now has.
    pub fn set_edition(self, edition: Edition) {
        self.document.edition.set(Some(edition));
    }

    /// Compares the server's edition with the one from which the draft began. Reports a conflict if they differ.
    fn compare(self) {
        let Some(draft) = self.draft() else { return };
        let (same, stored) = self.document.edition.with_untracked(|edition| {
            let theirs = edition.as_ref().and_then(Edition::etag);
            let stored = match edition {
                Some(Edition::Made { document: Value::Object(document), .. }) => document == draft.document(),
                _ => false,
            };
            (same_edition(self.base.get_value(), theirs), stored)
        });
        if same {
            return;
        }
        if stored {
            // The draft was stored after all, and only the answer was lost.
            self.end();
        } else {
            self.trouble.set(Some(Trouble::Conflict));
        }
    }
}

/// Removes the parts of the page's address that start the editor, so that a reload or a link does not start it again.
fn leave_address() {
    let location = window().location();
    let query = address::write_without(&location.search().unwrap_or_default(), &["edit", "title"]);
    let address = location.pathname().unwrap_or_default() + &query + &location.hash().unwrap_or_default();
    // Ignores an error: the address would start the editor again, which is no reason to stop.
    _ = window().history().and_then(|history| history.replace_state_with_url(&JsValue::NULL, "", Some(&address)));
}

/// The display name of a widget.
#[must_use]
pub fn name_of(draft: &Draft, id: &WidgetId) -> String {
    let widget = draft.board().widgets.iter().find(|widget| widget.id == *id);
    widget.and_then(|widget| widget.title.clone()).unwrap_or_else(|| id.to_string())
}

/// Describes the place of a widget in words.
#[must_use]
pub fn lies(place: Place) -> String {
    let Place { x, y, w, h } = place;
    format!("column {}, row {}, {w} wide, {h} high", x + 1, y + 1)
}

/// Focuses a widget's handle. An element that moves within the document loses the focus.
fn focus(id: &WidgetId) {
    dom::focus(format!("[data-handle=\"{id}\"]"));
}
