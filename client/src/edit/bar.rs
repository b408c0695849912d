//! The area above a board with the toolbar of editing: also the keyboard commands, the guard against leaving unsaved
//! changes, the dialogs, and the messages about failed saving.

use leptos::either::EitherOf3;
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::add::AddWidget;
use super::confirm::confirmed;
use super::drag;
use super::editor::{Editor, Sheet, Trouble};
use super::form::OptionsForm;
use super::keys::{BoardCommand, Key, board_command};
use super::storing::{Written, as_link};
use super::undo::UndoStack;
use crate::dom::{is_command, on_window};

/// The area above a board: the toolbar while it is edited, and problems at any time.
#[component]
pub fn EditArea(
    /// The editor.
    editor: Editor,
) -> impl IntoView {
    listen(editor);
    editor.watch();
    // Not `.into_any()`: with erased types, the next sheet would take over the open dialog of the last one.
    let sheet = move |sheet| match sheet {
        Sheet::Add => EitherOf3::A(view! { <AddWidget editor/> }),
        Sheet::Widget(id) => EitherOf3::B(view! { <OptionsForm editor id=Some(id)/> }),
        Sheet::Board => EitherOf3::C(view! { <OptionsForm editor id=None/> }),
    };
    view! {
        <div class="editbar-place">{move || editor.editing().then(|| view! { <EditBar editor/> })}</div>
        <div>{move || editor.trouble.get().map(|trouble| view! { <TroubleNote editor trouble/> })}</div>
        <div>{move || editor.sheet.get().map(sheet)}</div>
        <p class="unseen" role="status" data-testid="announcement">{move || editor.announcement.get()}</p>
        <p id="edit-keys" hidden>
            "Arrows move it, Shift and arrows resize it, Enter edits it, D duplicates it, Delete removes it."
        </p>
    }
}

#[component]
fn EditBar(editor: Editor) -> impl IntoView {
    drag::follow(editor);
    on_window(ev::beforeunload, move |event| {
        if untrack(|| editor.changed()) || editor.unapplied.get_untracked() {
            event.prevent_default();
        }
    });
    let able = move |can: fn(&UndoStack) -> bool| editor.history.with(|history| history.as_ref().is_some_and(can));
    let cancel = move |_| {
        spawn_local(async move {
            if !untrack(|| editor.changed()) || confirmed("Leave all changes unsaved?", "Leave them").await {
                editor.end();
            }
        });
    };
    view! {
        <div class="editbar" role="toolbar" aria-label="Editing" data-testid="editbar">
            <button
                class="button"
                type="button"
                data-testid="add"
                on:click=move |_| editor.sheet.set(Some(Sheet::Add))
            >
                "Add a widget"
            </button>
            <button
                class="button"
                type="button"
                data-testid="settings"
                on:click=move |_| editor.sheet.set(Some(Sheet::Board))
            >
                "The board"
            </button>
            <button
                class="button"
                type="button"
                data-testid="undo"
                aria-disabled=move || (!able(UndoStack::can_undo)).to_string()
                on:click=move |_| editor.undo()
            >
                "Undo"
            </button>
            <button
                class="button"
                type="button"
                data-testid="redo"
                aria-disabled=move || (!able(UndoStack::can_redo)).to_string()
                on:click=move |_| editor.redo()
            >
                "Redo"
            </button>
            <span class="editbar-state" data-testid="unsaved">
                {move || if editor.changed() { "Not saved yet" } else { "" }}
            </span>
            <button class="button strong" type="button" data-testid="save" on:click=move |_| editor.save()>
                "Save"
            </button>
            <button class="button" type="button" data-testid="cancel" on:click=cancel>
                "Cancel"
            </button>
        </div>
    }
}

/// A problem, with the buttons that resolve it.
#[component]
fn TroubleNote(editor: Editor, trouble: Trouble) -> impl IntoView {
    let (words, places, ways) = match trouble {
        Trouble::Conflict => {
            let words = "Someone else has changed this board since you began. Nothing of theirs is overwritten.";
            (words.to_owned(), Vec::new(), view! { <ConflictButtons editor/> }.into_any())
        }
        Trouble::Refused(refused) => {
            let close = view! {
                <button
                    class="button"
                    type="button"
                    data-testid="trouble-close"
                    on:click=move |_| editor.trouble.set(None)
                >
                    "Close"
                </button>
            };
            (refused.why, refused.places, close.into_any())
        }
    };
    view! {
        <section class="trouble" role="alert" data-testid="trouble">
            <p>{words}</p>
            <ul>{places.into_iter().map(|place| view! { <li>{place}</li> }.into_any()).collect_view()}</ul>
            <p class="ways">
                {ways}
                {untrack(|| editor.draft()).map(|_| view! { <KeepMine editor/> })}
            </p>
        </section>
    }
}

#[component]
fn ConflictButtons(editor: Editor) -> impl IntoView {
    view! {
        <button
            class="button"
            type="button"
            data-testid="peek"
            on:click=move |_| editor.peeking.update(|peeking| *peeking = !*peeking)
        >
            {move || if editor.peeking.get() { "Back to mine" } else { "See theirs" }}
        </button>
        <button class="button" type="button" data-testid="overwrite" on:click=move |_| editor.overwrite()>
            "Put mine over theirs"
        </button>
        <button class="button" type="button" data-testid="take-theirs" on:click=move |_| editor.end()>
            "Take theirs"
        </button>
    }
}

/// A link that saves the draft as a file.
#[component]
fn KeepMine(editor: Editor) -> impl IntoView {
    let mine = move || {
        let text = editor.history.with(|history| history.as_ref().map(|history| history.now().text()));
        as_link(Written::Json, &text.unwrap_or_default())
    };
    view! {
        <a class="button" data-testid="keep-mine" download=format!("{}-mine.json", editor.id()) href=mine>
            "Keep mine as a file"
        </a>
    }
}

/// Handles keyboard commands anywhere on the page, except in inputs and dialogs.
fn listen(editor: Editor) {
    on_window(ev::keydown, move |event| {
        if event.alt_key() || !is_command(&event) {
            return;
        }
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
