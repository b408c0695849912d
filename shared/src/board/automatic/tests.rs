//! Tests of automatic boards: boards as users have them, and laws for any series.

use proptest::prelude::*;

use super::*;
use crate::board::document::MAX_WIDGETS;
use crate::board::widget::WidgetType;
use crate::point::Kind;

fn id() -> BoardId {
    "ops".parse().unwrap()
}

fn board(id: &str, series: &[(&str, MetricType)]) -> Board {
    Board::automatic(&id.parse().unwrap(), series.iter().map(|(name, kind)| (name.parse().unwrap(), *kind)))
}

/// The type, the title and the selectors of each widget.
fn summary(board: &Board) -> Vec<(WidgetType, String, String)> {
    let of = |widget: &Widget| {
        let selectors: Vec<_> = widget.series().iter().map(Selector::as_str).collect();
        (widget.kind(), widget.title.clone().unwrap_or_default(), selectors.join(" "))
    };
    board.widgets.iter().map(of).collect()
}

fn widget_of(kind: WidgetType, title: &str, series: &str) -> (WidgetType, String, String) {
    (kind, title.to_owned(), series.to_owned())
}

#[test]
fn few_numbers_have_a_stat_each_and_texts_a_log() {
    let series = [("ops/api/ms", Kind::Number), ("ops/api-ms", Kind::Number), ("ops/deploy", Kind::Text)];
    let board = Board::automatic(&id(), series.map(|(name, kind)| (name.parse().unwrap(), kind)));
    let widgets: Vec<_> = board.widgets.iter().map(|widget| (widget.id.as_str(), widget.kind())).collect();
    let wanted = [("api-ms", WidgetType::Stat), ("api-ms-2", WidgetType::Stat), ("deploy", WidgetType::Log)];
    assert_eq!(widgets, wanted);
    assert_eq!(board.widgets[0].series(), ["ops/api/ms".parse().unwrap()]);
}

#[test]
fn board_of_a_host_begins_with_its_shares_and_has_a_chart_for_its_cores() {
    let names = [
        "host/cpu/all_pct",
        "host/cpu/core0_pct",
        "host/cpu/core1_pct",
        "host/disk/read_bytes_per_s",
        "host/disk/used_pct",
        "host/disk/written_bytes_per_s",
        "host/load/1min",
        "host/load/5min",
        "host/memory/used_bytes",
        "host/memory/used_pct",
        "host/net/eth0/received_bytes_per_s",
        "host/net/eth0/sent_bytes_per_s",
    ];
    let board = board("host", &names.map(|name| (name, MetricType::Gauge)));
    let (stat, line) = (WidgetType::Stat, WidgetType::Line);
    assert_eq!(
        summary(&board),
        [
            widget_of(stat, "cpu/all_pct", "host/cpu/all_pct"),
            widget_of(stat, "disk/used_pct", "host/disk/used_pct"),
            widget_of(stat, "memory/used_pct", "host/memory/used_pct"),
            widget_of(stat, "memory/used_bytes", "host/memory/used_bytes"),
            widget_of(line, "cpu", "host/cpu/*"),
            widget_of(line, "disk", "host/disk/read_bytes_per_s host/disk/written_bytes_per_s"),
            widget_of(line, "load", "host/load/*"),
            widget_of(line, "net/eth0", "host/net/eth0/*"),
        ]
    );
    let rows: Vec<_> = board.places().iter().map(|place| (place.x, place.y, place.w, place.h)).collect();
    assert_eq!(rows[..4], [(0, 0, 3, 2), (3, 0, 3, 2), (6, 0, 3, 2), (9, 0, 3, 2)]);
    assert_eq!(rows[4..], [(0, 2, 6, 4), (6, 2, 6, 4), (0, 6, 6, 4), (6, 6, 6, 4)]);
}

#[test]
fn same_number_of_several_services_is_one_chart() {
    let names = ["cart", "find", "pay"].map(|service| [format!("shop/{service}/ms"), format!("shop/{service}/rps")]);
    let series: Vec<_> = names.iter().flatten().map(|name| (name.as_str(), MetricType::Gauge)).collect();
    let charts = summary(&board("shop", &series));
    assert_eq!(
        charts,
        [widget_of(WidgetType::Line, "ms", "shop/*/ms"), widget_of(WidgetType::Line, "rps", "shop/*/rps")]
    );
}

#[test]
fn numbers_without_a_unit_are_siblings_only_if_their_names_are_alike() {
    let names = ["ops/items", "ops/queue", "ops/worker1", "ops/worker2", "ops/worker10"];
    let widgets = summary(&board("ops", &names.map(|name| (name, MetricType::Gauge))));
    let line = widget_of(WidgetType::Line, "ops", "ops/worker1 ops/worker2 ops/worker10");
    assert_eq!(widgets.iter().filter(|widget| widget.0 == WidgetType::Line).collect::<Vec<_>>(), [&line]);
    assert_eq!(widgets.len(), 3, "{widgets:?}");
}

#[test]
fn charts_of_one_place_are_told_apart_by_their_units() {
    let names = ["ops/a/one_ms", "ops/a/two_ms", "ops/a/one_pct", "ops/a/two_pct", "ops/a/three_pct"];
    let widgets = summary(&board("ops", &names.map(|name| (name, MetricType::Gauge))));
    let titles: Vec<_> = widgets.iter().filter(|widget| widget.0 == WidgetType::Line).map(|w| w.1.as_str()).collect();
    assert_eq!(titles, ["a (ms)", "a (%)"]);
}

#[test]
fn of_a_counter_it_shows_how_fast_it_grows() {
    let one = board("ops", &[("ops/requests_total", MetricType::Counter)]);
    let many = ["a", "b", "c"].map(|name| format!("ops/{name}/requests_total"));
    let many = board("ops", &many.each_ref().map(|name| (name.as_str(), MetricType::Counter)));
    for board in [one, many] {
        let Content::Series(shown) = &board.widgets[0].content else { panic!("a series") };
        assert_eq!(shown.source.show, Some(Show::Rate));
    }
}

#[test]
fn texts_are_states_or_logs_by_their_nature() {
    let series =
        [("ops/api/health", MetricType::State), ("ops/db/health", MetricType::State), ("ops/deploy", MetricType::Text)];
    assert_eq!(
        summary(&board("ops", &series)),
        [
            widget_of(WidgetType::States, "states", "ops/api/health ops/db/health"),
            widget_of(WidgetType::Log, "deploy", "ops/deploy"),
        ]
    );
}

#[test]
fn thousands_of_series_are_few_widgets() {
    let alike = (0..5_000).map(|n| (format!("ops/{n}").parse().unwrap(), Kind::Number));
    let board = Board::automatic(&id(), alike);
    assert_eq!(summary(&board), [widget_of(WidgetType::Table, "ops", "ops/*")]);
    let letters = |n: u32| (0..4).map(|i| char::from(b'a' + u8::try_from(n / 26_u32.pow(i) % 26).unwrap())).collect();
    let unlike = (0..5_000).map(|n| -> (SeriesName, Kind) {
        let word: String = letters(n);
        (format!("ops/{word}").parse().unwrap(), Kind::Number)
    });
    let board = Board::automatic(&id(), unlike);
    assert_eq!(board.widgets.len(), 5, "four stats and a table");
    assert_eq!(summary(&board)[4], widget_of(WidgetType::Table, "all", "ops/**"));
}

fn names() -> impl Strategy<Value = Vec<(SeriesName, MetricType)>> {
    let name = "ops(/(core|a|b|[A-Za-z.:-]{1,64})[0-9]{0,2}(_pct|_ms|_total|)){0,7}";
    let kind = prop::sample::select(vec![
        MetricType::Gauge,
        MetricType::Gauge,
        MetricType::Counter,
        MetricType::Text,
        MetricType::State,
    ]);
    prop::collection::btree_map(name, kind, 0..90)
        .prop_map(|names| names.into_iter().filter_map(|(name, kind)| Some((name.parse().ok()?, kind))).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_series_it_is_a_valid_document(names in names()) {
        let board = Board::automatic(&id(), names);
        let json = serde_json::to_value(&board).unwrap();
        prop_assert!(board.widgets.len() <= MAX_WIDGETS);
        prop_assert_eq!(Board::read(&json).strict(), Ok(board));
    }

    #[test]
    fn plain_board_is_the_composed_one(names in names()) {
        for few in [names.get(..1), names.get(..2), names.get(..3)].into_iter().flatten() {
            if let Some(plain) = Board::automatic_plain(&id(), few) {
                prop_assert_eq!(plain, Board::automatic(&id(), few.to_vec()));
            }
        }
    }

    #[test]
    fn whatever_the_series_each_is_shown(names in names()) {
        let board = Board::automatic(&id(), names.clone());
        let selectors = board.selectors();
        for (name, _) in &names {
            prop_assert!(selectors.iter().any(|selector| selector.matches(name)), "{} in {:?}", name, selectors);
        }
    }

    #[test]
    fn whatever_the_series_no_row_has_a_gap(names in names()) {
        let board = Board::automatic(&id(), names);
        prop_assume!(board.widgets.iter().all(|widget| widget.place.is_some()));
        let asked: Vec<_> = board.widgets.iter().filter_map(|widget| widget.place).collect();
        prop_assert_eq!(&board.places(), &asked, "nothing was in the way");
        let bottom = asked.iter().map(|place| place.y + place.h).max().unwrap_or(0);
        let area: u16 = asked.iter().map(|place| place.w * place.h).sum();
        prop_assert_eq!(area, 12 * bottom);
    }
}
