//! The page of one board.

use leptos::prelude::*;
use shared::board::document::MAX_SELECTORS;
use shared::{BoardId, Selector, SeriesName};

use super::context::BoardContext;
use super::document::{Document, Edition, MADE, automatic};
use super::grid::grid;
use super::mistake::{Mistake, Mistakes};
use crate::app::masthead;
use crate::badge::badge;
use crate::chart::frames::Frames;
use crate::doctor::button::doctor;
use crate::dynamic::{Memo, RwSignal, effect};
use crate::edit::editor::Editor;
use crate::edit::entry::{above, menu};
use crate::history::History;
use crate::lazy::Until;
use crate::live::Live;
use crate::pages::PAGES;
use crate::part::Part;
use crate::range::picker::picker;
use crate::range::view::View;
use crate::reload;
use crate::stream::subscription::Subscription;

/// The number of skeleton tiles that stand in for the widgets.
const SKELETONS: usize = 6;

/// The kind of screen that shows a board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    /// A user sits in front of it.
    #[default]
    Desk,
    /// A wall screen: it shows only the board.
    Wall,
}

/// The page of a board: the one of its document, or an automatic one with all series under its id.
#[must_use]
pub fn board_page(id: &BoardId, screen: Screen) -> Part {
    if screen == Screen::Desk {
        document().set_title(&format!("{id} – Pulseboard"));
    }
    let live = Live::new();
    let stream = Subscription::open(id.clone(), live);
    let context = BoardContext {
        live,
        frames: Frames::new(),
        clock: stream.clock,
        server_now: stream.server_now,
        view: View::new(&window().location().search().unwrap_or_default()),
        history: History::new(),
    };
    context.frames.paint(move |_| context.history.follow(live));
    let state = Memo::new(move || stream.status.get().state);
    let document = Document::follow(id, stream);
    let editor = Editor::new(id.clone(), document, live);
    // The shown board; `None` until it is known.
    let of = id.clone();
    let board = Memo::new(move || {
        editor.board().or_else(|| {
            document.edition.with(|edition| match edition {
                None => None,
                Some(Edition::Automatic) => live.loaded.get().then(|| automatic(&of, live)),
                Some(Edition::Made { board, .. }) => Some(board.clone()),
            })
        })
    });
    let of = id.clone();
    let mut shown = Vec::new();
    effect(move || {
        let stored = document.edition.with(|edition| match edition {
            None => None,
            Some(Edition::Automatic) => Some(vec![of.selector()]),
            Some(Edition::Made { board, .. }) => Some(board.selectors()),
        });
        let edited = editor.history.with(|history| history.as_ref().map(|history| history.now().board().selectors()));
        let Some(selectors) = stored.map(|stored| all_of(stored, edited.unwrap_or_default())) else { return };
        if selectors == shown {
            return;
        }
        if shown.is_empty() && selectors != [of.selector()] {
            // The numbers so far are of other series. Without the new ones the widgets would look empty.
            live.loaded.set(false);
        }
        shown.clone_from(&selectors);
        stream.show(selectors);
    });
    // The range of the document, until the user chooses another.
    let said = Memo::new(move || board.with(|board| board.as_ref().map(shared::board::Board::range)));
    effect(move || {
        if let Some(span) = said.get() {
            context.view.said(span);
        }
    });
    let name = id.to_string();
    let title = move || {
        board.with(|board| board.as_ref().and_then(|board| board.title.clone())).unwrap_or_else(|| name.clone())
    };
    // A board with a document is laid out before its numbers arrive, so nothing moves when they come.
    let known = Memo::new(move || board.with(Option::is_some));
    let empty = Memo::new(move || board.with(|board| board.as_ref().is_none_or(|board| board.widgets.is_empty())));
    effect(move || {
        if live.loaded.get() {
            request_animation_frame(reload::return_to_place);
        }
    });

    let mistakes = Memo::new(move || {
        document.edition.with(|edition| match edition {
            Some(Edition::Made { mistakes, .. }) => mistakes.clone(),
            _ => Vec::new(),
        })
    });
    provide_context(Mistakes(mistakes));

    let of = id.clone();
    let shows = Memo::new(move || match (known.get(), empty.get() && !editor.editing()) {
        (false, _) => Shows::Skeletons,
        (true, true) => Shows::Nothing,
        (true, false) => Shows::Widgets,
    });
    let tiles = move || match shows.get() {
        Shows::Skeletons => Part::new("div", "skeletons").put_all((0..SKELETONS).map(|_| skeleton())),
        Shows::Nothing => {
            let id = of.clone();
            PAGES.part(Until::Nothing, move |pages| (pages.empty)(id.clone()))
        }
        Shows::Widgets => untrack(|| grid(board, context, editor)),
    };
    let board = Part::new("div", "board")
        .live("data-state", move || state.get().of_picture().to_owned())
        .live("aria-busy", move || (!known.get()).to_string())
        .live_inside(move || vec![tiles()]);
    let reason = Part::new("p", "notice").with("role", "status").with("data-testid", "reason");
    let reason = reason.hidden(move || stream.reason.with(Option::is_none));
    let reason = reason.live_text(move || stream.reason.get().unwrap_or_default());
    let badge = badge(stream.status, stream.latency_ms);
    let page = Part::new("div", "host");
    let (page, main) = match screen {
        Screen::Desk => {
            let beside = [picker(context.view, context.server_now), menu(editor)].into_iter().chain(badge);
            (page.put(&masthead(title, beside)), vec![board, doctor()])
        }
        Screen::Wall => (page.put(&Part::new("h1", "unseen").live_text(title)).put_all(badge), vec![board]),
    };
    let above = [
        outdated(stream.outdated),
        reason,
        warnings(stream.warnings),
        MADE.trouble(),
        misplaced(mistakes),
        above(editor),
    ];
    page.put(&Part::new("main", "").put_all(above).put_all(main))
}

/// The content in the place of the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    /// Skeleton tiles, until the board is known.
    Skeletons,
    /// The hint for an empty board.
    Nothing,
    /// The widgets.
    Widgets,
}

/// Returns the selectors to stream while a board is edited: all of the stored board, then those that only the draft
/// has.
fn all_of(mut stored: Vec<Selector>, edited: Vec<Selector>) -> Vec<Selector> {
    for selector in edited {
        let name = selector.as_str().parse::<SeriesName>().ok();
        let known =
            stored.iter().any(|known| *known == selector || name.as_ref().is_some_and(|name| known.matches(name)));
        if !known && stored.len() < MAX_SELECTORS {
            stored.push(selector);
        }
    }
    stored
}

/// A skeleton tile of the size of a widget.
fn skeleton() -> Part {
    Part::new("div", "tile skeleton").with("aria-hidden", "true")
}

/// Shows the mistakes of the document that no widget can show.
fn misplaced(mistakes: Memo<Vec<Mistake>>) -> Part {
    Part::new("div", "host").live_inside(move || {
        let mistakes = mistakes.get();
        let elsewhere = mistakes.iter().filter(|mistake| mistake.widget.is_none());
        let lines: Vec<_> = elsewhere.map(|mistake| Part::new("li", "").text(&mistake.text)).collect();
        if lines.is_empty() {
            return Vec::new();
        }
        let words = "Parts of the document of this board are invalid; the rest of it is shown.";
        let notice = Part::new("section", "notice").with("role", "status").with("data-testid", "mistakes");
        let notice = notice.put(&Part::new("p", "").text(words));
        vec![notice.put(&Part::new("ul", "mistakes").put_all(lines))]
    })
}

/// Shows the warnings of the server, such as a clock that jumped.
fn warnings(warnings: RwSignal<Vec<String>>) -> Part {
    let notice = Part::new("p", "notice").with("role", "status").with("data-testid", "warnings");
    let notice = notice.hidden(move || warnings.with(Vec::is_empty));
    notice.live_text(move || warnings.with(|warnings| format!("The server warns: {}", warnings.join("; "))))
}

fn outdated(outdated: RwSignal<bool>) -> Part {
    let reload = Part::button("Reload", "reload", || _ = window().location().reload());
    let notice = Part::new("p", "notice").with("role", "status").hidden(move || !outdated.get());
    notice.text("A new version is here. ").put(&reload)
}
