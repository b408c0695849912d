use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::board::keyword::Keyword as _;
use crate::board::widget::{Content, WidgetType};

/// Formats every mistake as `place: expected …, got …`.
fn mistakes(document: &Value) -> Vec<String> {
    let list = Board::read(document).mistakes;
    list.into_iter().map(|error| format!("{}: expected {}, got {}", error.field, error.expected, error.got)).collect()
}

fn assert_mistake(document: &Value, wanted: &str) {
    let found = mistakes(document);
    assert!(found.len() == 1 && found[0].contains(wanted), "wanted {wanted:?}, found {found:#?}");
}

/// A board of one widget: a stat of `ops/temp`, with these fields added.
fn with(fields: &Value) -> Value {
    let mut widget = json!({"id": "a", "type": "stat", "series": ["ops/temp"]});
    for (key, value) in fields.as_object().unwrap() {
        widget[key] = value.clone();
    }
    json!({ "widgets": [widget] })
}

/// A document with one widget of each kind and every option that the kind has.
fn full() -> Value {
    json!({
        "title": "Shop",
        "columns": 24,
        "range": "6h",
        "markers": ["shop/deploy"],
        "widgets": [
            {"id": "orders", "title": "Orders", "type": "stat", "series": ["shop/orders"], "sparkline": false,
             "change": "1d", "expect": "1m", "unit": "/s", "decimals": 1, "show": "rate",
             "thresholds": [{"below": 1.0, "level": "bad"}, {"above": 250.0, "level": "warn"}],
             "place": {"x": 0, "y": 0, "w": 6, "h": 2}},
            {"id": "latency", "type": "line", "series": ["shop/*/ms", "shop/db"], "band": "min-max",
             "quantiles": ["p50", "p99"], "compare": "-7d", "markers": ["shop/api/deploy", "shop/*/release"], "y_min": 0.5, "y_max": 900.0, "y_scale": "log"},
            {"id": "load", "type": "area", "series": ["shop/load"], "stack": "share"},
            {"id": "bars", "type": "bar", "series": ["shop/**"], "across": "time", "markers": ["shop/deploy"]},
            {"id": "disk", "type": "gauge", "series": ["host/disk"], "min": -5.0, "max": 5.0, "unit": "rpm"},
            {"id": "up", "type": "states", "series": ["shop/up"], "colours": {"up": "green", "down!": "red"}},
            {"id": "rows", "type": "table", "series": ["**"], "columns": ["name", "age"], "sort": "age",
             "order": "falling", "rows": 20},
            {"id": "log", "type": "log", "series": ["shop/deploy"], "lines": 10},
            {"id": "heat", "type": "heatmap", "series": ["shop/ms"], "y_max": 10.0},
            {"id": "words", "type": "text", "markdown": "# Hello <script>alert(1)</script>"}
        ]
    })
}

#[test]
fn every_option_of_every_kind_survives_being_read_and_written() {
    let board = Board::read(&full()).strict().unwrap();
    assert_eq!(board.widgets.len(), WidgetType::ALL.len(), "one of each kind");
    let written = serde_json::to_string(&board).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), full());
    assert_eq!(Board::read_json(&written).unwrap().strict(), Ok(board));
}

#[test]
fn an_empty_document_is_a_board() {
    let board = Board::read(&json!({})).strict().unwrap();
    assert_eq!((board.columns().get(), board.range().to_string().as_str(), board.selectors()), (12, "1h", vec![]));
}

#[test]
fn html_in_markdown_is_kept_as_the_text_that_it_is() {
    let board = Board::read(&full()).board;
    let Content::Text(text) = &board.widgets[9].content else { panic!("the last is a text") };
    assert_eq!(text.markdown, "# Hello <script>alert(1)</script>");
}

#[test]
fn the_selectors_are_those_of_all_widgets_once() {
    let document = json!({"widgets": [
        {"id": "a", "type": "stat", "series": ["b", "a"]},
        {"id": "b", "type": "line", "series": ["a", "c/**"]},
        {"id": "c", "type": "text", "markdown": ""},
    ]});
    let selectors = Board::read(&document).board.selectors();
    assert_eq!(selectors.iter().map(Selector::as_str).collect::<Vec<_>>(), ["a", "b", "c/**"]);
}

#[test]
fn each_mistake_is_told_with_its_place_what_was_expected_and_what_came() {
    for (fields, wanted) in [
        (json!({"type": "pie"}), "widgets[0].type: expected stat, line, area"),
        (json!({"type": null}), "widgets[0].type: expected stat, line, area"),
        (json!({"id": null}), "widgets[0].id: expected a name of its own within the board, like latency, got nothing"),
        (json!({"id": "a b"}), "widgets[0].id"),
        (json!({"titel": "x"}), "widgets[0].titel: expected no such key; there are change, decimals, expect, id"),
        (json!({"band": "min-max"}), "widgets[0].band: expected no such key"),
        (json!({"title": "x".repeat(201)}), "widgets[0].title: expected a text of at most 200 bytes, got 201 bytes"),
        (json!({"title": 5}), "widgets[0].title: expected a text of at most 200 bytes, got 5"),
        (json!({"series": "ops/temp"}), "widgets[0].series: expected a list of selectors"),
        (json!({"series": []}), "widgets[0].series: expected a list of selectors like [\"ops/api/*\"], got nothing"),
        (
            json!({"series": ["ops/**/temp"]}),
            "widgets[0].series[0]: expected a selector like ops/api/*, got \"ops/**/temp\": ** stands for",
        ),
        (json!({"series": ["a", 7]}), "widgets[0].series[1]: expected a selector like ops/api/*, got 7"),
        (json!({"series": vec!["a"; 33]}), "widgets[0].series: expected at most 32 entries, got 33 of them"),
        (
            json!({"expect": "soon"}),
            "widgets[0].expect: expected a duration like 60s, got \"soon\": write a whole number",
        ),
        (json!({"expect": 60}), "widgets[0].expect: expected a duration like 60s, got 60"),
        (json!({"expect": "0s"}), "it must be from 1s"),
        (json!({"unit": ""}), "widgets[0].unit"),
        (json!({"decimals": 2.5}), "widgets[0].decimals: expected a whole number from 0 to 10, got 2.5"),
        (json!({"show": "latest"}), "widgets[0].show: expected value, last, rate, mean"),
        (json!({"sparkline": "no"}), "widgets[0].sparkline: expected true or false, got \"no\""),
        (
            json!({"thresholds": [{"above": 1, "below": 2, "level": "ok"}]}),
            "widgets[0].thresholds[0]: expected either above or below, got both",
        ),
        (
            json!({"thresholds": [{"above": 1, "level": "worse"}]}),
            "widgets[0].thresholds[0].level: expected ok, warn or bad",
        ),
        (
            json!({"thresholds": [{"above": 1}]}),
            "widgets[0].thresholds[0].level: expected ok, warn or bad, got nothing",
        ),
        (
            json!({"place": {"x": 0, "y": 0, "w": 0, "h": 1}}),
            "widgets[0].place.w: expected a whole number from 1 to 12, got 0",
        ),
        (
            json!({"place": {"x": 0, "y": 0, "w": 13, "h": 1}}),
            "widgets[0].place.w: expected a whole number from 1 to 12, got 13",
        ),
        (json!({"place": {"x": 8, "y": 0, "w": 5, "h": 1}}), "widgets[0].place.w: expected at most 4, since x is 8"),
        (json!({"place": {"x": 0, "y": -1, "w": 1, "h": 1}}), "widgets[0].place.y: expected a whole number from 0"),
        (
            json!({"place": {"x": 0, "y": 0, "w": 1}}),
            "widgets[0].place.h: expected a whole number from 1 to 100, got nothing",
        ),
        (json!({"place": {"x": 0, "y": 0, "w": 1, "h": 1, "z": 1}}), "widgets[0].place.z: expected no such key"),
        (json!({"type": "gauge", "min": 5, "max": 5}), "widgets[0].max: expected more than min, which is 5, got 5"),
        (
            json!({"type": "line", "y_min": 0, "y_scale": "log"}),
            "widgets[0].y_min: expected more than 0 where y_scale is log",
        ),
        (
            json!({"type": "line", "y_max": -1, "y_scale": "log"}),
            "widgets[0].y_max: expected more than 0 where y_scale is log",
        ),
        (
            json!({"type": "line", "compare": "7d"}),
            "widgets[0].compare: expected a time before, like -7d, got \"7d\": write",
        ),
        (json!({"type": "line", "compare": 7}), "widgets[0].compare: expected a time before, like -7d, got 7"),
        (json!({"type": "stat", "compare": "-7d"}), "widgets[0].compare: expected no such key"),
        (
            json!({"type": "area", "stack": "sum", "compare": "-7d"}),
            "widgets[0].compare: expected none where stack is sum, got -7d",
        ),
        (json!({"type": "line", "markers": "ops/deploy"}), "widgets[0].markers: expected a list of series of texts"),
        (json!({"type": "line", "markers": ["a//b"]}), "widgets[0].markers[0]: expected a selector like ops/deploy"),
        (
            json!({"type": "line", "markers": vec!["a"; 9]}),
            "widgets[0].markers: expected at most 8 entries, got 9 of them",
        ),
        (json!({"type": "bar", "markers": ["ops/deploy"]}), "widgets[0].markers: expected none unless across is time"),
        (json!({"type": "line", "quantiles": ["p50", "p50"]}), "widgets[0].quantiles[1]: expected each word once"),
        (json!({"type": "states", "colours": {"up": "lime"}}), "widgets[0].colours.up: expected green, yellow"),
        (json!({"type": "log", "lines": 101}), "widgets[0].lines: expected a whole number from 1 to 100, got 101"),
    ] {
        assert_mistake(&with(&fields), wanted);
    }
    let text = |fields| json!({"widgets": [fields]});
    assert_mistake(
        &text(json!({"id": "a", "type": "text"})),
        "widgets[0].markdown: expected the text, in Markdown, got nothing",
    );
    let long = json!({"id": "a", "type": "text", "markdown": "x".repeat(16 * 1024 + 1)});
    assert_mistake(&text(long), "widgets[0].markdown: expected a text of at most 16384 bytes, got 16385 bytes");
    assert_mistake(
        &text(json!({"id": "a", "type": "text", "markdown": "", "series": ["a"]})),
        "widgets[0].series: expected no such key",
    );
    assert_mistake(&text(json!("stat")), "widgets[0]: expected a table of keys and values, got \"stat\"");
    for (document, wanted) in [
        (json!([1]), "document: expected a table of keys and values, got a list of 1"),
        (json!({"columns": 49}), "columns: expected a whole number from 1 to 48, got 49"),
        (json!({"range": "1y"}), "range: expected a duration like 6h"),
        (json!({"widgets": {}}), "widgets: expected a list of widgets, got a table"),
        (json!({"widget": []}), "widget: expected no such key; there are columns, markers, range, title, widgets"),
    ] {
        assert_mistake(&document, wanted);
    }
}

#[test]
fn an_id_that_comes_twice_is_told_and_the_first_keeps_it() {
    let document = json!({"widgets": [
        {"id": "a", "type": "stat", "series": ["x"]},
        {"id": "a", "type": "stat", "series": ["y"]},
    ]});
    assert_mistake(&document, "widgets[1].id: expected an id that no other widget has, got \"a\" again");
    assert_eq!(Board::read(&document).board.selectors(), ["x".parse().unwrap()]);
}

#[test]
fn a_page_goes_on_with_what_can_be_made_out() {
    let mut document = full();
    document["widgets"][1]["type"] = json!("pie");
    document["widgets"][2]["expect"] = json!("soon");
    let ParsedBoard { board, mistakes } = Board::read(&document);
    assert_eq!(mistakes.len(), 2);
    assert_eq!(board.widgets.len(), 9, "the widget of no known type is left out, the other one stays");
    assert!(Board::read(&document).strict().is_err());
}

#[test]
fn ten_thousand_widgets_are_one_mistake_and_ten_thousand_mistakes_are_cut() {
    let widgets = |count, extra: Value| {
        let widget = |n| {
            let mut widget = json!({"id": format!("w{n}"), "type": "stat", "series": ["a"]});
            for key in 0..extra.as_u64().unwrap() {
                widget[format!("k{key}")] = json!(1);
            }
            widget
        };
        json!({"widgets": (0..count).map(widget).collect::<Vec<_>>()})
    };
    let many = widgets(10_000, json!(0));
    assert_mistake(&many, "widgets: expected at most 200 entries, got 10000 of them");
    assert_eq!(Board::read(&many).board.widgets.len(), 200);
    let wrong = mistakes(&widgets(100, json!(100)));
    assert_eq!(wrong.len(), 501);
    assert!(wrong[500].contains("9500 more of them"), "{}", wrong[500]);
}

#[test]
fn more_selectors_than_a_stream_can_carry_are_a_mistake() {
    let widget = |n: usize| {
        let series: Vec<_> = (0..32).map(|m| format!("s/{n}/{m}")).collect();
        json!({"id": format!("w{n}"), "type": "table", "series": series})
    };
    let document = json!({"widgets": (0..9).map(widget).collect::<Vec<_>>()});
    assert_mistake(&document, "widgets: expected at most 256 different selectors on a board, got 288 of them");
}

/// Generates any JSON, with keys that boards know and keys that they do not.
fn any_json() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "title",
        "columns",
        "range",
        "widgets",
        "id",
        "type",
        "series",
        "place",
        "x",
        "y",
        "w",
        "h",
        "thresholds",
        "above",
        "level",
        "colours",
        "markdown",
        "quantiles",
        "expect",
        "unit",
        "other",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0..20u16).prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        prop::sample::select(vec!["stat", "line", "text", "states", "a/b", "**", "60s", "p50", "ok"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 128, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::hash_map(key.clone(), inner, 0..10)
                .prop_map(|map| Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_comes_is_read_and_what_is_left_of_it_is_a_valid_board(document in any_json()) {
        let ParsedBoard { board, .. } = Board::read(&document);
        let written = serde_json::to_value(&board).unwrap();
        prop_assert_eq!(Board::read(&written).strict(), Ok(board.clone()));
        for place in board.places() {
            prop_assert!(place.x + place.w <= board.columns().get());
        }
    }
}
