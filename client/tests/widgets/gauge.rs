//! Tests of gauges: ends, thresholds, levels, and texts in place of numbers.
use wasm_bindgen_test::wasm_bindgen_test;

use super::{Shown, number, word};

const BUDGET: &str = r#""type": "gauge", "series": ["shop/budget_pct"],
    "thresholds": [{"below": 25, "level": "warn"}, {"below": 5, "level": "bad"}]"#;

#[wasm_bindgen_test]
async fn a_gauge_shows_the_value_between_its_ends_and_its_level_by_shape_too() {
    let mut shown = Shown::with(BUDGET, &[("shop/budget_pct", 50_000, number(60.0))]).await;
    assert_eq!(shown.text("[data-testid=value]"), "60");
    assert_eq!(shown.attribute(".dial-share", "stroke-dasharray").as_deref(), Some("60.00 200"));
    let meter = |name: &str| shown.attribute("[role=meter]", name).unwrap_or_default();
    assert_eq!(
        (meter("aria-valuemin"), meter("aria-valuemax"), meter("aria-valuenow")),
        ("0".into(), "100".into(), "60".into())
    );
    let arcs = shown.all(".dial-limit");
    let attributes = ["data-level", "stroke-dasharray"];
    let arcs: Vec<_> = arcs.iter().map(|arc| attributes.map(|name| arc.get_attribute(name))).collect();
    let arc = |level: &str, dashes: &str| [Some(level.to_owned()), Some(dashes.to_owned())];
    assert_eq!(arcs, [arc("warn", "25.00 200"), arc("bad", "5.00 200")], "each level has an arc, the worst on top");
    let ends: Vec<_> = shown.all(".dial-end").iter().filter_map(|end| end.text_content()).collect();
    assert_eq!(ends, ["%", "0", "100"]);
    assert!(shown.all(".dial-sign").is_empty());

    shown.push("shop/budget_pct", 51_000, number(20.0)).await;
    assert_eq!(shown.attribute(".dial-face", "data-level").as_deref(), Some("warn"));
    let warning = shown.one(".dial-sign").inner_html();
    assert!(shown.attribute("[role=meter]", "aria-valuetext").unwrap().ends_with(", warning"));
    shown.push("shop/budget_pct", 52_000, number(3.0)).await;
    assert_ne!(shown.one(".dial-sign").inner_html(), warning, "each level has a shape of its own");
}

#[wasm_bindgen_test]
async fn a_text_has_no_place_between_two_ends_and_is_shown_as_it_is() {
    let shown = Shown::with(BUDGET, &[("shop/budget_pct", 50_000, word("unknown"))]).await;
    assert_eq!(shown.text("[data-testid=value]"), "unknown");
    assert!(shown.all("svg[role=meter]").is_empty());
}
