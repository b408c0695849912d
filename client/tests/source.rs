//! Tests of the wrapper of EventSource, in a real browser.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Promise;
use pulseboard_client::stream::source::{Source, SourceEvent};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{Event, EventSource, MessageEvent, MessageEventInit};

wasm_bindgen_test_configure!(run_in_browser);

/// All events so far, in order.
type WidgetSeries = Rc<RefCell<Vec<SourceEvent>>>;

/// The page of the test runner is not an event stream, so the browser gives up at once.
const NO_STREAM: &str = "/?no-stream";

fn message(id: &str, data: &str) -> MessageEvent {
    let init = MessageEventInit::new();
    init.set_data(&JsValue::from_str(data));
    init.set_last_event_id(id);
    MessageEvent::new_with_event_init_dict("message", &init).unwrap()
}

fn open(url: &str) -> (Source, WidgetSeries) {
    let told = WidgetSeries::default();
    let listener = told.clone();
    (Source::open(url, move |happened| listener.borrow_mut().push(happened)).unwrap(), told)
}

/// Waits for the next event of a type that the EventSource dispatches.
async fn next(source: &EventSource, kind: &str) {
    let wait = Promise::new(&mut |resolve, _| source.add_event_listener_with_callback(kind, &resolve).unwrap());
    JsFuture::from(wait).await.unwrap();
}

#[wasm_bindgen_test]
async fn an_address_that_is_no_stream_is_told_as_given_up() {
    let (source, told) = open(NO_STREAM);
    next(source.raw(), "error").await;
    assert_eq!(*told.borrow(), [SourceEvent::Failed { gave_up: true }]);
}

#[wasm_bindgen_test]
async fn an_address_where_nobody_listens_is_told_and_tried_again_by_the_browser() {
    // This port is neither reserved nor handed out to programs, so nothing listens on it.
    let (source, told) = open("http://127.0.0.1:1033/");
    next(source.raw(), "error").await;
    assert_eq!(*told.borrow(), [SourceEvent::Failed { gave_up: false }]);
}

#[wasm_bindgen_test]
fn a_message_is_told_with_its_id_and_its_data() {
    let (source, told) = open(NO_STREAM);
    source.raw().dispatch_event(&Event::new("open").unwrap()).unwrap();
    source.raw().dispatch_event(&message("0badcafe-7", "{}")).unwrap();
    let expected = [SourceEvent::Opened, SourceEvent::Message { id: "0badcafe-7".into(), data: "{}".into() }];
    assert_eq!(*told.borrow(), expected);
}

#[wasm_bindgen_test]
fn after_it_is_dropped_it_is_closed_and_tells_nothing() {
    let (source, told) = open(NO_STREAM);
    let raw = source.raw().clone();
    drop(source);
    assert_eq!(raw.ready_state(), EventSource::CLOSED);
    raw.dispatch_event(&message("0badcafe-8", "{}")).unwrap();
    raw.dispatch_event(&Event::new("error").unwrap()).unwrap();
    assert!(told.borrow().is_empty());
    assert_eq!(Rc::strong_count(&told), 1, "the listener is gone too");
}
