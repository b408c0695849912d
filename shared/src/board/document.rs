//! The board document, its limits, and a reader that accepts any input and reports every mistake.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::layout::layout;
use super::overlay::read_markers;
use super::read::{Fields, Mistakes};
use super::widget::MAX_TITLE;
use super::{Place, Widget, WidgetId};
use crate::problem::FieldError;
use crate::{Duration, Selector};

/// The most bytes of a document as written: 256 KiB. Callers that receive bytes must check this before they parse
/// them.
pub const MAX_DOCUMENT: usize = 256 << 10;

/// The most widgets of a board.
pub const MAX_WIDGETS: usize = 200;

/// The most different selectors of a board, over all widgets. One stream can carry this many.
pub const MAX_SELECTORS: usize = 256;

/// The number of columns of the grid, 1 to 48; 12 if the document does not set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns(u16);

impl Columns {
    /// The most columns.
    pub const MAX: u16 = 48;

    /// Returns `None` if `count` is 0 or above [`Columns::MAX`].
    #[must_use]
    pub fn new(count: u16) -> Option<Self> {
        (1..=Self::MAX).contains(&count).then_some(Self(count))
    }

    /// The number of columns.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }

    /// Scales a `width` meant for a board of 12 columns to this board: at least one column, at most all.
    #[must_use]
    pub fn scale(self, width: u16) -> u16 {
        let scaled = u32::from(width) * u32::from(self.0) / 12;
        u16::try_from(scaled).unwrap_or(self.0).clamp(1, self.0)
    }
}

impl Default for Columns {
    fn default() -> Self {
        Self(12)
    }
}

impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u16(self.0)
    }
}

/// A board: everything that one page shows. Serialising a board gives a document from which [`Board::read`] makes an
/// equal board.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Board {
    /// The title, at most [`MAX_TITLE`] bytes. If absent, the page shows the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The number of columns of the grid; 12 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Columns>,
    /// The time range that the page shows first; an hour if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Duration>,
    /// The series of texts that all charts over time draw as markers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub markers: Vec<Selector>,
    /// The widgets, at most [`MAX_WIDGETS`]. Each id is unique.
    pub widgets: Vec<Widget>,
}

/// The result of reading a document: the readable part, and the mistakes.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedBoard {
    /// The readable part of the board, for code that shows boards.
    pub board: Board,
    /// Every mistake with its place, such as `widgets[3].place.w`, in the order of the document.
    pub mistakes: Vec<FieldError>,
}

impl ParsedBoard {
    /// Returns the board if it has no mistakes, for code that stores boards.
    ///
    /// # Errors
    /// All mistakes.
    pub fn strict(self) -> Result<Board, Vec<FieldError>> {
        if self.mistakes.is_empty() { Ok(self.board) } else { Err(self.mistakes) }
    }
}

impl Board {
    /// Reads a document from JSON values; TOML is converted to the same form first. Never fails: see [`ParsedBoard`].
    #[must_use]
    pub fn read(document: &Value) -> ParsedBoard {
        let mistakes = Mistakes::default();
        let board = Fields::of(document, String::new(), &mistakes).map(Self::read_table);
        ParsedBoard { board: board.unwrap_or_default(), mistakes: mistakes.into_list() }
    }

    /// Reads a document written in JSON, such as the response of `GET /api/boards/{id}`.
    ///
    /// # Errors
    /// If the text is not JSON.
    pub fn read_json(text: &str) -> Result<ParsedBoard, serde_json::Error> {
        Ok(Self::read(&serde_json::from_str(text)?))
    }

    /// The columns of the grid, with the default applied.
    #[must_use]
    pub fn columns(&self) -> Columns {
        self.columns.unwrap_or_default()
    }

    /// The time range that the page shows first, with the default applied.
    #[must_use]
    pub fn range(&self) -> Duration {
        self.range.unwrap_or(Duration::HOUR)
    }

    /// Returns every selector of the board, sorted and without repeats, those of markers too. Empty if all widgets are
    /// texts.
    #[must_use]
    pub fn selectors(&self) -> Vec<Selector> {
        let all: BTreeSet<&Selector> = self
            .widgets
            .iter()
            .flat_map(|widget| widget.series().iter().chain(widget.markers()))
            .chain(&self.markers)
            .collect();
        all.into_iter().cloned().collect()
    }

    /// Lays out the widgets and returns their places in document order; see [`super::layout`].
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        let requests: Vec<_> = self.widgets.iter().map(Widget::place_request).collect();
        layout(self.columns(), &requests)
    }

    fn read_table(table: Fields<'_>) -> Self {
        let title = table.text("title", MAX_TITLE);
        let columns = table.whole("columns", 1..=Columns::MAX).and_then(Columns::new);
        let range = table.duration("range", "a duration like 6h");
        let mut board = Self { title, columns, range, markers: read_markers(&table), widgets: Vec::new() };
        let mut ids: BTreeSet<WidgetId> = BTreeSet::new();
        for (at, value) in table.list("widgets", MAX_WIDGETS, "a list of widgets") {
            let id_at = format!("{at}.id");
            let widget =
                Fields::of(value, at, table.mistakes()).and_then(|fields| Widget::read(fields, board.columns()));
            let Some(widget) = widget else { continue };
            if ids.insert(widget.id.clone()) {
                board.widgets.push(widget);
            } else {
                table.mistakes().add(&id_at, "an id that no other widget has", format!("\"{}\" again", widget.id));
            }
        }
        let selectors = board.selectors().len();
        if selectors > MAX_SELECTORS {
            let expected = format!("at most {MAX_SELECTORS} different selectors on a board");
            table.wrong("widgets", expected, format!("{selectors} of them"));
        }
        table.finish();
        board
    }
}

#[cfg(test)]
mod tests;
