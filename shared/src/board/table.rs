//! Many series, a row each.

use serde::Serialize;

use super::read::Table as Fields;
use super::word::words;

words! {
    /// A column of a table. All but the name and the age are of the range that the page shows.
    Column {
        /// The name of the series.
        Name = "name",
        /// What [`super::Source::show`] says.
        Value = "value",
        /// How it changed since the start of the range.
        Change = "change",
        /// The least.
        Min = "min",
        /// The mean.
        Mean = "mean",
        /// The greatest.
        Max = "max",
        /// How old the newest point is.
        Age = "age",
        /// A small line.
        Sparkline = "sparkline",
    }
}

words! {
    /// Which way rows are sorted.
    Order {
        /// The least first.
        Rising = "rising",
        /// The greatest first.
        Falling = "falling",
    }
}

/// Options of `type = "table"`. A click on a head sorts too, for as long as the page is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Table {
    /// The columns, from the left, each once; name, value, change and age where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// By which column rows are sorted; by name where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<Column>,
    /// Which way; rising where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// Most rows, 1 to 1,000; all where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u16>,
}

impl Table {
    pub(super) fn read(widget: &Fields<'_>) -> Self {
        Self {
            columns: widget.words("columns"),
            sort: widget.word("sort"),
            order: widget.word("order"),
            rows: widget.whole("rows", 1..=1_000),
        }
    }
}
