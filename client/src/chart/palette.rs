//! Chart colours, read from the style sheet.

use std::cell::Cell;

use leptos::prelude::window;
use web_sys::HtmlElement;

/// The number of series colours. More series repeat them with dashes.
pub const SERIES: usize = 8;

/// The number of series colours where the system forces its own.
const FORCED: usize = 2;

thread_local! {
    /// True where the system forces its colours; `None` until it was asked.
    static IS_FORCED: Cell<Option<bool>> = const { Cell::new(None) };
}

/// Returns the number of colours that distinguish series. More series repeat the colours with dashes.
#[must_use]
pub fn distinct() -> usize {
    // Tests outside of a browser have no window.
    let is_forced = || cfg!(target_family = "wasm") && is_forced();
    let is_forced = IS_FORCED.get().unwrap_or_else(is_forced);
    IS_FORCED.set(Some(is_forced));
    if is_forced { FORCED } else { SERIES }
}

fn is_forced() -> bool {
    window().match_media("(forced-colors: active)").ok().flatten().is_some_and(|query| query.matches())
}

/// The colours of states, in the order of [`shared::board::states::Colour`].
const STATES: [&str; 8] = ["green", "yellow", "orange", "red", "blue", "purple", "teal", "grey"];

/// The colours as CSS values for the canvas.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    /// Colours of series.
    pub series: Vec<String>,
    /// Colours of states.
    pub states: Vec<String>,
    /// The colour of text.
    pub ink: String,
    /// The colour of labels.
    pub quiet: String,
    /// The colour of grid lines.
    pub rule: String,
    /// The colour of the background.
    pub paper: String,
    /// The colours of the levels ok, warn and bad.
    pub levels: [String; 3],
}

impl Palette {
    /// Reads the colours of the present theme, by setting them on the element `probe` and reading the computed value.
    #[must_use]
    pub fn read(probe: &HtmlElement) -> Self {
        IS_FORCED.set(None);
        let style = window().get_computed_style(probe).ok().flatten();
        let colour = |name: &str| {
            // If a style cannot be set, the colour stays as before, which is still visible.
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

    /// The colour of a series with this place in the palette ([`super::colours`]).
    #[must_use]
    pub fn of(&self, place: usize) -> &str {
        self.series.get(place % SERIES).map_or("", String::as_str)
    }
}
