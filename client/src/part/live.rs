//! The parts of an element that follow signals: text, attributes, properties and children.

use leptos::prelude::{Owner, RenderEffect, untrack};
use web_sys::Element;

use super::Part;
use crate::dynamic::LocalValue;

/// The reactive part of an element.
enum Slot {
    Text,
    Attribute(&'static str),
    /// A property instead of an attribute: a user may have edited the value of a field, and the page's content
    /// security policy blocks the attribute `style`.
    Property(&'static str),
    Hidden,
}

// Boxes the closures at once: code that is generic over them would be compiled anew for each.

impl Part {
    /// Replaces the content by a text that follows signals.
    #[must_use]
    pub fn live_text(self, words: impl Fn() -> String + 'static) -> Self {
        self.follow(Slot::Text, Box::new(words))
    }

    /// Sets an attribute that follows signals.
    #[must_use]
    pub fn live(self, name: &'static str, value: impl Fn() -> String + 'static) -> Self {
        self.follow(Slot::Attribute(name), Box::new(value))
    }

    /// Sets the value of an input or select, which follows signals.
    #[must_use]
    pub fn live_value(self, value: impl Fn() -> String + 'static) -> Self {
        self.follow(Slot::Property("value"), Box::new(value))
    }

    /// Sets a reactive style, such as `--share: 0.5`.
    #[must_use]
    pub fn live_style(self, style: impl Fn() -> String + 'static) -> Self {
        self.follow(Slot::Property("style"), Box::new(style))
    }

    /// Hides the element while `hidden` returns true.
    #[must_use]
    pub fn hidden(self, hidden: impl Fn() -> bool + 'static) -> Self {
        self.follow(Slot::Hidden, Box::new(move || if hidden() { "hidden".to_owned() } else { String::new() }))
    }

    /// Replaces all children by those that `inside` returns. They are made anew whenever a signal changes that
    /// `inside` reads.
    #[must_use]
    pub fn live_inside(self, inside: impl Fn() -> Vec<Self> + 'static) -> Self {
        self.follow_inside(Box::new(inside))
    }

    /// Shows one child for each key, in the order of the keys. A child whose key stays is not made anew, and is moved
    /// only if its place changes.
    #[must_use]
    pub fn live_list(self, keys: impl Fn() -> Vec<String> + 'static, make: impl Fn(&str) -> Self + 'static) -> Self {
        self.follow_list(Box::new(keys), Box::new(make))
    }

    fn follow(self, slot: Slot, words: Box<dyn Fn() -> String>) -> Self {
        let element = self.0.clone();
        let mut before: Option<String> = None;
        keep(Box::new(move || {
            let now = words();
            if before.as_ref() != Some(&now) {
                set(&element, &slot, &now);
                before = Some(now);
            }
        }));
        self
    }

    fn follow_inside(self, inside: Box<dyn Fn() -> Vec<Self>>) -> Self {
        let element = self.0.clone();
        keep(Box::new(move || {
            let inside = inside();
            element.set_text_content(None);
            inside.iter().for_each(|part| _ = element.append_child(&part.0));
        }));
        self
    }

    fn follow_list(self, keys: Box<dyn Fn() -> Vec<String>>, make: Box<dyn Fn(&str) -> Self>) -> Self {
        let element = self.0.clone();
        // Each child has an owner of its own, so that a later run of the effect does not end it.
        let here = Owner::current().unwrap_or_default();
        let mut there: Vec<(String, Owner, Self)> = Vec::new();
        keep(Box::new(move || {
            let keys = keys();
            there.retain(|(key, _, part)| {
                let stays = keys.contains(key);
                if !stays {
                    part.0.remove();
                }
                stays
            });
            let mut next = element.first_child();
            for key in keys {
                let known = there.iter().position(|(other, ..)| *other == key);
                let at = known.unwrap_or_else(|| {
                    let owner = here.with(Owner::new);
                    let part = owner.with(|| untrack(|| make(&key)));
                    there.push((key, owner, part));
                    there.len() - 1
                });
                let (.., part) = &there[at];
                if next.as_ref().is_some_and(|next| next.is_same_node(Some(&part.0))) {
                    next = part.0.next_sibling();
                } else {
                    // `insert_before` fails only where the child contains the element.
                    _ = element.insert_before(&part.0, next.as_ref());
                }
            }
        }));
        self
    }
}

/// Runs now, and again when a signal changes that it read, until the owner ends.
fn keep(mut run: Box<dyn FnMut()>) {
    _ = LocalValue::new(RenderEffect::new(move |_| run()));
}

fn set(element: &Element, slot: &Slot, now: &str) {
    // These fail only for invalid names.
    _ = match slot {
        Slot::Text => {
            element.set_text_content(Some(now));
            Ok(())
        }
        Slot::Attribute(name) => element.set_attribute(name, now),
        Slot::Property(name) => js_sys::Reflect::set(element, &(*name).into(), &now.into()).map(|_| ()),
        Slot::Hidden if now.is_empty() => element.remove_attribute("hidden"),
        Slot::Hidden => element.set_attribute("hidden", ""),
    };
}
