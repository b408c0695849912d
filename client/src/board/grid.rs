//! Widgets in their places.

use leptos::prelude::*;
use shared::board::{Board, Place, Widget, WidgetId};

use super::stage::Stage;
use crate::dynamic::{part, text};
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
) -> impl IntoView {
    let laid = Memo::new(move |_| board.with(in_order));
    let columns = move || format!("--columns: {}", board.with(|board| board.columns().get()));
    let ids =
        Memo::new(move |_| laid.with(|laid| laid.iter().map(|(widget, _)| widget.id.clone()).collect::<Vec<_>>()));
    view! {
        <div class="grid" style=text(columns)>
            <For each=move || ids.get() key=Clone::clone let:id>
                <Cell id laid stage/>
            </For>
        </div>
    }
}

/// A widget where it is. It stays while it is moved, and is made anew only where what it shows changes.
#[component]
fn Cell(id: WidgetId, laid: Memo<Vec<(Widget, Place)>>, stage: Stage) -> impl IntoView {
    let mine = Memo::new(move |_| laid.with(|laid| laid.iter().find(|(widget, _)| widget.id == id).cloned()));
    let area = move || {
        let Some((_, Place { x, y, w, h })) = mine.get() else { return String::new() };
        format!("--x: {}; --y: {}; --w: {w}; --h: {h}", x + 1, y + 1)
    };
    let widget =
        Memo::new(move |_| mine.with(|mine| mine.as_ref().map(|(widget, _)| Widget { place: None, ..widget.clone() })));
    view! {
        <div class="cell" style=text(area)>
            {part(move || match widget.get() {
                Some(widget) => view! { <Frame widget stage/> }.into_any(),
                None => ().into_any(),
            })}
        </div>
    }
}

/// The widgets with their places, in the order in which they are read.
#[must_use]
pub fn in_order(board: &Board) -> Vec<(Widget, Place)> {
    let mut laid: Vec<_> = board.widgets.iter().cloned().zip(board.places()).collect();
    laid.sort_by_key(|(_, place)| (place.y, place.x));
    laid
}
