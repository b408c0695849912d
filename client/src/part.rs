//! Elements that are made and updated by hand.
//!
//! A Leptos view has a type of its own for each element, with its own code to build it and rebuild it: some hundreds
//! of bytes each, a quarter of the page that every user waits for. A [`Part`] has one type for all elements. Its
//! reactive parts follow signals all the same, and end with the reactive owner that they were made under. Pages of
//! text that are fetched on demand are Leptos views; [`Part::of_view`] takes them in.

mod live;

use leptos::prelude::*;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Element, Event, EventTarget, HtmlElement, KeyboardEvent};

use crate::dynamic::LocalValue;
use crate::stream::listener::Listener;

/// An element. Clones refer to the same one.
#[derive(Clone, Debug)]
pub struct Part(Element);

impl Part {
    /// Makes an element with this tag and class.
    ///
    /// # Panics
    /// If the tag name is invalid.
    #[must_use]
    pub fn new(tag: &str, class: &str) -> Self {
        Self::made(document().create_element(tag), class)
    }

    /// Makes a button with a label; tests find it by `testid`.
    #[must_use]
    pub fn button(label: &str, testid: &str, click: impl Fn() + 'static) -> Self {
        let button = Self::new("button", "button").with("type", "button").with("data-testid", testid);
        button.text(label).on("click", move |_| click())
    }

    /// Makes an element of a drawing (SVG).
    ///
    /// # Panics
    /// If the tag name is invalid.
    #[must_use]
    pub fn drawn(tag: &str, class: &str) -> Self {
        Self::made(document().create_element_ns(Some("http://www.w3.org/2000/svg"), tag), class)
    }

    fn made(element: Result<Element, JsValue>, class: &str) -> Self {
        // Avoids `expect`: formatting the JavaScript exception would take a good part of a kilobyte.
        let Ok(element) = element else { unreachable!("the tag is a word") };
        if class.is_empty() { Self(element) } else { Self(element).with("class", class) }
    }

    /// Makes a small icon beside words that say the same, from the inner markup of an SVG.
    #[must_use]
    pub fn sign(class: &str, drawing: &'static str) -> Self {
        Self::drawn("svg", class).with("viewBox", "0 0 16 16").with("aria-hidden", "true").put_drawing(drawing)
    }

    /// Sets the inner markup of an icon, in a square of 16 by 16. The browser parses it as markup, so it must be a
    /// constant of the program and never outside data.
    #[must_use]
    pub fn put_drawing(self, drawing: &'static str) -> Self {
        self.0.set_inner_html(drawing);
        self
    }

    /// Makes a hidden, empty element.
    #[must_use]
    pub fn nothing() -> Self {
        Self::new("span", "").with("hidden", "")
    }

    /// Hosts a Leptos view, in an element that takes no room of its own.
    #[must_use]
    pub fn of_view(view: AnyView) -> Self {
        let host = Self::new("div", "host");
        let mut state = view.build();
        state.mount(&host.0, None);
        // Keeps the view until the owner ends.
        _ = LocalValue::new(state);
        host
    }

    /// Sets an attribute.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        // Setting it fails only for an invalid name.
        _ = self.0.set_attribute(name, value);
        self
    }

    /// Sets a style, such as `--share: 0.5`. Sets the property, since the page's content security policy blocks the
    /// attribute.
    #[must_use]
    pub fn style(self, style: &str) -> Self {
        _ = js_sys::Reflect::set(&self.0, &"style".into(), &style.into());
        self
    }

    /// Appends a text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        _ = self.0.append_with_str_1(text);
        self
    }

    /// Appends other parts.
    #[must_use]
    pub fn put_all(self, children: impl IntoIterator<Item = Self>) -> Self {
        children.into_iter().fold(self, |this, child| this.put(&child))
    }

    /// Appends another part.
    #[must_use]
    pub fn put(self, child: &Self) -> Self {
        _ = self.0.append_child(&child.0);
        self
    }

    /// Calls `heard` on each event of this type.
    #[must_use]
    pub fn on(self, kind: &'static str, heard: impl FnMut(Event) + 'static) -> Self {
        let heard: Box<dyn FnMut(Event)> = Box::new(heard);
        listen(&self.0, kind, heard);
        self
    }

    /// Returns the element.
    #[must_use]
    pub fn element(&self) -> &Element {
        &self.0
    }

    /// Casts the element to its DOM type.
    #[must_use]
    pub fn as_a<E: wasm_bindgen::JsCast>(&self) -> Option<&E> {
        self.0.dyn_ref()
    }
}

/// Calls `heard` on each event of this type on the window, until the owner ends.
pub fn on_window(kind: &'static str, heard: impl FnMut(Event) + 'static) {
    let heard: Box<dyn FnMut(Event)> = Box::new(heard);
    listen(&window(), kind, heard);
}

fn listen(target: &EventTarget, kind: &'static str, heard: Box<dyn FnMut(Event)>) {
    // Keeps the listener until the owner ends.
    _ = LocalValue::new(Listener::new(target, kind, heard));
}

/// Returns the pressed key, unless the user types into a field or a dialog is open.
#[must_use]
pub fn key_for_page(event: Event) -> Option<KeyboardEvent> {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let written = target.is_some_and(|target| matches!(target.closest("input, textarea, select"), Ok(Some(_))));
    let behind = matches!(document().query_selector("dialog[open]"), Ok(Some(_)));
    event.dyn_into().ok().filter(|_| !written && !behind)
}

/// Returns the value of the field that an event comes from.
#[must_use]
pub fn written(event: &Event) -> String {
    event_target_value(event)
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

/// Makes a modal dialog, which keeps the focus until it is closed.
#[must_use]
pub fn sheet(title: &str, testid: &str, inside: &Part, close: impl Fn() + 'static) -> Part {
    let head = Part::new("h2", "").text(title);
    let sheet = Part::new("dialog", "sheet").with("data-testid", testid).with("aria-label", title);
    let sheet = sheet.put(&head).put(inside).on("close", move |_| close());
    let dialog = sheet.clone();
    // A dialog can be opened only once it is in the page.
    request_animation_frame(move || {
        if let Some(dialog) = dialog.as_a::<web_sys::HtmlDialogElement>()
            && dialog.is_connected()
            && !dialog.open()
        {
            _ = dialog.show_modal();
        }
    });
    sheet
}
