//! Tests of stats: value, unit, change, level, counters, staleness, and points ahead of now.
use wasm_bindgen_test::wasm_bindgen_test;

use super::{Shown, number, word};
use shared::Declared;

const LATENCY: &str = r#""type": "stat", "series": ["ops/api/latency_ms"]"#;

#[wasm_bindgen_test]
async fn a_stat_shows_the_value_its_unit_its_age_and_follows_its_series() {
    let mut shown = Shown::with(LATENCY, &[("ops/api/latency_ms", 48_000, number(41.0))]).await;
    assert_eq!(shown.text("[data-testid=value]"), "41");
    assert_eq!(shown.text("[data-testid=change]"), "");
    assert_eq!(shown.text("[data-testid=age]"), "", "a value that is not late needs no age");
    assert_eq!(shown.text(".unit"), "ms");
    assert_eq!(shown.attribute(".tile", "data-series").as_deref(), Some("ops/api/latency_ms"));

    shown.push("ops/api/latency_ms", 57_000, number(42.5)).await;
    assert_eq!(shown.text("[data-testid=value]"), "42.5");
    assert_eq!(shown.text("[data-testid=change]"), "▲ +1.5\u{a0}ms in 9 s");
    assert_eq!(shown.text("[data-testid=age]"), "");
    assert_eq!(shown.all(".glow").len(), 1, "a value that changed glows");
    assert_eq!(shown.attribute("[data-testid=value]", "data-value").as_deref(), Some("42.5"));
    assert_eq!(shown.all("[data-testid=spark]").len(), 1);
    shown.at(57_000 + 45_001).await;
    assert_eq!(shown.text("[data-testid=age]"), "45 s ago", "five times as long as between its points");
}

#[wasm_bindgen_test]
async fn all_numbers_of_a_stat_have_the_same_size() {
    let points = [("ops/a_bytes", 58_000, number(7.0)), ("ops/b_bytes", 58_000, number(79_542_268.6))];
    let shown = Shown::with(r#""type": "stat", "series": ["ops/*"]"#, &points).await;
    assert_eq!(shown.texts("[data-testid=value]"), ["7", "79.5"]);
    assert_eq!(shown.texts(".unit"), ["B", "MB"]);
    let styles: Vec<_> = shown.all(".reading").iter().map(|reading| reading.get_attribute("style")).collect();
    assert_eq!(styles[0], styles[1]);
    assert!(styles[0].as_deref().unwrap().contains("--figures: 4"), "{styles:?}");
}

#[wasm_bindgen_test]
async fn it_follows_unit_decimals_show_and_thresholds() {
    let widget = r#""type": "stat", "series": ["a/b"], "unit": "bytes", "decimals": 1, "show": "max", "sparkline": false,
        "thresholds": [{"above": 2000, "level": "bad"}]"#;
    let mut shown = Shown::with(widget, &[("a/b", 1_000, number(1_500.0))]).await;
    assert_eq!((shown.text("[data-testid=value]"), shown.text(".unit")), ("1.5".into(), "kB".into()));
    assert_eq!(shown.attribute(".reading", "data-level").as_deref(), Some(""));
    shown.push("a/b", 2_000, number(2_500.0)).await;
    shown.push("a/b", 3_000, number(1.0)).await;
    assert_eq!(shown.text("[data-testid=value]"), "2.5", "the greatest, not the newest");
    assert_eq!(shown.attribute(".reading", "data-level").as_deref(), Some("bad"));
    assert_eq!(shown.text(".reading .unseen"), "bad: ", "also for who does not see its shape");
    assert!(shown.all("[data-testid=spark]").is_empty());
}

#[wasm_bindgen_test]
async fn a_declared_counter_is_told_by_how_fast_it_grows_also_once_others_have_joined() {
    let points = [("ops/a", 50_000, number(100.0)), ("ops/a", 60_000, number(150.0))];
    let mut shown = Shown::with(r#""type": "stat", "series": ["ops/*"]"#, &points).await;
    assert_eq!(shown.texts("[data-testid=value]"), ["150"], "nobody said that it counts");
    shown.declare("ops/a", Declared::Counter, 61_000, number(155.0)).await;
    assert_eq!(shown.texts("[data-testid=value]"), ["5"]);
    shown.push("ops/b", 61_000, number(7.0)).await;
    shown.push("ops/a", 62_000, number(10.0)).await;
    assert_eq!(shown.texts("[data-testid=value]"), ["5.42", "7"], "it began again, and still counts");
}

#[wasm_bindgen_test]
async fn several_series_stand_side_by_side_each_with_its_name_and_its_staleness() {
    let widget = r#""type": "stat", "series": ["shop/*/rps"], "expect": "30s""#;
    let points = [("shop/cart/rps", 59_000, number(1.0)), ("shop/pay/rps", 20_000, number(2.0))];
    let shown = Shown::with(widget, &points).await;
    assert_eq!(shown.texts(".label-name"), ["cart", "pay"]);
    assert_eq!(shown.texts("[data-testid=value]"), ["1", "2"]);
    let stale = shown.texts(".stat[data-stale=true] [data-testid=stale]");
    assert!(stale.len() == 1 && stale[0].contains("stale since "), "{stale:?}");
    assert_eq!(shown.text("[data-testid=age]"), "1 of 2 stale");
    assert_eq!(shown.state(), "live");
    shown.at(100_000).await;
    assert_eq!(shown.state(), "stale");
    assert!(shown.text("[data-testid=age]").starts_with("stale since "));
}

#[wasm_bindgen_test]
async fn a_text_is_shown_as_it_is_in_small_and_is_never_markup() {
    let shown = Shown::with(r#""type": "stat", "series": ["a/b"]"#, &[("a/b", 1_000, word("<b>up</b>"))]).await;
    assert_eq!(shown.text(".reading-text [data-testid=value]"), "<b>up</b>");
    assert!(shown.all(".value b").is_empty());
}

#[wasm_bindgen_test]
async fn point_ahead_of_now_is_not_shown_yet_and_does_not_hide_later_points() {
    let ahead = pulseboard_client::browser::now() + 3_600_000;
    let mut shown = Shown::with(LATENCY, &[("ops/api/latency_ms", 48_000, number(41.0))]).await;
    shown.push("ops/api/latency_ms", ahead, number(99.0)).await;
    assert_eq!(shown.text("[data-testid=value]"), "41");
    assert_eq!(shown.text("[data-testid=age]"), "", "not in the future either");
    shown.push("ops/api/latency_ms", 57_000, number(42.5)).await;
    assert_eq!(shown.text("[data-testid=value]"), "42.5");
}
