//! Tests of the page around a board (badge, other pages), mounted in a real browser.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

use leptos::mount::mount_to;
use leptos::prelude::*;
use leptos::task::tick;
use pulseboard_client::app::App;
use pulseboard_client::badge::Badge;
use pulseboard_client::board::empty::Emptiness;
use pulseboard_client::lazy::Placeholder;
use pulseboard_client::pages::PAGES;
use pulseboard_client::route::Route;
use pulseboard_client::stream::supervisor::{ConnectionState, ConnectionStatus};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{Element, HtmlElement};

wasm_bindgen_test_configure!(run_in_browser);

/// Mounts a view in an element of its own and returns the element. The view stays mounted.
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

#[wasm_bindgen_test]
async fn the_badge_tells_the_state_in_words_and_shape_and_since_when() {
    let status = RwSignal::new(ConnectionStatus { state: ConnectionState::Live, since: 0 });
    let place = mount(move || view! { <Badge status latency_ms=RwSignal::new(Some(12))/> });
    tick().await;
    let shape = |place: &Element| place.query_selector(".badge-shape").unwrap().unwrap().inner_html();
    let live_shape = shape(&place);
    assert_eq!(part(&place, "badge").get_attribute("data-state").as_deref(), Some("live"));
    assert_eq!(text(&place, "badge"), "live");
    assert_eq!(text(&place, "latency"), "12 ms from push to paint");

    status.set(ConnectionStatus { state: ConnectionState::Stale, since: 0 });
    tick().await;
    assert_eq!(part(&place, "badge").get_attribute("data-state").as_deref(), Some("stale"));
    assert!(text(&place, "badge").starts_with("stale since "));
    assert_eq!(text(&place, "latency"), "", "an old latency is no latency");
    assert_ne!(shape(&place), live_shape);

    status.set(ConnectionStatus { state: ConnectionState::Offline, since: 0 });
    tick().await;
    assert!(text(&place, "badge").starts_with("offline since "));
}

#[wasm_bindgen_test]
async fn an_empty_board_shows_the_line_that_fills_it() {
    let place = mount(|| {
        PAGES.view(Placeholder::Nothing, |pages| (pages.empty)("kitchen".parse().unwrap(), Emptiness::NoSeries))
    });
    tick().await;
    let origin = window().location().origin().unwrap();
    assert_eq!(text(&place, "curl-line"), format!("curl -d 42.5 {origin}/in/kitchen/temp"));
    assert_eq!(text(&place, "copy"), "Copy");
}

#[wasm_bindgen_test]
async fn a_stored_board_without_widgets_does_not_claim_to_show_series() {
    let place = mount(|| {
        PAGES.view(Placeholder::Nothing, |pages| (pages.empty)("kitchen".parse().unwrap(), Emptiness::NoWidgets))
    });
    tick().await;
    let words = text(&place, "empty-board");
    assert!(words.starts_with("No widgets yet") && words.contains("it shows nothing"), "{words}");
    assert!(part(&place, "empty-edit").get_attribute("href").is_some_and(|href| href == "?edit"));
}

#[wasm_bindgen_test]
async fn a_live_connection_says_past_while_the_board_shows_the_past() {
    let status = RwSignal::new(ConnectionStatus { state: ConnectionState::Live, since: 0 });
    let is_past = RwSignal::new(false);
    let place = mount(move || view! { <Badge status latency_ms=RwSignal::new(Some(3)) is_past/> });
    tick().await;
    assert_eq!(text(&place, "badge"), "live");
    is_past.set(true);
    tick().await;
    assert_eq!(text(&place, "badge"), "past");
    status.set(ConnectionStatus { state: ConnectionState::Stale, since: 0 });
    tick().await;
    assert!(text(&place, "badge").starts_with("stale"), "what is wrong with the connection is shown all the same");
}

#[wasm_bindgen_test]
async fn an_address_that_cannot_be_a_board_says_what_can() {
    let place = mount(|| view! { <App route=Route::of("b/a b")/> });
    tick().await;
    let words = text(&place, "invalid-board");
    assert!(words.contains("' '") && words.contains("letters, digits"), "{words}");
}

#[wasm_bindgen_test]
async fn views_of_a_module_are_built_once_however_often_it_is_asked_for() {
    let builds = RwSignal::new(0);
    let place = mount(move || {
        PAGES.view(Placeholder::Nothing, move |_| {
            builds.update_untracked(|builds| *builds += 1);
            view! { <p data-testid="drawn"></p> }.into_any()
        })
    });
    tick().await;
    let drawn = part(&place, "drawn");
    drawn.set_attribute("data-mark", "mine").unwrap();
    assert!(PAGES.wait().await.is_some());
    PAGES.fetch();
    tick().await;
    assert_eq!(builds.get_untracked(), 1);
    assert_eq!(part(&place, "drawn").get_attribute("data-mark").as_deref(), Some("mine"));
}
