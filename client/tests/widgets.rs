//! The parts of the page, mounted in a real browser.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

use leptos::mount::mount_to;
use leptos::prelude::*;
use leptos::task::tick;
use pulseboard_client::app::App;
use pulseboard_client::badge::Badge;
use pulseboard_client::board::empty::EmptyBoard;
use pulseboard_client::board::stage::Stage;
use pulseboard_client::chart::frames::Frames;
use pulseboard_client::live::Live;
use pulseboard_client::range::Range;
use pulseboard_client::route::Route;
use pulseboard_client::stream::clock::ServerClock;
use pulseboard_client::stream::supervisor::{Standing, State};
use pulseboard_client::widget::frame::Frame;
use shared::board::{Board, Span};
use shared::{Cursor, Epoch, Event, Millis, Number, Seq, SeriesPart, Stamp, Text, Track, Value};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{Element, HtmlElement};

wasm_bindgen_test_configure!(run_in_browser);

/// Mounts a view in a place of its own and gives the place; the view stays.
fn mount<V: IntoView + 'static>(view: impl FnOnce() -> V + 'static) -> Element {
    let place: HtmlElement = document().create_element("section").unwrap().unchecked_into();
    document().body().unwrap().append_child(&place).unwrap();
    mount_to(place.clone(), view).forget();
    place.into()
}

fn part(place: &Element, testid: &str) -> Element {
    let found = place.query_selector(&format!("[data-testid={testid}]")).unwrap();
    found.unwrap_or_else(|| panic!("no {testid} in {}", place.inner_html()))
}

fn text(place: &Element, testid: &str) -> String {
    part(place, testid).text_content().unwrap_or_default()
}

fn id(seq: u64) -> Cursor {
    Cursor { epoch: Epoch(1), seq: Seq(seq) }
}

fn series(name: &str, ts: u64, seq: u64, value: Value) -> Vec<SeriesPart> {
    let at = Stamp { ts: Millis(ts), seq: Seq(seq) };
    vec![SeriesPart { name: name.parse().unwrap(), track: Track::of(at, value), revised: None }]
}

fn number(value: f64) -> Value {
    Value::Number(Number::new(value).unwrap())
}

/// The widget that a board which nobody made has for the one series in `snapshot`, at the server's time 60 000; it lives
/// as long as the owner.
fn tile(snapshot: Vec<SeriesPart>) -> (Live, Element, Owner) {
    let (name, kind) = (snapshot[0].name.clone(), snapshot[0].track.kind());
    let widget = Board::automatic(&name.home_board(), [(name, kind)]).widgets.remove(0);
    let owner = Owner::new();
    let live = owner.with(Live::new);
    live.apply(id(1), Event::Snapshot { now: Millis(60_000), series: snapshot }).unwrap();
    let place = mount(move || {
        let clock = Signal::stored(ServerClock::default());
        let range = RwSignal::new(Range::Live(Span::HOUR));
        let stage = Stage { live, frames: Frames::new(), clock, server_now: Signal::stored(60_000), range };
        view! { <Frame widget stage/> }
    });
    (live, place, owner)
}

#[wasm_bindgen_test]
async fn a_tile_shows_the_value_its_unit_its_age_and_follows_its_series() {
    let (live, place, _owner) = tile(series("ops/api/latency_ms", 48_000, 1, number(41.0)));
    tick().await;
    assert_eq!(text(&place, "value"), "41");
    assert_eq!(text(&place, "change"), "");
    assert_eq!(text(&place, "age"), "12 s ago");
    assert!(place.text_content().unwrap().contains("ms"));
    assert_eq!(part(&place, "tile").get_attribute("data-series").as_deref(), Some("ops/api/latency_ms"));

    let changed = series("ops/api/latency_ms", 57_000, 2, number(42.5));
    live.apply(id(2), Event::Update { now: Millis(0), pushed: Millis(0), series: changed }).unwrap();
    tick().await;
    assert_eq!(text(&place, "value"), "42.5");
    assert_eq!(text(&place, "change"), "▲ +1.5 ms in 9 s");
    assert_eq!(text(&place, "age"), "3 s ago");
    assert!(place.query_selector(".glow-a").unwrap().is_some(), "a value that changed glows");
    assert_eq!(part(&place, "value").get_attribute("data-value").as_deref(), Some("42.5"));
    part(&place, "spark");
}

#[wasm_bindgen_test]
async fn a_tile_of_texts_shows_the_latest_and_those_before() {
    let word = |text: &str| Value::Text(Text::new(text.into()).unwrap());
    let (live, place, _owner) = tile(series("ops/deploy", 10_000, 1, word("building")));
    let changed = series("ops/deploy", 55_000, 2, word("<b>deployed</b>"));
    live.apply(id(2), Event::Update { now: Millis(0), pushed: Millis(0), series: changed }).unwrap();
    tick().await;
    assert_eq!(text(&place, "value"), "<b>deployed</b>", "what is pushed is text, never markup");
    let before = place.query_selector(".lines").unwrap().unwrap().text_content().unwrap();
    assert_eq!(before, "building50 s ago");
}

#[wasm_bindgen_test]
async fn the_badge_tells_the_state_in_words_and_shape_and_since_when() {
    let standing = RwSignal::new(Standing { state: State::Live, since: 0 });
    let place = mount(move || view! { <Badge standing latency_ms=Signal::stored(Some(12)) /> });
    tick().await;
    let shape = |place: &Element| place.query_selector("path").unwrap().unwrap().get_attribute("d");
    let live_shape = shape(&place);
    assert_eq!(part(&place, "badge").get_attribute("data-state").as_deref(), Some("live"));
    assert_eq!(text(&place, "badge"), "live");
    assert_eq!(text(&place, "latency"), "12 ms from push to paint");

    standing.set(Standing { state: State::Stale, since: 0 });
    tick().await;
    assert_eq!(part(&place, "badge").get_attribute("data-state").as_deref(), Some("stale"));
    assert!(text(&place, "badge").starts_with("stale since "));
    assert_eq!(text(&place, "latency"), "", "an old latency is no latency");
    assert_ne!(shape(&place), live_shape);

    standing.set(Standing { state: State::Offline, since: 0 });
    tick().await;
    assert!(text(&place, "badge").starts_with("offline since "));
}

#[wasm_bindgen_test]
async fn a_tile_of_texts_tells_how_many_it_never_showed() {
    let line = |seq| Value::Text(Text::new(format!("line {seq}")).unwrap());
    let (live, place, _owner) = tile(series("ops/log", 1, 1, line(1)));
    tick().await;
    assert_eq!(text(&place, "skipped"), "");
    let mut now = series("ops/log", 1, 1, line(1));
    (2..=131).for_each(|seq| now[0].track.push(Stamp { ts: Millis(seq), seq: Seq(seq) }, line(seq)));
    live.apply(id(131), Event::Update { now: Millis(0), pushed: Millis(0), series: now }).unwrap();
    tick().await;
    assert_eq!(text(&place, "skipped"), "30 skipped");
}

#[wasm_bindgen_test]
async fn an_empty_board_shows_the_line_that_fills_it() {
    let place = mount(|| view! { <EmptyBoard id="kitchen".parse().unwrap() /> });
    tick().await;
    let origin = window().location().origin().unwrap();
    assert_eq!(text(&place, "curl-line"), format!("curl -d 42.5 {origin}/in/kitchen/temp"));
    assert_eq!(text(&place, "copy"), "Copy");
}

#[wasm_bindgen_test]
async fn an_address_that_cannot_be_a_board_says_what_can() {
    let place = mount(|| view! { <App route=Route::of("/b/a b") /> });
    tick().await;
    let words = text(&place, "invalid-board");
    assert!(words.contains("' '") && words.contains("letters, digits"), "{words}");
}
