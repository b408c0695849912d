//! Management on the page of all boards: the inbox of rejected pushes, and the list of series, where they can be
//! deleted.

pub mod list;
pub mod rejected;
pub mod series;

use crate::dynamic::RwSignal;
use crate::lazy::{Until, module};
use crate::part::Part;

/// The panels behind the buttons, as the table of the module.
pub struct Manage {
    /// Builds the inbox of rejected pushes.
    pub rejected: fn() -> Part,
    /// Builds the list of series.
    pub series: fn() -> Part,
}

module! {
    /// The module of both panels. It is fetched when the user opens one.
    static MANAGE: Manage = manage, Manage { rejected: rejected::panel, series: series::panel }
}

/// Builds a button for each panel, and the panels that are open.
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
