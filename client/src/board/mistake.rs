//! Assigns the mistakes in a board's document to the widgets that show them.

use leptos::prelude::*;
use shared::board::{Board, WidgetId};
use shared::problem::FieldError;

/// A mistake in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The widget that shows the mistake. `None` if the mistake is outside of widgets, or if its widget is
    /// unreadable.
    pub widget: Option<WidgetId>,
    /// The place, the expected value and the received one.
    pub text: String,
}

/// The mistakes of the page, provided to its widgets as context.
#[derive(Clone, Copy, Debug)]
pub struct Mistakes(pub Memo<Vec<Mistake>>);

/// Assigns each mistake to its widget of `board`. `id_of` maps the index of a widget in the document to its id, if it
/// has one.
#[must_use]
pub fn placed(board: &Board, mistakes: Vec<FieldError>, id_of: impl Fn(usize) -> Option<String>) -> Vec<Mistake> {
    let mut all = Vec::with_capacity(mistakes.len());
    for FieldError { field, expected, got, .. } in mistakes {
        let (index, within) = match in_widget(&field) {
            Some((index, within)) => (Some(index), within),
            None => (None, ""),
        };
        let id = index.and_then(&id_of);
        let widget = board.widgets.iter().find(|widget| Some(widget.id.as_str()) == id.as_deref() && within != "id");
        let wanted = format!("expected {expected}, got {got}");
        let text = match (widget, id) {
            (Some(_), _) => format!("{within}: {wanted}"),
            (None, Some(id)) if !within.is_empty() => format!("{id}, {within}: {wanted}"),
            _ => format!("{field}: {wanted}"),
        };
        all.push(Mistake { widget: widget.map(|widget| widget.id.clone()), text });
    }
    all
}

/// Splits the place of a mistake, such as `widgets[3].place.w`, into the index of the widget and the field within it.
fn in_widget(field: &str) -> Option<(usize, &str)> {
    let (index, within) = field.strip_prefix("widgets[")?.split_once(']')?;
    Some((index.parse().ok()?, within.strip_prefix('.').unwrap_or(within)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::board::ParsedBoard;

    #[test]
    fn a_mistake_is_placed_where_its_widget_is_shown_and_else_above() {
        let document: serde_json::Value = serde_json::from_str(
            r#"{"columns": 99, "widgets": [
                {"id": "gone", "type": "pie", "series": ["a"]},
                {"id": "load", "type": "gauge", "series": ["a"], "min": 4, "max": 3},
                {"id": "load", "type": "stat", "series": ["b"]},
                7
            ]}"#,
        )
        .unwrap();
        let ParsedBoard { board, mistakes } = Board::read(&document);
        let placed = placed(&board, mistakes, |i| document["widgets"][i]["id"].as_str().map(str::to_owned));
        let named: Vec<_> = placed
            .iter()
            .map(|m| (m.widget.as_ref().map(WidgetId::as_str), m.text.split_once(": ").unwrap().0))
            .collect();
        let wanted =
            [(None, "columns"), (None, "gone, type"), (Some("load"), "max"), (None, "load, id"), (None, "widgets[3]")];
        assert_eq!(named, wanted);
    }
}
