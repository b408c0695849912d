//! Which state was when.

use std::collections::BTreeMap;

use serde::Serialize;

use super::read::{Table, echo};
use super::word::{Word as _, words};

/// Most states that can have a colour of their own.
const MAX_STATES: usize = 64;

/// Most bytes of a state that can have one.
const MAX_STATE: usize = 200;

words! {
    /// A colour of the page's palette: it says which, the page says what it looks like in light and dark.
    Colour {
        /// All is well.
        Green = "green",
        /// Worth a look.
        Yellow = "yellow",
        /// Between that and red.
        Orange = "orange",
        /// Someone should do something.
        Red = "red",
        /// Something is going on.
        Blue = "blue",
        /// Something else is.
        Purple = "purple",
        /// And something else again.
        Teal = "teal",
        /// Nothing to say.
        Grey = "grey",
    }
}

/// Options of `type = "states"`: a row for each series, in which each state is a bar as long as it lasted. Series of
/// texts say the state as it is; of those of numbers, the number as it is written (`"0"`, `"1"`) is the state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct States {
    /// The colour of each state: `up = "green"`. Others have one drawn from their text, always the same.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub colours: BTreeMap<String, Colour>,
}

impl States {
    pub(super) fn read(widget: &Table<'_>) -> Self {
        let Some(table) = widget.table("colours") else { return Self::default() };
        let mut colours = BTreeMap::new();
        for (index, (state, value)) in table.entries(MAX_STATES).into_iter().enumerate() {
            // A state can be any text, so it is named by where it is if it is too long to say.
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
        Self { colours }
    }
}
