//! The frame of the editor's dialogs.

use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::{Event, KeyboardEvent};

use super::confirm::confirmed;
use super::editor::Editor;

/// A modal dialog, which keeps the focus until it is closed.
#[component]
pub fn SheetDialog(
    /// The title.
    title: &'static str,
    /// The name by which tests find it.
    testid: &'static str,
    /// The editor.
    editor: Editor,
    /// The content.
    children: Children,
) -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    // A dialog can be opened only once it is in the page.
    request_animation_frame(move || {
        if let Some(dialog) = dialog.try_get_untracked().flatten()
            && dialog.is_connected()
            && !dialog.open()
        {
            _ = dialog.show_modal();
        }
    });
    // The browser would close the dialog without a question.
    let escape = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            event.prevent_default();
            leave(editor);
        }
    };
    view! {
        <dialog
            class="sheet"
            data-testid=testid
            aria-label=title
            node_ref=dialog
            on:keydown=escape
            on:cancel=move |event: Event| event.prevent_default()
            on:close=move |_| editor.close_sheet()
        >
            <h2>{title}</h2>
            {children()}
        </dialog>
    }
}

/// Closes the dialog. Asks first if changes would be lost.
fn leave(editor: Editor) {
    spawn_local(async move {
        if !editor.unapplied.get_untracked() || confirmed("Leave the changes in this form?", "Leave them").await {
            editor.close_sheet();
        }
    });
}

impl Editor {
    /// Closes the open dialog, and drops what is in it.
    pub fn close_sheet(self) {
        self.unapplied.set(false);
        self.sheet.set(None);
    }
}

/// The buttons at the end of a form: one that submits it, and one that closes the dialog.
#[component]
pub fn SheetButtons(
    /// The text of the button that submits.
    submit: &'static str,
    /// The names by which tests find the buttons.
    testids: [&'static str; 2],
    /// The editor.
    editor: Editor,
) -> impl IntoView {
    let [submits, cancels] = testids;
    view! {
        <p class="ways">
            <button class="button strong" data-testid=submits>
                {submit}
            </button>
            <button class="button" type="button" data-testid=cancels on:click=move |_| editor.close_sheet()>
                "Cancel"
            </button>
        </p>
    }
}
