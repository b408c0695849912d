//! The dialog that adds a widget: it searches the series and chooses a type.

use leptos::html::Select;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast as _;
use web_sys::{HtmlOptionElement, HtmlSelectElement, KeyboardEvent, SubmitEvent};

use super::choosing::{Found, choices, highlight, widget};
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
    /// The choices for the search.
    found: Memo<Found>,
    /// The selectors that are highlighted in the list, which Enter adds.
    highlighted: RwSignal<Vec<String>>,
    kind: RwSignal<String>,
    wrong: RwSignal<String>,
}

/// The dialog.
#[component]
pub fn AddWidget(
    /// The editor.
    editor: Editor,
) -> impl IntoView {
    let (listed, searched) = (RwSignal::new(None::<Vec<Listed>>), RwSignal::new(String::new()));
    let found = Memo::new(move |_| {
        searched.with(|text| listed.with(|listed| choices(listed.as_deref().unwrap_or_default(), text)))
    });
    let choosing = Choosing {
        editor,
        listed,
        searched,
        found,
        highlighted: RwSignal::new(Vec::new()),
        kind: RwSignal::new(String::new()),
        wrong: RwSignal::new(String::new()),
    };
    spawn_local(async move {
        let found = list().await.map(|(listed, _)| listed);
        choosing.listed.try_set(Some(found.unwrap_or_default()));
    });
    // Something is always highlighted: what was, where the search still finds it, or else the first choice.
    Effect::new(move |_| {
        let kept = choosing.found.with(|found| highlight(found, &choosing.highlighted.get_untracked(), 0));
        choosing.highlighted.set(kept);
    });
    let series = NodeRef::<Select>::new();
    let submit = move || choosing.submit();
    let arrows = move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowDown" => 1,
            "ArrowUp" => -1,
            _ => return,
        };
        event.prevent_default();
        let next = choosing.found.with_untracked(|found| highlight(found, &choosing.highlighted.get_untracked(), by));
        choosing.highlighted.set(next);
    };
    let selected = move |_| {
        if let Some(series) = series.get_untracked() {
            choosing.highlighted.set(chosen(&series));
        }
    };
    // The options come first, and then their highlight.
    Effect::new(move |_| {
        choosing.found.track();
        let highlighted = choosing.highlighted.get();
        request_animation_frame(move || {
            if let Some(series) = series.try_get_untracked().flatten() {
                mark(&series, &highlighted);
            }
        });
    });
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
                        on:keydown=arrows
                    />
                </label>
                <label class="field">
                    <span>"Series: one, or several with Shift or Ctrl"</span>
                    <select
                        multiple
                        size="10"
                        data-testid="series"
                        node_ref=series
                        on:change=selected
                        on:dblclick=move |_| submit()
                        on:keydown=enter
                    >
                        <For each=move || choosing.found.get().choices key=|choice| choice.selector.clone() let(choice)>
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
    fn count(self) -> String {
        let Some(all) = self.listed.with(|listed| listed.as_ref().map(Vec::len)) else {
            return "Asking the server…".to_owned();
        };
        self.found.with(|found| {
            let more = if found.listed < found.matching {
                format!("; the first {} are listed", found.listed)
            } else {
                String::new()
            };
            format!("{} of {all} series{more}", found.matching)
        })
    }

    fn submit(self) {
        let mut found = self.found.get_untracked().choices;
        let highlighted = self.highlighted.get_untracked();
        found.retain(|choice| highlighted.contains(&choice.selector));
        let kind = self.kind.get_untracked();
        if found.is_empty() && kind != "text" {
            return self.wrong.set("Choose a series, or write one.".to_owned());
        }
        match self.editor.edit(Edit::Add(widget(&kind, &found))) {
            Ok(Some(id)) if kind == "text" => self.editor.sheet.set(Some(Sheet::Widget(id))),
            Ok(_) => {
                self.editor.close_sheet();
                self.editor.say("Added. Arrows move it.");
            }
            Err(mistakes) => {
                let words: Vec<_> = fields::describe(&mistakes, "").into_iter().map(|(_, words)| words).collect();
                self.wrong.set(words.join("; "));
            }
        }
    }
}

/// Selects these values of a list, and no others. Scrolls to the first of them.
fn mark(select: &HtmlSelectElement, values: &[String]) {
    let mut is_first = true;
    for at in 0..select.length() {
        let Some(option) = select.item(at).and_then(|option| option.dyn_into::<HtmlOptionElement>().ok()) else {
            continue;
        };
        let selected = values.contains(&option.value());
        if option.selected() != selected {
            option.set_selected(selected);
        }
        if selected && std::mem::take(&mut is_first) && document().active_element().as_ref() != Some(select.as_ref()) {
            option.scroll_into_view_with_bool(false);
        }
    }
}

/// The selected values of a list.
fn chosen(select: &HtmlSelectElement) -> Vec<String> {
    let options = (0..select.length()).filter_map(|at| select.item(at)?.dyn_into::<HtmlOptionElement>().ok());
    options.filter(HtmlOptionElement::selected).map(|option| option.value()).collect()
}
