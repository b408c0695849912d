//! Tests of logs: order, labels, stable elements, dates, and the count of skipped lines.
use leptos::prelude::window;
use leptos::task::tick;
use shared::{Event, Millis, Seq, SeriesPart, Stamp, Track};
use wasm_bindgen_test::wasm_bindgen_test;

use super::{NOW, Shown, number, word};

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
async fn a_line_stays_the_same_element_while_others_come_and_go() {
    let widget = r#""type": "log", "series": ["ops/log"], "lines": 3"#;
    let points = [("ops/log", 10_000, word("first")), ("ops/log", 30_000, word("third"))];
    let mut shown = Shown::with(widget, &points).await;
    let before = shown.all(".line");
    let [third, first] = &before[..] else { panic!("{before:?}") };
    assert!(shown.all(".glow").is_empty(), "what is there from the start is not new");
    let selection = window().get_selection().unwrap().unwrap();
    selection.select_all_children(&third.query_selector(".line-text").unwrap().unwrap()).unwrap();
    let selected = || String::from(selection.to_string());
    assert_eq!(selected(), "third");

    shown.push("ops/log", 20_000, word("second, late")).await;
    assert_eq!(shown.texts(".line-text"), ["third", "second, late", "first"]);
    let all = shown.all(".line");
    assert!(all[0] == *third && all[2] == *first, "a late line is put between two that stay");
    assert_eq!(shown.text("[data-testid=value]"), "third", "it is not the newest");
    let second = all[1].clone();

    shown.push("ops/log", 40_000, word("fourth")).await;
    assert_eq!(shown.texts(".line-text"), ["fourth", "third", "second, late"]);
    let all = shown.all(".line");
    assert!(all[1] == *third && all[2] == second, "a new line is put above those that stay");
    assert!(!first.is_connected(), "the oldest has left");
    assert_eq!(shown.text("[data-testid=value]"), "fourth");
    assert_eq!(shown.texts(".glow .line-text"), ["fourth"], "a new line glows, and nothing that was there");
    assert_eq!(shown.texts(".line-newest .line-text"), ["fourth"], "what was the newest does not look so any more");
    assert_eq!(selected(), "third", "what someone selected stays so");
}

#[wasm_bindgen_test]
async fn a_line_gets_its_date_once_a_time_of_day_alone_is_not_clear() {
    let shown = Shown::with(r#""type": "log", "series": ["ops/log"]"#, &[("ops/log", 10_000, word("it"))]).await;
    let line = shown.one(".line");
    assert_eq!(shown.text(".line-time").len(), "hh:mm:ss".len());
    shown.at(NOW + 24 * 60 * 60 * 1_000).await;
    assert!(shown.text(".line-time").starts_with("19"), "{}", shown.text(".line-time"));
    assert!(shown.one(".line") == line);
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
