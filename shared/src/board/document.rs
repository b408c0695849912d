//! A board, and reading one that anyone may have written.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::layout::layout;
use super::read::{Mistakes, Table};
use super::widget::MAX_TITLE;
use super::{Place, Span, Widget, WidgetId};
use crate::Selector;
use crate::problem::FieldError;

/// Most bytes of a document as it is written: 256 KiB. Whoever reads bytes holds them to it before parsing.
pub const MAX_DOCUMENT: usize = 256 << 10;

/// Most widgets of a board.
pub const MAX_WIDGETS: usize = 200;

/// Most different selectors of a board, all widgets together: what one stream can carry.
pub const MAX_SELECTORS: usize = 256;

/// How many columns the grid has, 1 to 48; 12 where a document does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns(u16);

impl Columns {
    /// Most columns.
    pub const MAX: u16 = 48;

    /// So many columns; nothing where it is none, or over [`Columns::MAX`].
    #[must_use]
    pub fn new(count: u16) -> Option<Self> {
        (1..=Self::MAX).contains(&count).then_some(Self(count))
    }

    /// How many.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }

    /// How many columns are as wide here as `width` is on a board of 12: at least one, at most all.
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

/// A board: what a page shows. Serialised, it is a document that [`Board::read`] takes in again, the same board.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Board {
    /// What it is called, at most [`MAX_TITLE`] bytes; the page shows the id where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// How many columns its grid has; 12 where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Columns>,
    /// How much of the past it shows at first; an hour where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Span>,
    /// What is on it, at most [`MAX_WIDGETS`], each with an id of its own.
    pub widgets: Vec<Widget>,
}

/// A document that was read: what could be made out, and what could not.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// What could be made out: for whoever shows a board.
    pub board: Board,
    /// Every mistake with its place, such as `widgets[3].place.w`, in the order of the document.
    pub mistakes: Vec<FieldError>,
}

impl Reading {
    /// The board where there is no mistake: for whoever stores one.
    ///
    /// # Errors
    /// All mistakes.
    pub fn strict(self) -> Result<Board, Vec<FieldError>> {
        if self.mistakes.is_empty() { Ok(self.board) } else { Err(self.mistakes) }
    }
}

impl Board {
    /// Reads a document, which TOML brings into the same form as JSON. Never fails: see [`Reading`].
    #[must_use]
    pub fn read(document: &Value) -> Reading {
        let mistakes = Mistakes::default();
        let board = Table::of(document, String::new(), &mistakes).map(Self::read_table);
        Reading { board: board.unwrap_or_default(), mistakes: mistakes.into_list() }
    }

    /// Reads a document written in JSON, as `GET /api/boards/{id}` gives it.
    ///
    /// # Errors
    /// Where it is no JSON at all.
    pub fn read_json(text: &str) -> Result<Reading, serde_json::Error> {
        Ok(Self::read(&serde_json::from_str(text)?))
    }

    /// The columns of its grid.
    #[must_use]
    pub fn columns(&self) -> Columns {
        self.columns.unwrap_or_default()
    }

    /// How much of the past it shows at first.
    #[must_use]
    pub fn range(&self) -> Span {
        self.range.unwrap_or(Span::HOUR)
    }

    /// Every series that it shows: sorted, without repeats; none where all its widgets are texts.
    #[must_use]
    pub fn selectors(&self) -> Vec<Selector> {
        let mut all: Vec<Selector> = Vec::new();
        for selector in self.widgets.iter().flat_map(Widget::series) {
            if let Err(at) = all.binary_search(selector) {
                all.insert(at, selector.clone());
            }
        }
        all
    }

    /// Where each widget comes to lie, in their order; see [`super::layout`].
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        let wishes: Vec<_> = self.widgets.iter().map(Widget::wish).collect();
        layout(self.columns(), &wishes)
    }

    fn read_table(table: Table<'_>) -> Self {
        let title = table.text("title", MAX_TITLE);
        let columns = table.whole("columns", 1..=Columns::MAX).and_then(Columns::new);
        let range = table.parsed("range", "a duration like 6h");
        let mut board = Self { title, columns, range, widgets: Vec::new() };
        let mut ids: BTreeSet<WidgetId> = BTreeSet::new();
        for (at, value) in table.list("widgets", MAX_WIDGETS, "a list of widgets") {
            let id_at = format!("{at}.id");
            let widget =
                Table::of(value, at, table.mistakes()).and_then(|fields| Widget::read(fields, board.columns()));
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
