//! The page of one board.

use leptos::prelude::*;
use shared::board::Board;
use shared::board::document::MAX_SELECTORS;
use shared::{BoardId, Selector, SeriesName};

use super::context::BoardContext;
use super::document::{BOARD, Document, Edition, automatic};
use super::empty::Emptiness;
use super::grid::Grid;
use super::mistake::{Mistake, Mistakes};
use crate::app::Masthead;
use crate::badge::Badge;
use crate::chart::frames::Frames;
use crate::chart::markers::BoardMarkers;
use crate::doctor::button::Doctor;
use crate::edit::editor::Editor;
use crate::edit::entry::{AboveBoard, EditMenu};
use crate::history::History;
use crate::lazy::Placeholder;
use crate::live::Live;
use crate::pages::PAGES;
use crate::past::PAST;
use crate::range::Range;
use crate::range::picker::RangePicker;
use crate::range::view::View;
use crate::stream::subscription::Subscription;
use crate::zone::ZoneSwitch;
use crate::{browser, reload};

/// The number of skeleton tiles that stand in for the widgets.
const SKELETONS: usize = 6;

/// The kind of screen that shows a board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    /// A user sits in front of it.
    #[default]
    Desk,
    /// A wall screen: it shows the board, its title and the time, and no controls.
    Wall,
}

/// The page of a board: the one of its document, or an automatic one with all series under its id.
#[component]
pub fn BoardPage(
    /// The id of the board.
    id: BoardId,
    /// The kind of screen that shows it.
    screen: Screen,
) -> impl IntoView {
    let live = Live::new();
    let stream = Subscription::open(id.clone(), live);
    let context = BoardContext {
        live,
        frames: Frames::new(),
        clock: stream.clock,
        server_now: stream.server_now,
        view: View::of_page(),
        history: History::new(),
    };
    context.frames.pause_when_idle(live);
    context.frames.paint(move |_| context.history.follow(live));
    let state = Memo::new(move |_| stream.status.get().state);
    let document = Document::follow(&id, stream);
    let editor = Editor::new(id.clone(), document, live);
    let words = RwSignal::new(String::new());
    // The shown board; `None` until it is known.
    let of = id.clone();
    let board = Memo::new(move |_| {
        editor.board().or_else(|| {
            document.edition.with(|edition| match edition {
                None => None,
                Some(Edition::Automatic) => {
                    live.loaded.get().then(|| words.with(|words| automatic(&of, live, words))).flatten()
                }
                Some(Edition::Made { board, .. }) => Some(board.clone()),
            })
        })
    });
    let of = id.clone();
    let mut shown = Vec::new();
    Effect::new(move |_| {
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
    let document_range = Memo::new(move |_| board.with(|board| board.as_ref().map(shared::board::Board::range)));
    Effect::new(move |_| {
        if let Some(span) = document_range.get() {
            context.view.set_document_range(span);
        }
    });
    let name = id.to_string();
    let title = move || {
        board.with(|board| board.as_ref().and_then(|board| board.title.clone())).unwrap_or_else(|| name.clone())
    };
    // A board with a document is laid out before its numbers arrive, so nothing moves when they come.
    let known = Memo::new(move |_| board.with(Option::is_some));
    let empty = Memo::new(move |_| board.with(|board| board.as_ref().is_none_or(|board| board.widgets.is_empty())));

    let mistakes = Memo::new(move |_| {
        document.edition.with(|edition| match edition {
            Some(Edition::Made { mistakes, .. }) => mistakes.clone(),
            _ => Vec::new(),
        })
    });
    provide_context(Mistakes(mistakes));
    let markers = move |board: &Option<Board>| board.as_ref().map(|board| board.markers.clone()).unwrap_or_default();
    provide_context(BoardMarkers(Memo::new(move |_| board.with(markers))));

    let emptiness = move || {
        document.edition.with(|edition| match edition {
            Some(Edition::Made { .. }) => Emptiness::NoWidgets,
            Some(Edition::Automatic) | None => Emptiness::NoSeries,
        })
    };
    let is_automatic = Memo::new(move |_| {
        !editor.editing() && document.edition.with(|edition| matches!(edition, Some(Edition::Automatic)))
    });
    // Fewer series are composed without the module that has the filter.
    let has_filter = Memo::new(move |_| {
        screen == Screen::Desk && is_automatic.get() && live.names.with(Vec::len) > shared::board::automatic::PLAIN
    });
    let shows = Memo::new(move |_| match (known.get(), empty.get() && !editor.editing()) {
        (false, _) => Shows::Skeletons,
        (true, true) if is_automatic.get() && words.with(|words| !words.is_empty()) => Shows::NoMatch,
        (true, true) => Shows::Nothing(emptiness()),
        (true, false) => Shows::Widgets,
    });
    let tiles = move || match shows.get() {
        Shows::Skeletons => view! { <Skeletons/> }.into_any(),
        Shows::Nothing(why) => {
            let id = id.clone();
            PAGES.view(Placeholder::Nothing, move |pages| (pages.empty)(id.clone(), why))
        }
        Shows::NoMatch => view! { <p class="empty">"No series has all of that in its name."</p> }.into_any(),
        Shows::Widgets => {
            // By then the page is as long as before.
            request_animation_frame(reload::return_to_place);
            untrack(|| view! { <Grid board context editor/> }.into_any())
        }
    };
    let is_past = Memo::new(move |_| context.view.past.at.with(Option::is_some));
    let badge = view! { <Badge status=stream.status latency_ms=stream.latency_ms is_past/> };
    let title = Signal::derive(title);
    if screen == Screen::Desk {
        let is_made =
            Memo::new(move |_| document.edition.with(|edition| matches!(edition, Some(Edition::Made { .. }))));
        Effect::new(move |_| match is_made.get().then(|| BOARD.get()).flatten() {
            Some(module) => (module.tab)(title, board, context),
            None => browser::set_title(&title.get()),
        });
    }
    let head = match screen {
        Screen::Desk => view! {
            <Masthead title>
                <RangePicker view=context.view now=context.server_now/>
                <ZoneSwitch/>
                <EditMenu editor/>
                {badge}
            </Masthead>
        }
        .into_any(),
        Screen::Wall => view! {
            <header class="wall-head">
                <h1 class="title">{move || title.get()}</h1>
                <time class="wall-clock" data-testid="clock">{move || clock(context.server_now.get())}</time>
                {badge}
            </header>
        }
        .into_any(),
    };
    view! {
        {head}
        {move || is_past.get().then(|| PAST.view(Placeholder::Nothing, move |past| (past.bar)(context, screen)))}
        <main>
            <p
                class="notice"
                role="status"
                data-testid="range-problem"
                hidden=move || context.view.problem.with(Option::is_none)
            >
                {move || context.view.problem.get().unwrap_or_default()}
                {move || problem_shown(context.view.range.get())}
            </p>
            <Outdated outdated=stream.outdated/>
            <p class="notice" role="status" data-testid="reason" hidden=move || stream.reason.with(Option::is_none)>
                {move || stream.reason.get().unwrap_or_default()}
                {move || {
                    stream
                        .needs_sign_in
                        .get()
                        .then(|| {
                            let href = browser::sign_in_address();
                            view! {
                                <a class="notice-link" href=href data-testid="sign-in">
                                    "Sign in"
                                </a>
                            }
                            .into_any()
                        })
                }}
            </p>
            <Warnings warnings=stream.warnings/>
            // A widget that is drawn by the module shows its failure itself.
            {move || (!known.get()).then(|| BOARD.failure_view())}
            <Misplaced mistakes/>
            <AboveBoard editor/>
            {move || has_filter.get().then(|| BOARD.view(Placeholder::Nothing, move |m| (m.filter)(words, live, is_automatic)))}
            <div
                class="board"
                data-state=move || if is_past.get() { "past" } else { state.get().of_picture() }
                aria-busy=move || (!known.get()).to_string()
            >
                {move || tiles()}
            </div>
            {(screen == Screen::Desk).then(|| view! { <Doctor/> })}
        </main>
    }
}

/// Formats the time of day for a wall screen, in hours and minutes.
fn clock(now: u64) -> String {
    let time = browser::time_of_day(now);
    time.rsplit_once(':').map_or_else(|| time.clone(), |(minutes, _)| minutes.to_owned())
}

/// The content in the place of the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    /// Skeleton tiles, until the board is known.
    Skeletons,
    /// The hint for an empty board.
    Nothing(Emptiness),
    /// The message that no series fits the filter.
    NoMatch,
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

/// Describes the range that is shown where that of the address is wrong.
fn problem_shown(range: Range) -> String {
    match range {
        Range::Live(span) => format!(" This board shows the last {span}."),
        Range::Fixed { .. } => String::new(),
    }
}

/// Skeleton tiles of the size of widgets.
#[component]
fn Skeletons() -> impl IntoView {
    let tile = |_| view! { <div class="tile skeleton" aria-hidden="true"></div> }.into_any();
    view! { <div class="skeletons">{(0..SKELETONS).map(tile).collect_view()}</div> }
}

/// The mistakes of the document that no widget can show.
#[component]
fn Misplaced(mistakes: Memo<Vec<Mistake>>) -> impl IntoView {
    let texts = move || {
        let elsewhere = |mistake: Mistake| mistake.widget.is_none().then_some(mistake.text);
        mistakes.get().into_iter().filter_map(elsewhere).collect::<Vec<_>>()
    };
    view! {
        <Show when=move || !texts().is_empty()>
            <section class="notice" role="status" data-testid="mistakes">
                <p>"Parts of the document of this board are invalid; the rest of it is shown."</p>
                <ul class="mistakes">
                    {move || texts().into_iter().map(|text| view! { <li>{text}</li> }.into_any()).collect_view()}
                </ul>
            </section>
        </Show>
    }
}

/// The warnings of the server, such as a clock that jumped.
#[component]
fn Warnings(warnings: RwSignal<Vec<String>>) -> impl IntoView {
    view! {
        <p class="notice" role="status" data-testid="warnings" hidden=move || warnings.with(Vec::is_empty)>
            {move || warnings.with(|warnings| format!("The server warns: {}", warnings.join("; ")))}
        </p>
    }
}

/// The offer of a newer page.
#[component]
fn Outdated(outdated: RwSignal<bool>) -> impl IntoView {
    let reload = |_| _ = window().location().reload();
    view! {
        <p class="notice" role="status" hidden=move || !outdated.get()>
            "A new version is here. "
            <button class="button" type="button" data-testid="reload" on:click=reload>
                "Reload"
            </button>
        </p>
    }
}
