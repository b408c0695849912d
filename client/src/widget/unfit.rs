//! The count of rows that do not fit on a wall screen, where nobody can scroll to them.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

use crate::board::context::BoardContext;

/// Says how many rows of its widget do not fit; hidden where all do. The style sheet of the wall puts rows that do not fit
/// into columns beyond the right edge.
#[component]
pub fn Unfit(
    /// Selects the rows of a widget.
    rows: &'static str,
    /// The shared context of the board's widgets.
    context: BoardContext,
) -> impl IntoView {
    let place = NodeRef::<html::P>::new();
    let count = RwSignal::new(0_usize);
    Effect::new(move |_| {
        context.server_now.track();
        let found = place.get().map_or(0, |place| unfit(&place, rows));
        if count.get_untracked() != found {
            count.set(found);
        }
    });
    view! {
        <p class="unfit" data-testid="unfit" node_ref=place hidden=move || count.get() == 0>
            {move || words(count.get())}
        </p>
    }
    .into_any()
}

/// Counts the rows beyond the right edge of the body of the tile. Where rows are scrolled to, none is.
fn unfit(place: &web_sys::Element, rows: &str) -> usize {
    let Ok(Some(body)) = place.closest(".tile-body") else { return 0 };
    let Ok(list) = body.query_selector_all(rows) else { return 0 };
    let edge = body.get_bounding_client_rect().right() - 1.0;
    let row = |at| list.get(at)?.dyn_into::<web_sys::Element>().ok();
    let is_beyond = |row: &web_sys::Element| row.get_bounding_client_rect().left() >= edge;
    (0..list.length()).filter_map(row).filter(is_beyond).count()
}

fn words(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => "1 more does not fit".to_owned(),
        count => format!("{count} more do not fit"),
    }
}
