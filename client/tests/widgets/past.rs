//! Tests of widgets on a board that shows the past.
use leptos::prelude::*;
use leptos::task::tick;
use pulseboard_client::past::PastTrack;
use pulseboard_client::range::Range;
use shared::{Duration, Millis, Seq, Stamp, Track, Value};
use wasm_bindgen_test::wasm_bindgen_test;

use super::{NOW, Shown, number, word};

/// The moment that the board shows, in milliseconds.
const TO: u64 = 40_000;

/// The live value and the one then, of a series of numbers and of one of texts.
fn live() -> [(&'static str, u64, Value); 2] {
    [("ops/load", NOW - 1_000, number(9.0)), ("ops/deploy", NOW - 2_000, word("v2"))]
}

fn then(ts: u64, value: Value) -> PastTrack {
    PastTrack::Known(Track::of(Stamp { ts: Millis(ts), seq: Seq(1) }, value))
}

async fn go_back(shown: &Shown) {
    shown.view.range.set(Range::Fixed { from: Millis(0), to: Millis(TO) });
    tick().await;
}

async fn arrive(shown: &Shown, tracks: &[(&str, PastTrack)]) {
    let tracks = tracks.iter().map(|(name, track)| (name.parse().unwrap(), track.clone())).collect();
    shown.view.past.set(tracks);
    tick().await;
}

#[wasm_bindgen_test]
async fn every_widget_shows_its_value_as_of_then_and_says_so() {
    for (widget, selector) in [
        (r#""type": "stat", "series": ["ops/load"]"#, ".value"),
        (r#""type": "gauge", "series": ["ops/load"], "min": 0, "max": 10"#, ".dial-value"),
        (r#""type": "bar", "series": ["ops/load"]"#, "[data-testid=value]"),
        (r#""type": "table", "series": ["ops/load"]"#, "[data-testid=value]"),
        (r#""type": "log", "series": ["ops/load"]"#, ".line-text"),
    ] {
        let mut shown = Shown::with(widget, &live()).await;
        assert_eq!(shown.text(selector), "9", "{widget}");
        go_back(&shown).await;
        arrive(&shown, &[("ops/load", then(TO - 3_000, number(4.0)))]).await;
        assert_eq!(shown.text(selector), "4", "{widget}");
        assert_eq!(shown.state(), "past", "{widget}");
        let age = shown.text("[data-testid=age]");
        assert!(age.starts_with("as of ") && age.ends_with(":40"), "{widget}: {age}");

        shown.push("ops/load", NOW, number(10.0)).await;
        assert_eq!(shown.text(selector), "4", "the stream changes nothing: {widget}");
        shown.view.range.set(Range::Live(Duration::HOUR));
        tick().await;
        assert_eq!((shown.text(selector).as_str(), shown.state().as_str()), ("10", "live"), "{widget}");
    }
}

#[wasm_bindgen_test]
async fn a_log_ends_at_the_moment() {
    let shown = Shown::with(r#""type": "log", "series": ["ops/deploy"]"#, &live()).await;
    assert_eq!(shown.texts(".line-text"), ["v2"]);
    go_back(&shown).await;
    arrive(&shown, &[("ops/deploy", then(TO - 9_000, word("v1")))]).await;
    assert_eq!(shown.texts(".line-text"), ["v1"]);
}

#[wasm_bindgen_test]
async fn a_series_that_did_not_exist_yet_is_a_dash_and_history_that_is_awaited_an_ellipsis() {
    for widget in ["stat", "gauge", "bar", "table"] {
        let shown = Shown::with(&format!(r#""type": "{widget}", "series": ["ops/load"]"#), &live()).await;
        go_back(&shown).await;
        assert_eq!(shown.text("[data-testid=value]"), "…", "{widget}");
        arrive(&shown, &[("ops/load", PastTrack::Nothing)]).await;
        assert_eq!(shown.text("[data-testid=value]"), "–", "{widget}");
    }
}

#[wasm_bindgen_test]
async fn a_series_is_stale_as_of_then() {
    let widget = r#""type": "stat", "series": ["ops/load"], "expect": "10s""#;
    let shown = Shown::with(widget, &live()).await;
    go_back(&shown).await;
    arrive(&shown, &[("ops/load", then(TO - 3_000, number(4.0)))]).await;
    assert_eq!(shown.state(), "past", "it reported until then");
    arrive(&shown, &[("ops/load", then(TO - 30_000, number(4.0)))]).await;
    assert_eq!(shown.state(), "stale");
    let age = shown.text("[data-testid=age]");
    assert!(age.contains("as of ") && age.contains(", stale since "), "{age}");
    // Now it is silent for long, which the board of then does not know.
    shown.at(NOW + 600_000).await;
    arrive(&shown, &[("ops/load", then(TO - 3_000, number(4.0)))]).await;
    assert_eq!(shown.state(), "past");
}
