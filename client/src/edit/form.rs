//! The dialog with the options of a widget or of the board. It shows mistakes beside each field while the user types.

use leptos::prelude::*;
use serde_json::Value;
use shared::board::WidgetId;
use shared::board::keyword::Keyword as _;
use shared::board::widget::WidgetType;
use shared::problem::FieldError;
use web_sys::{Event, SubmitEvent};

use super::draft::{Edit, Fields};
use super::editor::Editor;
use super::fields::{self, Field, Input, SetAside, describe};
use super::sheet::{SheetButtons, SheetDialog};
use crate::dom;

/// The values and mistakes of the form.
#[derive(Clone, Copy)]
struct Form {
    editor: Editor,
    /// The widget; `None` for the board.
    id: StoredValue<Option<WidgetId>>,
    fields: StoredValue<Fields>,
    /// The fields when the form was opened.
    opened: StoredValue<Fields>,
    aside: StoredValue<SetAside>,
    kind: RwSignal<Option<WidgetType>>,
    described: RwSignal<Vec<(String, String)>>,
}

/// The form of a widget of the draft, or of the board. Empty if the board is not edited.
#[component]
pub fn OptionsForm(
    /// The editor.
    editor: Editor,
    /// The widget; `None` for the board.
    id: Option<WidgetId>,
) -> impl IntoView {
    let Some(draft) = editor.draft() else { return ().into_any() };
    let fields = match &id {
        Some(id) => draft.widget(id).cloned().unwrap_or_default(),
        None => draft.settings(),
    };
    let word = fields.get("type").and_then(Value::as_str).unwrap_or_default();
    let kind = id.as_ref().and_then(|_| WidgetType::of(word));
    let title = if id.is_some() { "Widget" } else { "Board" };
    let aside = id.as_ref().and_then(|id| editor.aside.with_value(|aside| aside.get(id).cloned())).unwrap_or_default();
    let form = Form {
        editor,
        id: StoredValue::new(id),
        opened: StoredValue::new(fields.clone()),
        fields: StoredValue::new(fields),
        aside: StoredValue::new(aside),
        kind: RwSignal::new(kind),
        described: RwSignal::new(Vec::new()),
    };
    let fields = move || {
        let kind = form.kind.get();
        let fields = kind.map_or_else(fields::of_board, fields::of_widget);
        fields.into_iter().map(|field| (kind, field)).collect::<Vec<_>>()
    };
    let submitted = move |event: SubmitEvent| {
        event.prevent_default();
        form.apply();
    };
    view! {
        <SheetDialog title testid="form" editor>
            <form method="dialog" on:submit=submitted>
                <div>
                    {kind.map(|kind| view! { <TypeField form kind/> })}
                    // A field of another type is another field, even if it has the same key.
                    <For each=move || fields() key=|(kind, field)| (kind.map(WidgetType::keyword), field.key) let((_, field))>
                        <FieldRow form field/>
                    </For>
                </div>
                <p class="field-wrong" role="status">{move || form.words("")}</p>
                <SheetButtons submit="Apply" testids=["apply", "form-cancel"] editor/>
            </form>
        </SheetDialog>
    }
    .into_any()
}

/// The type of a widget.
#[component]
fn TypeField(form: Form, kind: WidgetType) -> impl IntoView {
    let types = fields::kinds().into_iter().map(|word| view! { <option value=word>{word}</option> }.into_any());
    view! {
        <label class="field">
            <span>"Type"</span>
            <select
                data-testid="field-type"
                prop:value=kind.keyword()
                on:change=move |event| form.turn(&event_target_value(&event))
            >
                {types.collect_view()}
            </select>
        </label>
    }
}

/// A field with its label and its mistakes.
#[component]
fn FieldRow(form: Form, field: Field) -> impl IntoView {
    let text = form.fields.with_value(|fields| field.write(fields.get(field.key)));
    let key = field.key;
    let hint = fields::offers(&field.input);
    let hint = hint.or_else(|| fields::list_offers(key, form.kind.get_untracked()?));
    let hint = hint.unwrap_or_else(|| field.hint.to_owned());
    let (testid, wrong_id) = (format!("field-{key}"), format!("wrong-{key}"));
    let invalid = move || (!form.words(key).is_empty()).to_string();
    let (label, input) = (field.label, field.input.clone());
    let write = move |event: Event| {
        form.fields.update_value(|fields| field.put(fields, &event_target_value(&event)));
        form.changed();
        form.check();
    };
    let described_by = wrong_id.clone();
    let control = match input {
        Input::Choice(_) | Input::Switch => {
            let words = if let Input::Choice(words) = input { words } else { vec!["true", "false"] };
            view! {
                <select
                    data-testid=testid
                    aria-describedby=described_by
                    aria-invalid=invalid
                    prop:value=text
                    on:change=write
                >
                    <Options words/>
                </select>
            }
            .into_any()
        }
        Input::Prose | Input::Limits | Input::Pairs => view! {
            <textarea
                data-testid=testid
                placeholder=hint
                autocomplete="off"
                rows="3"
                aria-describedby=described_by
                aria-invalid=invalid
                prop:value=text
                on:input=write
            ></textarea>
        }
        .into_any(),
        Input::Line | Input::Number | Input::List => view! {
            <input
                data-testid=testid
                placeholder=hint
                autocomplete="off"
                aria-describedby=described_by
                aria-invalid=invalid
                prop:value=text
                on:input=write
            />
        }
        .into_any(),
    };
    view! {
        <label class="field">
            <span>{label}</span>
            {control}
            <span class="field-wrong" id=wrong_id role="status">{move || form.words(key)}</span>
        </label>
    }
}

/// The options of a list of keywords. The empty one stands for the default.
#[component]
pub fn Options(
    /// The keywords.
    words: Vec<&'static str>,
) -> impl IntoView {
    view! {
        <option value="">"as it comes"</option>
        {words.into_iter().map(|word| view! { <option value=word>{word}</option> }.into_any()).collect_view()}
    }
}

impl Form {
    fn edit(self) -> Edit {
        let fields = self.fields.get_value();
        match self.id.get_value() {
            Some(id) => Edit::Change(id, fields),
            None => Edit::Settings(fields),
        }
    }

    /// Shows the mistakes beside their fields.
    fn show_mistakes(self, mistakes: &[FieldError]) {
        let draft = self.editor.draft();
        let at = self.id.with_value(|id| {
            let index = id.as_ref().and_then(|id| draft.as_ref()?.index(id));
            index.map(|index| format!("widgets[{index}].")).unwrap_or_default()
        });
        self.described.set(describe(mistakes, &at));
    }

    /// Notes if the form has changes that would be lost with it.
    fn changed(self) {
        let changed = self.fields.with_value(|fields| self.opened.with_value(|opened| fields != opened));
        self.editor.unapplied.set(changed);
    }

    fn check(self) {
        let mistakes = self.editor.draft().and_then(|draft| draft.edited(self.edit()).err());
        self.show_mistakes(&mistakes.unwrap_or_default());
    }

    fn apply(self) {
        match self.editor.edit(self.edit()) {
            Ok(_) => {
                if let Some(id) = self.id.get_value() {
                    self.editor.aside.update_value(|all| _ = all.insert(id, self.aside.get_value()));
                }
                self.editor.close_sheet();
            }
            Err(mistakes) => {
                self.show_mistakes(&mistakes);
                dom::focus(".sheet [aria-invalid=true]".to_owned());
            }
        }
    }

    fn turn(self, word: &str) {
        if let Some(kind) = WidgetType::of(word) {
            let fields = self.fields.get_value();
            let turned = self.aside.try_update_value(|aside| aside.turn(fields, kind));
            self.fields.set_value(turned.unwrap_or_default());
            self.kind.set(Some(kind));
            self.changed();
            self.check();
        }
    }

    fn words(self, key: &str) -> String {
        self.described.with(|described| {
            let mine = described.iter().filter(|(at, _)| at == key).map(|(_, words)| words.as_str());
            mine.collect::<Vec<_>>().join("; ")
        })
    }
}
