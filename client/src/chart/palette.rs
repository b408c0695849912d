//! The colours that the style sheet has for charts.

use leptos::prelude::window;
use web_sys::HtmlElement;

/// How many colours series have before they are used again, with dashes.
pub const SERIES: usize = 8;

/// The colours of states, in the order of [`shared::board::states::Colour`].
const STATES: [&str; 8] = ["green", "yellow", "orange", "red", "blue", "purple", "teal", "grey"];

/// The colours, as a canvas takes them.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    /// Of series.
    pub series: Vec<String>,
    /// Of states.
    pub states: Vec<String>,
    /// Of words.
    pub ink: String,
    /// Of labels.
    pub quiet: String,
    /// Of grid lines.
    pub rule: String,
    /// Of the ground.
    pub paper: String,
    /// Of the levels ok, warn and bad.
    pub levels: [String; 3],
}

impl Palette {
    /// Reads them, resolved for the theme that holds now, by an element that is not seen.
    #[must_use]
    pub fn read(probe: &HtmlElement) -> Self {
        let style = window().get_computed_style(probe).ok().flatten();
        let colour = |name: &str| {
            // A style that cannot be set leaves the colour as it was, which can be seen all the same.
            _ = probe.style().set_property("color", &format!("var(--{name})"));
            style.as_ref().and_then(|style| style.get_property_value("color").ok()).unwrap_or_default()
        };
        Self {
            series: (1..=SERIES).map(|i| colour(&format!("series-{i}"))).collect(),
            states: STATES.iter().map(|state| colour(&format!("state-{state}"))).collect(),
            ink: colour("ink"),
            quiet: colour("quiet"),
            rule: colour("rule"),
            paper: colour("paper"),
            levels: ["state-green", "warn", "alarm"].map(colour),
        }
    }

    /// The colour of a series that has this place in it ([`super::colours`]).
    #[must_use]
    pub fn of(&self, place: usize) -> &str {
        self.series.get(place % SERIES).map_or("", String::as_str)
    }
}
