//! Mistakes in the document of a board, each at its place.

use crate::dynamic::Memo;
use shared::board::{Board, WidgetId};
use shared::problem::FieldError;

/// Something in the document that could not be made out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// In which widget of the page; nothing where it is elsewhere, or where nothing could be made of its widget.
    pub widget: Option<WidgetId>,
    /// What is wrong, and what belongs there.
    pub text: String,
}

/// What is handed down to the widgets of a page.
#[derive(Clone, Copy, Debug)]
pub struct Mistakes(pub Memo<Vec<Mistake>>);

/// The mistakes of a document, each with the widget of `board` in which it is. `id_of` gives the id of the widget that is
/// the so many-eth in the document, from 0, where it has one.
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

/// Which widget a field is of, by its place in the document, and where within: `widgets[3].place.w`.
fn in_widget(field: &str) -> Option<(usize, &str)> {
    let (index, within) = field.strip_prefix("widgets[")?.split_once(']')?;
    Some((index.parse().ok()?, within.strip_prefix('.').unwrap_or(within)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::board::Reading;

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
        let Reading { board, mistakes } = Board::read(&document);
        let placed = placed(&board, mistakes, |i| document["widgets"][i]["id"].as_str().map(str::to_owned));
        let told: Vec<_> = placed
            .iter()
            .map(|m| (m.widget.as_ref().map(WidgetId::as_str), m.text.split_once(": ").unwrap().0))
            .collect();
        let wanted =
            [(None, "columns"), (None, "gone, type"), (Some("load"), "max"), (None, "load, id"), (None, "widgets[3]")];
        assert_eq!(told, wanted);
    }
}
