//! Elements that are made and kept up by hand.
//!
//! A view of Leptos has a type of its own for each element, with code of its own to build it: some hundreds of bytes each.
//! That is well spent where values change twenty times a second, and too much for a form that few open: what is made here
//! has one type, whatever it looks like. What is live follows signals all the same, and ends with the reactive owner that
//! it was made under.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, Event, EventTarget, HtmlElement};

use crate::dynamic::effect;
use crate::stream::listener::Listener;

/// An element. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Part(Element);

/// What of an element is live.
enum Slot {
    Text,
    Attribute(&'static str),
    Hidden,
}

impl Part {
    /// An element with this tag and class.
    ///
    /// # Panics
    /// Where the tag can be none.
    #[must_use]
    pub fn new(tag: &str, class: &str) -> Self {
        let element = document().create_element(tag).expect("the tag is a word");
        Self(element).with("class", class)
    }

    /// A button with a word on it; found by tests under `testid`.
    #[must_use]
    pub fn button(label: &str, testid: &str, click: impl Fn() + 'static) -> Self {
        let button = Self::new("button", "button").with("type", "button").with("data-testid", testid);
        button.text(label).on("click", move |_| click())
    }

    /// A small drawing, of one stroke on a ground of 16 by 16.
    #[must_use]
    pub fn icon(path: &str) -> Self {
        let span = Self::new("span", "glyph");
        span.0.set_inner_html(&format!("<svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path d=\"{path}\"/></svg>"));
        span
    }

    /// With an attribute.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        // It fails only for names that are none.
        _ = self.0.set_attribute(name, value);
        self
    }

    /// With this text after what is in it.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        _ = self.0.append_with_str_1(text);
        self
    }

    /// With another part after what is in it.
    #[must_use]
    pub fn put(self, child: &Self) -> Self {
        _ = self.0.append_child(&child.0);
        self
    }

    // What is live is boxed at once: code that is generic over it would be made anew for each.

    /// With a text that follows what it reads.
    #[must_use]
    pub fn live_text(self, words: impl Fn() -> String + 'static) -> Self {
        self.follow(Slot::Text, Box::new(words))
    }

    /// With an attribute that follows what it reads.
    #[must_use]
    pub fn live(self, name: &'static str, value: impl Fn() -> String + 'static) -> Self {
        self.follow(Slot::Attribute(name), Box::new(value))
    }

    /// Hidden while that is so.
    #[must_use]
    pub fn hidden(self, hidden: impl Fn() -> bool + 'static) -> Self {
        self.follow(Slot::Hidden, Box::new(move || if hidden() { "hidden".to_owned() } else { String::new() }))
    }

    /// With nothing in it but what `inside` gives, made anew whenever what that reads changes.
    #[must_use]
    pub fn live_inside(self, inside: impl Fn() -> Vec<Self> + 'static) -> Self {
        self.follow_inside(Box::new(inside))
    }

    fn follow(self, slot: Slot, words: Box<dyn Fn() -> String>) -> Self {
        let element = self.0.clone();
        let mut before: Option<String> = None;
        effect(move || {
            let now = words();
            if before.as_ref() != Some(&now) {
                // They fail only for names that are none.
                _ = match slot {
                    Slot::Text => {
                        element.set_text_content(Some(&now));
                        Ok(())
                    }
                    Slot::Attribute(name) => element.set_attribute(name, &now),
                    Slot::Hidden if now.is_empty() => element.remove_attribute("hidden"),
                    Slot::Hidden => element.set_attribute("hidden", ""),
                };
                before = Some(now);
            }
        });
        self
    }

    fn follow_inside(self, inside: Box<dyn Fn() -> Vec<Self>>) -> Self {
        let element = self.0.clone();
        effect(move || {
            let inside = inside();
            element.set_text_content(None);
            inside.iter().for_each(|part| _ = element.append_child(&part.0));
        });
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

    /// It as a view, in a place that takes no room of its own.
    #[must_use]
    pub fn view(self) -> AnyView {
        let host = NodeRef::<html::Span>::new();
        effect(move || {
            if let Some(host) = host.get() {
                _ = host.append_child(&self.0);
            }
        });
        view! { <span class="host" node_ref=host></span> }.into_any()
    }
}

/// Calls `heard` on each event of this type on the window, for as long as the owner lives.
pub fn on_window(kind: &'static str, heard: impl FnMut(Event) + 'static) {
    let heard: Box<dyn FnMut(Event)> = Box::new(heard);
    listen(&window(), kind, heard);
}

fn listen(target: &EventTarget, kind: &'static str, heard: Box<dyn FnMut(Event)>) {
    // It goes with the owner.
    StoredValue::new_local(Listener::new(target, kind, heard));
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
