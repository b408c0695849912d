//! The dialog that adds a widget: it searches the series and chooses a type.

use leptos::html::Select;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast as _;
use web_sys::{HtmlOptionElement, HtmlSelectElement, KeyboardEvent, SubmitEvent};

use super::choosing::{Choice, choices, widget};
use super::draft::Edit;
use super::editor::{Editor, Sheet};
use super::fields;
use super::form::Options;
use super::sheet::{SheetButtons, SheetDialog};
use crate::home::cards::Listed;
use crate::home::list;

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
#[component]
pub fn AddWidget(
    /// The editor.
    editor: Editor,
) -> impl IntoView {
    let choosing = Choosing {
        editor,
        listed: RwSignal::new(None),
        searched: RwSignal::new(String::new()),
        kind: RwSignal::new(String::new()),
        wrong: RwSignal::new(String::new()),
    };
    spawn_local(async move {
        let found = list().await.map(|(listed, _)| listed);
        choosing.listed.try_set(Some(found.unwrap_or_default()));
    });
    let series = NodeRef::<Select>::new();
    let submit = move || choosing.submit(series.get_untracked().as_ref());
    let down = move |event: KeyboardEvent| {
        if event.key() == "ArrowDown"
            && let Some(series) = series.get_untracked()
        {
            event.prevent_default();
            _ = series.focus();
        }
    };
    let enter = move |event: KeyboardEvent| {
        if event.key() == "Enter" {
            event.prevent_default();
            submit();
        }
    };
    let submitted = move |event: SubmitEvent| {
        event.prevent_default();
        submit();
    };
    view! {
        <SheetDialog title="Add a widget" testid="add-sheet" editor>
            <form method="dialog" on:submit=submitted>
                <label class="field">
                    <span>"Search"</span>
                    <input
                        type="search"
                        data-testid="search"
                        autofocus
                        autocomplete="off"
                        placeholder="a part of its name, or ops/api/*"
                        bind:value=choosing.searched
                        on:keydown=down
                    />
                </label>
                <label class="field">
                    <span>"Series: one, or several with Shift or Ctrl"</span>
                    <select
                        multiple
                        size="10"
                        data-testid="series"
                        node_ref=series
                        on:dblclick=move |_| submit()
                        on:keydown=enter
                    >
                        <For each=move || choosing.found() key=|choice| choice.selector.clone() let(choice)>
                            <option value=choice.selector.clone()>{choice.selector.clone()}</option>
                        </For>
                    </select>
                </label>
                <p class="field-hint" role="status">{move || choosing.count()}</p>
                <label class="field">
                    <span>"Shown as"</span>
                    <select
                        data-testid="kind"
                        on:change=move |event| choosing.kind.set(event_target_value(&event))
                    >
                        <Options words=fields::kinds()/>
                    </select>
                </label>
                <p class="field-wrong" role="alert">{move || choosing.wrong.get()}</p>
                <SheetButtons submit="Add" testids=["add-chosen", "add-cancel"] editor/>
            </form>
        </SheetDialog>
    }
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
                let words: Vec<_> = fields::describe(&mistakes, "").into_iter().map(|(_, words)| words).collect();
                self.wrong.set(words.join("; "));
            }
        }
    }
}

/// The selected values of a list.
fn chosen(select: &HtmlSelectElement) -> Vec<String> {
    let options = (0..select.length()).filter_map(|at| select.item(at)?.dyn_into::<HtmlOptionElement>().ok());
    options.filter(HtmlOptionElement::selected).map(|option| option.value()).collect()
}
