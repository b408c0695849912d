//! The state of the board in the title and the icon of its tab.

use leptos::prelude::*;
use leptos::reactive::traits::Track as _;
use shared::Track;
use shared::board::{Board, Level};
use shared::reading::{BoardState, LevelNeeds, LookbackBuckets, WatchedSource};

use super::context::BoardContext;
use crate::browser;
use crate::widget::lookback::{LookbackKind, WidgetHistory};
use crate::widget::names::select;

/// The colour of the icon in `index.html`, as it is written there.
const ICON_COLOUR: &str = "%230b6b62";

/// Keeps the title and the icon of the tab up to date with the state of the board, once a second.
pub fn keep_tab_updated(title: Signal<String>, board: Memo<Option<Board>>, context: BoardContext) {
    let watched = Memo::new_with_compare(
        move |_| board.with(|board| board.as_ref().map(|board| watched_of(board, context)).unwrap_or_default()),
        |_, _| true,
    );
    let state = Memo::new(move |_| {
        context.server_now.track();
        context.view.past.at.track();
        watched.with(|watched| untrack(|| state_of(watched, context)))
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

/// The watched series of a widget, and the history that its widget requests for them.
type Watched = Vec<(WatchedSource, WidgetHistory)>;

fn watched_of(board: &Board, context: BoardContext) -> Watched {
    let watch = |watched: WatchedSource| {
        let kind = match watched.needs(None) {
            LevelNeeds::Range => LookbackKind::Range(watched.change()),
            LevelNeeds::Point | LevelNeeds::Track => LookbackKind::Newest,
        };
        let history = WidgetHistory::of_other(&watched.source, kind, context);
        (watched, history)
    };
    WatchedSource::all_of(board).into_iter().map(watch).collect()
}

fn state_of(watched: &Watched, context: BoardContext) -> BoardState {
    let mut state = BoardState::default();
    let now = context.shown_moment();
    for (watched, history) in watched {
        let lookback = history.lookback();
        for name in context.live.names.with(|names| select(&watched.source.series, names)) {
            let declared = context.live.declared(&name);
            context.with_track(&name, |track| {
                state.add_freshness(watched, track, now);
                if let Track::Numbers(buckets) = track {
                    history.peek(&name, buckets, lookback, |past: LookbackBuckets<'_>| {
                        state.add_level(watched, &name, track, declared, lookback, past);
                    });
                }
            });
        }
    }
    state
}
