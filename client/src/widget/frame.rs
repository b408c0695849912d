//! What is around each widget: its title, how old it is, and what it says where there is nothing to show.

use leptos::prelude::*;
use shared::board::{Content, Widget};

use super::freshness::Freshness;
use super::inside;
use super::names::names;
use super::told::stale_words;
use crate::board::mistake::{Mistake, Mistakes};
use crate::board::stage::Stage;
use crate::dynamic::{memo_flag, memo_text, part, text};
use crate::format::duration::ago;
use crate::icon::{Icon, icon};

/// How a widget is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Its numbers are not there yet.
    Loading,
    /// There are no such series.
    Empty,
    /// It shows what is.
    Live,
    /// None of its series has reported for longer than it may.
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
            Self::Stale => "stale",
            Self::Error => "error",
        }
    }
}

/// A widget in its frame.
#[component]
pub fn Frame(
    /// Which widget.
    widget: Widget,
    /// What all widgets share.
    stage: Stage,
) -> impl IntoView {
    let kind = shared::board::word::Word::word(widget.kind());
    let selected = widget.series().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let Widget { id, title, content, .. } = widget;
    let title = title.unwrap_or_else(|| selected.clone());
    let source = match &content {
        Content::Text(_) => None,
        Content::Series(shown) => Some(&shown.source),
    };
    let names = source.map(|source| names(source, stage));
    let fresh = Freshness { expect: source.and_then(|source| source.expect), stage };

    // Functions, not signals of their own: each type of a signal is a kilobyte of the page.
    let mine = id.clone();
    let told = use_context::<Mistakes>();
    let mistakes = StoredValue::new(move || {
        let of_mine = |all: &Vec<Mistake>| {
            all.iter().filter(|m| m.widget.as_ref() == Some(&mine)).map(|m| m.text.clone()).collect::<Vec<_>>()
        };
        told.map(|Mistakes(all)| all.with(of_mine)).unwrap_or_default()
    });
    let mistakes = move || mistakes.with_value(|of| of());
    let stale = move || names.map_or(0, |names| names.with(|names| fresh.stale(names)));
    let count = move || names.map(|names| names.with(Vec::len));
    let state = memo_text(move || {
        let state = match count() {
            _ if !mistakes().is_empty() => State::Error,
            Some(_) if !stage.live.loaded.get() => State::Loading,
            Some(0) => State::Empty,
            Some(count) if stale() == count => State::Stale,
            None | Some(_) => State::Live,
        };
        state.word().to_owned()
    });
    let age = move || {
        // When the newest point of all its series was.
        let newest =
            names.and_then(|names| names.with(|names| names.iter().filter_map(|name| stage.live.newest(name)).max()));
        let (Some(at), now) = (newest, stage.server_now.get()) else { return String::new() };
        match (stale(), count().unwrap_or(0)) {
            (0, _) => ago(now.saturating_sub(at.0)),
            (stale, count) if stale == count => stale_words(at, now),
            (stale, count) => format!("{stale} of {count} stale"),
        }
    };
    let is_stale = memo_flag(move || stale() > 0);
    let is_blank = memo_flag(move || names.is_some() && !stage.live.loaded.get());
    let is_empty = memo_flag(move || count() == Some(0));
    let empty = selected.clone();
    let body = move || match (is_blank.get(), is_empty.get()) {
        (true, _) => view! { <div class="blank" aria-hidden="true"></div> }.into_any(),
        (false, true) => view! {
            <p class="empty" data-testid="no-series">
                "No series under " <code>{empty.clone()}</code> " yet"
            </p>
        }
        .into_any(),
        (false, false) => inside(content.clone(), stage),
    };
    view! {
        <article
            class="tile"
            data-testid="tile"
            data-widget=id.to_string()
            data-kind=kind
            data-series=selected
            data-state=text(move || state.get())
            aria-busy=text(move || (state.get() == State::Loading.word()).to_string())
        >
            <h2 class="tile-name" title=title.clone() hidden=title.is_empty()>
                {title.clone()}
            </h2>
            {part(move || mistakes().into_iter().map(mistake).collect_view().into_any())}
            <div class="tile-body">{part(body)}</div>
            <p class="tile-age" data-testid="age" data-stale=text(move || is_stale.get().to_string()) hidden=names.is_none()>
                {part(move || if is_stale.get() { icon(Icon::Stale) } else { ().into_any() })}
                {text(age)}
            </p>
        </article>
    }
}

fn mistake(what: String) -> AnyView {
    view! {
        <p class="tile-mistake" data-testid="mistake">
            {icon(Icon::Cross)} " " {what}
        </p>
    }
    .into_any()
}
