//! A board as a file: download, upload, duplicate, rename and delete.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;
use shared::BoardId;
use shared::board::{BoardFormat, Etag};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Event, File, HtmlElement, HtmlInputElement};

use super::confirm::{asked, confirmed};
use super::draft::Draft;
use super::editor::{Editor, Trouble};
use super::storing::{Outcome, Refused, Written, as_link, delete, get, put, put_kept};
use crate::board::document::Edition;
use crate::home::new_board::NewBoard;
use crate::{browser, json};

/// The buttons for a board as a file.
#[component]
pub fn FileButtons(
    /// The editor.
    editor: Editor,
) -> impl IntoView {
    let chosen = move |event: Event| {
        let input = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        if let Some(input) = input {
            if let Some(file) = input.files().and_then(|files| files.get(0)) {
                upload(editor, file);
            }
            // Cleared, so that the same file can be chosen again after it was corrected.
            input.set_value("");
        }
    };
    let unmade = Memo::new(move |_| editor.stored().is_none());
    view! {
        <button
            class="button"
            type="button"
            data-testid="download-toml"
            hidden=move || unmade.get()
            on:click=move |_| download(editor, Written::Toml)
        >
            "Download as TOML"
        </button>
        <button
            class="button"
            type="button"
            data-testid="download-json"
            on:click=move |_| download(editor, Written::Json)
        >
            "Download as JSON"
        </button>
        <label class="button">
            "Upload"
            <input class="unseen" type="file" accept=".toml,.json" data-testid="upload" on:change=chosen/>
        </label>
        <button class="button" type="button" data-testid="duplicate" on:click=move |_| duplicate(editor)>
            "Duplicate"
        </button>
        <button
            class="button"
            type="button"
            data-testid="rename"
            hidden=move || unmade.get()
            on:click=move |_| rename(editor)
        >
            "Rename"
        </button>
        <button
            class="button"
            type="button"
            data-testid="delete"
            hidden=move || unmade.get()
            on:click=move |_| remove(editor)
        >
            "Delete"
        </button>
        <a class="button" href="?kiosk">
            "Wall screen"
        </a>
    }
}

fn download(editor: Editor, written: Written) {
    spawn_local(async move {
        let id = editor.id();
        let text = match (editor.stored_untracked(), editor.automatic()) {
            (None, Some(board)) => Some(Draft::automatic(&board).text()),
            _ => get(&id, written).await,
        };
        let end = if written == Written::Toml { "toml" } else { "json" };
        match text {
            Some(text) => save_file(&format!("{id}.{end}"), &as_link(written, &text)),
            None => show_error(editor, "The board could not be downloaded. Try again later."),
        }
    });
}

/// Makes the browser save the target of a link as a file.
fn save_file(name: &str, link: &str) {
    let anchor = document().create_element("a").ok().and_then(|anchor| anchor.dyn_into::<HtmlElement>().ok());
    if let Some(anchor) = anchor {
        // Setting them fails only for invalid names.
        _ = anchor.set_attribute("href", link);
        _ = anchor.set_attribute("download", name);
        anchor.click();
    }
}

/// Replaces the board by a file, once the user has confirmed.
pub fn upload(editor: Editor, file: File) {
    let name = file.name();
    let question = match (untrack(|| editor.changed()), editor.stored_untracked()) {
        (true, _) => Some(format!("Put {name} in the place of this board, and give up what is not saved?")),
        (false, Some(_)) => Some(format!("Put {name} in the place of this board?")),
        (false, None) => None,
    };
    spawn_local(async move {
        if let Some(question) = question
            && !confirmed(&question, "Replace it").await
        {
            return;
        }
        let text = JsFuture::from(file.text()).await.ok().and_then(|text| text.as_string());
        let Some(text) = text else { return show_error(editor, "The file cannot be read.") };
        let guess = if text.trim_start().starts_with('{') { Written::Json } else { Written::Toml };
        let outcome = put(&editor.id(), Written::of(&name).unwrap_or(guess), &text, editor.stored_untracked()).await;
        finish(editor, outcome, &format!("{name} is this board now."));
    });
}

/// Stores a copy of the board under another name, and opens it.
fn duplicate(editor: Editor) {
    spawn_local(async move {
        let initial = format!("{} copy", editor.title());
        if let Some(name) = asked("Name of the copy", &initial, "Duplicate").await
            && let Some(copy) = stored_as(editor, &name).await
        {
            open(&copy);
        }
    });
}

/// Stores the board under another name, deletes it under the present one, and opens it.
fn rename(editor: Editor) {
    let Some(base) = editor.stored_untracked() else { return };
    spawn_local(async move {
        let Some(name) = asked("New name of this board", &editor.title(), "Rename").await else { return };
        let Some(copy) = stored_as(editor, &name).await else { return };
        match delete(&editor.id(), base).await {
            Outcome::Done(_) => open(&copy),
            // The copy is whole, so nothing is lost.
            _ => show_error(editor, &format!("The board is now also at {copy}, but could not be removed here.")),
        }
    });
}

/// Stores a copy of the board under a name, which becomes its title and its id. Returns its id, or shows the reason why
/// it is not stored. A board in TOML keeps its comments.
async fn stored_as(editor: Editor, name: &str) -> Option<BoardId> {
    let NewBoard { id: copy, title } = match NewBoard::named(name) {
        Ok(board) => board,
        Err(why) => {
            show_error(editor, &why);
            return None;
        }
    };
    let stored = editor.stored_untracked();
    let text = match (stored, editor.automatic()) {
        (None, Some(board)) => Some(Draft::automatic(&board).text()),
        _ => get(&editor.id(), Written::Json).await,
    };
    let document = text.and_then(|text| json::read::<Value>(&text));
    let Some(Value::Object(mut document)) = document else {
        show_error(editor, "The board could not be read, so nothing was stored. Try again later.");
        return None;
    };
    let title = title.unwrap_or_else(|| copy.to_string());
    document.insert("title".to_owned(), title.into());
    let form = stored.map_or(BoardFormat::Json, |etag| etag.kept_in(BoardFormat::Json));
    let mut base = None;
    if form == BoardFormat::Toml
        && let Some(source) = get(&editor.id(), Written::Toml).await
    {
        match put(&copy, Written::Toml, &source, None).await {
            Outcome::Done(etag) => base = etag,
            other => return refused(editor, &copy, other),
        }
    }
    match put_kept(&copy, form, &format!("{:#}\n", Value::Object(document)), base).await {
        Outcome::Done(_) => Some(copy),
        other => refused(editor, &copy, other),
    }
}

fn refused(editor: Editor, copy: &BoardId, outcome: Outcome) -> Option<BoardId> {
    match outcome {
        Outcome::Refused(refused) => editor.trouble.set(Some(Trouble::Refused(refused))),
        Outcome::Done(_) | Outcome::Changed => {
            show_error(editor, &format!("There is a board {copy} already. Choose another name."));
        }
    }
    None
}

fn open(board: &BoardId) {
    _ = window().location().set_href(&browser::address(&format!("b/{board}")));
}

fn remove(editor: Editor) {
    let Some(base) = editor.stored_untracked() else { return };
    spawn_local(async move {
        if confirmed("Delete this board? The page then shows the automatic board.", "Delete it").await {
            let outcome = delete(&editor.id(), base).await;
            finish(editor, outcome, "The board is deleted.");
        }
    });
}

fn finish(editor: Editor, outcome: Outcome, done: &str) {
    match outcome {
        Outcome::Done(_) => {
            editor.end();
            editor.say(done);
        }
        Outcome::Changed => show_error(editor, "Someone else has changed this board just now, so it was left alone."),
        Outcome::Refused(refused) => editor.trouble.set(Some(Trouble::Refused(refused))),
    }
    editor.ask();
}

fn show_error(editor: Editor, why: &str) {
    let refused = Refused { why: why.to_owned(), places: Vec::new() };
    editor.trouble.set(Some(Trouble::Refused(refused)));
}

impl Editor {
    /// The title of the stored board, or its id; not reactive.
    fn title(self) -> String {
        let title = self.document.edition.with_untracked(|edition| match edition {
            Some(Edition::Made { board, .. }) => board.title.clone(),
            Some(Edition::Automatic) | None => None,
        });
        title.unwrap_or_else(|| self.id().to_string())
    }

    /// The tag of the stored board; `None` if no user has created it. Reactive.
    #[must_use]
    pub fn stored(self) -> Option<Etag> {
        self.document.edition.with(|edition| edition.as_ref().and_then(Edition::etag))
    }

    fn stored_untracked(self) -> Option<Etag> {
        untrack(|| self.stored())
    }
}
