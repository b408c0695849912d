//! The area above a board with the toolbar of editing: also the keyboard commands, the guard against leaving unsaved
//! changes, the dialogs, and the messages about failed saving.

use leptos::prelude::*;

use super::add::add;
use super::confirm::confirmed;
use super::drag;
use super::editor::{Editor, Sheet, Trouble};
use super::form::form;
use super::keys::{BoardCommand, Key, board_command};
use super::storing::{Written, as_link};
use super::undo::UndoStack;
use crate::dynamic::spawn;
use crate::part::{Part, key_for_page, on_window};

/// The area above a board: the toolbar while it is edited, and problems at any time.
#[must_use]
pub fn above(editor: Editor) -> Part {
    listen(editor);
    editor.watch();
    let bar = Part::new("div", "editbar-place")
        .live_inside(move || if editor.editing() { vec![bar(editor)] } else { Vec::new() });
    let troubles = Part::new("div", "")
        .live_inside(move || editor.trouble.get().map(|trouble| troubled(editor, trouble)).into_iter().collect());
    let sheets = Part::new("div", "").live_inside(move || {
        let sheet = editor.sheet.get().and_then(|sheet| match sheet {
            Sheet::Add => Some(add(editor)),
            Sheet::Widget(id) => form(editor, Some(id)),
            Sheet::Board => form(editor, None),
        });
        sheet.into_iter().collect()
    });
    let said = Part::new("p", "unseen").with("role", "status").with("data-testid", "said");
    let said = said.live_text(move || editor.said.get());
    let keys = Part::new("p", "").with("id", "edit-keys").with("hidden", "");
    let keys =
        keys.text("Arrows move it, Shift and arrows resize it, Enter edits it, D duplicates it, Delete removes it.");
    Part::new("div", "host").put(&bar).put(&troubles).put(&sheets).put(&said).put(&keys)
}

fn bar(editor: Editor) -> Part {
    drag::follow(editor);
    on_window("beforeunload", move |event| {
        if untrack(|| editor.changed()) {
            event.prevent_default();
        }
    });
    let step = |label: &str, testid: &str, can: fn(&UndoStack) -> bool, go: fn(Editor)| {
        let able = move || editor.history.with(|history| history.as_ref().is_some_and(can));
        Part::button(label, testid, move || go(editor)).live("aria-disabled", move || (!able()).to_string())
    };
    let cancel = move || {
        spawn(async move {
            if !untrack(|| editor.changed()) || confirmed("Leave all changes unsaved?", "Leave them").await {
                editor.end();
            }
        });
    };
    let unsaved = Part::new("span", "editbar-state").with("data-testid", "unsaved");
    let unsaved = unsaved.live_text(move || if editor.changed() { "Not saved yet".to_owned() } else { String::new() });
    Part::new("section", "editbar")
        .with("role", "toolbar")
        .with("aria-label", "Editing")
        .with("data-testid", "editbar")
        .put(&Part::button("Add a widget", "add", move || editor.sheet.set(Some(Sheet::Add))))
        .put(&Part::button("The board", "settings", move || editor.sheet.set(Some(Sheet::Board))))
        .put(&step("Undo", "undo", UndoStack::can_undo, Editor::undo))
        .put(&step("Redo", "redo", UndoStack::can_redo, Editor::redo))
        .put(&unsaved)
        .put(&Part::button("Save", "save", move || editor.save()).with("class", "button strong"))
        .put(&Part::button("Cancel", "cancel", cancel))
}

/// A problem, with the buttons that resolve it.
fn troubled(editor: Editor, trouble: Trouble) -> Part {
    let ways = Part::new("p", "ways");
    let (words, places, ways) = match trouble {
        Trouble::Conflict => {
            let peek = Part::button("", "peek", move || editor.peeking.update(|peeking| *peeking = !*peeking));
            let peek = peek.live_text(move || {
                if editor.peeking.get() { "Lookback to mine".to_owned() } else { "See theirs".to_owned() }
            });
            let ways = ways
                .put(&peek)
                .put(&Part::button("Put mine over theirs", "overwrite", move || editor.overwrite()))
                .put(&Part::button("Take theirs", "take-theirs", move || editor.end()));
            let words = "Someone else has changed this board since you began. Nothing of theirs is overwritten.";
            (words.to_owned(), Vec::new(), ways)
        }
        Trouble::Refused(refused) => {
            let close = Part::button("Close", "trouble-close", move || editor.trouble.set(None));
            (refused.why, refused.places, ways.put(&close))
        }
    };
    let ways = match editor.draft() {
        None => ways,
        Some(_) => {
            let mine = move || {
                let text = editor.history.with(|history| history.as_ref().map(|history| history.now().text()));
                as_link(Written::Json, &text.unwrap_or_default())
            };
            let keep = Part::new("a", "button").with("data-testid", "keep-mine").text("Keep mine as a file");
            ways.put(&keep.with("download", &format!("{}-mine.json", editor.id())).live("href", mine))
        }
    };
    let list = places.iter().fold(Part::new("ul", ""), |list, place| list.put(&Part::new("li", "").text(place)));
    let trouble = Part::new("section", "trouble").with("role", "alert").with("data-testid", "trouble");
    trouble.put(&Part::new("p", "").text(&words)).put(&list).put(&ways)
}

/// Handles keyboard commands anywhere on the page, except in inputs and dialogs.
fn listen(editor: Editor) {
    on_window("keydown", move |event| {
        let Some(event) = key_for_page(event).filter(|event| !event.alt_key()) else { return };
        let name = event.key();
        let Some(command) = board_command(Key::of(&event, &name), untrack(|| editor.editing())) else { return };
        event.prevent_default();
        match command {
            BoardCommand::Add => editor.sheet.set(Some(Sheet::Add)),
            BoardCommand::Undo => editor.undo(),
            BoardCommand::Redo => editor.redo(),
            BoardCommand::Save => editor.save(),
        }
    });
}
