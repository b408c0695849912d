//! The page of one board.

use leptos::prelude::*;
use shared::board::document::MAX_SELECTORS;
use shared::{BoardId, Selector, SeriesName};

use super::document::{Document, Edition, automatic};
use super::empty::EmptyBoard;
use super::grid::Grid;
use super::mistake::{Mistake, Mistakes};
use super::stage::Stage;
use crate::app::Masthead;
use crate::badge::Badge;
use crate::chart::frames::Frames;
use crate::doctor::panel::Doctor;
use crate::dynamic::{effect, flag, part, text};
use crate::edit::bar::{above, listen};
use crate::edit::editor::Editor;
use crate::edit::menu::menu;
use crate::history::History;
use crate::live::Live;
use crate::range::picker::RangePicker;
use crate::range::view::View;
use crate::stream::subscription::Subscription;
use crate::{browser, reload};

/// How many grey tiles stand where the real ones will be.
const SKELETONS: usize = 6;

/// Where a board is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    /// Where someone sits before it.
    #[default]
    Desk,
    /// On a wall: nothing but the board.
    Wall,
}

/// A board: what its document says, or all series under its name where nobody has made it.
#[component]
pub fn BoardPage(
    /// Which board.
    id: BoardId,
    /// Where it is shown.
    #[prop(optional)]
    screen: Screen,
) -> impl IntoView {
    if screen == Screen::Desk {
        document().set_title(&format!("{id} – Pulseboard"));
    }
    let live = Live::new();
    let stream = Subscription::open(id.clone(), live);
    let stage = Stage {
        live,
        frames: Frames::new(),
        clock: stream.clock.into(),
        server_now: stream.server_now.into(),
        view: View::new(&window().location().search().unwrap_or_default()),
        history: History::new(),
    };
    stage.frames.paint(move |_| stage.history.follow(live));
    let state = Memo::new(move |_| stream.standing.get().state);
    let document = Document::follow(&id, stream);
    let editor = Editor::new(id.clone(), document, live);
    let drag = StoredValue::new(None);
    // What is shown; nothing until it is known.
    let of = id.clone();
    let board = Memo::new(move |_| {
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
            // What came until here is of other series: without theirs the widgets would look empty.
            live.loaded.set(false);
        }
        shown.clone_from(&selectors);
        stream.show(selectors);
    });
    // What the document says, until someone chooses another.
    let said = Memo::new(move |_| board.with(|board| board.as_ref().map(shared::board::Board::range)));
    effect(move || {
        if let Some(span) = said.get() {
            stage.view.said(span);
        }
    });
    let name = id.to_string();
    let title = Signal::derive(move || {
        board.with(|board| board.as_ref().and_then(|board| board.title.clone())).unwrap_or_else(|| name.clone())
    });
    // A board that somebody made is laid out before its numbers are there: then nothing moves when they come.
    let known = Memo::new(move |_| board.with(Option::is_some));
    let empty = Memo::new(move |_| board.with(|board| board.as_ref().is_none_or(|board| board.widgets.is_empty())));
    effect(move || {
        if live.loaded.get() {
            request_animation_frame(reload::return_to_place);
        }
    });

    let mistakes = Memo::new(move |_| {
        document.edition.with(|edition| match edition {
            Some(Edition::Made { mistakes, .. }) => mistakes.clone(),
            _ => Vec::new(),
        })
    });
    provide_context(Mistakes(mistakes));

    if screen == Screen::Desk {
        listen(editor);
        if browser::query().trim_start_matches('?').split('&').any(|part| part == "edit") {
            let begun = StoredValue::new(false);
            effect(move || {
                if known.get() && document.edition.with(Option::is_some) && !begun.get_value() {
                    begun.set_value(true);
                    editor.begin();
                }
            });
        }
    }

    let tiles = part(move || match (known.get(), empty.get() && !editor.editing()) {
        (false, _) => {
            view! { <div class="skeletons">{(0..SKELETONS).map(|_| view! { <Skeleton/> }).collect_view()}</div> }
                .into_any()
        }
        (true, true) => view! { <EmptyBoard id=id.clone()/> }.into_any(),
        (true, false) => {
            let board = Signal::derive(move || board.get().unwrap_or_default());
            view! { <Grid board stage editor drag/> }.into_any()
        }
    });
    let latency_ms = stream.latency_ms;
    let badge = view! { <Badge standing=stream.standing latency_ms/> }.into_any();
    let head = match screen {
        Screen::Desk => view! { <Masthead title><RangePicker view=stage.view now=stage.server_now/> {menu(editor)} {badge}</Masthead> }.into_any(),
        Screen::Wall => view! { <h1 class="unseen">{text(move || title.get())}</h1> {badge} }.into_any(),
    };
    let above = above(editor, drag);
    view! {
        {head}
        <main>
            <Outdated outdated=stream.outdated/>
            <p class="notice" role="status" data-testid="reason" hidden=flag(move || stream.reason.with(Option::is_none))>
                {text(move || stream.reason.get().unwrap_or_default())}
            </p>
            <Elsewhere mistakes/>
            {above}
            <div class="board" data-state=text(move || state.get().of_picture().to_owned()) aria-busy=text(move || (!known.get()).to_string())>
                {tiles}
            </div>
            {(screen == Screen::Desk).then(|| view! { <Doctor/> }.into_any())}
        </main>
    }
}

/// What must be read for a board that is edited: all that is stored, and what the draft has beside that.
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

/// A tile before there is anything to show, of the size that it will have.
#[component]
fn Skeleton() -> impl IntoView {
    view! { <div class="tile skeleton" aria-hidden="true"></div> }
}

/// The mistakes of the document that no widget on the page can show.
#[component]
fn Elsewhere(mistakes: Memo<Vec<Mistake>>) -> impl IntoView {
    let notice = move || {
        let elsewhere = mistakes.get().into_iter().filter(|mistake| mistake.widget.is_none());
        let lines: Vec<_> = elsewhere.map(|mistake| view! { <li>{mistake.text}</li> }).collect();
        if lines.is_empty() {
            return ().into_any();
        }
        view! {
            <section class="notice" role="status" data-testid="mistakes">
                <p>"Not all of the document of this board can be made out; the rest of it is shown."</p>
                <ul class="mistakes">{lines}</ul>
            </section>
        }
        .into_any()
    };
    part(notice)
}

#[component]
fn Outdated(outdated: RwSignal<bool>) -> impl IntoView {
    let reload = move |_| _ = window().location().reload();
    view! {
        <p class="notice" role="status" hidden=flag(move || !outdated.get())>
            "A new version is here. "
            <button class="button" type="button" on:click=reload>
                "Reload"
            </button>
        </p>
    }
}

/// What is told of an address that cannot be a board's.
#[component]
pub fn NoBoardPage(
    /// What was written.
    given: String,
    /// Why it cannot.
    why: String,
) -> impl IntoView {
    document().set_title("No board – Pulseboard");
    view! {
        <Masthead title="No such board"/>
        <main class="words" data-testid="invalid-board">
            <p><code>{given}</code> " cannot be the name of a board: " {why} "."</p>
            <p>
                "The name of a board is one word of 1 to 64 letters, digits and "
                <code>"_ . : -"</code> ", such as " <code>"ops"</code> ". " <a href="/">"All boards"</a> "."
            </p>
        </main>
    }
}
