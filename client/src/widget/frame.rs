//! The frame around each widget: title, mistakes, age, and a message where there is nothing to show.

use leptos::prelude::*;
use shared::board::{Content, Widget};

use super::freshness::Freshness;
use super::names::names;
use super::series::stale_words;
use super::{WidgetInside, preload_module};
use crate::board::context::BoardContext;
use crate::board::mistake::{Mistake, Mistakes};
use crate::browser;
use crate::icon::{Icon, IconImage};
use shared::Millis;
use shared::format::duration::ago;

/// State of a widget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The snapshot has not arrived yet.
    Loading,
    /// No series matches its selectors.
    Empty,
    /// It shows current values.
    Live,
    /// It shows the values of a past moment.
    Past,
    /// All of its series are stale.
    Stale,
    /// Its document has a mistake.
    Error,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Empty => "empty",
            Self::Live => "live",
            Self::Past => "past",
            Self::Stale => "stale",
            Self::Error => "error",
        }
    }
}

/// A widget in its frame.
#[component]
pub fn WidgetFrame(
    /// The document of the widget.
    widget: Widget,
    /// The shared context of the board's widgets.
    context: BoardContext,
) -> impl IntoView {
    let kind = shared::board::keyword::Keyword::keyword(widget.kind());
    let selected = widget.series().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let Widget { id, title, content, .. } = widget;
    preload_module(&content);
    let title = title.unwrap_or_else(|| selected.clone());
    let source = match &content {
        Content::Text(_) => None,
        Content::Series(shown) => Some(&shown.source),
    };
    let names = source.map(|source| names(source, context));
    let fresh = Freshness { expect: source.and_then(|source| source.expect), context };

    let mine = id.clone();
    let board_mistakes = use_context::<Mistakes>();
    let mistakes = Memo::new(move |_| {
        let of_mine = |all: &Vec<Mistake>| {
            all.iter().filter(|m| m.widget.as_ref() == Some(&mine)).map(|m| m.text.clone()).collect::<Vec<_>>()
        };
        board_mistakes.map(|Mistakes(all)| all.with(of_mine)).unwrap_or_default()
    });
    let stale = move || names.map_or(0, |names| names.with(|names| fresh.stale(names)));
    let count = move || names.map(|names| names.with(Vec::len));
    let state = Memo::new(move |_| match count() {
        _ if mistakes.with(|mistakes| !mistakes.is_empty()) => State::Error,
        Some(_) if !context.live.loaded.get() => State::Loading,
        Some(0) => State::Empty,
        Some(count) if stale() == count => State::Stale,
        Some(_) if context.view.past.at.with(Option::is_some) => State::Past,
        None | Some(_) => State::Live,
    });
    let as_of = move |to: Millis| {
        let now = context.server_now.get();
        let moment = format!("as of {}", browser::moment_of(to.0, 0, now));
        let newest =
            || names.map(|names| names.with(|names| names.iter().filter_map(|name| context.newest(name)).max()));
        match (stale(), count().unwrap_or(0)) {
            (0, _) => moment,
            (stale, count) if stale == count => match newest().flatten() {
                Some(newest) => format!("{moment}, {}", stale_words(newest, now)),
                None => moment,
            },
            (stale, count) => format!("{moment}, {stale} of {count} stale"),
        }
    };
    let age = move || {
        if let Some(to) = context.view.past.at.get() {
            return as_of(to);
        }
        // The newest point of all its series.
        let newest =
            names.and_then(|names| names.with(|names| names.iter().filter_map(|name| context.newest(name)).max()));
        let (Some(at), now) = (newest, context.server_now.get()) else { return String::new() };
        match (stale(), count().unwrap_or(0)) {
            // A value that comes as usual needs no age.
            (0, _) if !names.is_some_and(|names| names.with(|names| fresh.is_late(names))) => String::new(),
            (0, _) => ago(now.saturating_sub(at.0)),
            (stale, count) if stale == count => stale_words(at, now),
            (stale, count) => format!("{stale} of {count} stale"),
        }
    };
    let is_stale = Memo::new(move |_| stale() > 0);
    let is_blank = Memo::new(move |_| names.is_some() && !context.live.loaded.get());
    let is_empty = Memo::new(move |_| count() == Some(0));
    let empty = selected.clone();
    let body = move || match (is_blank.get(), is_empty.get()) {
        (true, _) => view! { <div class="blank" aria-hidden="true"></div> }.into_any(),
        (false, true) => view! { <NoSeries selected=empty.clone()/> }.into_any(),
        (false, false) => untrack(|| view! { <WidgetInside content=content.clone() context/> }.into_any()),
    };
    view! {
        <article
            class="tile"
            data-testid="tile"
            data-widget=id.to_string()
            data-kind=kind
            data-series=selected
            data-state=move || state.get().word()
            aria-busy=move || (state.get() == State::Loading).to_string()
        >
            <h2 class="tile-name" title=title.clone() hidden=title.is_empty()>{title.clone()}</h2>
            {move || mistakes.get().into_iter().map(|text| view! { <MistakeNote text/> }).collect_view()}
            <div class="tile-body">{move || body()}</div>
            <p
                class="tile-age"
                data-testid="age"
                data-stale=move || is_stale.get().to_string()
                hidden=names.is_none()
            >
                {move || is_stale.get().then(|| view! { <IconImage icon=Icon::Stale/> })}
                <span>{move || age()}</span>
            </p>
        </article>
    }
}

#[component]
fn NoSeries(selected: String) -> impl IntoView {
    view! {
        <p class="empty" data-testid="no-series">
            "No series under " <code>{selected.replace(' ', ", ")}</code> " yet"
        </p>
    }
}

/// The message of a mistake in its widget.
#[component]
pub(super) fn MistakeNote(
    /// The message.
    text: String,
) -> impl IntoView {
    view! {
        <p class="tile-mistake" data-testid="mistake">
            <IconImage icon=Icon::Cross/>
            " "
            {text}
        </p>
    }
}
