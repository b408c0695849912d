//! Options of state timelines, which show when each state was active.

use std::collections::BTreeMap;

use serde::Serialize;

use super::keyword::{Keyword as _, keywords};
use super::overlay::read_markers;
use super::read::{Fields, echo};
use crate::Selector;

/// The most states that can have their own colour.
const MAX_STATES: usize = 64;

/// The most bytes of a state that can have its own colour.
const MAX_STATE: usize = 200;

keywords! {
    /// A colour of the page's palette. The document names it, and the page chooses its shade in the light and the
    /// dark theme.
    Colour {
        /// All is well.
        Green = "green",
        /// Worth a look.
        Yellow = "yellow",
        /// Between yellow and red.
        Orange = "orange",
        /// Needs action.
        Red = "red",
        /// Something is in progress.
        Blue = "blue",
        /// Another kind of progress.
        Purple = "purple",
        /// A further kind of progress.
        Teal = "teal",
        /// Nothing to report.
        Grey = "grey",
    }
}

/// Options of `type = "states"`: a row for each series, in which each state is a bar as long as it lasted. In a
/// series of texts, the text is the state. In a series of numbers, the number as written (`"0"`, `"1"`) is the state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StatesOptions {
    /// The colour of each state: `up = "green"`. Any other state gets a fixed colour, derived from its text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub colours: BTreeMap<String, Colour>,
    /// The series of texts that are drawn as markers, besides those of the board.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub markers: Vec<Selector>,
}

impl StatesOptions {
    pub(super) fn read(widget: &Fields<'_>) -> Self {
        Self { colours: read_colours(widget), markers: read_markers(widget) }
    }
}

fn read_colours(widget: &Fields<'_>) -> BTreeMap<String, Colour> {
    let Some(table) = widget.table("colours") else { return BTreeMap::new() };
    let mut colours = BTreeMap::new();
    for (index, (state, value)) in table.entries(MAX_STATES).into_iter().enumerate() {
        // A state can be any text. One that is too long to quote is named by its index.
        if state.len() > MAX_STATE {
            let at = format!("{}[{index}]", table.at());
            table.mistakes().add(
                &at,
                format!("a state of at most {MAX_STATE} bytes"),
                format!("{} bytes", state.len()),
            );
            continue;
        }
        match value.as_str().and_then(Colour::of) {
            Some(colour) => {
                colours.insert(state.clone(), colour);
            }
            None => table.wrong(state, Colour::offer(), echo(value)),
        }
    }
    colours
}
