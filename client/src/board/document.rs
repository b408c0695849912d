//! Fetches the document of the shown board, and fetches it again when the server announces another edition.

use leptos::task::spawn_local;
use std::time::Duration;

use leptos::prelude::*;
use serde_json::Value;
use shared::board::{Board, Etag, MetricType, ParsedBoard};
use shared::{BoardId, SeriesName};

use super::context::BoardContext;
use super::filter::{FilterBox, fits};
use super::mistake::{Mistake, placed};
use super::tab;
use crate::lazy::module;
use crate::live::Live;
use crate::stream::subscription::Subscription;
use crate::widget::{self, Draw};
use crate::{fetch, json};

/// The functions of the module that the rest of the page calls.
pub struct BoardModule {
    /// Reads a document.
    pub edition: fn(Etag, Value) -> Edition,
    /// Draws widgets other than stats and notes.
    pub draw: Draw,
    /// Shows the state of the board in its tab. An automatic board has no thresholds, and no series of it is ever stale.
    pub tab: fn(Signal<String>, Memo<Option<Board>>, BoardContext),
    /// Filters an automatic board.
    pub filter: fn(RwSignal<String>, Live, Memo<bool>) -> AnyView,
    /// Composes an automatic board.
    compose: fn(&BoardId, Vec<(SeriesName, MetricType)>) -> Board,
}

module! {
    /// Boards with a document, composed automatic boards, and the widgets other than stats and notes.
    pub static BOARD: BoardModule = board, BoardModule {
        edition: Edition::made,
        draw: widget::draw,
        tab: tab::keep_tab_updated,
        filter: |words, live, automatic| view! { <FilterBox words live automatic/> }.into_any(),
        compose: |id, series| Board::automatic(id, series),
    }
}

/// The longest wait for the stream's first word about the board, where a proxy holds the stream back.
const FIRST_WORD: Duration = Duration::from_secs(3);

/// The delay before the next attempt after a failed request.
const AGAIN: Duration = Duration::from_secs(2);

/// The board that the server has: automatic, or created by a user.
#[cfg_attr(not(target_family = "wasm"), expect(clippy::large_enum_variant, reason = "there is one edition at a time"))]
#[derive(Clone, Debug, PartialEq)]
pub enum Edition {
    /// No user has created it: it shows all series under its id.
    Automatic,
    /// A user has created it.
    Made {
        /// The tag of its document.
        etag: Etag,
        /// The document, from which editing starts.
        document: Value,
        /// The readable part of the document.
        board: Board,
        /// The mistakes in the document.
        mistakes: Vec<Mistake>,
    },
}

impl Edition {
    /// Makes the edition from a document and its tag on the server.
    #[must_use]
    pub fn made(etag: Etag, document: Value) -> Self {
        let ParsedBoard { board, mistakes } = Board::read(&document);
        let id_of = |index: usize| Some(document.get("widgets")?.get(index)?.get("id")?.as_str()?.to_owned());
        let mistakes = placed(&board, mistakes, id_of);
        Self::Made { etag, document, board, mistakes }
    }

    /// The tag of the document; `None` for an automatic board.
    #[must_use]
    pub fn etag(&self) -> Option<Etag> {
        match self {
            Self::Automatic => None,
            Self::Made { etag, .. } => Some(*etag),
        }
    }
}

/// The document, kept up to date with the server.
#[derive(Clone, Copy, Debug)]
pub struct Document {
    /// The present edition; `None` until it is known.
    pub edition: RwSignal<Option<Edition>>,
    /// Counts the requests. Answers to older requests are ignored.
    asked: StoredValue<u64>,
}

impl Document {
    /// Fetches the document if the server has one, and again whenever it announces another edition. The stream says
    /// first if there is one, since a request for none is an error in the browser's console.
    #[must_use]
    pub fn follow(id: &BoardId, stream: Subscription) -> Self {
        let this = Self { edition: RwSignal::new(None), asked: StoredValue::new(0) };
        let of = id.clone();
        let no_word = move || {
            if this.asked.try_get_value() == Some(0) {
                this.ask(of.clone());
            }
        };
        set_timeout(no_word.clone(), FIRST_WORD);
        // A refused stream has no first word.
        Effect::new(move |_| {
            if stream.reason.with(Option::is_some) {
                no_word();
            }
        });
        let id = id.clone();
        let known = Memo::new(move |_| this.edition.with(Option::is_some));
        Effect::new(move |_| {
            let (Some(theirs), known) = (stream.edition.get(), known.get()) else { return };
            // A request that is under way is answered first.
            if !known && this.asked.get_value() > 0 {
                return;
            }
            let ours = this.edition.with_untracked(|edition| edition.as_ref().map(Edition::etag));
            match theirs {
                _ if ours.is_some_and(|ours| same_edition(ours, theirs)) => {}
                None => {
                    // An answer that is under way is about an older edition.
                    this.asked.update_value(|asked| *asked += 1);
                    this.edition.set(Some(Edition::Automatic));
                }
                Some(_) => this.ask(id.clone()),
            }
        });
        this
    }

    /// A document that does not follow the server; it changes only through [`Document::ask`].
    #[must_use]
    pub fn holding(edition: Edition) -> Self {
        Self { edition: RwSignal::new(Some(edition)), asked: StoredValue::new(0) }
    }

    /// Fetches the document again.
    pub fn ask(self, id: BoardId) {
        let Some(turn) = self.asked.try_update_value(|asked| {
            *asked += 1;
            *asked
        }) else {
            return;
        };
        spawn_local(async move {
            let edition = get(&id).await;
            if self.asked.try_get_value() != Some(turn) {
                return;
            }
            match edition {
                Some(edition) => {
                    self.edition.try_set(Some(edition));
                }
                None => set_timeout(move || self.ask(id), AGAIN),
            }
        });
    }
}

/// Returns the server's edition; `None` if the request fails.
async fn get(id: &BoardId) -> Option<Edition> {
    // Uses exactly the URL that the server preloads beside the page. A preload carries no Accept header of ours, so
    // the URL names the format.
    let answer = fetch::get(&format!("api/boards/{id}?form=json")).await.ok()?;
    if answer.status == 404 {
        return Some(Edition::Automatic);
    }
    if !answer.is_ok() {
        return None;
    }
    let etag = answer.etag.parse().ok()?;
    let board = BOARD.wait().await?;
    Some((board.edition)(etag, json::read(&answer.body)?))
}

/// Returns true if both tags are of the same edition, or if both boards are automatic.
#[must_use]
pub fn same_edition(one: Option<Etag>, other: Option<Etag>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.same_edition(&other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// Returns the automatic board of `id`, with the series whose names have all of these words. `None` until the module is
/// loaded that composes boards of more than a few numbers.
#[must_use]
pub fn automatic(id: &BoardId, live: Live, words: &str) -> Option<Board> {
    let metric_type = |name: SeriesName| {
        let declared = live.declared(&name);
        let found = live.with_track_untracked(&name, |track| MetricType::of(declared, &name, track));
        found.map(|metric_type| (name, metric_type))
    };
    let names = live.names.get().into_iter().filter(|name| fits(name, words));
    let series: Vec<_> = names.filter_map(metric_type).collect();
    Board::automatic_plain(id, &series).or_else(|| BOARD.get().map(|board| (board.compose)(id, series)))
}
