//! The form fields of each widget type, and their conversion to and from the document.
//!
//! A field has a key of the document and an input of one or more lines. Values are not checked here: the page reads
//! the resulting document and shows its mistakes beside the fields.

use serde_json::{Map, Value};
use shared::board::axis::Scale;
use shared::board::bars::Across;
use shared::board::keyword::Keyword;
use shared::board::lines::{Band, Quantile, Stack};
use shared::board::states::Colour;
use shared::board::table::{Column, Order};
use shared::board::widget::WidgetType;
use shared::board::{Level, Show};
use shared::problem::FieldError;

use super::draft::Fields;
use crate::json;

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The key in the document.
    pub key: &'static str,
    /// The label.
    pub label: &'static str,
    /// The kind of input.
    pub input: Input,
    /// An example, or the default.
    pub hint: &'static str,
}

/// A kind of input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A single-line text.
    Line,
    /// A multi-line text.
    Prose,
    /// A number.
    Number,
    /// One of these keywords, or none.
    Choice(Vec<&'static str>),
    /// Yes or no; yes by default.
    Switch,
    /// A list of texts, separated by commas.
    List,
    /// Thresholds such as `above 250 warn`, one a line.
    Limits,
    /// Pairs such as `up = green`, one a line.
    Pairs,
}

/// The fields of the board itself.
#[must_use]
pub fn of_board() -> Vec<Field> {
    vec![
        field("title", "Title", Input::Line, "the name in its address"),
        field("range", "Shows the last", Input::Line, "1h"),
        field("columns", "Columns", Input::Number, "12"),
        field("markers", "Markers on all charts", Input::List, "ops/deploy"),
    ]
}

/// The fields of a widget of this type, except its type and its place. They are all that the type can have.
#[must_use]
pub fn of_widget(kind: WidgetType) -> Vec<Field> {
    let mut fields = vec![field("title", "Title", Input::Line, "what it shows")];
    if kind == WidgetType::Text {
        fields.push(field("markdown", "Text", Input::Prose, "Markdown"));
        return fields;
    }
    fields.push(field("series", "Series", Input::List, "ops/api/*, ops/db/size"));
    fields.push(field("show", "Of each, show", choice::<Show>(), ""));
    fields.push(field("unit", "Unit", Input::Line, "bytes, ms, %, si, rpm"));
    fields.push(field("decimals", "Digits after the point", Input::Number, "as needed"));
    fields.push(field("expect", "Reports at least every", Input::Line, "60s"));
    match kind {
        WidgetType::Stat => {
            fields.push(field("sparkline", "Small line", Input::Switch, ""));
            fields.push(field("change", "Change since", Input::Line, "1h"));
        }
        WidgetType::Line => {
            fields.push(field("band", "Band", choice::<Band>(), ""));
            fields.push(field("quantiles", "Quantiles", Input::List, "p50, p99"));
            fields.push(field("compare", "Compare with", Input::Line, "-7d"));
        }
        WidgetType::Area => {
            fields.push(field("stack", "Several areas", choice::<Stack>(), ""));
            fields.push(field("compare", "Compare with", Input::Line, "-7d"));
        }
        WidgetType::Bar => fields.push(field("across", "A bar for each", choice::<Across>(), "")),
        WidgetType::Gauge => {
            fields.push(field("min", "From", Input::Number, "0"));
            fields.push(field("max", "To", Input::Number, "100 for %"));
        }
        WidgetType::States => fields.push(field("colours", "Colours", Input::Pairs, "up = green")),
        WidgetType::Table => {
            fields.push(field("columns", "Columns", Input::List, "name, value, change, age"));
            fields.push(field("sort", "Sorted by", choice::<Column>(), ""));
            fields.push(field("order", "Order", choice::<Order>(), ""));
            fields.push(field("rows", "Rows at most", Input::Number, "all"));
        }
        WidgetType::Log => fields.push(field("lines", "Lines at most", Input::Number, "as fit")),
        WidgetType::Heatmap | WidgetType::Text => {}
    }
    if matches!(kind, WidgetType::Line | WidgetType::Area | WidgetType::Bar | WidgetType::Heatmap) {
        fields.push(field("y_min", "Axis from", Input::Number, "as needed"));
        fields.push(field("y_max", "Axis to", Input::Number, "as needed"));
        fields.push(field("y_scale", "Axis by", choice::<Scale>(), ""));
    }
    if matches!(kind, WidgetType::Line | WidgetType::Area | WidgetType::Bar | WidgetType::States | WidgetType::Heatmap)
    {
        fields.push(field("markers", "Markers", Input::List, "ops/deploy"));
    }
    fields.push(field("thresholds", "Thresholds", Input::Limits, "above 250 warn"));
    fields
}

/// The keywords of all widget types.
#[must_use]
pub fn kinds() -> Vec<&'static str> {
    words::<WidgetType>()
}

fn field(key: &'static str, label: &'static str, input: Input, hint: &'static str) -> Field {
    Field { key, label, input, hint }
}

fn choice<W: Keyword>() -> Input {
    Input::Choice(words::<W>())
}

fn words<W: Keyword>() -> Vec<&'static str> {
    W::ALL.iter().map(|(word, _)| *word).collect()
}

/// Fields of a widget that its present type cannot have. They come back where another type can have them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SetAside(Fields);

impl SetAside {
    /// Changes the type of a widget. Keeps the fields that the new type can have too, sets the others aside, and brings
    /// back those that it can have.
    #[must_use]
    pub fn turn(&mut self, fields: Fields, kind: WidgetType) -> Fields {
        let known = of_widget(kind);
        let mut turned = Fields::new();
        for (key, value) in std::mem::take(&mut self.0).into_iter().chain(fields) {
            let is_known = matches!(key.as_str(), "id" | "place") || known.iter().any(|field| field.key == key);
            let fields = if is_known { &mut turned } else { &mut self.0 };
            fields.insert(key, value);
        }
        self.0.remove("type");
        turned.insert("type".into(), kind.keyword().into());
        turned
    }
}

impl Field {
    /// Formats a value of the document for the form; empty if there is none.
    #[must_use]
    pub fn write(&self, value: Option<&Value>) -> String {
        let Some(value) = value else { return String::new() };
        match (&self.input, value) {
            (Input::List, Value::Array(list)) => joined(list.iter().map(plain), ", "),
            (Input::Limits, Value::Array(list)) => joined(list.iter().map(limit), "\n"),
            (Input::Pairs, Value::Object(pairs)) => {
                joined(pairs.iter().map(|(key, value)| format!("{key} = {}", plain(value))), "\n")
            }
            (_, value) => plain(value),
        }
    }

    /// Parses the input to a value of the document; `None` if it is empty or equals the default.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Value> {
        // A multi-line text may be empty, and may begin with spaces that matter.
        if self.input == Input::Prose {
            return Some(text.into());
        }
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        match self.input {
            Input::Line | Input::Choice(_) | Input::Prose => Some(text.into()),
            Input::Number => Some(number(text)),
            Input::Switch => (text == "false").then_some(Value::Bool(false)),
            Input::List => Some(text.split([',', '\n']).map(str::trim).filter(|word| !word.is_empty()).collect()),
            Input::Limits => Some(text.lines().filter(|line| !line.trim().is_empty()).map(read_limit).collect()),
            Input::Pairs => {
                let mut pairs = Map::new();
                for line in text.lines().filter(|line| !line.trim().is_empty()) {
                    let (key, value) = line.rsplit_once('=').unwrap_or((line, ""));
                    pairs.insert(key.trim().to_owned(), value.trim().into());
                }
                Some(Value::Object(pairs))
            }
        }
    }

    /// Writes the parsed input into the fields of a document.
    pub fn put(&self, fields: &mut Fields, text: &str) {
        match self.read(text) {
            Some(value) => _ = fields.insert(self.key.to_owned(), value),
            None => _ = fields.remove(self.key),
        }
    }
}

/// Assigns mistakes to keys of the table at `at` (`widgets[3].`, or empty for the board itself). Each comes with its
/// description; one from elsewhere has an empty key and is described with its whole place.
#[must_use]
pub fn describe(mistakes: &[FieldError], at: &str) -> Vec<(String, String)> {
    let described = mistakes.iter().map(|FieldError { field, expected, got, .. }| match field.strip_prefix(at) {
        Some(within) => {
            let end = within.find(['.', '[']).unwrap_or(within.len());
            let (key, rest) = within.split_at(end);
            let rest = rest.trim_start_matches('.');
            let place = if rest.is_empty() { String::new() } else { format!("{rest}: ") };
            (key.to_owned(), format!("{place}{}", advice(expected, got)))
        }
        None => (String::new(), format!("{field}: expected {expected}, got {got}")),
    });
    described.collect()
}

/// Says what to write in the place of a value.
fn advice(expected: &str, got: &str) -> String {
    if got == "nothing" { format!("Write {expected}; it is empty.") } else { format!("Write {expected}, not {got}.") }
}

fn joined(parts: impl Iterator<Item = String>, between: &str) -> String {
    parts.collect::<Vec<_>>().join(between)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Parses a number. If the text is not a number, keeps the text, so that reading the document reports the mistake.
fn number(text: &str) -> Value {
    json::read(text).filter(Value::is_number).unwrap_or_else(|| text.into())
}

fn limit(threshold: &Value) -> String {
    let side = if threshold.get("below").is_some() { "below" } else { "above" };
    let part = |key| threshold.get(key).map(plain).unwrap_or_default();
    format!("{side} {} {}", part(side), part("level"))
}

fn read_limit(line: &str) -> Value {
    let mut words = line.split_whitespace();
    let (side, limit, level) = (words.next(), words.next(), words.next());
    let mut table = Map::new();
    // A line such as `over 250` gives a table with neither `above` nor `below`, which reading the document reports.
    table.insert(side.unwrap_or_default().to_owned(), number(limit.unwrap_or_default()));
    if let Some(level) = level {
        table.insert("level".into(), level.into());
    }
    Value::Object(table)
}

/// A hint that lists the keywords of levels or colours.
#[must_use]
pub fn offers(input: &Input) -> Option<String> {
    match input {
        Input::Limits => Some(format!("above or below, a number, and {}", Level::offer())),
        Input::Pairs => Some(format!("a state, =, and {}", Colour::offer())),
        _ => None,
    }
}

/// The keywords that an [`Input::List`] of this key accepts, if they are few.
#[must_use]
pub fn list_offers(key: &str, kind: WidgetType) -> Option<String> {
    match (key, kind) {
        ("quantiles", _) => Some(Quantile::offer()),
        ("columns", WidgetType::Table) => Some(Column::offer()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::Board;

    fn mistakes(widget: &Value) -> Vec<FieldError> {
        Board::read(&json!({ "widgets": [widget] })).mistakes
    }

    #[test]
    fn the_form_of_each_type_has_every_key_that_the_document_can_have_and_no_other() {
        for &(word, kind) in WidgetType::ALL {
            let found = mistakes(&json!({ "id": "a", "type": word, "series": ["x"], "markdown": "x", "nonsense": 1 }));
            let unknown = found.iter().find(|mistake| mistake.field.ends_with(".nonsense")).unwrap();
            let (_, known) = unknown.expected.split_once("there are ").unwrap();
            let mut form: Vec<_> = of_widget(kind).iter().map(|field| field.key).collect();
            form.extend(["id", "type", "place"]);
            form.sort_unstable();
            assert_eq!(form.join(", "), known, "{word}");
        }
        let found = Board::read(&json!({ "nonsense": 1 })).mistakes;
        let mut form: Vec<_> = of_board().iter().map(|field| field.key).collect();
        form.push("widgets");
        form.sort_unstable();
        assert!(found[0].expected.ends_with(&form.join(", ")), "{found:?}");
    }

    #[test]
    fn what_is_written_comes_back_as_it_was() {
        let line = json!({
            "id": "a", "type": "line", "title": "Latency", "series": ["ops/a", "ops/b/*"], "show": "mean",
            "unit": "ms", "decimals": 2, "expect": "60s", "band": "min-max", "quantiles": ["p50", "p99"],
            "compare": "-7d", "markers": ["ops/deploy"], "y_min": 0.5, "y_max": 1e6, "y_scale": "log",
            "thresholds": [{ "above": 250, "level": "warn" }, { "below": -2.5, "level": "bad" }],
        });
        let states =
            json!({ "id": "a", "type": "states", "series": ["x"], "colours": { "up": "green", "a = b": "red" } });
        let stat = json!({ "id": "a", "type": "stat", "series": ["x"], "sparkline": false, "change": "1h" });
        let text = json!({ "id": "a", "type": "text", "markdown": "  # Hi\n\n*you*\n" });
        for widget in [line, states, stat, text] {
            assert_eq!(mistakes(&widget), []);
            let Value::Object(mut fields) = widget else { panic!("a table") };
            let kind = WidgetType::of(fields["type"].as_str().unwrap()).unwrap();
            let before = fields.clone();
            for field in of_widget(kind) {
                let text = field.write(before.get(field.key));
                field.put(&mut fields, &text);
            }
            assert_eq!(fields, before);
        }
    }

    #[test]
    fn what_is_written_wrong_is_told_at_its_field() {
        let mut fields = Fields::new();
        fields.insert("id".into(), "a".into());
        fields.insert("type".into(), "line".into());
        for field in of_widget(WidgetType::Line) {
            let text = match field.key {
                "series" => "ops/a, o p s, ops/b",
                "decimals" => "two",
                "thresholds" => "above 1 warn\nover 250 warn\nbelow many bad",
                "expect" => "often",
                _ => "",
            };
            field.put(&mut fields, text);
        }
        let found = describe(&mistakes(&Value::Object(fields)), "widgets[0].");
        let keys: Vec<_> = found.iter().map(|(key, _)| key.as_str()).collect();
        assert!(["series", "decimals", "thresholds", "expect"].iter().all(|key| keys.contains(key)), "{found:?}");
        assert!(found.iter().any(|(_, words)| words.starts_with("[1]: Write a selector")), "{found:?}");
        assert!(
            found.iter().any(|(_, words)| words == r#"Write a whole number from 0 to 10, not "two"."#),
            "{found:?}"
        );
        assert!(!keys.contains(&""), "{found:?}");
    }

    /// A widget of each type with all of its options.
    fn full() -> [Value; 10] {
        let thresholds = json!([{ "above": 250, "level": "warn" }]);
        let common = json!({ "title": "T", "series": ["ops/a"], "show": "mean", "unit": "ms", "decimals": 2, "expect": "60s",
            "thresholds": thresholds, "place": { "x": 0, "y": 0, "w": 2, "h": 2 } });
        let own = [
            ("stat", json!({ "sparkline": false, "change": "1h" })),
            ("line", json!({ "band": "min-max", "quantiles": ["p50"], "y_min": 1, "y_scale": "log" })),
            ("area", json!({ "stack": "sum", "y_min": 1 })),
            ("bar", json!({ "across": "time", "y_max": 7 })),
            ("heatmap", json!({ "y_max": 7 })),
            ("gauge", json!({ "min": 0, "max": 9 })),
            ("states", json!({ "colours": { "up": "green" } })),
            ("table", json!({ "columns": ["name", "value"], "rows": 3 })),
            ("log", json!({ "lines": 3 })),
            ("text", json!({ "markdown": "# Hi" })),
        ];
        own.map(|(word, own)| {
            let mut fields = if word == "text" { json!({ "title": "T" }) } else { common.clone() };
            let table = fields.as_object_mut().unwrap();
            table.insert("id".into(), "a".into());
            table.insert("type".into(), word.into());
            table.extend(own.as_object().unwrap().clone());
            fields
        })
    }

    fn fields_of(widget: &Value) -> Fields {
        widget.as_object().unwrap().clone()
    }

    #[test]
    fn another_type_keeps_what_both_can_have_and_has_no_mistake() {
        for widget in full() {
            assert_eq!(mistakes(&widget), [], "{widget}");
            for &(word, kind) in WidgetType::ALL {
                let turned = Value::Object(SetAside::default().turn(fields_of(&widget), kind));
                assert_eq!(turned["type"], word);
                for field in of_widget(kind).iter().filter(|field| widget.get(field.key).is_some()) {
                    assert_eq!(turned[field.key], widget[field.key], "{word}: {}", field.key);
                }
                // A note has no series and the others no text, so what came from the other lacks them.
                let lacks =
                    |mistake: &FieldError| [".series", ".markdown"].iter().any(|key| mistake.field.ends_with(key));
                assert!(mistakes(&turned).iter().all(lacks), "{turned}");
            }
        }
    }

    #[test]
    fn whatever_the_way_a_type_that_returns_has_all_of_its_fields_again() {
        let kinds: Vec<WidgetType> = WidgetType::ALL.iter().map(|(_, kind)| *kind).collect();
        for widget in full() {
            let first = WidgetType::of(widget["type"].as_str().unwrap()).unwrap();
            for &one in &kinds {
                for &other in &kinds {
                    let mut aside = SetAside::default();
                    let turned = aside.turn(fields_of(&widget), one);
                    let turned = aside.turn(turned, other);
                    let back = Value::Object(aside.turn(turned, first));
                    assert_eq!(back, widget, "by way of {one:?} and {other:?}");
                }
            }
        }
    }
}
