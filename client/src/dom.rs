//! Helpers for the DOM: listeners on the window, keys, and the focus.

use leptos::ev::EventDescriptor;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

/// Calls `handler` on each event of this type on the window, until the reactive owner is disposed of.
pub fn on_window<E>(event: E, handler: impl Fn(E::EventType) + 'static)
where
    E: EventDescriptor + 'static,
    E::EventType: JsCast,
{
    let handle = window_event_listener(event, handler);
    on_cleanup(move || handle.remove());
}

/// Returns true if a pressed key is a command to the page: the user does not type into a field, and no dialog is open.
#[must_use]
pub fn is_command(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let in_field = target.is_some_and(|target| matches!(target.closest("input, textarea, select"), Ok(Some(_))));
    let in_dialog = matches!(document().query_selector("dialog[open]"), Ok(Some(_)));
    !in_field && !in_dialog
}

/// Focuses the first element that matches the selector, in the next animation frame, when the page has been updated.
pub fn focus(selector: String) {
    request_animation_frame(move || {
        let found = document().query_selector(&selector).ok().flatten();
        if let Some(found) = found.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
            _ = found.focus();
        }
    });
}
