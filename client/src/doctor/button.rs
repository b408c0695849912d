//! The button that calls the doctor, who is fetched when someone does.

use crate::dynamic::RwSignal;
use crate::lazy::{Until, module};
use crate::part::Part;

module! {
    /// What the doctor found, from the moment when he is asked.
    static PANEL: fn() -> Part = doctor, super::panel::panel
}

/// A button that has the way of the stream examined, and what was found.
#[must_use]
pub fn doctor() -> Part {
    let open = RwSignal::new(false);
    let button = Part::button("", "doctor", move || open.update(|open| *open = !*open));
    let button = button.live("aria-expanded", move || open.get().to_string());
    let button = button.live_text(move || if open.get() { "Close" } else { "Check the stream" }.to_owned());
    let found = move || open.get().then(|| PANEL.part(Until::Nothing, |panel| panel())).into_iter().collect();
    let found = Part::new("div", "").with("role", "status").with("data-testid", "findings").live_inside(found);
    Part::new("section", "doctor").with("aria-label", "Stream doctor").put(&button).put(&found)
}
