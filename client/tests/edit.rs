//! Tests of the editor's parts, mounted in a real browser.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

use leptos::mount::mount_to;
use leptos::prelude::*;
use leptos::task::tick;
use pulseboard_client::board::document::{Document, Edition};
use pulseboard_client::edit::arrange::Direction;
use pulseboard_client::edit::bar::EditArea;
use pulseboard_client::edit::editor::{Editor, Sheet};
use pulseboard_client::edit::keys::WidgetAction;
use pulseboard_client::edit::tools::WidgetTools;
use pulseboard_client::json;
use pulseboard_client::live::Live;
use pulseboard_client::theme::Theme;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{Element, HtmlElement, HtmlInputElement};

wasm_bindgen_test_configure!(run_in_browser);

const TAG: &str = "\"0123456789abcdef0123456789abcdef\"";
const BOARD: &str = r#"{ "title": "Ours", "widgets": [
    { "id": "temp", "type": "stat", "series": ["ops/temp"], "title": "Warmth" },
    { "id": "load", "type": "line", "series": ["ops/load"] }
] }"#;

/// Mounts the bars above a board and the tools of its first widget, and returns the place and their editor.
fn editor() -> (Element, Editor, Owner) {
    let place: HtmlElement = document().create_element("section").unwrap().unchecked_into();
    document().body().unwrap().append_child(&place).unwrap();
    // The first mount starts the executor of effects.
    mount_to(place.clone(), || ()).forget();
    let owner = Owner::new();
    let editor = owner.with(|| {
        let edition = Edition::made(TAG.parse().unwrap(), json::read(BOARD).unwrap());
        Editor::new("ops".parse().unwrap(), Document::holding(edition), Live::new())
    });
    // The tools of a widget exist while the board is edited, as in the grid.
    let tools = move || editor.editing().then(|| view! { <WidgetTools id="temp".parse().unwrap() editor/> });
    mount_to(place.clone(), move || view! { <EditArea editor/> <div>{tools}</div> }).forget();
    (place.into(), editor, owner)
}

/// Waits until effects have run, and what they put off to the next frame.
async fn settle() {
    tick().await;
    let frame = js_sys::Promise::new(&mut |done, _| {
        _ = window().request_animation_frame(&done);
    });
    JsFuture::from(frame).await.unwrap();
    tick().await;
}

fn find(place: &Element, testid: &str) -> Option<HtmlElement> {
    let found = place.query_selector(&format!("[data-testid={testid}]")).unwrap();
    found.map(wasm_bindgen::JsCast::unchecked_into)
}

fn part(place: &Element, testid: &str) -> HtmlElement {
    find(place, testid).unwrap_or_else(|| panic!("no {testid} in {}", place.inner_html()))
}

#[wasm_bindgen_test]
async fn a_board_that_is_only_looked_at_has_no_tools_and_one_that_is_edited_has() {
    let (place, editor, _owner) = editor();
    settle().await;
    assert!(find(&place, "editbar").is_none() && find(&place, "handle").is_none());
    editor.begin();
    settle().await;
    part(&place, "editbar");
    let label = part(&place, "handle").get_attribute("aria-label").unwrap();
    assert_eq!(label, "Warmth, stat, column 1, row 1, 3 wide, 2 high");
    assert_eq!(part(&place, "undo").get_attribute("aria-disabled").as_deref(), Some("true"));
    editor.end();
    settle().await;
    assert!(find(&place, "editbar").is_none() && find(&place, "handle").is_none());
}

#[wasm_bindgen_test]
async fn each_step_is_told_and_can_be_taken_back() {
    let (place, editor, _owner) = editor();
    editor.begin();
    editor.act(&"temp".parse().unwrap(), WidgetAction::Resize(Direction::Right));
    settle().await;
    assert_eq!(part(&place, "announcement").text_content().unwrap(), "Warmth is at column 1, row 1, 4 wide, 2 high.");
    assert_eq!(part(&place, "unsaved").text_content().unwrap(), "Not saved yet");
    part(&place, "undo").click();
    settle().await;
    assert!(part(&place, "handle").get_attribute("aria-label").unwrap().contains("3 wide"));
    assert_eq!(part(&place, "unsaved").text_content().unwrap(), "");
    editor.act(&"temp".parse().unwrap(), WidgetAction::Move(Direction::Up));
    settle().await;
    assert_eq!(part(&place, "announcement").text_content().unwrap(), "Warmth can go no further.");
}

#[wasm_bindgen_test]
async fn a_form_tells_a_mistake_at_its_field_and_closes_once_all_is_right() {
    let (place, editor, _owner) = editor();
    editor.begin();
    editor.sheet.set(Some(Sheet::Widget("temp".parse().unwrap())));
    settle().await;
    let write = |testid: &str, text: &str| {
        let field: HtmlInputElement = part(&place, testid).unchecked_into();
        field.set_value(text);
        field.dispatch_event(&web_sys::Event::new("input").unwrap()).unwrap();
    };
    write("field-decimals", "many");
    settle().await;
    let wrong = place.query_selector("#wrong-decimals").unwrap().unwrap().text_content().unwrap();
    assert_eq!(wrong, "Write a whole number from 0 to 10, not \"many\".");
    assert_eq!(part(&place, "field-decimals").get_attribute("aria-invalid").as_deref(), Some("true"));
    part(&place, "apply").click();
    settle().await;
    part(&place, "form");
    write("field-decimals", "2");
    write("field-title", "Heat");
    part(&place, "apply").click();
    settle().await;
    assert!(find(&place, "form").is_none());
    assert!(part(&place, "handle").get_attribute("aria-label").unwrap().starts_with("Heat, stat"));
}

fn write(place: &Element, testid: &str, text: &str, event: &str) {
    let field = part(place, testid);
    js_sys::Reflect::set(&field, &"value".into(), &text.into()).unwrap();
    field.dispatch_event(&web_sys::Event::new(event).unwrap()).unwrap();
}

fn value(place: &Element, testid: &str) -> String {
    js_sys::Reflect::get(&part(place, testid), &"value".into()).unwrap().as_string().unwrap()
}

#[wasm_bindgen_test]
async fn another_type_and_back_keeps_all_fields_even_when_it_was_applied_in_between() {
    let (place, editor, _owner) = editor();
    editor.begin();
    let open = || editor.sheet.set(Some(Sheet::Widget("temp".parse().unwrap())));
    open();
    settle().await;
    write(&place, "field-change", "1h", "input");
    write(&place, "field-type", "text", "change");
    settle().await;
    assert_eq!(value(&place, "field-title"), "Warmth");
    write(&place, "field-markdown", "# Hi", "input");
    part(&place, "apply").click();
    settle().await;
    assert!(find(&place, "form").is_none());
    open();
    settle().await;
    write(&place, "field-type", "stat", "change");
    settle().await;
    assert_eq!((value(&place, "field-series"), value(&place, "field-change")), ("ops/temp".into(), "1h".into()));
    write(&place, "field-type", "text", "change");
    settle().await;
    assert_eq!(value(&place, "field-markdown"), "# Hi");
}

#[wasm_bindgen_test]
async fn escape_asks_before_the_changes_of_a_form_are_lost_and_only_then() {
    let (place, editor, _owner) = editor();
    editor.begin();
    let escape = || {
        let key = web_sys::KeyboardEventInit::new();
        key.set_key("Escape");
        key.set_bubbles(true);
        key.set_cancelable(true);
        let event = web_sys::KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &key).unwrap();
        part(&place, "field-title").dispatch_event(&event).unwrap();
        assert!(event.default_prevented(), "the browser does not close the dialog by itself");
    };
    let asked = || document().query_selector("[data-testid=confirm]").unwrap();
    editor.sheet.set(Some(Sheet::Widget("temp".parse().unwrap())));
    settle().await;
    escape();
    settle().await;
    assert!(find(&place, "form").is_none() && asked().is_none(), "nothing would be lost");

    editor.sheet.set(Some(Sheet::Widget("temp".parse().unwrap())));
    settle().await;
    write(&place, "field-title", "Heat", "input");
    escape();
    settle().await;
    assert!(find(&place, "form").is_some());
    let no: HtmlElement = document().query_selector("[data-testid=confirm-no]").unwrap().unwrap().unchecked_into();
    no.click();
    settle().await;
    assert_eq!(value(&place, "field-title"), "Heat", "the form goes on");
    escape();
    settle().await;
    let yes: HtmlElement = document().query_selector("[data-testid=confirm-yes]").unwrap().unwrap().unchecked_into();
    yes.click();
    settle().await;
    settle().await;
    assert!(find(&place, "form").is_none());
    assert!(!editor.changed());
}

#[wasm_bindgen_test]
async fn applying_mistakes_focuses_the_first_of_their_fields() {
    let (place, editor, _owner) = editor();
    editor.begin();
    editor.sheet.set(Some(Sheet::Widget("temp".parse().unwrap())));
    settle().await;
    write(&place, "field-expect", "often", "input");
    write(&place, "field-decimals", "many", "input");
    part(&place, "field-title").focus().unwrap();
    part(&place, "apply").click();
    settle().await;
    settle().await;
    let focused = document().active_element().and_then(|element| element.get_attribute("data-testid"));
    assert_eq!(focused.as_deref(), Some("field-decimals"));
}

#[wasm_bindgen_test]
async fn address_no_longer_starts_the_editor_once_it_is_left() {
    let (_place, editor, _owner) = editor();
    let history = window().history().unwrap();
    history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some("?edit&range=6h&title=Ours")).unwrap();
    editor.begin();
    settle().await;
    assert_eq!(window().location().search().unwrap(), "?edit&range=6h&title=Ours");
    editor.end();
    settle().await;
    assert_eq!(window().location().search().unwrap(), "?range=6h");
    history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some("?")).unwrap();
}

#[wasm_bindgen_test]
async fn another_edition_on_the_server_is_a_conflict_at_once() {
    let (place, editor, _owner) = editor();
    editor.begin();
    settle().await;
    assert!(find(&place, "trouble").is_none());
    let theirs = "\"ffffffffffffffffffffffffffffffff\"".parse().unwrap();
    editor.set_edition(Edition::made(theirs, json::read(r#"{ "title": "Theirs" }"#).unwrap()));
    settle().await;
    assert!(part(&place, "trouble").text_content().unwrap().contains("Someone else has changed this board"));
    assert_eq!(editor.board().unwrap().title.as_deref(), Some("Ours"), "mine is still there");
    part(&place, "peek").click();
    settle().await;
    assert_eq!(editor.board(), None, "theirs is shown");
    assert!(find(&place, "handle").is_none(), "and cannot be moved");
    part(&place, "take-theirs").click();
    settle().await;
    assert!(find(&place, "trouble").is_none() && find(&place, "editbar").is_none());
}

#[wasm_bindgen_test]
async fn a_theme_is_set_on_the_page_and_remembered() {
    let root = document().document_element().unwrap();
    Theme::Dark.choose();
    assert_eq!(root.get_attribute("data-theme").as_deref(), Some("dark"));
    let stored = window().local_storage().unwrap().unwrap().get_item("pulseboard.theme").unwrap();
    assert_eq!(stored.as_deref(), Some("dark"));
    Theme::turn();
    assert_eq!((Theme::current(), root.get_attribute("data-theme")), (Theme::System, None));
}
