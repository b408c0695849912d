//! The page of all boards.

pub mod cards;

use std::time::Duration;

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::Masthead;
use crate::curl_line::CurlLine;
use crate::dynamic::{flag, part, text};
use crate::format::duration::ago;
use crate::stream::clock::ServerClock;
use crate::{browser, fetch, json};
use cards::{Card, Listed, cards};

/// How often the list is asked for, while anyone can see it.
const EVERY_MS: u64 = 5_000;

/// What is known of the boards.
#[derive(Clone, Copy)]
struct Known {
    cards: RwSignal<Option<Vec<Card>>>,
    /// Since when the list cannot be had, by our clock.
    failing_since: RwSignal<Option<u64>>,
    /// When it was last asked for; an answer to an older question does not count.
    asked_at: RwSignal<u64>,
    clock: RwSignal<ServerClock>,
    now: RwSignal<u64>,
}

impl Known {
    /// Asks where it is time to.
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
            let answer = list().await;
            if self.asked_at.try_get_untracked() != Some(now) {
                return;
            }
            match answer {
                Some((listed, server)) => {
                    if let Some(server) = server {
                        self.clock.update(|clock| clock.observe(server, browser::now()));
                    }
                    self.cards.set(Some(cards(listed)));
                    self.failing_since.set(None);
                }
                None => self.failing_since.update(|since| *since = since.or(Some(now))),
            }
        });
    }

    /// Since when there is no answer: it failed, or it is late.
    fn silent_since(self) -> Option<u64> {
        let asked_at = self.asked_at.get();
        let late = self.now.get().saturating_sub(asked_at) > 2 * EVERY_MS;
        self.failing_since.get().or(late.then_some(asked_at))
    }
}

/// The list, and the server's time where the answer carries it; nothing where there is no list.
async fn list() -> Option<(Vec<Listed>, Option<u64>)> {
    let answer = fetch::get("/api/series").await.ok().filter(fetch::Answer::is_ok)?;
    let date = js_sys::Date::parse(&answer.date);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates; NaN was sorted out")]
    // The header is cut to the second: the middle of it is the better guess.
    let server = date.is_finite().then(|| date as u64 + 500);
    Some((json::read(&answer.body)?, server))
}

/// All boards, each as a card.
#[component]
pub fn HomePage() -> impl IntoView {
    document().set_title("Pulseboard");
    let now = browser::now();
    let known = Known {
        cards: RwSignal::new(None),
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
    let list = move || match known.cards.get() {
        None => view! { <div class="card skeleton" aria-hidden="true"></div> }.into_any(),
        Some(cards) if cards.is_empty() => view! { <NoBoards/> }.into_any(),
        Some(cards) => view! {
            <ul class="cards">
                {cards.into_iter().map(|card| view! { <BoardCard card server_now/> }).collect_view()}
            </ul>
        }
        .into_any(),
    };
    view! {
        <Masthead title="Boards"/>
        <main>
            <p class="notice" role="status" hidden=flag(move || silent_since.get().is_none())>
                {text(move || silent_since.get().map(no_answer).unwrap_or_default())}
            </p>
            <div class="home" data-state=text(move || if silent_since.get().is_some() { "stale" } else { "live" }.to_owned())>{part(list)}</div>
        </main>
    }
}

fn no_answer(since: u64) -> String {
    format!("The server has not answered since {}. What is below may be old.", browser::time_of_day(since))
}

#[component]
fn BoardCard(card: Card, server_now: Memo<u64>) -> impl IntoView {
    let Card { board, count, last } = card;
    let count = if count == 1 { "1 series".to_owned() } else { format!("{count} series") };
    view! {
        <li>
            <a class="card" data-testid="board-card" href=format!("/b/{board}")>
                <span class="card-name">{board.to_string()}</span>
                <span class="card-count">{count}</span>
                <span class="card-age">{text(move || ago(server_now.get().saturating_sub(last.0)))}</span>
            </a>
        </li>
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
