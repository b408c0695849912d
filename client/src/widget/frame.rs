//! The frame around each widget: title, mistakes, age, and a message where there is nothing to show.

use leptos::prelude::{untrack, use_context};
use shared::board::{Content, Widget};

use super::freshness::Freshness;
use super::names::names;
use super::series::stale_words;
use super::{foresee, inside};
use crate::board::context::BoardContext;
use crate::board::mistake::{Mistake, Mistakes};
use crate::dynamic::{Memo, memo_flag, memo_text};
use crate::icon::{Icon, icon};
use crate::part::Part;
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
            Self::Stale => "stale",
            Self::Error => "error",
        }
    }
}

/// Builds a widget in its frame.
#[must_use]
pub fn frame(widget: Widget, context: BoardContext) -> Part {
    let kind = shared::board::keyword::Keyword::keyword(widget.kind());
    let selected = widget.series().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let Widget { id, title, content, .. } = widget;
    foresee(&content);
    let title = title.unwrap_or_else(|| selected.clone());
    let source = match &content {
        Content::Text(_) => None,
        Content::Series(shown) => Some(&shown.source),
    };
    let names = source.map(|source| names(source, context));
    let fresh = Freshness { expect: source.and_then(|source| source.expect), context };

    let mine = id.clone();
    let told = use_context::<Mistakes>();
    let mistakes = Memo::new(move || {
        let of_mine = |all: &Vec<Mistake>| {
            all.iter().filter(|m| m.widget.as_ref() == Some(&mine)).map(|m| m.text.clone()).collect::<Vec<_>>()
        };
        told.map(|Mistakes(all)| all.with(of_mine)).unwrap_or_default()
    });
    let stale = move || names.map_or(0, |names| names.with(|names| fresh.stale(names)));
    let count = move || names.map(|names| names.with(Vec::len));
    let state = memo_text(move || {
        let state = match count() {
            _ if mistakes.with(|mistakes| !mistakes.is_empty()) => State::Error,
            Some(_) if !context.live.loaded.get() => State::Loading,
            Some(0) => State::Empty,
            Some(count) if stale() == count => State::Stale,
            None | Some(_) => State::Live,
        };
        state.word().to_owned()
    });
    let age = move || {
        // The newest point of all its series.
        let newest =
            names.and_then(|names| names.with(|names| names.iter().filter_map(|name| context.newest(name)).max()));
        let (Some(at), now) = (newest, context.server_now.get()) else { return String::new() };
        match (stale(), count().unwrap_or(0)) {
            (0, _) => ago(now.saturating_sub(at.0)),
            (stale, count) if stale == count => stale_words(at, now),
            (stale, count) => format!("{stale} of {count} stale"),
        }
    };
    let is_stale = memo_flag(move || stale() > 0);
    let is_blank = memo_flag(move || names.is_some() && !context.live.loaded.get());
    let is_empty = memo_flag(move || count() == Some(0));
    let empty = selected.clone();
    let body = move || match (is_blank.get(), is_empty.get()) {
        (true, _) => Part::new("div", "blank").with("aria-hidden", "true"),
        (false, true) => {
            let none = Part::new("p", "empty").with("data-testid", "no-series").text("No series under ");
            none.put(&Part::new("code", "").text(&empty)).text(" yet")
        }
        (false, false) => untrack(|| inside(content.clone(), context)),
    };
    let head = Part::new("h2", "tile-name").with("title", &title).text(&title);
    let head = if title.is_empty() { head.with("hidden", "") } else { head };
    let wrong = Part::new("div", "host").live_inside(move || mistakes.get().iter().map(|it| mistake(it)).collect());
    let sign = move || if is_stale.get() { vec![icon(Icon::Stale)] } else { Vec::new() };
    let foot = Part::new("p", "tile-age").with("data-testid", "age");
    let foot = foot.live("data-stale", move || is_stale.get().to_string());
    let foot = foot.put(&Part::new("span", "host").live_inside(sign));
    let foot = foot.put(&Part::new("span", "").live_text(age));
    let foot = if names.is_none() { foot.with("hidden", "") } else { foot };
    Part::new("article", "tile")
        .with("data-testid", "tile")
        .with("data-widget", id.as_str())
        .with("data-kind", kind)
        .with("data-series", &selected)
        .live("data-state", move || state.get())
        .live("aria-busy", move || (state.get() == State::Loading.word()).to_string())
        .put(&head)
        .put(&wrong)
        .put(&Part::new("div", "tile-body").live_inside(move || vec![body()]))
        .put(&foot)
}

/// Builds the message of a mistake in its widget.
pub(super) fn mistake(what: &str) -> Part {
    let mistake = Part::new("p", "tile-mistake").with("data-testid", "mistake");
    mistake.put(&icon(Icon::Cross)).text(" ").text(what)
}
