//! Helpers for the DOM: listeners on the window, keys, and the focus.

use leptos::ev::{self, EventDescriptor};
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

/// Closes menus (`details.menu`) by Escape, which leaves the focus on their button, and by a click elsewhere, until the
/// reactive owner is disposed of.
pub fn close_menus() {
    on_window(ev::pointerdown, |event| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let inside = target.and_then(|target| target.closest(OPEN_MENU).ok().flatten());
        for menu in open_menus().filter(|menu| inside.as_ref() != Some(menu)) {
            _ = menu.remove_attribute("open");
        }
    });
    on_window(ev::keydown, |event| {
        // A browser that fills in a field dispatches a plain `Event` here, which has no key.
        if event.has_type::<KeyboardEvent>() && event.key() == "Escape" {
            for menu in open_menus() {
                _ = menu.remove_attribute("open");
                let button = menu.query_selector("summary").ok().flatten();
                if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
                    _ = button.focus();
                }
            }
        }
    });
}

/// Calls `close` by Escape and by a click outside of the elements that match `inside`, until the reactive owner is
/// disposed of.
pub fn on_leave(inside: &'static str, close: impl Fn() + Copy + 'static) {
    on_window(ev::pointerdown, move |event| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if target.is_none_or(|target| !matches!(target.closest(inside), Ok(Some(_)))) {
            close();
        }
    });
    on_window(ev::keydown, move |event| {
        if event.has_type::<KeyboardEvent>() && event.key() == "Escape" {
            close();
        }
    });
}

/// Selects a menu that is open.
const OPEN_MENU: &str = "details.menu[open]";

fn open_menus() -> impl Iterator<Item = Element> {
    let found = document().query_selector_all(OPEN_MENU).ok();
    let count = found.as_ref().map_or(0, web_sys::NodeList::length);
    (0..count).filter_map(move |index| found.as_ref()?.get(index)?.dyn_into().ok())
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
