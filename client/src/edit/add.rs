//! The dialog that adds a widget: it searches the series and chooses a type.

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Event, HtmlElement, HtmlOptionElement, HtmlSelectElement, KeyboardEvent};

use super::choosing::{Choice, choices, widget};
use super::draft::Edit;
use super::editor::{Editor, Sheet};
use super::fields;
use super::form::{choice, labelled};
use crate::dynamic::{RwSignal, spawn};
use crate::home::cards::Listed;
use crate::home::list;
use crate::part::{Part, sheet, written};

/// The search and the choice.
#[derive(Clone, Copy)]
struct Choosing {
    editor: Editor,
    /// All series; `None` until the server has answered.
    listed: RwSignal<Option<Vec<Listed>>>,
    searched: RwSignal<String>,
    kind: RwSignal<String>,
    wrong: RwSignal<String>,
}

/// The dialog.
#[must_use]
pub fn add(editor: Editor) -> Part {
    let choosing = Choosing {
        editor,
        listed: RwSignal::new(None),
        searched: RwSignal::new(String::new()),
        kind: RwSignal::new(String::new()),
        wrong: RwSignal::new(String::new()),
    };
    spawn(async move {
        let found = list().await.map(|(listed, _)| listed);
        choosing.listed.try_set(Some(found.unwrap_or_default()));
    });
    let series = Part::new("select", "").with("multiple", "").with("size", "10").with("data-testid", "series");
    let series = series.live_inside(move || choosing.found().iter().map(option).collect());
    let submit = {
        let series = series.clone();
        move || choosing.submit(series.as_a())
    };
    let (by_enter, by_click) = (submit.clone(), submit.clone());
    let series = series.on("dblclick", move |_| by_click()).on("keydown", move |event| {
        if is_key(&event, "Enter") {
            event.prevent_default();
            by_enter();
        }
    });
    let down = series.clone();
    let search = Part::new("input", "")
        .with("type", "search")
        .with("data-testid", "search")
        .with("autofocus", "")
        .with("autocomplete", "off")
        .with("placeholder", "a part of its name, or ops/api/*")
        .on("input", move |event| choosing.searched.set(written(&event)))
        .on("keydown", move |event| {
            if is_key(&event, "ArrowDown")
                && let Some(series) = down.as_a::<HtmlElement>()
            {
                event.prevent_default();
                _ = series.focus();
            }
        });
    let count = Part::new("p", "field-hint").with("role", "status").live_text(move || choosing.count());
    let kinds = choice(&fields::kinds(), "", "kind", move |word| choosing.kind.set(word.to_owned()));
    let wrong = Part::new("p", "field-wrong").with("role", "alert").live_text(move || choosing.wrong.get());
    let ways = Part::new("p", "ways")
        .put(&Part::new("button", "button strong").with("data-testid", "add-chosen").text("Add"))
        .put(&Part::button("Cancel", "add-cancel", move || editor.sheet.set(None)));
    let inside = Part::new("form", "")
        .with("method", "dialog")
        .put(&labelled("Search", &search))
        .put(&labelled("Series: one, or several with Shift or Ctrl", &series))
        .put(&count)
        .put(&labelled("Shown as", &kinds))
        .put(&wrong)
        .put(&ways)
        .on("submit", move |event| {
            event.prevent_default();
            submit();
        });
    sheet("Add a widget", "add-sheet", &inside, move || editor.sheet.set(None))
}

impl Choosing {
    fn found(self) -> Vec<Choice> {
        self.searched.with(|text| self.listed.with(|listed| choices(listed.as_deref().unwrap_or_default(), text)))
    }

    fn count(self) -> String {
        match self.listed.with(|listed| listed.as_ref().map(Vec::len)) {
            None => "Asking the server…".to_owned(),
            Some(all) => format!("{} of {all} series", self.found().len()),
        }
    }

    fn submit(self, series: Option<&HtmlSelectElement>) {
        let chosen = series.map(chosen).unwrap_or_default();
        let mut found = untrack(|| self.found());
        // If the user has selected nothing in the list, takes the first match of the search.
        if found.iter().any(|choice| chosen.contains(&choice.selector)) {
            found.retain(|choice| chosen.contains(&choice.selector));
        } else {
            found.truncate(1);
        }
        let kind = self.kind.get_untracked();
        if found.is_empty() && kind != "text" {
            return self.wrong.set("Choose a series, or write one.".to_owned());
        }
        match self.editor.edit(Edit::Add(widget(&kind, &found))) {
            Ok(Some(id)) if kind == "text" => self.editor.sheet.set(Some(Sheet::Widget(id))),
            Ok(_) => {
                self.editor.sheet.set(None);
                self.editor.say("Added. Arrows move it.");
            }
            Err(mistakes) => {
                let words: Vec<_> = fields::told(&mistakes, "").into_iter().map(|(_, words)| words).collect();
                self.wrong.set(words.join("; "));
            }
        }
    }
}

fn option(choice: &Choice) -> Part {
    Part::new("option", "").with("value", &choice.selector).text(&choice.selector)
}

fn is_key(event: &Event, name: &str) -> bool {
    event.dyn_ref::<KeyboardEvent>().is_some_and(|event| event.key() == name)
}

/// The selected values of a list.
fn chosen(select: &HtmlSelectElement) -> Vec<String> {
    let options = (0..select.length()).filter_map(|at| select.item(at)?.dyn_into::<HtmlOptionElement>().ok());
    options.filter(HtmlOptionElement::selected).map(|option| option.value()).collect()
}
