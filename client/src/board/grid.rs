//! The grid: lays out the widgets of a board.

use leptos::prelude::untrack;
use shared::board::{Board, Place, Widget};

use super::context::BoardContext;
use crate::dynamic::Memo;
use crate::edit::editor::Editor;
use crate::edit::entry::tools;
use crate::part::Part;
use crate::widget::frame::frame;
use crate::widget::order::order;

type Laid = Memo<Vec<(Widget, Place)>>;

/// Lays out a board. The widgets are in reading order, from the top left to the bottom right, which is the order on a
/// narrow page and for a screen reader. `editor` adds tools to them while the board is edited.
#[must_use]
pub fn grid(board: Memo<Option<Board>>, context: BoardContext, editor: Editor) -> Part {
    let laid: Laid = Memo::new(move || board.with(|board| board.as_ref().map(in_order).unwrap_or_default()));
    let columns = move || board.with(|board| board.as_ref().map_or(1, |board| board.columns().get()));
    let rows = move || laid.with(|laid| laid.iter().map(|(_, place)| place.y + place.h).max().unwrap_or(1));
    let ids = move || laid.with(|laid| laid.iter().map(|(widget, _)| widget.id.to_string()).collect());
    let grid = Part::new("div", "grid").live_style(move || format!("--columns: {}; --rows: {}", columns(), rows()));
    grid.live_list(ids, move |id| cell(id, laid, context, editor))
}

/// The cell of a widget. It survives moves, and its content is made anew only when the widget itself changes.
fn cell(id: &str, laid: Laid, context: BoardContext, editor: Editor) -> Part {
    let tools = tools(id, editor);
    let id = id.to_owned();
    let mine = Memo::new(move || laid.with(|laid| laid.iter().find(|(widget, _)| widget.id.as_str() == id).cloned()));
    let area = move || {
        let place = |(_, Place { x, y, w, h })| format!("--x: {}; --y: {}; --w: {w}; --h: {h}", x + 1, y + 1);
        mine.get().map(place).unwrap_or_default()
    };
    let widget =
        Memo::new(move || mine.with(|mine| mine.as_ref().map(|(widget, _)| Widget { place: None, ..widget.clone() })));
    let inside = move || widget.get().map(|widget| untrack(|| frame(widget, context))).into_iter().collect();
    let inside = Part::new("div", "host").live_inside(inside);
    Part::new("div", "cell").live_style(area).put(&inside).put(&tools)
}

/// Returns the widgets with their places, in reading order.
#[must_use]
pub fn in_order(board: &Board) -> Vec<(Widget, Place)> {
    let places = board.places();
    let order = order(places.len(), &|a, b| {
        let at = |index: usize| (places[index].y, places[index].x);
        at(a).cmp(&at(b))
    });
    order.into_iter().map(|index| (board.widgets[index].clone(), places[index])).collect()
}
