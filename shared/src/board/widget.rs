//! The widget of a board: its common fields, its types, and the series that it shows.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::bars::BarOptions;
use super::gauge::GaugeOptions;
use super::heatmap::HeatmapOptions;
use super::keyword::{Keyword as _, keywords};
use super::layout::PlaceRequest;
use super::lines::{AreaOptions, LineOptions};
use super::log::LogOptions;
use super::read::{Fields, echo};
use super::stat::StatOptions;
use super::states::StatesOptions;
use super::table::TableOptions;
use super::text::NoteOptions;
use super::{Columns, Place, Size, Threshold, Unit};
use crate::name::{MAX_SEGMENT_LEN, check_segment};
use crate::unicode::nfc;
use crate::{Duration, Selector};

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
    Text(NoteOptions),
    /// Series.
    Series(Box<SeriesContent>),
}

/// The series of a widget, and the way in which they are shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeriesContent {
    /// The type of widget with its options.
    #[serde(flatten)]
    pub view: WidgetView,
    /// The series.
    #[serde(flatten)]
    pub source: SeriesSource,
}

/// The series of a widget, with the options that all views share.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SeriesSource {
    /// 1 to [`MAX_SERIES`] selectors. Series are shown in this order, and by name within each selector.
    pub series: Vec<Selector>,
    /// The expected interval between reports. A series that is silent for longer is shown as stale. If absent, no
    /// series becomes stale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<Duration>,
    /// The unit of the numbers; guessed from the series names if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// The digits after the decimal point, 0 to 10. If absent, as many as the number needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u16>,
    /// The number that is shown. If absent: the rate of a counter; else the mean and the extremes in a chart over time,
    /// and the value in all other widgets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show: Option<Show>,
    /// The limits from which on a number has a level such as warn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Threshold>,
}

keywords! {
    /// The number that is shown of a series, or of each of its buckets.
    Show {
        /// The newest value; in a chart over time, the last value of each bucket.
        Value = "value" | "last",
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
pub enum WidgetView {
    /// A large number.
    Stat(StatOptions),
    /// Lines over time.
    Line(LineOptions),
    /// Areas over time.
    Area(AreaOptions),
    /// Bars.
    Bar(BarOptions),
    /// A number between two ends.
    Gauge(GaugeOptions),
    /// A timeline of states.
    States(StatesOptions),
    /// A row for each series.
    Table(TableOptions),
    /// The newest texts.
    Log(LogOptions),
    /// The distribution of numbers over time.
    Heatmap(HeatmapOptions),
}

keywords! {
    /// The `type` of a widget.
    WidgetType {
        /// [`WidgetView::Stat`].
        Stat = "stat",
        /// [`WidgetView::Line`].
        Line = "line",
        /// [`WidgetView::Area`].
        Area = "area",
        /// [`WidgetView::Bar`].
        Bar = "bar",
        /// [`WidgetView::Gauge`].
        Gauge = "gauge",
        /// [`WidgetView::States`].
        States = "states",
        /// [`WidgetView::Table`].
        Table = "table",
        /// [`WidgetView::Log`].
        Log = "log",
        /// [`WidgetView::Heatmap`].
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
                WidgetView::Stat(_) => WidgetType::Stat,
                WidgetView::Line(_) => WidgetType::Line,
                WidgetView::Area(_) => WidgetType::Area,
                WidgetView::Bar(_) => WidgetType::Bar,
                WidgetView::Gauge(_) => WidgetType::Gauge,
                WidgetView::States(_) => WidgetType::States,
                WidgetView::Table(_) => WidgetType::Table,
                WidgetView::Log(_) => WidgetType::Log,
                WidgetView::Heatmap(_) => WidgetType::Heatmap,
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

    /// The selectors of the markers that the widget draws besides those of the board.
    #[must_use]
    pub fn markers(&self) -> &[Selector] {
        let Content::Series(shown) = &self.content else { return &[] };
        match &shown.view {
            WidgetView::Line(options) => &options.markers,
            WidgetView::Area(options) => &options.markers,
            WidgetView::Bar(options) => &options.markers,
            WidgetView::States(options) => &options.markers,
            WidgetView::Heatmap(options) => &options.markers,
            WidgetView::Stat(_) | WidgetView::Gauge(_) | WidgetView::Table(_) | WidgetView::Log(_) => &[],
        }
    }

    /// The position that the widget asks for, as the layout's input.
    #[must_use]
    pub fn place_request(&self) -> PlaceRequest {
        self.place.map_or_else(|| PlaceRequest::Anywhere(self.kind().size()), PlaceRequest::At)
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
        let kind = fields.keyword::<WidgetType>("type")?;
        let content = match kind.read(&fields) {
            None => NoteOptions::read(&fields).map(Content::Text),
            Some(view) => {
                SeriesSource::read(&fields).map(|source| Content::Series(Box::new(SeriesContent { view, source })))
            }
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
    fn read(self, fields: &Fields<'_>) -> Option<WidgetView> {
        Some(match self {
            Self::Stat => WidgetView::Stat(StatOptions::read(fields)),
            Self::Line => WidgetView::Line(LineOptions::read(fields)),
            Self::Area => WidgetView::Area(AreaOptions::read(fields)),
            Self::Bar => WidgetView::Bar(BarOptions::read(fields)),
            Self::Gauge => WidgetView::Gauge(GaugeOptions::read(fields)),
            Self::States => WidgetView::States(StatesOptions::read(fields)),
            Self::Table => WidgetView::Table(TableOptions::read(fields)),
            Self::Log => WidgetView::Log(LogOptions::read(fields)),
            Self::Heatmap => WidgetView::Heatmap(HeatmapOptions::read(fields)),
            Self::Text => return None,
        })
    }
}

impl SeriesSource {
    fn read(fields: &Fields<'_>) -> Option<Self> {
        let source = Self {
            series: read_series(fields),
            expect: fields.duration("expect", "a duration like 60s"),
            unit: fields.parsed("unit", "a unit like bytes, ms, % or rpm"),
            decimals: fields.whole("decimals", 0..=10),
            show: fields.keyword("show"),
            thresholds: Threshold::read_all(fields),
        };
        (!source.series.is_empty()).then_some(source)
    }
}

fn read_series(fields: &Fields<'_>) -> Vec<Selector> {
    let expected = r#"a list of selectors like ["ops/api/*"]"#;
    if fields.get("series").is_none_or(|value| value.as_array().is_some_and(Vec::is_empty)) {
        fields.wrong("series", expected, "nothing");
    }
    read_selectors(fields, "series", MAX_SERIES, expected, "a selector like ops/api/*")
}

/// Reads a list of at most `max` selectors. `expected` describes the list, `one` an entry.
pub(super) fn read_selectors(
    fields: &Fields<'_>,
    key: &'static str,
    max: usize,
    expected: &str,
    one: &str,
) -> Vec<Selector> {
    let read = |(at, value): (String, &serde_json::Value)| match value.as_str() {
        Some(text) => fields.parse(&at, text, one),
        None => {
            fields.mistakes().add(&at, one, echo(value));
            None
        }
    };
    fields.list(key, max, expected).into_iter().filter_map(read).collect()
}
