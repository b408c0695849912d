//! Where a widget is on the grid.

use serde::Serialize;

use super::document::Columns;
use super::read::Table;

/// The lowest row that a widget can begin in. The layout closes gaps, so that nobody needs more.
pub const MAX_Y: u16 = 10_000;

/// The greatest height of a widget, in rows.
pub const MAX_HEIGHT: u16 = 100;

/// A rectangle of whole cells, counted from the upper left corner, which is 0, 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Its first column.
    pub x: u16,
    /// Its first row.
    pub y: u16,
    /// How many columns it has, at least one; it ends within the columns of the board.
    pub w: u16,
    /// How many rows it has, at least one.
    pub h: u16,
}

/// How large a widget is that does not say where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// In columns of a board of 12; scaled to others.
    pub w: u16,
    /// In rows.
    pub h: u16,
}

impl Place {
    /// Whether the two have a cell in common.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let within = |a: u16, length: u16, b: u16| u32::from(b) < u32::from(a) + u32::from(length);
        within(self.x, self.w, other.x)
            && within(other.x, other.w, self.x)
            && within(self.y, self.h, other.y)
            && within(other.y, other.h, self.y)
    }

    /// Reads `place`; nothing where it is absent, or wrong.
    pub(super) fn read(widget: &Table<'_>, columns: Columns) -> Option<Self> {
        let table = widget.table("place")?;
        let max = columns.get();
        let whole = |key, range: std::ops::RangeInclusive<u16>| {
            let absent = table.get(key).is_none();
            if absent {
                table.wrong(key, format!("a whole number from {} to {}", range.start(), range.end()), "nothing");
            }
            table.whole(key, range)
        };
        let (x, y) = (whole("x", 0..=max - 1), whole("y", 0..=MAX_Y));
        let (w, h) = (whole("w", 1..=max), whole("h", 1..=MAX_HEIGHT));
        let place = match (x, y, w, h) {
            (Some(x), _, Some(w), _) if x + w > max => {
                let expected = format!("at most {}, since x is {x} and the board has {max} columns", max - x);
                table.wrong("w", expected, w.to_string());
                None
            }
            (Some(x), Some(y), Some(w), Some(h)) => Some(Self { x, y, w, h }),
            _ => None,
        };
        table.finish();
        place
    }
}
