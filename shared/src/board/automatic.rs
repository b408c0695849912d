//! Automatic boards: the document for a board id that no user has created yet.

use super::document::MAX_WIDGETS;
use super::log::LogOptions;
use super::metric_type::MetricType;
use super::stat::StatOptions;
use super::table::TableOptions;
use super::widget::SeriesContent;
use super::{Board, Content, SeriesSource, Show, Widget, WidgetId, WidgetView};
use crate::name::MAX_SEGMENT_LEN;
use crate::{BoardId, Selector, SeriesName};

impl Board {
    /// Returns the document that the board `id` shows until a user creates it. In the given order, it has a stat for
    /// each gauge, a stat of the rate for each counter, and a log for each text series. The page starts editing from
    /// this document, so it is valid as it is. If there are more series than a board can have widgets, the last
    /// widget is a table of all series.
    #[must_use]
    pub fn automatic<N: Into<MetricType>>(id: &BoardId, series: impl IntoIterator<Item = (SeriesName, N)>) -> Self {
        let mut widgets: Vec<Widget> = Vec::new();
        for (name, metric_type) in series {
            if widgets.len() == MAX_WIDGETS {
                widgets.pop();
                let view = WidgetView::Table(TableOptions::default());
                let all = free_id("all", &widgets);
                widgets.push(widget(all, "all", view, None, id.selector()));
                break;
            }
            let (view, show) = match metric_type.into() {
                MetricType::Gauge => (WidgetView::Stat(StatOptions::default()), None),
                MetricType::Counter => (WidgetView::Stat(StatOptions::default()), Some(Show::Rate)),
                MetricType::Text => (WidgetView::Log(LogOptions::default()), None),
            };
            let title = name.within_board();
            let id = free_id(title, &widgets);
            widgets.push(widget(id, title, view, show, Selector::from(&name)));
        }
        Self { title: Some(title(id.as_str())), columns: None, range: None, markers: Vec::new(), widgets }
    }
}

fn widget(id: WidgetId, title: &str, view: WidgetView, show: Option<Show>, selector: Selector) -> Widget {
    let source = SeriesSource { series: vec![selector], show, ..SeriesSource::default() };
    Widget {
        id,
        title: Some(self::title(title)),
        content: Content::Series(Box::new(SeriesContent { view, source })),
        place: None,
    }
}

/// Makes a title from a name. Cuts names that are longer than a title may be.
fn title(name: &str) -> String {
    name.get(..name.floor_char_boundary(super::widget::MAX_TITLE)).unwrap_or_default().to_owned()
}

/// Makes an unused widget id from a name. Adds a number where two names would give the same id, such as `api/latency`
/// and `api-latency`.
fn free_id(name: &str, taken: &[Widget]) -> WidgetId {
    let base = name.replace('/', "-");
    let mut count = 1_usize;
    loop {
        let end = if count == 1 { String::new() } else { format!("-{count}") };
        let text: String = base.chars().take(MAX_SEGMENT_LEN - end.len()).chain(end.chars()).collect();
        // A name such as `x/.-` gives a valid id. A name that is cut to a lone dot does not, so it gets a number.
        if let Ok(id) = text.parse::<WidgetId>()
            && taken.iter().all(|widget| widget.id != id)
        {
            return id;
        }
        count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::widget::WidgetType;
    use crate::point::Kind;
    use proptest::prelude::*;

    fn id() -> BoardId {
        "ops".parse().unwrap()
    }

    #[test]
    fn numbers_have_a_stat_and_texts_a_log() {
        let series = [("ops/api/ms", Kind::Number), ("ops/api-ms", Kind::Number), ("ops/deploy", Kind::Text)];
        let board = Board::automatic(&id(), series.map(|(name, kind)| (name.parse().unwrap(), kind)));
        let widgets: Vec<_> = board.widgets.iter().map(|widget| (widget.id.as_str(), widget.kind())).collect();
        let wanted = [("api-ms", WidgetType::Stat), ("api-ms-2", WidgetType::Stat), ("deploy", WidgetType::Log)];
        assert_eq!(widgets, wanted);
        assert_eq!(board.widgets[0].series(), ["ops/api/ms".parse().unwrap()]);
    }

    #[test]
    fn of_a_counter_it_shows_how_fast_it_grows() {
        let board = Board::automatic(&id(), [("ops/requests_total".parse().unwrap(), MetricType::Counter)]);
        let Content::Series(shown) = &board.widgets[0].content else { panic!("a series") };
        assert_eq!(shown.source.show, Some(Show::Rate));
    }

    #[test]
    fn of_more_series_than_widgets_a_table_shows_the_rest() {
        let many = (0..5_000).map(|n| (format!("ops/{n}").parse().unwrap(), Kind::Number));
        let board = Board::automatic(&id(), many);
        assert_eq!(board.widgets.len(), MAX_WIDGETS);
        let last = board.widgets.last().unwrap();
        assert_eq!((last.kind(), last.series()), (WidgetType::Table, &["ops/**".parse().unwrap()][..]));
    }

    proptest! {
        #[test]
        fn whatever_the_series_it_is_a_valid_document(
            names in prop::collection::btree_set("ops(/[A-Za-z.:-]{1,64}){0,7}", 0..260)
        ) {
            let names = names.iter().filter_map(|name| Some((name.parse().ok()?, Kind::Number)));
            let board = Board::automatic(&id(), names);
            let json = serde_json::to_value(&board).unwrap();
            prop_assert_eq!(Board::read(&json).strict(), Ok(board));
        }
    }
}
