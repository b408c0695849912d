//! Beside the boards, on the page of all of them: pushes that were refused, and the series, which can be deleted.

pub mod list;
pub mod rejected;
pub mod series;

use crate::dynamic::RwSignal;
use crate::lazy::{Until, module};
use crate::part::Part;

/// The panels behind the buttons.
pub struct Manage {
    /// The last pushes that were refused.
    pub rejected: fn() -> Part,
    /// The series.
    pub series: fn() -> Part,
}

module! {
    /// Fetched when one of the buttons is pressed.
    static MANAGE: Manage = manage, Manage { rejected: rejected::panel, series: series::panel }
}

/// A button for each panel, and the panels that are open.
#[must_use]
pub fn sections() -> Part {
    let rejected = section("Inbox of rejected pushes", "rejected", |manage| (manage.rejected)());
    let series = section("Series", "series", |manage| (manage.series)());
    Part::new("div", "manage").put(&rejected).put(&series)
}

fn section(title: &'static str, testid: &'static str, panel: fn(&'static Manage) -> Part) -> Part {
    let open = RwSignal::new(false);
    let button = Part::button(title, testid, move || open.update(|open| *open = !*open));
    let button = button.live("aria-expanded", move || open.get().to_string());
    let inside = move || open.get().then(|| MANAGE.part(Until::Nothing, panel)).into_iter().collect();
    let inside = Part::new("div", "").live_inside(inside);
    Part::new("section", "manage-section").with("aria-label", title).put(&button).put(&inside)
}
