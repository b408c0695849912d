//! The dialog with the options of a widget or of the board. It shows mistakes beside each field while the user types.

use crate::dynamic::{RwSignal, StoredValue};
use serde_json::Value;
use shared::board::WidgetId;
use shared::board::keyword::Keyword as _;
use shared::board::widget::WidgetType;
use shared::problem::FieldError;
use web_sys::{HtmlInputElement, HtmlTextAreaElement};

use super::draft::{Edit, Fields};
use super::editor::Editor;
use super::fields::{self, Field, Input, told};
use crate::part::{Part, sheet, written};

/// The values and mistakes of the form.
#[derive(Clone, Copy)]
struct Form {
    editor: Editor,
    /// The widget; `None` for the board.
    id: StoredValue<Option<WidgetId>>,
    fields: StoredValue<Fields>,
    kind: RwSignal<Option<WidgetType>>,
    told: RwSignal<Vec<(String, String)>>,
}

/// Makes the form of a widget of the draft, or of the board if `id` is `None`.
#[must_use]
pub fn form(editor: Editor, id: Option<WidgetId>) -> Option<Part> {
    let draft = editor.draft()?;
    let fields = match &id {
        Some(id) => draft.widget(id).cloned().unwrap_or_default(),
        None => draft.settings(),
    };
    let word = fields.get("type").and_then(Value::as_str).unwrap_or_default();
    let kind = id.as_ref().and_then(|_| WidgetType::of(word));
    let title = if id.is_some() { "Widget" } else { "Board" };
    let form = Form {
        editor,
        id: StoredValue::new(id),
        fields: StoredValue::new(fields),
        kind: RwSignal::new(kind),
        told: RwSignal::new(Vec::new()),
    };
    let rows = Part::new("div", "").live_inside(move || {
        let kind = form.kind.get();
        let types = kind.map(|kind| {
            let types = choice(&fields::kinds(), kind.keyword(), "field-type", move |word| form.turn(word));
            labelled("Type", &types)
        });
        let fields = kind.map_or_else(fields::of_board, fields::of_widget);
        types.into_iter().chain(fields.iter().map(|field| form.row(field))).collect()
    });
    let elsewhere = Part::new("p", "field-wrong").with("role", "status").live_text(move || form.words(""));
    let apply = Part::new("button", "button strong").with("data-testid", "apply").text("Apply");
    let ways = Part::new("p", "ways").put(&apply);
    let ways = ways.put(&Part::button("Cancel", "form-cancel", move || editor.sheet.set(None)));
    let inside = Part::new("form", "").with("method", "dialog").put(&rows).put(&elsewhere).put(&ways);
    let inside = inside.on("submit", move |event| {
        event.prevent_default();
        form.apply();
    });
    Some(sheet(title, "form", &inside, move || editor.sheet.set(None)))
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
    fn tell(self, mistakes: &[FieldError]) {
        let draft = self.editor.draft();
        let at = self.id.with_value(|id| {
            let index = id.as_ref().and_then(|id| draft.as_ref()?.index(id));
            index.map(|index| format!("widgets[{index}].")).unwrap_or_default()
        });
        self.told.set(told(mistakes, &at));
    }

    fn check(self) {
        let mistakes = self.editor.draft().and_then(|draft| draft.edited(self.edit()).err());
        self.tell(&mistakes.unwrap_or_default());
    }

    fn apply(self) {
        match self.editor.edit(self.edit()) {
            Ok(_) => self.editor.sheet.set(None),
            Err(mistakes) => self.tell(&mistakes),
        }
    }

    fn turn(self, word: &str) {
        if let Some(kind) = WidgetType::of(word) {
            self.fields.update_value(|fields| *fields = fields::turned_into(std::mem::take(fields), kind));
            self.kind.set(Some(kind));
            self.check();
        }
    }

    fn words(self, key: &str) -> String {
        self.told.with(|told| {
            let mine = told.iter().filter(|(at, _)| at == key).map(|(_, words)| words.as_str());
            mine.collect::<Vec<_>>().join("; ")
        })
    }

    fn row(self, field: &Field) -> Part {
        let text = self.fields.with_value(|fields| field.write(fields.get(field.key)));
        let key = field.key;
        let hint = fields::offers(&field.input);
        let hint = hint.or_else(|| fields::list_offers(key, self.kind.get_untracked()?));
        let hint = hint.unwrap_or_else(|| field.hint.to_owned());
        let (testid, wrong_id) = (format!("field-{key}"), format!("wrong-{key}"));
        let write = {
            let field = field.clone();
            move |text: &str| {
                self.fields.update_value(|fields| field.put(fields, text));
                self.check();
            }
        };
        let control = match &field.input {
            Input::Choice(words) => choice(words, &text, &testid, write),
            Input::Switch => choice(&["true", "false"], &text, &testid, write),
            lines => {
                let tag =
                    if matches!(lines, Input::Prose | Input::Limits | Input::Pairs) { "textarea" } else { "input" };
                let control = Part::new(tag, "").with("data-testid", &testid).with("placeholder", &hint);
                let control = control.with("autocomplete", "off").with("rows", "3");
                if let Some(input) = control.as_a::<HtmlInputElement>() {
                    input.set_value(&text);
                } else if let Some(area) = control.as_a::<HtmlTextAreaElement>() {
                    area.set_value(&text);
                }
                control.on("input", move |event| write(&written(&event)))
            }
        };
        let control = control
            .with("aria-describedby", &wrong_id)
            .live("aria-invalid", move || (!self.words(key).is_empty()).to_string());
        let wrong = Part::new("span", "field-wrong").with("id", &wrong_id).with("role", "status");
        labelled(field.label, &control).put(&wrong.live_text(move || self.words(key)))
    }
}

/// A field with its label.
#[must_use]
pub fn labelled(label: &str, control: &Part) -> Part {
    Part::new("label", "field").put(&Part::new("span", "").text(label)).put(control)
}

/// A list of keywords. The empty option stands for the default.
#[must_use]
pub fn choice(words: &[&str], chosen: &str, testid: &str, write: impl Fn(&str) + 'static) -> Part {
    let none = if words.contains(&chosen) && testid == "field-type" { None } else { Some("") };
    let options = none.into_iter().chain(words.iter().copied());
    let select = options.fold(Part::new("select", "").with("data-testid", testid), |select, word| {
        let option = Part::new("option", "").with("value", word);
        let option = option.text(if word.is_empty() { "as it comes" } else { word });
        select.put(&if word == chosen { option.with("selected", "") } else { option })
    });
    select.on("change", move |event| write(&written(&event)))
}
