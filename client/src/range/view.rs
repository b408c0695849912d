//! The range and the crosshair of a board, shared by all of its charts. The document, the address and the user set
//! the range.

use leptos::prelude::*;
use shared::Duration;
use wasm_bindgen::JsValue;

use super::{Range, address};

/// Delay between a choice and its entry in the address.
const NOTED_AFTER: std::time::Duration = std::time::Duration::from_millis(150);

/// A handle on the range and the crosshair.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// The range that is shown.
    pub range: RwSignal<Range>,
    /// Moment under the crosshair, in milliseconds: all charts show their values at it.
    pub cross: RwSignal<Option<u64>>,
    /// The live range to return to: the one shown last.
    home: RwSignal<Duration>,
    /// True if the address or the user set the range; then the document's range is ignored.
    chosen: RwSignal<bool>,
    /// Number of changes of the range by the user, plus one.
    moved: StoredValue<u64>,
    /// True while an update of the address is scheduled.
    noting: StoredValue<bool>,
}

impl View {
    /// Starts with the range of the address, or else with the last hour.
    #[must_use]
    pub fn new(query: &str) -> Self {
        let given = address::read(query);
        let home = match given {
            Some(Range::Live(span)) => span,
            _ => Duration::HOUR,
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

    /// Takes the range of the document, unless the address or the user set one.
    pub fn set_document_range(self, span: Duration) {
        if !self.chosen.get_untracked() {
            self.home.set(span);
            // Not counted as a move: history for this range is needed at once, and the user does not drag it.
            self.range.set(Range::Live(span));
        }
    }

    /// Shows the range that the user chose, and schedules its entry in the address.
    pub fn choose(self, range: Range) {
        if let Range::Live(span) = range {
            self.home.set(span);
        }
        self.chosen.set(true);
        self.moved.try_update_value(|moved| *moved += 1);
        self.range.set(range);
        // A browser limits the number of address changes a second, and a user who drags chooses a range in each
        // frame.
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
        // Ignores an error: a link would then show another range, which is no reason to stop.
        _ = window()
            .history()
            .and_then(|history| history.replace_state_with_url(&JsValue::NULL, "", Some(&format!("{path}{query}"))));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_of_the_document_is_no_move_of_the_user() {
        Owner::new().with(|| {
            let view = View::new("");
            let six_hours = Duration::from_secs(6 * 3_600);
            view.set_document_range(six_hours);
            assert_eq!((view.range.get_untracked(), view.moved()), (Range::Live(six_hours), 1));
        });
    }
}
