use leptos::task::tick;
use shared::{Event, Millis, Seq, SeriesPart, Stamp, Track};
use wasm_bindgen_test::wasm_bindgen_test;

use super::{Shown, number, word};

#[wasm_bindgen_test]
async fn a_log_shows_the_newest_of_all_its_series_with_their_names() {
    let widget = r#""type": "log", "series": ["ops/*"], "lines": 3"#;
    let points = [
        ("ops/deploy", 10_000, word("building")),
        ("ops/alerts", 20_000, word("disk is full")),
        ("ops/deploy", 30_000, word("<b>deployed</b>")),
        ("ops/alerts", 5_000, word("too old to be shown")),
    ];
    let shown = Shown::with(widget, &points).await;
    assert_eq!(shown.texts(".line-text"), ["<b>deployed</b>", "disk is full", "building"], "text is never markup");
    assert_eq!(shown.texts(".line-of"), ["deploy", "alerts", "deploy"]);
    assert_eq!(shown.text("[data-testid=value]"), "<b>deployed</b>");
    assert!(shown.texts(".line-time").iter().all(|time| time.len() == 8), "a time of day");
}

#[wasm_bindgen_test]
async fn one_series_needs_no_name_and_numbers_are_shown_too() {
    let widget = r#""type": "log", "series": ["ops/latency_ms"]"#;
    let mut shown = Shown::with(widget, &[("ops/latency_ms", 10_000, number(42.0))]).await;
    shown.push("ops/latency_ms", 12_000, number(42.5)).await;
    assert_eq!(shown.texts(".line-text"), ["42.5\u{a0}ms", "42.0\u{a0}ms"]);
    assert!(shown.all(".line-of").is_empty());
}

#[wasm_bindgen_test]
async fn it_tells_how_many_lines_it_never_showed() {
    let line = |seq: u64| word(&format!("line {seq}"));
    let mut shown = Shown::with(r#""type": "log", "series": ["ops/log"]"#, &[("ops/log", 1, line(1))]).await;
    assert_eq!(shown.text("[data-testid=skipped]"), "");
    let mut track = Track::of(Stamp { ts: Millis(1), seq: Seq(1) }, line(1));
    (2..=131).for_each(|seq| track.push(Stamp { ts: Millis(seq), seq: Seq(seq) }, line(seq)));
    shown.seq = 131;
    let series = vec![SeriesPart { name: "ops/log".parse().unwrap(), track, declared: None, revised: None }];
    shown.live.apply(shown.cursor(), Event::Update { now: Millis(0), pushed: Millis(0), series }).unwrap();
    tick().await;
    assert_eq!(shown.text("[data-testid=skipped]"), "30 skipped");
}
