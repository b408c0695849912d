//! Tests of bars: names, levels and lengths.
use wasm_bindgen_test::wasm_bindgen_test;

use super::{Shown, number, word};

#[wasm_bindgen_test]
async fn each_series_has_a_bar_as_long_as_its_value() {
    let widget = r#""type": "bar", "series": ["shop/*/rps"], "thresholds": [{"above": 100, "level": "warn"}]"#;
    let points = [
        ("shop/cart/rps", 50_000, number(50.0)),
        ("shop/pay/rps", 50_000, number(200.0)),
        ("shop/state/rps", 50_000, word("down")),
    ];
    let mut shown = Shown::with(widget, &points).await;
    assert_eq!(shown.texts(".bar-name"), ["cart", "pay", "state"]);
    assert_eq!(shown.texts("[data-testid=value]"), ["50\u{a0}/s", "200\u{a0}/s", "down"]);
    let lengths = |shown: &Shown| -> Vec<Option<String>> {
        shown.all(".bar-share").iter().map(|bar| bar.get_attribute("style")).collect()
    };
    let long = |share: &str| Some(format!("left: 0%; width: {share}%;"));
    assert_eq!(lengths(&shown)[..2], [long("25"), long("100")]);
    assert_eq!(shown.all("[data-level=warn]").len(), 2, "the bar and its sign");

    shown.push("shop/cart/rps", 51_000, number(400.0)).await;
    assert_eq!(lengths(&shown)[..2], [long("100"), long("50")]);
}
