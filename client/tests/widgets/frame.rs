//! Tests of the frame: states of a widget, its age, and mistakes of its document.
use leptos::prelude::*;
use leptos::task::tick;
use pulseboard_client::board::mistake::Mistake;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{Shown, number};

const LOAD: &str = r#""type": "stat", "title": "Load", "series": ["ops/load"], "expect": "60s""#;

#[wasm_bindgen_test]
async fn a_widget_is_loading_then_empty_then_live_then_stale_and_says_so() {
    let shown = Shown::new(LOAD);
    tick().await;
    assert_eq!((shown.state().as_str(), shown.attribute(".tile", "aria-busy").as_deref()), ("loading", Some("true")));
    assert_eq!(shown.text("h2"), "Load");
    let mut shown = Shown::with(LOAD, &[]).await;
    assert_eq!(shown.state(), "empty");
    assert_eq!(shown.text("[data-testid=no-series]"), "No series under ops/load yet");

    shown.push("ops/load", 60_000, number(1.0)).await;
    assert_eq!(shown.state(), "live");
    assert_eq!(shown.text("[data-testid=value]"), "1");
    shown.at(120_001).await;
    assert_eq!(shown.state(), "stale");
    assert!(shown.text("[data-testid=age]").starts_with("stale since "));
    assert_eq!(shown.all("[data-testid=age] svg").len(), 1, "by its shape too");
    shown.push("ops/load", 120_001, number(2.0)).await;
    assert_eq!((shown.state().as_str(), shown.text("[data-testid=age]").as_str()), ("live", ""));
}

#[wasm_bindgen_test]
async fn a_mistake_is_told_in_the_widget_that_it_is_in_and_the_rest_goes_on() {
    let shown = Shown::with(LOAD, &[("ops/load", 60_000, number(1.0))]).await;
    let elsewhere = Mistake { widget: "other".parse().ok(), text: "not here".into() };
    let here = Mistake { widget: "it".parse().ok(), text: "decimals: expected 0 to 10, got 99".into() };
    shown.mistakes.set(vec![elsewhere, here]);
    tick().await;
    assert_eq!(shown.state(), "error");
    assert_eq!(shown.texts("[data-testid=mistake]"), [" decimals: expected 0 to 10, got 99"]);
    assert_eq!(shown.text("[data-testid=value]"), "1");
}
