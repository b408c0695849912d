//! The entry into editing: the part of the editor that every page has. The rest is fetched on demand.

use leptos::ev;
use leptos::prelude::*;
use shared::board::WidgetId;
use web_sys::File;

use super::bar::EditArea;
use super::editor::{Editor, EditorRequest};
use super::files::FileButtons;
use super::tools::WidgetTools;
use crate::app::PageButtons;
use crate::browser;
use crate::dom::{is_command, on_window};
use crate::lazy::{Placeholder, module};
use crate::reload;
use crate::zone::ZoneSwitch;

/// The functions of the editor that the rest of the page calls.
pub struct EditorModule {
    begin: fn(Editor),
    /// The area above the board.
    above: fn(Editor) -> AnyView,
    /// The tools on each widget.
    tools: fn(WidgetId, Editor) -> AnyView,
    /// The buttons for the board as a file.
    files: fn(Editor) -> AnyView,
    upload: fn(Editor, File),
}

module! {
    /// The editor's module.
    static EDITOR: EditorModule = edit, EditorModule {
        begin: Editor::begin,
        above: |editor| view! { <EditArea editor/> }.into_any(),
        tools: |id, editor| view! { <WidgetTools id editor/> }.into_any(),
        files: |editor| view! { <FileButtons editor/> }.into_any(),
        upload: super::files::upload,
    }
}

/// The buttons in the head of a board, and the equivalent keys and gestures.
#[component]
pub fn EditMenu(
    /// The editor.
    editor: Editor,
) -> impl IntoView {
    follow(editor);
    let files = move || match editor.request.get() {
        EditorRequest::Nothing => None,
        _ if editor.editing() => None,
        _ => EDITOR.get().map(|editor_module| (editor_module.files)(editor)),
    };
    view! {
        <span class="board-menu">
            <button
                class="button"
                type="button"
                data-testid="edit"
                hidden=move || editor.editing()
                on:click=move |_| editor.want(EditorRequest::Edit)
            >
                "Edit"
            </button>
            <details class="menu" data-testid="menu" on:toggle=move |_| editor.want(EditorRequest::Files)>
                <summary class="button" data-testid="more">
                    "More"
                </summary>
                // The file buttons arrive later and go to the end, so that the others do not move.
                <div class="menu-list">
                    <PageButtons/>
                    // The head of a phone has no room for it.
                    <ZoneSwitch/>
                    {move || files()}
                </div>
            </details>
        </span>
    }
}

/// The area above a board, once the user has requested the editor.
#[component]
pub fn AboveBoard(
    /// The editor.
    editor: Editor,
) -> impl IntoView {
    let wanted = Memo::new(move |_| editor.request.get() != EditorRequest::Nothing);
    view! { {move || wanted.get().then(|| EDITOR.view(Placeholder::Nothing, move |editor_module| (editor_module.above)(editor)))} }
}

/// The tools of a widget, while the board is edited.
#[component]
pub fn EditTools(
    /// The widget.
    id: WidgetId,
    /// The editor.
    editor: Editor,
) -> impl IntoView {
    let tools = move || {
        let id = id.clone();
        EDITOR.view(Placeholder::Nothing, move |editor_module| (editor_module.tools)(id.clone(), editor))
    };
    view! { {move || editor.editing().then(&tools)} }
}

fn follow(editor: Editor) {
    Effect::new(move |_| reload::hold(editor.editing()));
    on_window(ev::keydown, move |event| {
        let modified = event.alt_key() || event.ctrl_key() || event.meta_key();
        // Checked first: a browser that fills in a field dispatches a plain `Event` there, which has no key.
        if is_command(&event) && event.key() == "e" && !modified {
            event.prevent_default();
            editor.want(EditorRequest::Edit);
        }
    });
    on_window(ev::dragover, |event| event.prevent_default());
    let dropped = StoredValue::new_local(None::<File>);
    on_window(ev::drop, move |event| {
        event.prevent_default();
        let files = event.data_transfer().and_then(|data| data.files());
        if let Some(file) = files.and_then(|files| files.get(0)) {
            dropped.set_value(Some(file));
            editor.want(EditorRequest::Files);
        }
    });
    if browser::query_has("edit") {
        editor.want(EditorRequest::Edit);
    }
    Effect::new(move |_| {
        let (request, known) = (editor.request.get(), editor.known());
        if request == EditorRequest::Nothing {
            return;
        }
        let Some(editor_module) = EDITOR.get() else { return };
        if let Some(file) = dropped.try_update_value(Option::take).flatten() {
            (editor_module.upload)(editor, file);
        }
        if request == EditorRequest::Edit && known {
            editor.request.set(EditorRequest::Files);
            (editor_module.begin)(editor);
        }
    });
}

impl Editor {
    fn want(self, request: EditorRequest) {
        self.request.update(|now| *now = if *now == EditorRequest::Edit { EditorRequest::Edit } else { request });
    }
}
