//! The page of all boards: a card for each board, a search, and a form that makes a new one.

pub mod cards;
pub mod new_board;

use leptos::task::spawn_local;
use std::time::Duration;

use leptos::ev;
use leptos::prelude::*;

use crate::app::{Masthead, PageButtons};
use crate::curl_line::CurlLine;
use crate::icon::LevelMark;
use crate::manage::ManageSections;
use crate::stream::clock::ServerClock;
use crate::{browser, dom, fetch, json};
use cards::{Card, Listed, Overview, entries};
use new_board::NewBoard;
use shared::BoardId;
use shared::board::Level;
use shared::board::keyword::Keyword as _;
use shared::format::duration::ago;

/// Interval between two requests of the list, in milliseconds, while the page is visible. The answer has no series, and
/// the server makes it once for all pages.
const EVERY_MS: u64 = 5_000;

/// Number of boards above which the search is shown.
const MANY: usize = 12;

/// The content below the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HomeContent {
    /// The list was not received yet.
    Loading,
    /// There are no boards.
    NoBoards,
    /// No board fits the search.
    NoMatch,
    /// There are cards.
    Cards,
}

/// State of the page.
#[derive(Clone, Copy)]
struct HomeState {
    cards: RwSignal<Option<Vec<Card>>>,
    /// The number of boards without a card.
    left_out: RwSignal<u64>,
    /// Time since which the list cannot be fetched, by the browser's clock, in milliseconds.
    failing_since: RwSignal<Option<u64>>,
    /// Time of the last request, in milliseconds. An answer to an earlier request is ignored.
    asked_at: RwSignal<u64>,
    clock: RwSignal<ServerClock>,
    now: RwSignal<u64>,
}

impl HomeState {
    /// Requests the list again if the interval is over and the page is visible.
    fn tick(self) {
        let now = browser::now();
        self.now.try_set(now);
        let waited = now.saturating_sub(self.asked_at.try_get_untracked().unwrap_or(now));
        if !browser::is_hidden() && waited >= EVERY_MS {
            self.ask(now);
        }
    }

    fn ask(self, now: u64) {
        self.asked_at.set(now);
        spawn_local(async move {
            let answer = boards().await;
            if self.asked_at.try_get_untracked() != Some(now) {
                return;
            }
            match answer {
                Some((Overview { cards, left_out }, server)) => {
                    if let Some(server) = server {
                        self.clock.update(|clock| clock.observe(server, browser::now()));
                    }
                    self.cards.set(Some(cards));
                    self.left_out.set(left_out);
                    self.failing_since.set(None);
                }
                None => self.failing_since.update(|since| *since = since.or(Some(now))),
            }
        });
    }

    /// Time since which the server has not answered, in milliseconds: requests fail, or the last one is late.
    fn silent_since(self) -> Option<u64> {
        let asked_at = self.asked_at.get();
        let late = self.now.get().saturating_sub(asked_at) > 2 * EVERY_MS;
        self.failing_since.get().or(late.then_some(asked_at))
    }
}

/// Fetches all boards, and the server's time (milliseconds) where the answer has a `Date` header. Returns `None`
/// where the request fails.
async fn boards() -> Option<(Overview, Option<u64>)> {
    let answer = fetch::get("api/overview").await.ok().filter(fetch::Answer::is_ok)?;
    Some((Overview::of(&json::read(&answer.body)?)?, server_time(&answer)))
}

/// Fetches all series, and the server's time (milliseconds) where the answer has a `Date` header. Returns `None`
/// where the request fails.
pub async fn list() -> Option<(Vec<Listed>, Option<u64>)> {
    let answer = fetch::get("api/series").await.ok().filter(fetch::Answer::is_ok)?;
    Some((entries(&json::read(&answer.body)?, Listed::of)?, server_time(&answer)))
}

fn server_time(answer: &fetch::Answer) -> Option<u64> {
    let date = js_sys::Date::parse(&answer.date);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates; NaN was sorted out")]
    // The header is cut to whole seconds, so the middle of the second is the better guess.
    date.is_finite().then(|| date as u64 + 500)
}

/// The page: a card for each board.
#[component]
pub fn HomePage() -> impl IntoView {
    document().set_title("Pulseboard");
    let now = browser::now();
    let known = HomeState {
        cards: RwSignal::new(None),
        left_out: RwSignal::new(0),
        failing_since: RwSignal::new(None),
        asked_at: RwSignal::new(now),
        clock: RwSignal::new(ServerClock::default()),
        now: RwSignal::new(now),
    };
    known.ask(now);
    let ticking = set_interval_with_handle(move || known.tick(), Duration::from_secs(1));
    let seen = window_event_listener(ev::visibilitychange, move |_| known.tick());
    on_cleanup(move || {
        if let Ok(ticking) = ticking {
            ticking.clear();
        }
        seen.remove();
    });

    let server_now = Memo::new(move |_| known.clock.get().server_now(known.now.get()));
    let silent_since = Memo::new(move |_| known.silent_since());
    let searched = RwSignal::new(String::new());
    let found = Memo::new(move |_| {
        known.cards.with(|cards| {
            let fits = |card: &&Card| searched.with(|text| card.fits(text));
            cards.iter().flatten().filter(fits).map(|card| card.board.clone()).collect::<Vec<_>>()
        })
    });
    let content = Memo::new(move |_| match known.cards.with(|cards| cards.as_ref().map(Vec::is_empty)) {
        None => HomeContent::Loading,
        Some(true) => HomeContent::NoBoards,
        Some(false) if found.with(Vec::is_empty) => HomeContent::NoMatch,
        Some(false) => HomeContent::Cards,
    });
    let list = move || match content.get() {
        HomeContent::Loading => view! { <div class="card skeleton" aria-hidden="true"></div> }.into_any(),
        HomeContent::NoBoards => view! { <NoBoards/> }.into_any(),
        HomeContent::NoMatch => view! { <p class="empty">"No board has all of that in its name."</p> }.into_any(),
        HomeContent::Cards => view! {
            <ul class="cards">
                <For each=move || found.get() key=BoardId::clone let(board)>
                    <BoardCard board cards=known.cards server_now/>
                </For>
            </ul>
        }
        .into_any(),
    };
    let many = Memo::new(move |_| known.cards.with(|cards| cards.as_ref().is_some_and(|cards| cards.len() > MANY)));
    view! {
        <Masthead title="Boards">
            <PageButtons/>
        </Masthead>
        <main>
            <p class="notice" role="status" hidden=move || silent_since.get().is_none()>
                {move || silent_since.get().map(no_answer).unwrap_or_default()}
            </p>
            <HomeHead searched many/>
            <div class="home" data-state=move || if silent_since.get().is_some() { "stale" } else { "live" }>
                {move || list()}
            </div>
            <p class="empty" data-testid="left-out" hidden=move || known.left_out.get() == 0>
                {move || left_out(known.left_out.get())}
            </p>
            <ManageSections/>
        </main>
    }
}

fn left_out(boards: u64) -> String {
    format!("{boards} more boards have older points. Open one by its address, such as /b/ops.")
}

fn no_answer(since: u64) -> String {
    format!("The server has not answered since {}. What is below may be old.", browser::time_of_day(since))
}

/// The card of a board. It stays the same element, and keeps the focus, while its content changes.
#[component]
fn BoardCard(board: BoardId, cards: RwSignal<Option<Vec<Card>>>, server_now: Memo<u64>) -> impl IntoView {
    let href = browser::address(&format!("b/{board}"));
    let card = Memo::new(move |_| cards.with(|cards| cards.iter().flatten().find(|card| card.board == board).cloned()));
    let text = move |of: fn(&Card) -> String| move || card.with(|card| card.as_ref().map(of).unwrap_or_default());
    let last = Memo::new(move |_| card.with(|card| card.as_ref().and_then(|card| card.last)));
    // Only what needs attention is marked.
    let level = Memo::new(move |_| {
        let level = card.with(|card| card.as_ref().and_then(|card| card.state.level));
        level.filter(|level| *level != Level::Ok)
    });
    let age = move || last.get().map(|last| ago(server_now.get().saturating_sub(last.0))).unwrap_or_default();
    view! {
        <li>
            <a class="card" data-testid="board-card" href=href>
                <span class="card-name">{text(Card::name)} <small>{text(Card::address)}</small></span>
                <span class="card-state" data-level=move || level.get().map(Level::keyword)>
                    <LevelMark level/>
                    {text(|card| card.state.words())}
                </span>
                <span class="card-count">{text(Card::series_count)}</span>
                <span class="card-age">{move || age()}</span>
            </a>
        </li>
    }
}

/// The part above the list: a search where there are many boards, and a form for a new board.
#[component]
fn HomeHead(searched: RwSignal<String>, many: Memo<bool>) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let wrong = RwSignal::new(String::new());
    let make = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        match NewBoard::named(&name.get_untracked()) {
            Ok(NewBoard { id, title }) => {
                let title = title.map(|title| String::from(js_sys::encode_uri_component(&title)));
                let title = title.map(|title| format!("&title={title}")).unwrap_or_default();
                _ = window().location().set_href(&browser::address(&format!("b/{id}?edit{title}")));
            }
            Err(words) => {
                wrong.set(words);
                dom::focus("[data-testid=new-name]".to_owned());
            }
        }
    };
    view! {
        <div class="home-head">
            <input
                type="search"
                data-testid="search-boards"
                aria-label="Search the boards"
                placeholder="Search"
                hidden=move || !many.get()
                bind:value=searched
            />
            <form class="home-new" on:submit=make>
                <input
                    data-testid="new-name"
                    aria-label="Name of a new board"
                    placeholder="Name of the board"
                    autocomplete="off"
                    aria-invalid=move || (!wrong.with(String::is_empty)).to_string()
                    aria-describedby="new-wrong"
                    bind:value=name
                />
                <button class="button" data-testid="new-board">
                    "New board"
                </button>
                <span class="field-wrong" id="new-wrong" role="status">{move || wrong.get()}</span>
            </form>
        </div>
    }
}

#[component]
fn NoBoards() -> impl IntoView {
    view! {
        <section class="words">
            <h2>"No boards yet"</h2>
            <p>"A board is there as soon as something is pushed to it. Run this anywhere:"</p>
            <CurlLine board="ops"/>
        </section>
    }
}
