//! The document of the board that the page shows.

use std::time::Duration;

use leptos::prelude::*;
use serde_json::Value;
use shared::board::{Board, Etag, Nature, Reading};
use shared::{BoardId, SeriesName};

use super::mistake::{Mistake, placed};
use crate::dynamic::{Memo, RwSignal, StoredValue, effect, spawn};
use crate::lazy::module;
use crate::live::Live;
use crate::stream::subscription::Subscription;
use crate::{fetch, json};

module! {
    /// Reads a document: a board that makes itself has none.
    pub static MADE: fn(Etag, Value) -> Edition = made, Edition::made
}

/// When to ask again where nobody answered.
const AGAIN: Duration = Duration::from_secs(2);

/// Which board there is.
#[derive(Clone, Debug, PartialEq)]
pub enum Edition {
    /// Nobody has made it: it shows all series under its name.
    Automatic,
    /// Somebody has.
    Made {
        /// The tag of its document.
        etag: Etag,
        /// The document itself, which an edit begins from.
        document: Value,
        /// What could be made out of it.
        board: Board,
        /// What could not.
        mistakes: Vec<Mistake>,
    },
}

impl Edition {
    /// The edition of a document that the server has under this tag.
    #[must_use]
    pub fn made(etag: Etag, document: Value) -> Self {
        let Reading { board, mistakes } = Board::read(&document);
        let id_of = |index: usize| Some(document.get("widgets")?.get(index)?.get("id")?.as_str()?.to_owned());
        let mistakes = placed(&board, mistakes, id_of);
        Self::Made { etag, document, board, mistakes }
    }

    /// The tag of its document; nothing where there is none.
    #[must_use]
    pub fn etag(&self) -> Option<Etag> {
        match self {
            Self::Automatic => None,
            Self::Made { etag, .. } => Some(*etag),
        }
    }
}

/// The document, kept as the server has it.
#[derive(Clone, Copy, Debug)]
pub struct Document {
    /// Which board there is; nothing until that is known.
    pub edition: RwSignal<Option<Edition>>,
    /// Counts what was asked: an answer to an older question does not count.
    asked: StoredValue<u64>,
}

impl Document {
    /// Gets the document, and again whenever the server says that there is another edition.
    #[must_use]
    pub fn follow(id: &BoardId, stream: Subscription) -> Self {
        let this = Self { edition: RwSignal::new(None), asked: StoredValue::new(0) };
        this.ask(id.clone());
        let id = id.clone();
        // Until the first one is there it is on its way, whatever the stream says meanwhile.
        let known = Memo::new(move || this.edition.with(Option::is_some));
        effect(move || {
            let (Some(theirs), true) = (stream.edition.get(), known.get()) else { return };
            let ours = this.edition.with_untracked(|edition| edition.as_ref().map(Edition::etag));
            if ours.is_none_or(|ours| !same_edition(ours, theirs)) {
                this.ask(id.clone());
            }
        });
        this
    }

    /// A document that nobody follows: it is this until somebody asks.
    #[must_use]
    pub fn holding(edition: Edition) -> Self {
        Self { edition: RwSignal::new(Some(edition)), asked: StoredValue::new(0) }
    }

    /// Gets the document anew.
    pub fn ask(self, id: BoardId) {
        let Some(turn) = self.asked.try_update_value(|asked| {
            *asked += 1;
            *asked
        }) else {
            return;
        };
        spawn(async move {
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

/// What the server has; nothing where it cannot be had now.
async fn get(id: &BoardId) -> Option<Edition> {
    // As the server has told the browser to fetch it beside the page: that says nothing of what is accepted.
    let answer = fetch::get(&format!("api/boards/{id}?form=json")).await.ok()?;
    if answer.status == 404 {
        return Some(Edition::Automatic);
    }
    if !answer.is_ok() {
        return None;
    }
    let etag = answer.etag.parse().ok()?;
    let made = MADE.wait().await?;
    Some(made(etag, json::read(&answer.body)?))
}

/// Whether both tags are of the same edition, or both of a board that nobody has made.
#[must_use]
pub fn same_edition(one: Option<Etag>, other: Option<Etag>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.same_edition(&other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// What `id` shows while nobody has made it.
#[must_use]
pub fn automatic(id: &BoardId, live: Live) -> Board {
    let nature = |name: SeriesName| {
        let declared = live.declared(&name);
        live.with_track(&name, |track| Nature::of(declared, &name, track)).map(|nature| (name.clone(), nature))
    };
    Board::automatic(id, live.names.get().into_iter().filter_map(nature))
}
