//! What is around each widget: its title, how old it is, and what it says where there is nothing to show.

use leptos::prelude::*;
use shared::board::{Content, Widget};

use super::inside;
use super::names::names;
use crate::board::stage::Stage;
use crate::format::duration::{ago, duration};

/// A widget in its frame.
#[component]
pub fn Frame(
    /// Which widget.
    widget: Widget,
    /// What all widgets share.
    stage: Stage,
) -> impl IntoView {
    let Widget { id, title, content, .. } = widget;
    let kind = Widget { id: id.clone(), title: None, content: content.clone(), place: None }.kind();
    let selectors = match &content {
        Content::Text(_) => Vec::new(),
        Content::Series(shown) => shown.source.series.clone(),
    };
    let selected = selectors.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let title = title.unwrap_or_else(|| selected.clone());
    let source = match &content {
        Content::Text(_) => None,
        Content::Series(shown) => Some(shown.source.clone()),
    };
    let names = source.as_ref().map(|source| names(source, stage));
    let expect = source.and_then(|source| source.expect);
    let none = Memo::new(move |_| names.is_some_and(|names| names.with(Vec::is_empty)));
    // When the newest point of all its series was.
    let newest = Memo::new(move |_| {
        let names = names?;
        names.with(|names| names.iter().filter_map(|name| stage.live.newest(name)).max())
    });
    let age_ms = move || Some(stage.server_now.get().saturating_sub(newest.get()?.0));
    let stale = Memo::new(move |_| matches!((expect, age_ms()), (Some(expect), Some(age)) if age > expect.millis()));
    let age = move || match age_ms() {
        Some(age) if stale.get() => format!("stale for {}", duration(age)),
        Some(age) => ago(age),
        None => String::new(),
    };
    let empty = selected.clone();
    view! {
        <article
            class="tile"
            data-testid="tile"
            data-widget=id.to_string()
            data-kind=shared::board::word::Word::word(kind)
            data-series=selected
            data-state=move || if none.get() { "empty" } else if stale.get() { "stale" } else { "live" }
        >
            <h2 class="tile-name" title=title.clone()>
                {title.clone()}
            </h2>
            {move || {
                if none.get() {
                    view! { <p class="empty" data-testid="no-series">"No series under " <code>{empty.clone()}</code> " yet"</p> }
                        .into_any()
                } else {
                    inside(content.clone(), stage)
                }
            }}
            <p class="tile-age" data-testid="age">
                {age}
            </p>
        </article>
    }
}
