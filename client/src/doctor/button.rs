//! The button that starts the stream doctor, whose module is fetched on the first click.

use crate::dynamic::RwSignal;
use crate::lazy::{Until, module};
use crate::part::Part;

module! {
    /// The doctor's panel, which starts to measure when it is made.
    static PANEL: fn() -> Part = doctor, super::panel::panel
}

/// A button that checks the network path of the stream, and the findings below it.
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
