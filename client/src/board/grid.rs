//! The grid: lays out the widgets of a board.

use leptos::prelude::*;
use shared::board::{Board, Place, Widget, WidgetId};

use super::context::BoardContext;
use crate::edit::editor::Editor;
use crate::edit::entry::EditTools;
use crate::widget::frame::WidgetFrame;
use crate::widget::order::order;

type Laid = Memo<Vec<(Widget, Place)>>;

/// The widgets of a board, in reading order: from the top left to the bottom right, which is the order on a narrow page
/// and for a screen reader.
#[component]
pub fn Grid(
    /// The board; `None` until it is known.
    board: Memo<Option<Board>>,
    /// The shared context of the widgets.
    context: BoardContext,
    /// The editor, which adds tools to the widgets while the board is edited.
    editor: Editor,
) -> impl IntoView {
    let laid: Laid = Memo::new(move |_| board.with(|board| board.as_ref().map(in_order).unwrap_or_default()));
    let columns = move || board.with(|board| board.as_ref().map_or(1, |board| board.columns().get()));
    let rows = move || laid.with(|laid| laid.iter().map(|(_, place)| place.y + place.h).max().unwrap_or(1));
    let ids = move || laid.with(|laid| laid.iter().map(|(widget, _)| widget.id.clone()).collect::<Vec<_>>());
    view! {
        <div
            class="grid"
            style=("--columns", move || columns().to_string())
            style=("--rows", move || rows().to_string())
        >
            <For each=move || ids() key=WidgetId::clone let(id)>
                <Cell id laid context editor/>
            </For>
        </div>
    }
}

/// The cell of a widget. It survives moves, and its content is made anew only when the widget itself changes.
#[component]
fn Cell(id: WidgetId, laid: Laid, context: BoardContext, editor: Editor) -> impl IntoView {
    let of = id.clone();
    let mine = Memo::new(move |_| laid.with(|laid| laid.iter().find(|(widget, _)| widget.id == of).cloned()));
    let place = |of: fn(Place) -> u16| move || mine.with(|mine| mine.as_ref().map(|(_, place)| of(*place).to_string()));
    let widget =
        Memo::new(move |_| mine.with(|mine| mine.as_ref().map(|(widget, _)| Widget { place: None, ..widget.clone() })));
    let frame = move |widget: Widget| untrack(|| view! { <WidgetFrame widget context/> }.into_any());
    view! {
        <div
            class="cell"
            style=("--x", place(|place| place.x + 1))
            style=("--y", place(|place| place.y + 1))
            style=("--w", place(|place| place.w))
            style=("--h", place(|place| place.h))
        >
            {move || widget.get().map(frame)}
            <EditTools id editor/>
        </div>
    }
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
