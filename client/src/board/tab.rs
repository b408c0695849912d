//! The state of the board in the title and the icon of its tab.

use leptos::prelude::*;
use shared::board::{Board, Content, Level};
use shared::reading::BoardState;

use super::context::BoardContext;
use crate::browser;
use crate::widget::names::select;

/// The colour of the icon in `index.html`, as it is written there.
const ICON_COLOUR: &str = "%230b6b62";

/// Keeps the title and the icon of the tab up to date with the state of the board, once a second.
pub fn keep_tab_updated(title: Signal<String>, board: Memo<Option<Board>>, context: BoardContext) {
    let state = Memo::new(move |_| {
        context.server_now.track();
        context.view.past.at.track();
        board.with(|board| board.as_ref().map(|board| untrack(|| state_of(board, context)))).unwrap_or_default()
    });
    Effect::new(move |_| {
        let words = state.get().words();
        let prefix = if words.is_empty() { words } else { format!("({words}) ") };
        browser::set_title(&format!("{prefix}{}", title.get()));
    });
    let icon = document().query_selector("link[rel=icon]").ok().flatten();
    let address = icon.as_ref().and_then(|icon| icon.get_attribute("href")).unwrap_or_default();
    let icon = StoredValue::new_local(icon);
    let original_href = address.clone();
    on_cleanup(move || {
        _ = icon.try_with_value(|icon| _ = icon.as_ref().map(|icon| icon.set_attribute("href", &original_href)));
    });
    let level = Memo::new(move |_| state.get().level);
    Effect::new(move |_| {
        let colour = match level.get() {
            Some(Level::Bad) => "%23a3201c",
            Some(Level::Warn) => "%23b86a00",
            Some(Level::Ok) | None => ICON_COLOUR,
        };
        // Ignores an error: the title says the same.
        icon.with_value(|icon| {
            _ = icon.as_ref().map(|icon| icon.set_attribute("href", &address.replace(ICON_COLOUR, colour)));
        });
    });
}

fn state_of(board: &Board, context: BoardContext) -> BoardState {
    let mut state = BoardState::default();
    let now = context.shown_moment();
    let range_ms = {
        let (from, to) = context.view.range.get().at(now.0);
        to - from
    };
    for widget in &board.widgets {
        let Content::Series(shown) = &widget.content else { continue };
        let source = &shown.source;
        if source.thresholds.is_empty() && source.expect.is_none() {
            continue;
        }
        for name in context.live.names.with(|names| select(&source.series, names)) {
            context.with_track(&name, |track| {
                state.add(&name, track, source, context.live.declared(&name), range_ms, now);
            });
        }
    }
    state
}
