//! Options of tables, which show a row for each series.

use serde::Serialize;

use super::keyword::keywords;
use super::read::Fields;

keywords! {
    /// A column of a table. All except the name and the age are computed over the range that the page shows.
    Column {
        /// The name of the series.
        Name = "name",
        /// The number that [`super::SeriesSource::show`] selects.
        Value = "value",
        /// The change since the start of the range.
        Change = "change",
        /// The minimum.
        Min = "min",
        /// The mean.
        Mean = "mean",
        /// The maximum.
        Max = "max",
        /// The age of the newest point.
        Age = "age",
        /// A sparkline.
        Sparkline = "sparkline",
    }
}

keywords! {
    /// The direction in which rows are sorted.
    Order {
        /// The least first.
        Rising = "rising",
        /// The greatest first.
        Falling = "falling",
    }
}

/// Options of `type = "table"`. A click on a column's head also sorts, until the page is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TableOptions {
    /// The columns from left to right, each at most once; name, value, change and age if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// The column by which rows are sorted; the name if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<Column>,
    /// The direction; rising if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// The most rows, 1 to 1,000; all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u16>,
}

impl TableOptions {
    pub(super) fn read(widget: &Fields<'_>) -> Self {
        Self {
            columns: widget.keywords("columns"),
            sort: widget.keyword("sort"),
            order: widget.keyword("order"),
            rows: widget.whole("rows", 1..=1_000),
        }
    }
}
