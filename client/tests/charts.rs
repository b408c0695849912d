//! Tests of charts, drawn in a real browser.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

use leptos::mount::mount_to;
use leptos::prelude::*;
use leptos::task::tick;
use pulseboard_client::board::context::BoardContext;
use pulseboard_client::chart::frames::Frames;
use pulseboard_client::history::History;
use pulseboard_client::live::Live;
use pulseboard_client::range::Range;
use pulseboard_client::range::picker::RangePicker;
use pulseboard_client::range::view::View;
use pulseboard_client::stream::clock::ServerClock;
use pulseboard_client::widget::frame::WidgetFrame;
use shared::board::{Board, ParsedBoard};
use shared::{Cursor, Epoch, Event, Millis, Number, Seq, SeriesPart, Stamp, Text, Track, Value};
use wasm_bindgen::{Clamped, JsCast as _};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{CanvasRenderingContext2d, Element, HtmlCanvasElement, HtmlElement};

wasm_bindgen_test_configure!(run_in_browser);

/// Makes a part of a series with one point a second up to now.
fn part(name: &str, first_seq: u64, values: &[Value]) -> SeriesPart {
    let now = pulseboard_client::browser::now();
    let count = values.len() as u64;
    let at = |i: u64| Stamp { ts: Millis(now - (count - i) * 1_000), seq: Seq(first_seq + i) };
    let mut track = Track::of(at(0), values[0].clone());
    (1..).zip(&values[1..]).for_each(|(i, value)| track.push(at(i), value.clone()));
    SeriesPart { name: name.parse().unwrap(), track, declared: None, revised: None }
}

fn number(value: f64) -> Value {
    Value::Number(Number::new(value).unwrap())
}

fn text(value: &str) -> Value {
    Value::Text(Text::new(value.into()).unwrap())
}

/// Mounts a widget as large as a tile, with a context of its own.
fn widget(document: &str, series: Vec<SeriesPart>) -> (BoardContext, Element, Owner) {
    let value = pulseboard_client::json::read(document).unwrap();
    let ParsedBoard { board, mistakes } = Board::read(&value);
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let widget = board.widgets.into_iter().next().unwrap();
    let owner = Owner::new();
    let context = owner.with(|| {
        let now = pulseboard_client::browser::now();
        let clock = RwSignal::new(ServerClock::default());
        let (view, history) = (View::new("?range=5m"), History::new());
        BoardContext { live: Live::new(), frames: Frames::new(), clock, server_now: RwSignal::new(now), view, history }
    });
    let id = Cursor { epoch: Epoch(1), seq: Seq(1_000) };
    context.live.apply(id, Event::Snapshot { now: Millis(0), series }).unwrap();
    let place: HtmlElement = leptos::prelude::document().create_element("section").unwrap().unchecked_into();
    place.set_attribute("style", "width: 400px; height: 240px; position: fixed; inset: 0 auto auto 0").unwrap();
    leptos::prelude::document().body().unwrap().append_child(&place).unwrap();
    mount_to(place.clone(), move || view! { <WidgetFrame widget context/> }).forget();
    // The style sheet is not loaded here, so the sizes are set directly.
    let style = "position: absolute; left: 0; top: 0; width: 400px; height: 200px";
    each(&place, "canvas", |canvas| canvas.set_attribute("style", style).unwrap());
    (context, place.into(), owner)
}

fn each(place: &Element, selector: &str, mut what: impl FnMut(&Element)) {
    let all = place.query_selector_all(selector).unwrap();
    (0..all.length()).for_each(|i| what(all.get(i).unwrap().unchecked_ref()));
}

/// Waits for this many frames.
async fn frames(count: u32) {
    for _ in 0..count {
        let promise = js_sys::Promise::new(&mut |done, _| _ = window().request_animation_frame(&done).unwrap());
        JsFuture::from(promise).await.unwrap();
    }
    tick().await;
}

/// Counts the pixels of a canvas that are not empty.
fn painted(place: &Element, class: &str) -> usize {
    let canvas: HtmlCanvasElement = place.query_selector(class).unwrap().unwrap().unchecked_into();
    let context: CanvasRenderingContext2d = canvas.get_context("2d").unwrap().unwrap().unchecked_into();
    let (width, height) = (f64::from(canvas.width()), f64::from(canvas.height()));
    let Clamped(pixels) = context.get_image_data(0.0, 0.0, width, height).unwrap().data();
    pixels.chunks(4).filter(|pixel| pixel[3] > 0).count()
}

fn texts(place: &Element, testid: &str) -> Vec<String> {
    let mut texts = Vec::new();
    each(place, &format!("[data-testid={testid}]"), |e| texts.push(e.text_content().unwrap_or_default()));
    texts
}

/// Returns the share of the height that is painted in the column of pixels with the tallest content.
fn tallest(place: &Element) -> f64 {
    let canvas: HtmlCanvasElement = place.query_selector(".chart-ground").unwrap().unwrap().unchecked_into();
    let context: CanvasRenderingContext2d = canvas.get_context("2d").unwrap().unwrap().unchecked_into();
    let (width, height) = (canvas.width() as usize, canvas.height() as usize);
    let Clamped(pixels) =
        context.get_image_data(0.0, 0.0, canvas.width().into(), canvas.height().into()).unwrap().data();
    let painted = |x: usize| (0..height).filter(|y| pixels[4 * (y * width + x) + 3] > 20).count();
    // Leaves out the labels at the left.
    let most = (width / 4..width).map(painted).max().unwrap();
    f64::from(u32::try_from(most).unwrap()) / f64::from(canvas.height())
}

fn note(place: &Element) -> String {
    texts(place, "chart-note").concat()
}

fn wave(seconds: u32) -> Vec<Value> {
    (0..seconds).map(|i| number(40.0 + f64::from(i % 20))).collect()
}

#[wasm_bindgen_test]
async fn each_kind_of_chart_draws_what_there_is() {
    for kind in [
        r#""line""#,
        r#""line","band":"min-max""#,
        r#""line","quantiles":["p50","p99"]"#,
        r#""line","y_scale":"log""#,
        r#""area","stack":"share""#,
        r#""bar","across":"time""#,
        r#""heatmap""#,
    ] {
        let document = format!(r#"{{"widgets":[{{"id":"a","series":["ops/*"],"type":{kind}}}]}}"#);
        let (_, place, _owner) = widget(&document, vec![part("ops/a", 1, &wave(120)), part("ops/b", 500, &wave(60))]);
        frames(3).await;
        let pixels = painted(&place, ".chart-ground");
        assert!(pixels > 500, "{kind} drew {pixels} pixels");
        place.remove();
    }
}

#[wasm_bindgen_test]
async fn states_are_drawn_and_told_by_name() {
    let states = [text("up"), text("up"), text("down"), text("up")];
    let document = r#"{"widgets":[{"id":"a","series":["ops/deploy"],"type":"states"}]}"#;
    let (_, place, _owner) = widget(document, vec![part("ops/deploy", 1, &states)]);
    frames(20).await;
    assert!(painted(&place, ".chart-ground") > 100);
    assert_eq!(texts(&place, "legend-value"), ["up"]);
    place.remove();
}

#[wasm_bindgen_test]
async fn a_line_is_called_by_its_series_and_can_be_taken_out() {
    let document = r#"{"widgets":[{"id":"a","series":["ops/*"],"type":"line"}]}"#;
    let series = vec![part("ops/a", 1, &[number(4.0), number(42.0)]), part("ops/b", 500, &[number(1.0), number(7.0)])];
    let (_, place, _owner) = widget(document, series);
    frames(20).await;
    assert_eq!(texts(&place, "legend-value"), ["42", "7"]);
    let chart = place.query_selector("[data-testid=chart]").unwrap().unwrap();
    assert!(chart.get_attribute("aria-label").unwrap().contains("42"));
    let button: HtmlElement = place.query_selector(".legend button").unwrap().unwrap().unchecked_into();
    button.click();
    frames(20).await;
    assert_eq!(texts(&place, "legend-value"), ["–", "7"]);
    assert_eq!(
        place.query_selector(".legend button").unwrap().unwrap().get_attribute("aria-pressed").unwrap(),
        "false"
    );
    place.remove();
}

#[wasm_bindgen_test]
async fn series_of_different_units_are_written_without_any() {
    let document = r#"{"widgets":[{"id":"a","series":["ops/*"],"type":"line"}]}"#;
    let read = async |names: [&str; 2], other: f64| {
        let series = vec![part(names[0], 1, &[number(1.0), number(42.0)]), part(names[1], 500, &[number(other)])];
        let (_, place, _owner) = widget(document, series);
        frames(20).await;
        let values = texts(&place, "legend-value");
        place.remove();
        values
    };
    assert_eq!(read(["ops/a_pct", "ops/b_pct"], 7.0).await, ["42\u{a0}%", "7\u{a0}%"]);
    assert_eq!(read(["ops/a_pct", "ops/b_bytes"], 7.0).await, ["42", "7"]);
    let drowned = read(["ops/a_pct", "ops/b_bytes"], 8e9).await;
    assert!(
        drowned[0] == "42" && drowned[1].ends_with('G'),
        "a small one is not written as nothing of a great one: {drowned:?}"
    );
}

#[wasm_bindgen_test]
async fn what_is_taken_out_stays_out_when_others_join_before_it() {
    let document = r#"{"widgets":[{"id":"a","series":["ops/*"],"type":"line"}]}"#;
    let series = vec![part("ops/b", 1, &[number(1.0), number(42.0)]), part("ops/c", 500, &[number(1.0), number(7.0)])];
    let (context, place, _owner) = widget(document, series);
    frames(20).await;
    let button: HtmlElement = place.query_selector(".legend button").unwrap().unwrap().unchecked_into();
    button.click();
    let joins = Event::Update { now: Millis(0), pushed: Millis(0), series: vec![part("ops/a", 1_001, &[number(3.0)])] };
    context.live.apply(Cursor { epoch: Epoch(1), seq: Seq(1_001) }, joins).unwrap();
    frames(20).await;
    assert_eq!(texts(&place, "legend-value"), ["3", "–", "7"]);
    place.remove();
}

#[wasm_bindgen_test]
async fn a_line_keeps_its_colour_when_others_join_before_it() {
    let document = r#"{"widgets":[{"id":"a","series":["ops/*"],"type":"line"}]}"#;
    let (context, place, _owner) = widget(document, vec![part("ops/b", 1, &[number(1.0), number(42.0)])]);
    frames(20).await;
    let colours = || {
        let mut colours = Vec::new();
        each(&place, ".legend button", |button| colours.push(button.get_attribute("style").unwrap()));
        colours
    };
    let before = colours();
    let joins = Event::Update { now: Millis(0), pushed: Millis(0), series: vec![part("ops/a", 1_001, &[number(3.0)])] };
    context.live.apply(Cursor { epoch: Epoch(1), seq: Seq(1_001) }, joins).unwrap();
    frames(20).await;
    assert_eq!(texts(&place, "legend-value"), ["3", "42"]);
    let after = colours();
    assert_eq!(after[1], before[0]);
    assert_ne!(after[0], after[1]);
    place.remove();
}

#[wasm_bindgen_test]
async fn lines_of_one_colour_are_told_apart_by_their_dashes_in_the_legend_too() {
    let document = r#"{"widgets":[{"id":"a","series":["ops/a"],"type":"line","quantiles":["p50","p99"]}]}"#;
    let (_, place, _owner) = widget(document, vec![part("ops/a", 1, &wave(60))]);
    frames(20).await;
    let samples = || {
        let mut samples = Vec::new();
        each(&place, ".legend-swatch", |swatch| samples.push(swatch.get_attribute("data-dash").unwrap()));
        samples
    };
    assert_eq!(samples(), ["0", "1"]);
    let button: HtmlElement = place.query_selector(".legend button").unwrap().unwrap().unchecked_into();
    button.click();
    frames(20).await;
    assert_eq!(samples(), ["0", "1"], "what is taken out can be put back");
    place.remove();
}

#[wasm_bindgen_test]
async fn how_good_a_value_is_stands_beside_it_by_a_sign() {
    let document = r#"{"widgets":[{"id":"a","series":["ops/a"],"type":"line",
        "thresholds":[{"above":50,"level":"warn"},{"above":90,"level":"bad"}]}]}"#;
    let (_, place, _owner) = widget(document, vec![part("ops/a", 1, &[number(40.0), number(60.0)])]);
    frames(20).await;
    let mark = place.query_selector(".legend .mark").unwrap().unwrap();
    assert_eq!(mark.get_attribute("data-level").as_deref(), Some("warn"));
    let chart = place.query_selector("[data-testid=chart]").unwrap().unwrap();
    assert!(chart.get_attribute("aria-label").unwrap().contains("60 (warn)"), "also for who does not see it");
    place.remove();
}

#[wasm_bindgen_test]
async fn a_moment_is_told_with_its_date_where_the_time_alone_is_not_clear() {
    use pulseboard_client::browser::moment_of;
    let (now, day) = (pulseboard_client::browser::now(), 86_400_000);
    let parts = |told: String| (told.len(), told.matches(':').count());
    assert_eq!(parts(moment_of(now - 60_000, 3_600_000, now)), ("14:02:05".len(), 2));
    assert_eq!(parts(moment_of(now - 60_000, 2 * day, now)), ("2026-11-25 14:02".len(), 1), "the range is long");
    assert_eq!(parts(moment_of(now - 3 * day, 3_600_000, now)), ("2026-11-25 14:02:05".len(), 2), "it was days ago");
}

#[wasm_bindgen_test]
async fn by_keyboard_a_moment_is_pointed_at_and_announced_and_the_range_is_zoomed() {
    let document = r#"{"widgets":[{"id":"a","series":["ops/a"],"type":"line"}]}"#;
    let (context, place, _owner) = widget(document, vec![part("ops/a", 1, &wave(120))]);
    frames(5).await;
    let chart = place.query_selector("[data-testid=chart]").unwrap().unwrap();
    let press = |key: &str| {
        let init = web_sys::KeyboardEventInit::new();
        init.set_key(key);
        init.set_bubbles(true);
        init.set_cancelable(true);
        let event = web_sys::KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &init).unwrap();
        chart.dispatch_event(&event).unwrap();
    };
    press("ArrowLeft");
    press("ArrowLeft");
    frames(3).await;
    assert!(context.view.cross.get_untracked().is_some());
    assert!(texts(&place, "chart-announcement")[0].contains(':'), "{:?}", texts(&place, "chart-announcement"));
    assert!(painted(&place, ".chart-over") > 50, "the moment is marked");
    press("+");
    assert!(matches!(context.view.range.get_untracked(), Range::Fixed { .. }));
    press("Escape");
    assert_eq!(context.view.range.get_untracked(), Range::Live("5m".parse().unwrap()));
    assert_eq!(context.view.cross.get_untracked(), None);
    place.remove();
}

#[wasm_bindgen_test]
async fn a_range_that_someone_chose_is_kept_whatever_the_document_says() {
    let owner = Owner::new();
    owner.with(|| {
        let view = View::new("");
        view.set_document_range("6h".parse().unwrap());
        assert_eq!(view.range.get_untracked(), Range::Live("6h".parse().unwrap()));
        let view = View::new("?from=1732399200000&to=1732399290000");
        view.set_document_range("6h".parse().unwrap());
        assert_eq!(
            view.range.get_untracked(),
            Range::Fixed { from: Millis(1_732_399_200_000), to: Millis(1_732_399_290_000) }
        );
        _ = view! { <RangePicker view now=RwSignal::new(0)/> };
    });
}

#[wasm_bindgen_test]
async fn spike_within_a_second_reaches_to_the_top() {
    let second = pulseboard_client::browser::now() / 1_000 * 1_000 - 60_000;
    let spike = |i: u64| if i == 101 { 500.0 } else { 20.0 };
    let at = |i: u64| Stamp { ts: Millis(second + i * 10), seq: Seq(i + 1) };
    let mut track = Track::of(at(0), number(20.0));
    (1..4_000).for_each(|i| track.push(at(i), number(spike(i))));
    for kind in [r#""line""#, r#""area""#, r#""bar","across":"time""#] {
        let document = format!(r#"{{"widgets":[{{"id":"a","series":["ops/a"],"type":{kind}}}]}}"#);
        let series = SeriesPart { name: "ops/a".parse().unwrap(), track: track.clone(), declared: None, revised: None };
        let (_, place, _owner) = widget(&document, vec![series]);
        frames(5).await;
        assert!(tallest(&place) > 0.6, "{kind} has {}", tallest(&place));
        place.remove();
    }
}

#[wasm_bindgen_test]
async fn chart_says_why_nothing_is_drawn() {
    let read = async |options: &str, values: &[Value]| {
        let document = format!(r#"{{"widgets":[{{"id":"a","series":["ops/a"],{options}}}]}}"#);
        let (_, place, _owner) = widget(&document, vec![part("ops/a", 1, values)]);
        frames(20).await;
        let note = note(&place);
        place.remove();
        note
    };
    let texts = read(r#""type":"line""#, &[text("deployed")]).await;
    assert!(texts.starts_with("a has texts, not numbers"), "{texts}");
    let negative = read(r#""type":"line","y_scale":"log""#, &[number(0.0), number(-5.0)]).await;
    assert!(negative.contains("logarithmic axis"), "{negative}");
    let one = read(r#""type":"line","show":"rate""#, &[number(1.0)]).await;
    assert!(one.contains("too few points"), "{one}");
    assert_eq!(read(r#""type":"line""#, &wave(120)).await, "");
    assert_eq!(read(r#""type":"states""#, &wave(120)).await, "");
}

#[wasm_bindgen_test]
async fn points_in_one_wide_bucket_are_drawn() {
    for show in ["", r#","show":"rate""#, r#","show":"count""#] {
        let document = format!(r#"{{"widgets":[{{"id":"a","series":["ops/a"],"type":"line"{show}}}]}}"#);
        let (context, place, _owner) = widget(&document, vec![part("ops/a", 1, &wave(180))]);
        context.view.choose(Range::Live("365d".parse().unwrap()));
        frames(20).await;
        assert_eq!(note(&place), "", "{show}");
        assert!(texts(&place, "legend-value")[0] != "–", "{show}");
        place.remove();
    }
}

#[wasm_bindgen_test]
async fn each_of_many_series_is_in_the_legend_and_can_be_drawn() {
    let document = r#"{"widgets":[{"id":"a","series":["ops/*"],"type":"line"}]}"#;
    let series = |i: u64| part(&format!("ops/host-{i:03}"), 1 + i * 2, &[number(1.0), number(2.0)]);
    let (_, place, _owner) = widget(document, (0..200).map(series).collect());
    frames(20).await;
    let values = || texts(&place, "legend-value");
    let drawn = || values().iter().filter(|value| *value != "–").count();
    assert_eq!((values().len(), drawn()), (200, 40));
    assert!(
        texts(&place, "chart-more")[0].starts_with("40 of 200 series are drawn"),
        "{:?}",
        texts(&place, "chart-more")
    );
    let buttons = place.query_selector_all(".legend button").unwrap();
    let last: HtmlElement = buttons.get(199).unwrap().unchecked_into();
    last.click();
    frames(20).await;
    assert_eq!((values()[199].as_str(), drawn()), ("2", 40));
    place.remove();
}

#[wasm_bindgen_test]
async fn stale_series_is_marked_in_the_legend() {
    let now = pulseboard_client::browser::now();
    for kind in ["line", "states"] {
        let document = format!(r#"{{"widgets":[{{"id":"a","series":["ops/*"],"type":"{kind}","expect":"20s"}}]}}"#);
        let at = Stamp { ts: Millis(now - 60_000), seq: Seq(1) };
        let track = Track::of(at, number(3.0));
        let old = SeriesPart { name: "ops/old".parse().unwrap(), track, declared: None, revised: None };
        let (_, place, _owner) = widget(&document, vec![part("ops/new", 10, &wave(5)), old]);
        frames(20).await;
        assert_eq!(texts(&place, "legend-stale").len(), 1, "{kind}");
        assert!(texts(&place, "legend-stale")[0].starts_with("stale since"));
        place.remove();
    }
}

#[wasm_bindgen_test]
async fn chart_says_where_its_data_begins() {
    let document = r#"{"widgets":[{"id":"a","series":["ops/a"],"type":"line"}]}"#;
    let (_, place, _owner) = widget(document, vec![part("ops/a", 1, &wave(60))]);
    frames(20).await;
    assert!(texts(&place, "chart-begins")[0].starts_with("In this range, data begins "), "one of five minutes");
    place.remove();
}

#[wasm_bindgen_test]
async fn times_are_shown_in_the_chosen_zone() {
    use pulseboard_client::browser::time_of_day;
    use pulseboard_client::zone::{Zone, offset};
    Zone::Utc.choose();
    assert_eq!((time_of_day(1_729_990_800_000).as_str(), offset(0)), ("01:00:00", 0));
    Zone::Local.choose();
    let date = js_sys::Date::new(&1_729_990_800_000.0_f64.into());
    assert_eq!(time_of_day(1_729_990_800_000)[..2], format!("{:02}", date.get_hours()));
}

/// Dispatches a pointer event to the upper canvas at a position.
fn pointer(place: &Element, kind: &str, by: &str, x: f64) {
    let script = "canvas.dispatchEvent(new PointerEvent(kind, { clientX: x, clientY: 60, pointerId: 1, pointerType: by, \
                  button: 0, bubbles: true, cancelable: true }))";
    let dispatch = js_sys::Function::new_with_args("canvas, kind, by, x", script);
    let canvas = place.query_selector(".chart-over").unwrap().unwrap();
    let arguments = js_sys::Array::of4(&canvas, &kind.into(), &by.into(), &x.into());
    dispatch.apply(&wasm_bindgen::JsValue::NULL, &arguments).unwrap();
}

fn tip(place: &Element) -> Element {
    place.query_selector("[data-testid=chart-tip]").unwrap().unwrap()
}

/// The labels of the rows of the tooltip; empty while it is hidden.
fn tip_rows(place: &Element) -> Vec<String> {
    if tip(place).has_attribute("hidden") {
        return Vec::new();
    }
    let mut labels = Vec::new();
    each(place, ".chart-tip-name", |name| labels.push(name.text_content().unwrap()));
    labels
}

#[wasm_bindgen_test]
async fn tooltip_lists_the_values_at_the_pointer_and_a_click_pins_it() {
    let document = r#"{"widgets":[{"id":"a","series":["ops/*"],"type":"line"}]}"#;
    let high: Vec<Value> = (0..120).map(|_| number(900.0)).collect();
    let (_, place, _owner) = widget(document, vec![part("ops/a", 1, &wave(120)), part("ops/b", 500, &high)]);
    frames(5).await;
    assert!(tip_rows(&place).is_empty());
    pointer(&place, "pointermove", "mouse", 390.0);
    frames(5).await;
    assert_eq!(tip_rows(&place), ["b", "a"], "the greatest first");
    pointer(&place, "pointerdown", "mouse", 390.0);
    pointer(&place, "pointerup", "mouse", 390.0);
    pointer(&place, "pointerleave", "mouse", 390.0);
    frames(5).await;
    assert_eq!(tip(&place).get_attribute("data-pinned").as_deref(), Some("true"));
    assert_eq!(tip_rows(&place).len(), 2, "it stays when the pointer leaves");
    pointer(&place, "pointerdown", "mouse", 300.0);
    pointer(&place, "pointerup", "mouse", 300.0);
    pointer(&place, "pointerleave", "mouse", 300.0);
    frames(5).await;
    assert!(tip_rows(&place).is_empty(), "a second click releases it");
    place.remove();
}

#[wasm_bindgen_test]
async fn touch_reads_a_value_by_a_tap_and_by_resting() {
    let document = r#"{"widgets":[{"id":"a","series":["ops/a"],"type":"line"}]}"#;
    let (context, place, _owner) = widget(document, vec![part("ops/a", 1, &wave(120))]);
    frames(5).await;
    pointer(&place, "pointerdown", "touch", 380.0);
    pointer(&place, "pointerup", "touch", 380.0);
    pointer(&place, "pointerleave", "touch", 380.0);
    frames(5).await;
    assert_eq!(tip_rows(&place).len(), 1, "a tap reads");
    pointer(&place, "pointerdown", "touch", 300.0);
    // Waits for the moment at which a resting finger reads.
    while context.view.cross.get_untracked().is_none() {
        frames(1).await;
    }
    pointer(&place, "pointermove", "touch", 380.0);
    pointer(&place, "pointerup", "touch", 380.0);
    assert_eq!(context.view.range.get_untracked(), Range::Live("5m".parse().unwrap()), "it does not zoom");
    pointer(&place, "pointerdown", "touch", 100.0);
    pointer(&place, "pointermove", "touch", 380.0);
    pointer(&place, "pointerup", "touch", 380.0);
    assert!(matches!(context.view.range.get_untracked(), Range::Fixed { .. }), "a drag without rest zooms");
    place.remove();
}

#[wasm_bindgen_test]
async fn markers_are_drawn_on_each_kind_of_chart_and_named_in_the_tooltip() {
    for kind in [r#""line""#, r#""area""#, r#""bar","across":"time""#, r#""heatmap""#, r#""states""#] {
        let draw = async |markers: &str| {
            let document = format!(r#"{{"widgets":[{{"id":"a","series":["ops/a"],"type":{kind}{markers}}}]}}"#);
            let series = vec![part("ops/a", 1, &wave(120)), part("ops/deploy", 500, &[text("v1.2")])];
            let (_, place, owner) = widget(&document, series);
            frames(5).await;
            (painted(&place, ".chart-ground"), place, owner)
        };
        let (without, place, _owner) = draw("").await;
        place.remove();
        let (with, place, _owner) = draw(r#","markers":["ops/deploy"]"#).await;
        assert!(with != without, "{kind} has no marker");
        pointer(&place, "pointermove", "mouse", 397.0);
        frames(5).await;
        assert!(tip(&place).text_content().unwrap().contains("v1.2"), "{kind}");
        place.remove();
    }
}

#[wasm_bindgen_test]
async fn line_of_an_earlier_time_is_compared() {
    let document = r#"{"widgets":[{"id":"a","series":["ops/a"],"type":"line","compare":"-1m"}]}"#;
    let values: Vec<Value> = (0..120).map(|i| number(if i < 60 { 7.0 } else { 9.0 })).collect();
    let (_, place, _owner) = widget(document, vec![part("ops/a", 1, &values)]);
    frames(20).await;
    assert_eq!(texts(&place, "legend-value").len(), 2);
    pointer(&place, "pointermove", "mouse", 390.0);
    frames(5).await;
    assert_eq!(tip_rows(&place), ["a", "1 min before"]);
    let words = tip(&place).text_content().unwrap();
    assert!(words.contains('9') && words.contains('7'), "{words}");
    place.remove();
}
