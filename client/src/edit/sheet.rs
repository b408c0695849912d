//! The frame of the editor's dialogs.

use leptos::html::Dialog;
use leptos::prelude::*;

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
    view! {
        <dialog
            class="sheet"
            data-testid=testid
            aria-label=title
            node_ref=dialog
            on:close=move |_| editor.sheet.set(None)
        >
            <h2>{title}</h2>
            {children()}
        </dialog>
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
            <button class="button" type="button" data-testid=cancels on:click=move |_| editor.sheet.set(None)>
                "Cancel"
            </button>
        </p>
    }
}
