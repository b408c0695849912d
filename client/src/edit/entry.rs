//! The entry into editing: the part of the editor that every page has. The rest is fetched on demand.

use shared::board::WidgetId;
use wasm_bindgen::JsCast as _;
use web_sys::{DragEvent, File};

use super::editor::{Editor, EditorRequest};
use crate::app::page_wide;
use crate::browser;
use crate::dynamic::{LocalValue, Memo, effect};
use crate::lazy::{Until, module};
use crate::part::{Part, key_for_page, on_window};
use crate::reload;

/// The functions of the editor that the rest of the page calls.
pub struct EditorModule {
    begin: fn(Editor),
    /// The area above the board.
    above: fn(Editor) -> Part,
    /// The tools on each widget.
    tools: fn(WidgetId, Editor) -> Part,
    /// The buttons for the board as a file.
    files: fn(Editor) -> Part,
    upload: fn(Editor, File),
}

module! {
    /// The editor's module.
    static EDITOR: EditorModule = edit, EditorModule {
        begin: Editor::begin,
        above: super::bar::above,
        tools: super::tools::tools,
        files: super::files::files,
        upload: super::files::upload,
    }
}

/// The buttons in the head of a board, and the equivalent keys and gestures.
#[must_use]
pub fn menu(editor: Editor) -> Part {
    follow(editor);
    let files = move || match editor.request.get() {
        EditorRequest::Nothing => Vec::new(),
        _ if editor.editing() => Vec::new(),
        _ => EDITOR.get().map(|editor_module| (editor_module.files)(editor)).into_iter().collect(),
    };
    let files = Part::new("div", "host").live_inside(files);
    // The file buttons arrive later and go to the end, so that the others do not move.
    let list = Part::new("div", "menu-list").put_all(page_wide()).put(&files);
    let menu = Part::new("details", "menu")
        .with("data-testid", "menu")
        .on("toggle", move |_| editor.want(EditorRequest::Files));
    let menu = menu.put(&Part::new("summary", "button").with("data-testid", "more").text("More")).put(&list);
    let edit = Part::button("Edit", "edit", move || editor.want(EditorRequest::Edit)).hidden(move || editor.editing());
    Part::new("span", "board-menu").put(&edit).put(&menu)
}

/// The area above a board, once the user has requested the editor.
#[must_use]
pub fn above(editor: Editor) -> Part {
    let wanted = Memo::new(move || editor.request.get() != EditorRequest::Nothing);
    let above =
        move || wanted.get().then(|| EDITOR.part(Until::Nothing, move |editor_module| (editor_module.above)(editor)));
    Part::new("div", "host").live_inside(move || above().into_iter().collect())
}

/// The tools of a widget, while the board is edited.
#[must_use]
pub fn tools(id: &str, editor: Editor) -> Part {
    let id: Option<WidgetId> = id.parse().ok();
    let tools = move || {
        let id = id.clone().filter(|_| editor.editing())?;
        Some(EDITOR.part(Until::Nothing, move |editor_module| (editor_module.tools)(id.clone(), editor)))
    };
    Part::new("div", "host").live_inside(move || tools().into_iter().collect())
}

fn follow(editor: Editor) {
    effect(move || reload::hold(editor.editing()));
    on_window("keydown", move |event| {
        let event = key_for_page(event).filter(|event| !(event.alt_key() || event.ctrl_key() || event.meta_key()));
        if let Some(event) = event.filter(|event| event.key() == "e") {
            event.prevent_default();
            editor.want(EditorRequest::Edit);
        }
    });
    on_window("dragover", |event| event.prevent_default());
    let dropped = LocalValue::new(None::<File>);
    on_window("drop", move |event| {
        event.prevent_default();
        let data = event.dyn_into::<DragEvent>().ok().and_then(|event| event.data_transfer());
        if let Some(file) = data.and_then(|data| data.files()).and_then(|files| files.get(0)) {
            dropped.set_value(Some(file));
            editor.want(EditorRequest::Files);
        }
    });
    if browser::query_has("edit") {
        editor.want(EditorRequest::Edit);
    }
    effect(move || {
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
