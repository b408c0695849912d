//! Widgets in their places.

use leptos::prelude::*;
use shared::board::{Board, Place, Widget, WidgetId};

use super::stage::Stage;
use crate::dynamic::{part, text};
use crate::edit::drag::Drag;
use crate::edit::editor::Editor;
use crate::edit::tools::tools;
use crate::widget::frame::Frame;

/// A board laid out. Its widgets come in the order in which they are read, from the top left to the bottom right: that
/// is how a narrow page and a screen reader have them.
#[component]
pub fn Grid(
    /// What is shown.
    #[prop(into)]
    board: Signal<Board>,
    /// What the widgets share.
    stage: Stage,
    /// Puts tools on the widgets while it is edited.
    editor: Editor,
    /// What is being dragged.
    drag: StoredValue<Option<Drag>>,
) -> impl IntoView {
    let laid = Memo::new(move |_| board.with(in_order));
    let columns = move || board.with(|board| board.columns().get());
    let rows = move || laid.with(|laid| laid.iter().map(|(_, place)| place.y + place.h).max().unwrap_or(1));
    let size = move || format!("--columns: {}; --rows: {}", columns(), rows());
    let ids =
        Memo::new(move |_| laid.with(|laid| laid.iter().map(|(widget, _)| widget.id.clone()).collect::<Vec<_>>()));
    view! {
        <div class="grid" style=text(size)>
            <For each=move || ids.get() key=Clone::clone let:id>
                <Cell id laid stage editor drag/>
            </For>
        </div>
    }
}

/// A widget where it is. It stays while it is moved, and is made anew only where what it shows changes.
#[component]
fn Cell(
    id: WidgetId,
    laid: Memo<Vec<(Widget, Place)>>,
    stage: Stage,
    editor: Editor,
    drag: StoredValue<Option<Drag>>,
) -> impl IntoView {
    let tools = tools(id.clone(), editor, drag);
    let mine = Memo::new(move |_| laid.with(|laid| laid.iter().find(|(widget, _)| widget.id == id).cloned()));
    let area = move || {
        let place = |(_, Place { x, y, w, h })| format!("--x: {}; --y: {}; --w: {w}; --h: {h}", x + 1, y + 1);
        mine.get().map(place).unwrap_or_default()
    };
    let widget =
        Memo::new(move |_| mine.with(|mine| mine.as_ref().map(|(widget, _)| Widget { place: None, ..widget.clone() })));
    view! {
        <div class="cell" style=text(area)>
            {part(move || match widget.get() {
                Some(widget) => view! { <Frame widget stage/> }.into_any(),
                None => ().into_any(),
            })}
            {tools}
        </div>
    }
}

/// The widgets with their places, in the order in which they are read.
#[must_use]
pub fn in_order(board: &Board) -> Vec<(Widget, Place)> {
    let places = board.places();
    let mut order: Vec<_> = places.iter().enumerate().map(|(index, place)| (place.y, place.x, index)).collect();
    order.sort_unstable();
    order.into_iter().map(|(.., index)| (board.widgets[index].clone(), places[index])).collect()
}
