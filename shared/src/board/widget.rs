//! The widget of a board: its common fields, its types, and the series that it shows.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::bars::Bars;
use super::gauge::Gauge;
use super::heatmap::Heatmap;
use super::layout::Wish;
use super::lines::{Area, Line};
use super::log::Log;
use super::read::{Table as Fields, echo};
use super::stat::Stat;
use super::states::States;
use super::table::Table;
use super::text::Text;
use super::word::{Word as _, words};
use super::{Columns, Place, Size, Span, Threshold, Unit};
use crate::Selector;
use crate::name::{MAX_SEGMENT_LEN, check_segment};
use crate::script::nfc;

/// The most selectors of a widget.
pub const MAX_SERIES: usize = 32;

/// The most bytes of a title of a board or a widget.
pub const MAX_TITLE: usize = 200;

/// The id of a widget, unique and stable within its board. It has the syntax of a segment of a series name. The page
/// keys the state of a widget by it while other widgets come and go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct WidgetId(String);

impl WidgetId {
    /// The id as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is not a [`WidgetId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write 1 to {MAX_SEGMENT_LEN} letters, marks and digits of any script and _ . : -")]
pub struct WidgetIdError;

impl FromStr for WidgetId {
    type Err = WidgetIdError;

    fn from_str(text: &str) -> Result<Self, WidgetIdError> {
        let text = nfc(text);
        check_segment(1, &text).map_err(|_| WidgetIdError)?;
        Ok(Self(text.into_owned()))
    }
}

impl fmt::Display for WidgetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An element of a board.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Widget {
    /// The id, unique within the board.
    pub id: WidgetId,
    /// The title above the widget, at most [`MAX_TITLE`] bytes. If absent, the page shows the names of the series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The content.
    #[serde(flatten)]
    pub content: Content,
    /// The place that the document asks for. [`super::Board::places`] returns the final one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// The content of a widget.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Content {
    /// A note.
    Text(Text),
    /// Series.
    Series(Box<Shown>),
}

/// The series of a widget, and the way in which they are shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// The type of widget with its options.
    #[serde(flatten)]
    pub view: View,
    /// The series.
    #[serde(flatten)]
    pub source: Source,
}

/// The series of a widget, with the options that all views share.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Source {
    /// 1 to [`MAX_SERIES`] selectors. Series are shown in this order, and by name within each selector.
    pub series: Vec<Selector>,
    /// The expected interval between reports. A series that is silent for longer is shown as stale. If absent, no
    /// series becomes stale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<Span>,
    /// The unit of the numbers; guessed from the series names if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// The digits after the decimal point, 0 to 10. If absent, as many as the number needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u16>,
    /// The number that is shown; the value if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show: Option<Show>,
    /// The limits from which on a number has a level such as warn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Threshold>,
}

words! {
    /// The number that is shown of a series, or of each of its buckets.
    Show {
        /// The newest value.
        Value = "value",
        /// The growth of a counter per second. A fall counts as a restart from zero, not as a negative rate.
        Rate = "rate",
        /// The mean.
        Mean = "mean",
        /// The minimum.
        Min = "min",
        /// The maximum.
        Max = "max",
        /// The sum.
        Sum = "sum",
        /// The number of points.
        Count = "count",
        /// The median.
        P50 = "p50",
        /// The 95th percentile.
        P95 = "p95",
        /// The 99th percentile.
        P99 = "p99",
    }
}

/// The `type` of a widget with its options.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum View {
    /// A large number.
    Stat(Stat),
    /// Lines over time.
    Line(Line),
    /// Areas over time.
    Area(Area),
    /// Bars.
    Bar(Bars),
    /// A number between two ends.
    Gauge(Gauge),
    /// A timeline of states.
    States(States),
    /// A row for each series.
    Table(Table),
    /// The newest texts.
    Log(Log),
    /// The distribution of numbers over time.
    Heatmap(Heatmap),
}

words! {
    /// The `type` of a widget.
    WidgetType {
        /// [`View::Stat`].
        Stat = "stat",
        /// [`View::Line`].
        Line = "line",
        /// [`View::Area`].
        Area = "area",
        /// [`View::Bar`].
        Bar = "bar",
        /// [`View::Gauge`].
        Gauge = "gauge",
        /// [`View::States`].
        States = "states",
        /// [`View::Table`].
        Table = "table",
        /// [`View::Log`].
        Log = "log",
        /// [`View::Heatmap`].
        Heatmap = "heatmap",
        /// [`Content::Text`].
        Text = "text",
    }
}

impl Widget {
    /// The type of the widget.
    #[must_use]
    pub fn kind(&self) -> WidgetType {
        match &self.content {
            Content::Text(_) => WidgetType::Text,
            Content::Series(shown) => match shown.view {
                View::Stat(_) => WidgetType::Stat,
                View::Line(_) => WidgetType::Line,
                View::Area(_) => WidgetType::Area,
                View::Bar(_) => WidgetType::Bar,
                View::Gauge(_) => WidgetType::Gauge,
                View::States(_) => WidgetType::States,
                View::Table(_) => WidgetType::Table,
                View::Log(_) => WidgetType::Log,
                View::Heatmap(_) => WidgetType::Heatmap,
            },
        }
    }

    /// The selectors of the widget; empty if it is a text.
    #[must_use]
    pub fn series(&self) -> &[Selector] {
        match &self.content {
            Content::Text(_) => &[],
            Content::Series(shown) => &shown.source.series,
        }
    }

    /// The position that the widget asks for, as the layout's input.
    #[must_use]
    pub fn wish(&self) -> Wish {
        self.place.map_or_else(|| Wish::Anywhere(self.kind().size()), Wish::At)
    }

    /// Reads a widget; `None` if its id, its type or its series cannot be read.
    pub(super) fn read(fields: Fields<'_>, columns: Columns) -> Option<Self> {
        let needed = |key, expected: &str| {
            if fields.get(key).is_none() {
                fields.wrong(key, expected, "nothing");
            }
        };
        let id_expected = "a name of its own within the board, like latency";
        needed("id", id_expected);
        let id = fields.parsed("id", id_expected);
        let title = fields.text("title", MAX_TITLE);
        let place = Place::read(&fields, columns);
        needed("type", &WidgetType::offer());
        // The type decides which keys are valid, so without it the others cannot be checked.
        let kind = fields.word::<WidgetType>("type")?;
        let content = match kind.read(&fields) {
            None => Text::read(&fields).map(Content::Text),
            Some(view) => Source::read(&fields).map(|source| Content::Series(Box::new(Shown { view, source }))),
        };
        fields.finish();
        Some(Self { id: id?, title, content: content?, place })
    }
}

impl WidgetType {
    /// The size of a widget without a place.
    #[must_use]
    pub fn size(self) -> Size {
        let (w, h) = match self {
            Self::Stat | Self::Gauge => (3, 2),
            Self::Line | Self::Area | Self::Bar | Self::Heatmap | Self::Table | Self::Log => (6, 4),
            Self::States => (12, 2),
            Self::Text => (6, 2),
        };
        Size { w, h }
    }

    /// Reads the options of this type; `None` if the type shows no series.
    fn read(self, fields: &Fields<'_>) -> Option<View> {
        Some(match self {
            Self::Stat => View::Stat(Stat::read(fields)),
            Self::Line => View::Line(Line::read(fields)),
            Self::Area => View::Area(Area::read(fields)),
            Self::Bar => View::Bar(Bars::read(fields)),
            Self::Gauge => View::Gauge(Gauge::read(fields)),
            Self::States => View::States(States::read(fields)),
            Self::Table => View::Table(Table::read(fields)),
            Self::Log => View::Log(Log::read(fields)),
            Self::Heatmap => View::Heatmap(Heatmap::read(fields)),
            Self::Text => return None,
        })
    }
}

impl Source {
    fn read(fields: &Fields<'_>) -> Option<Self> {
        let source = Self {
            series: read_series(fields),
            expect: fields.parsed("expect", "a duration like 60s"),
            unit: fields.parsed("unit", "a unit like bytes, ms, % or rpm"),
            decimals: fields.whole("decimals", 0..=10),
            show: fields.word("show"),
            thresholds: Threshold::read_all(fields),
        };
        (!source.series.is_empty()).then_some(source)
    }
}

fn read_series(fields: &Fields<'_>) -> Vec<Selector> {
    let expected = r#"a list of selectors like ["ops/api/*"]"#;
    let list = fields.list("series", MAX_SERIES, expected);
    if list.is_empty() && fields.get("series").is_none_or(serde_json::Value::is_array) {
        fields.wrong("series", expected, "nothing");
    }
    let read = |(at, value): (String, &serde_json::Value)| match value.as_str() {
        Some(text) => fields.parse(&at, text, "a selector like ops/api/*"),
        None => {
            fields.mistakes().add(&at, "a selector like ops/api/*", echo(value));
            None
        }
    };
    list.into_iter().filter_map(read).collect()
}
