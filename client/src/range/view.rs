//! The range and the crosshair of a board, shared by all of its charts. The document, the address and the user set
//! the range.
//!
//! Each choice of the user is an entry in the browser's history, so Back undoes a zoom. Choices that follow each other
//! closely, such as those of a drag, are one entry.

use leptos::ev;
use leptos::prelude::*;
use shared::{Duration, Millis};
use wasm_bindgen::JsValue;

use super::address::AddressRange;
use super::{Range, address};
use crate::browser;
use crate::dom::on_window;
use crate::past::Past;

/// Delay between a choice that replaces the entry in the browser's history and the replacement. Browsers limit the
/// number of changes a second.
const NOTED_AFTER: std::time::Duration = std::time::Duration::from_millis(400);
/// Time between two choices, in milliseconds, from which on the second is an entry of its own.
const APART_MS: u64 = 800;

/// A handle on the range and the crosshair.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// The range that is shown.
    pub range: RwSignal<Range>,
    /// Moment under the crosshair, in milliseconds: all charts show their values at it.
    pub cross: RwSignal<Option<u64>>,
    /// The mistake in the range of the address.
    pub problem: RwSignal<Option<String>>,
    /// The series as of the end of a fixed range.
    pub past: Past,
    /// The live range to return to: the one shown last.
    home: RwSignal<Duration>,
    /// The range of the document.
    document: RwSignal<Duration>,
    /// True if the address or the user set the range; then the document's range is ignored.
    chosen: RwSignal<bool>,
    /// Number of changes of the range by the user, plus one.
    moved: StoredValue<u64>,
    /// Time of the last choice, by the browser's clock, in milliseconds.
    chosen_at: StoredValue<u64>,
    /// True while an update of the address is scheduled.
    noting: StoredValue<bool>,
}

/// A way to enter a range into the browser's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    /// A new entry.
    Push,
    /// In the place of the present entry.
    Replace,
}

impl View {
    /// Starts with the range of a query string, or else with the last hour.
    #[must_use]
    pub fn new(query: &str) -> Self {
        Self::with(in_query(query))
    }

    /// Starts with the range of an address, or else with the last hour.
    #[must_use]
    pub fn with(given: AddressRange) -> Self {
        let home = match given.range {
            Some(Range::Live(span)) => span,
            _ => Duration::HOUR,
        };
        let range = RwSignal::new(given.range.unwrap_or(Range::Live(home)));
        let at = Memo::new(move |_| match range.get() {
            Range::Live(_) => None,
            Range::Fixed { to, .. } => Some(to),
        });
        Self {
            range,
            cross: RwSignal::new(None),
            problem: RwSignal::new(given.problem),
            past: Past::new(at),
            home: RwSignal::new(home),
            document: RwSignal::new(Duration::HOUR),
            chosen: RwSignal::new(given.range.is_some()),
            moved: StoredValue::new(1),
            chosen_at: StoredValue::new(0),
            noting: StoredValue::new(false),
        }
    }

    /// Starts with the range of the page's address, and follows the browser's Back and Forward.
    #[must_use]
    pub fn of_page() -> Self {
        let view = Self::new(&browser::query());
        on_window(ev::popstate, move |_| view.show(in_query(&browser::query())));
        view
    }

    /// Takes the range of the document, unless the address or the user set one.
    pub fn set_document_range(self, span: Duration) {
        self.document.set(span);
        if !self.chosen.get_untracked() {
            self.home.set(span);
            // Not counted as a move: history for this range is needed at once, and the user does not drag it.
            self.range.set(Range::Live(span));
        }
    }

    /// Shows the range that the user chose, and enters it into the browser's history.
    pub fn choose(self, range: Range) {
        let now = browser::now();
        let last = self.chosen_at.try_update_value(|at| std::mem::replace(at, now)).unwrap_or_default();
        self.problem.set(None);
        self.set(range);
        if now.saturating_sub(last) > APART_MS {
            self.note(Entry::Push);
        } else {
            self.note_soon();
        }
    }

    /// Shows the next range of one that moves without the user.
    pub fn play(self, range: Range) {
        self.set(range);
        self.note_soon();
    }

    /// Shows the range of an entry in the browser's history.
    fn show(self, given: AddressRange) {
        // The next choice is an entry of its own, and none is pending.
        self.chosen_at.set_value(0);
        self.noting.set_value(false);
        self.problem.set(given.problem);
        self.chosen.set(given.range.is_some());
        let range = given.range.unwrap_or(Range::Live(self.document.get_untracked()));
        self.set_range(range);
    }

    fn set(self, range: Range) {
        self.chosen.set(true);
        self.set_range(range);
    }

    fn set_range(self, range: Range) {
        if let Range::Live(span) = range {
            self.home.set(span);
        }
        self.moved.try_update_value(|moved| *moved += 1);
        self.range.set(range);
    }

    fn note_soon(self) {
        if self.noting.try_update_value(|noting| std::mem::replace(noting, true)) == Some(false) {
            set_timeout(
                move || {
                    if self.noting.try_get_value() == Some(true) {
                        self.note(Entry::Replace);
                    }
                },
                NOTED_AFTER,
            );
        }
    }

    fn note(self, entry: Entry) {
        self.noting.try_set_value(false);
        let Some(range) = self.range.try_get_untracked() else { return };
        let location = window().location();
        let query = address::write(&location.search().unwrap_or_default(), Some(range));
        let address = location.pathname().unwrap_or_default() + &query + &location.hash().unwrap_or_default();
        let Ok(history) = window().history() else { return };
        // Ignores an error: a link would then show another range, which is no reason to stop.
        _ = match entry {
            Entry::Push => history.push_state_with_url(&JsValue::NULL, "", Some(&address)),
            Entry::Replace => history.replace_state_with_url(&JsValue::NULL, "", Some(&address)),
        };
    }

    /// Returns to the last live range.
    pub fn live(self) {
        self.choose(Range::Live(self.home.get_untracked()));
    }

    /// Number of changes of the range by the user so far, plus one.
    #[must_use]
    pub fn moved(self) -> u64 {
        self.moved.try_get_value().unwrap_or_default()
    }
}

fn in_query(query: &str) -> AddressRange {
    address::read(query, Millis(browser::now()), &browser::rfc3339)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_of_the_document_is_no_move_of_the_user() {
        Owner::new().with(|| {
            let view = View::with(AddressRange::default());
            let six_hours = Duration::from_secs(6 * 3_600);
            view.set_document_range(six_hours);
            assert_eq!((view.range.get_untracked(), view.moved()), (Range::Live(six_hours), 1));
        });
    }

    #[test]
    fn entry_without_a_range_shows_that_of_the_document_again() {
        Owner::new().with(|| {
            let fixed = Range::Fixed { from: Millis(1_000), to: Millis(9_000) };
            let view = View::with(AddressRange { range: Some(fixed), problem: None });
            assert_eq!(view.past.at.get_untracked(), Some(Millis(9_000)));
            view.set_document_range(Duration::from_secs(300));
            assert_eq!(view.range.get_untracked(), fixed);
            view.show(AddressRange::default());
            assert_eq!(view.range.get_untracked(), Range::Live(Duration::from_secs(300)));
            assert_eq!(view.past.at.get_untracked(), None);
        });
    }
}
