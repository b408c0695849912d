//! What of the time a board shows, and how that is changed: by its document, by someone, and back again.

use std::time::Duration;

use crate::dynamic::{RwSignal, StoredValue};
use leptos::prelude::*;
use shared::board::Span;
use wasm_bindgen::JsValue;

use super::{Range, address};

/// How long after a choice it is in the address.
const NOTED_AFTER: Duration = Duration::from_millis(150);

/// A handle on it, for all charts of a board.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Which stretch of time is shown.
    pub range: RwSignal<Range>,
    /// Which moment is pointed at, in milliseconds: all charts show what was then.
    pub cross: RwSignal<Option<u64>>,
    /// Where the way back leads: the live range that was shown last.
    home: RwSignal<Span>,
    /// Whether someone chose the range: then what the document says does not count.
    chosen: RwSignal<bool>,
    /// Counts the changes that someone made.
    moved: StoredValue<u64>,
    /// Whether the address will be changed soon.
    noting: StoredValue<bool>,
}

impl View {
    /// What the address says, or else the last hour.
    #[must_use]
    pub fn new(query: &str) -> Self {
        let given = address::read(query);
        let home = match given {
            Some(Range::Live(span)) => span,
            _ => Span::HOUR,
        };
        Self {
            range: RwSignal::new(given.unwrap_or(Range::Live(home))),
            cross: RwSignal::new(None),
            home: RwSignal::new(home),
            chosen: RwSignal::new(given.is_some()),
            moved: StoredValue::new(1),
            noting: StoredValue::new(false),
        }
    }

    /// Takes what the document says, unless someone chose.
    pub fn said(self, span: Span) {
        if !self.chosen.get_untracked() {
            self.home.set(span);
            self.set(Range::Live(span));
        }
    }

    /// Shows what someone chose, and keeps it in the address.
    pub fn choose(self, range: Range) {
        if let Range::Live(span) = range {
            self.home.set(span);
        }
        self.chosen.set(true);
        self.set(range);
        // A browser takes only so many addresses a second, and who drags chooses one in each frame.
        if self.noting.try_update_value(|noting| std::mem::replace(noting, true)) == Some(false) {
            set_timeout(move || self.note(), NOTED_AFTER);
        }
    }

    fn note(self) {
        self.noting.try_set_value(false);
        let Some(range) = self.range.try_get_untracked() else { return };
        let location = window().location();
        let query = address::write(&location.search().unwrap_or_default(), Some(range));
        let path = location.pathname().unwrap_or_default();
        // Without it a link would show something else, which is no reason to stop.
        _ = window()
            .history()
            .and_then(|history| history.replace_state_with_url(&JsValue::NULL, "", Some(&format!("{path}{query}"))));
    }

    /// Back to what is now.
    pub fn live(self) {
        self.choose(Range::Live(self.home.get_untracked()));
    }

    /// Counts the changes of the range that someone made.
    #[must_use]
    pub fn moved(self) -> u64 {
        self.moved.try_get_value().unwrap_or_default()
    }

    fn set(self, range: Range) {
        self.moved.try_update_value(|moved| *moved += 1);
        self.range.set(range);
    }
}
