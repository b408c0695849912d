//! The position and size of a widget on the grid.

use serde::Serialize;

use super::document::Columns;
use super::read::Fields;

/// The greatest row in which a widget can begin. The layout closes gaps, so no board needs more.
pub const MAX_Y: u16 = 10_000;

/// The greatest height of a widget, in rows.
pub const MAX_HEIGHT: u16 = 100;

/// A rectangle of whole cells, counted from the upper left corner, which is 0, 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The first column.
    pub x: u16,
    /// The first row.
    pub y: u16,
    /// The width in columns, at least one. The widget ends within the columns of the board.
    pub w: u16,
    /// The height in rows, at least one.
    pub h: u16,
}

/// The size of a widget that has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The width in columns of a board of 12; it is scaled for others.
    pub w: u16,
    /// The height in rows.
    pub h: u16,
}

impl Place {
    /// Returns true if the two rectangles share a cell.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let within = |a: u16, length: u16, b: u16| u32::from(b) < u32::from(a) + u32::from(length);
        within(self.x, self.w, other.x)
            && within(other.x, other.w, self.x)
            && within(self.y, self.h, other.y)
            && within(other.y, other.h, self.y)
    }

    /// Reads `place`; `None` if it is absent or wrong.
    pub(super) fn read(widget: &Fields<'_>, columns: Columns) -> Option<Self> {
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
