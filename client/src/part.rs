//! Elements that are made and kept up by hand.
//!
//! A view of Leptos has a type of its own for each element, with code of its own to build it and to build it anew: some
//! hundreds of bytes each, a quarter of the page that everyone waits for. What is made here has one type, whatever it looks
//! like. What is live in it follows signals all the same, and ends with the reactive owner that it was made under.
//! Pages of words that are fetched when they are wanted are Leptos' views; [`Part::of_view`] takes them in.

mod live;

use leptos::prelude::*;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Element, Event, EventTarget, HtmlElement, KeyboardEvent};

use crate::dynamic::LocalValue;
use crate::stream::listener::Listener;

/// An element. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Part(Element);

impl Part {
    /// An element with this tag and class.
    ///
    /// # Panics
    /// Where the tag can be none.
    #[must_use]
    pub fn new(tag: &str, class: &str) -> Self {
        Self::made(document().create_element(tag), class)
    }

    /// A button with a word on it; found by tests under `testid`.
    #[must_use]
    pub fn button(label: &str, testid: &str, click: impl Fn() + 'static) -> Self {
        let button = Self::new("button", "button").with("type", "button").with("data-testid", testid);
        button.text(label).on("click", move |_| click())
    }

    /// An element of a drawing (SVG).
    ///
    /// # Panics
    /// Where the tag can be none.
    #[must_use]
    pub fn drawn(tag: &str, class: &str) -> Self {
        Self::made(document().create_element_ns(Some("http://www.w3.org/2000/svg"), tag), class)
    }

    fn made(element: Result<Element, JsValue>, class: &str) -> Self {
        // Not `expect`: to write what JavaScript threw takes a good part of a kilobyte.
        let Ok(element) = element else { unreachable!("the tag is a word") };
        if class.is_empty() { Self(element) } else { Self(element).with("class", class) }
    }

    /// A small drawing that stands beside words which say the same.
    #[must_use]
    pub fn sign(class: &str, drawing: &'static str) -> Self {
        Self::drawn("svg", class).with("viewBox", "0 0 16 16").with("aria-hidden", "true").put_drawing(drawing)
    }

    /// With what a set of icons has for one, on a ground of 16 by 16, as all that is in it. It is taken as markup, so it is
    /// written in the program, and never told by anyone.
    #[must_use]
    pub fn put_drawing(self, drawing: &'static str) -> Self {
        self.0.set_inner_html(drawing);
        self
    }

    /// Nothing that is seen.
    #[must_use]
    pub fn nothing() -> Self {
        Self::new("span", "").with("hidden", "")
    }

    /// A view of Leptos, in a place that takes no room of its own.
    #[must_use]
    pub fn of_view(view: AnyView) -> Self {
        let host = Self::new("div", "host");
        let mut state = view.build();
        state.mount(&host.0, None);
        // It goes with the owner.
        _ = LocalValue::new(state);
        host
    }

    /// With an attribute.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        // It fails only for names that are none.
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

    /// With this text after what is in it.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        _ = self.0.append_with_str_1(text);
        self
    }

    /// With other parts after what is in it.
    #[must_use]
    pub fn put_all(self, children: impl IntoIterator<Item = Self>) -> Self {
        children.into_iter().fold(self, |this, child| this.put(&child))
    }

    /// With another part after what is in it.
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

    /// The element.
    #[must_use]
    pub fn element(&self) -> &Element {
        &self.0
    }

    /// The element as what it is known to be.
    #[must_use]
    pub fn as_a<E: wasm_bindgen::JsCast>(&self) -> Option<&E> {
        self.0.dyn_ref()
    }
}

/// Calls `heard` on each event of this type on the window, for as long as the owner lives.
pub fn on_window(kind: &'static str, heard: impl FnMut(Event) + 'static) {
    let heard: Box<dyn FnMut(Event)> = Box::new(heard);
    listen(&window(), kind, heard);
}

fn listen(target: &EventTarget, kind: &'static str, heard: Box<dyn FnMut(Event)>) {
    // It goes with the owner.
    _ = LocalValue::new(Listener::new(target, kind, heard));
}

/// The key that was pressed, unless it is meant for a field, or for a form in front of the page.
#[must_use]
pub fn key_for_page(event: Event) -> Option<KeyboardEvent> {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let written = target.is_some_and(|target| matches!(target.closest("input, textarea, select"), Ok(Some(_))));
    let behind = matches!(document().query_selector("dialog[open]"), Ok(Some(_)));
    event.dyn_into().ok().filter(|_| !written && !behind)
}

/// What is written in the field that an event is about.
#[must_use]
pub fn written(event: &Event) -> String {
    event_target_value(event)
}

/// Gives the first element that fits the focus, once all is where it will be.
pub fn focus(selector: String) {
    request_animation_frame(move || {
        let found = document().query_selector(&selector).ok().flatten();
        if let Some(found) = found.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
            _ = found.focus();
        }
    });
}

/// A form in front of the page, which keeps the focus until it is closed.
#[must_use]
pub fn sheet(title: &str, testid: &str, inside: &Part, close: impl Fn() + 'static) -> Part {
    let head = Part::new("h2", "").text(title);
    let sheet = Part::new("dialog", "sheet").with("data-testid", testid).with("aria-label", title);
    let sheet = sheet.put(&head).put(inside).on("close", move |_| close());
    let dialog = sheet.clone();
    // It can be opened once it is in the page.
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
