//! What of an element follows signals.

use leptos::prelude::{Owner, RenderEffect, untrack};
use web_sys::Element;

use super::Part;
use crate::dynamic::LocalValue;

/// What of an element is live.
enum Slot {
    Text,
    Attribute(&'static str),
    /// A property instead of an attribute: a user may have edited the value of a field, and the page's content security
    /// policy blocks the attribute `style`.
    Property(&'static str),
    Hidden,
}

// What is live is boxed at once: code that is generic over it would be made anew for each.

impl Part {
    /// With a text that follows what it reads, in the place of what is in it.
    #[must_use]
    pub fn live_text(self, words: impl Fn() -> String + 'static) -> Self {
        self.follow(Slot::Text, Box::new(words))
    }

    /// With an attribute that follows what it reads.
    #[must_use]
    pub fn live(self, name: &'static str, value: impl Fn() -> String + 'static) -> Self {
        self.follow(Slot::Attribute(name), Box::new(value))
    }

    /// With a value that follows what it reads, as a field or a choice has it.
    #[must_use]
    pub fn live_value(self, value: impl Fn() -> String + 'static) -> Self {
        self.follow(Slot::Property("value"), Box::new(value))
    }

    /// Sets a reactive style, such as `--share: 0.5`.
    #[must_use]
    pub fn live_style(self, style: impl Fn() -> String + 'static) -> Self {
        self.follow(Slot::Property("style"), Box::new(style))
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

    /// With a part for each key, in their order; one whose key stays is not made anew, and not moved but where it must be.
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
        // Each lives under an owner of its own, which none of the runs below ends.
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
                    // It fails only for what holds the element itself.
                    _ = element.insert_before(&part.0, next.as_ref());
                }
            }
        }));
        self
    }
}

/// Runs now, and whenever a signal changes that it read, for as long as the owner lives.
fn keep(mut run: Box<dyn FnMut()>) {
    _ = LocalValue::new(RenderEffect::new(move |_| run()));
}

fn set(element: &Element, slot: &Slot, now: &str) {
    // They fail only for names that are none.
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
