//! What all widgets have, and which kinds there are.

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

/// Most selectors of a widget.
pub const MAX_SERIES: usize = 32;

/// Most bytes of a title, of a board as of a widget.
pub const MAX_TITLE: usize = 200;

/// The id of a widget within its board, for as long as it is there: like a segment of the name of a series. A page keeps by it
/// what belongs to the widget when others come and go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct WidgetId(String);

impl WidgetId {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is no [`WidgetId`].
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

/// One thing on a board.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Widget {
    /// Unique within the board.
    pub id: WidgetId,
    /// What stands above it, at most [`MAX_TITLE`] bytes; where absent the page says which series it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it shows.
    #[serde(flatten)]
    pub content: Content,
    /// Where it wants to be. [`super::Board::places`] says where it comes to lie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// What a widget shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Content {
    /// Words of its own.
    Text(Text),
    /// Series.
    Series(Box<Shown>),
}

/// Which series a widget shows, and how.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// How.
    #[serde(flatten)]
    pub view: View,
    /// Which.
    #[serde(flatten)]
    pub source: Source,
}

/// Which series a widget shows, and what is known of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Source {
    /// 1 to [`MAX_SERIES`] selectors. Series come in this order, and by name within each.
    pub series: Vec<Selector>,
    /// How often each of them is expected to report: one that has not for longer is stale, and shown as such. Where
    /// absent, none ever is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<Span>,
    /// What their numbers count; guessed from their names where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// Digits after the point, 0 to 10; as many as the number needs where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u16>,
    /// Which number of them is shown; their value where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show: Option<Show>,
    /// From where on their numbers are worth a look.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Threshold>,
}

words! {
    /// Which number of a series, or of each bucket of it, is shown.
    Show {
        /// The newest.
        Value = "value",
        /// How fast a counter grows, a second; a fall is a restart from zero, not a negative rate.
        Rate = "rate",
        /// The mean.
        Mean = "mean",
        /// The least.
        Min = "min",
        /// The greatest.
        Max = "max",
        /// The sum.
        Sum = "sum",
        /// How many points there were.
        Count = "count",
        /// The median.
        P50 = "p50",
        /// The 95th percentile.
        P95 = "p95",
        /// The 99th percentile.
        P99 = "p99",
    }
}

/// How series are shown: the `type` of a widget, with its options.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum View {
    /// A number in large.
    Stat(Stat),
    /// Lines over time.
    Line(Line),
    /// Areas over time.
    Area(Area),
    /// Bars.
    Bar(Bars),
    /// Between two ends.
    Gauge(Gauge),
    /// Which state was when.
    States(States),
    /// A row for each series.
    Table(Table),
    /// The newest texts.
    Log(Log),
    /// How numbers are spread over time.
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
    /// Its type.
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

    /// The series that it shows; none where it is a text.
    #[must_use]
    pub fn series(&self) -> &[Selector] {
        match &self.content {
            Content::Text(_) => &[],
            Content::Series(shown) => &shown.source.series,
        }
    }

    /// Where it wants to be, for the layout.
    #[must_use]
    pub fn wish(&self) -> Wish {
        self.place.map_or_else(|| Wish::Anywhere(self.kind().size()), Wish::At)
    }

    /// Reads a widget; nothing where its id, its type or its series cannot be made out.
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
        // Which keys there are follows from the type, so without one the others cannot be judged.
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
    /// How large it is where it has no place.
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

    /// Its options; nothing where it shows no series.
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
