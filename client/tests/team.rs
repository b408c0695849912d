//! Tests of the browser's locks and channels among tabs, in a real browser.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Promise;
use leptos::prelude::set_timeout;
use pulseboard_client::stream::share::lock::{LockMode, LockOutcome};
use pulseboard_client::stream::share::message::TabMessage;
use pulseboard_client::stream::share::team::{Team, TeamEvent};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// All events so far, in order.
type All = Rc<RefCell<Vec<TeamEvent>>>;

fn join(name: &str) -> (Team, All) {
    let all = All::default();
    // The listener must be `Copy`, so its state is leaked.
    let heard: &'static All = Box::leak(Box::new(all.clone()));
    (Team::join(name, move |what| heard.borrow_mut().push(what)).unwrap(), all)
}

/// Waits for this many events.
async fn heard(all: &All, count: usize) -> Vec<TeamEvent> {
    while all.borrow().len() < count {
        let turn = Promise::new(&mut |done, _| {
            set_timeout(move || _ = done.call0(&wasm_bindgen::JsValue::NULL), std::time::Duration::from_millis(5));
        });
        JsFuture::from(turn).await.unwrap();
    }
    all.borrow().clone()
}

const GRANTED: TeamEvent = TeamEvent::Lock(LockOutcome::Granted);
const STOLEN: TeamEvent = TeamEvent::Lock(LockOutcome::Stolen);

#[wasm_bindgen_test]
async fn one_has_the_lock_and_when_it_goes_the_next() {
    let (first, of_first) = join("a team that takes turns");
    assert_eq!(heard(&of_first, 1).await, [GRANTED]);
    let (second, of_second) = join("a team that takes turns");
    first.say(&TabMessage::RollCall);
    assert_eq!(heard(&of_second, 1).await, [TeamEvent::Message(TabMessage::RollCall)], "it waits, and hears");
    drop(first);
    assert_eq!(heard(&of_second, 2).await[1], GRANTED);
    drop(second);
}

#[wasm_bindgen_test]
async fn who_is_robbed_of_the_lock_is_told_and_can_wait_for_it() {
    let (mut first, of_first) = join("a team with a thief");
    assert_eq!(heard(&of_first, 1).await, [GRANTED]);
    let (mut second, of_second) = join("a team with a thief");
    second.ask(LockMode::Steal);
    assert_eq!(heard(&of_second, 1).await, [GRANTED]);
    assert_eq!(heard(&of_first, 2).await, [GRANTED, STOLEN]);
    first.ask(LockMode::Queue);
    drop(second);
    assert_eq!(heard(&of_first, 3).await[2], GRANTED);
}
