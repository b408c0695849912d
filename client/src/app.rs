//! Starts the page: chooses the view for the address, mounts it, and provides the head of every page.

use std::any::Any;

use any_spawner::Executor;
use leptos::prelude::{Owner, document};
use wasm_bindgen::JsCast as _;

use crate::board::page::{Screen, board_page};
use crate::lazy::Until;
use crate::pages::PAGES;
use crate::part::{Part, key_for_page, on_window};
use crate::route::Route;
use crate::theme::{self, Theme};
use crate::{browser, help};

/// Replaces the skeleton of `index.html` with the page that the address names.
pub fn start() {
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&panic.to_string().into());
        // The values would freeze and still look current, so show that the page has stopped.
        if let Some(broken) = document().get_element_by_id("broken") {
            _ = broken.remove_attribute("hidden");
        }
    }));
    let Some(place) = document().get_element_by_id("app").and_then(|element| element.dyn_into().ok()) else { return };
    let place: web_sys::HtmlElement = place;
    place.set_inner_html("");
    let route = Route::of(&browser::path());
    let page = move || {
        if browser::query_has("kiosk") {
            return PAGES.part(Until::Nothing, move |pages| (pages.wall)(&route));
        }
        app(route)
    };
    // Leaked, because it lives as long as the page.
    Box::leak(mount(&place, page));
}

/// Mounts a part in `place`. Its effects end when the returned value is dropped; the element stays in the document.
pub fn mount(place: &web_sys::HtmlElement, page: impl FnOnce() -> Part) -> Box<dyn Any> {
    // Fails if something was mounted before, since the executor then exists already.
    _ = Executor::init_wasm_bindgen();
    let owner = Owner::new();
    let page = owner.with(page);
    // Appending fails only if the element contains `place` itself.
    _ = place.append_child(page.element());
    Box::new(owner)
}

/// The page of a route.
#[must_use]
pub fn app(route: Route) -> Part {
    on_window("keydown", |event| {
        let Some(event) = key_for_page(event) else { return };
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        match event.key().as_str() {
            "t" => Theme::turn(),
            "?" => help::open(),
            _ => {}
        }
    });
    match route {
        Route::Board(id) => board_page(&id, Screen::Desk),
        other => PAGES.part(Until::Nothing, move |pages| (pages.page)(other.clone())),
    }
}

/// The head of every page: the link home, the title, and the elements `beside` it.
#[must_use]
pub fn masthead(title: impl Fn() -> String + 'static, beside: impl IntoIterator<Item = Part>) -> Part {
    let line = Part::drawn("path", "").with("d", "M1 12h7l4-9 6 15 4-10 2 4h7");
    let line = Part::drawn("svg", "wordmark-line").with("viewBox", "0 0 32 20").with("aria-hidden", "true").put(&line);
    let home = Part::new("a", "wordmark")
        .with("href", &browser::root())
        .with("aria-label", "Pulseboard, all boards")
        .put(&line);
    let home = home.put(&Part::new("span", "wordmark-name").text("Pulseboard"));
    let side = Part::new("div", "masthead-side").put_all(beside);
    Part::new("header", "masthead").put(&home).put(&Part::new("h1", "title").live_text(title)).put(&side)
}

/// The buttons of every page: the theme and the keyboard help.
#[must_use]
pub fn page_wide() -> [Part; 2] {
    let keys = Part::new("button", "quiet").with("type", "button").with("data-testid", "keys");
    [theme::switch(), keys.text("Keys (?)").on("click", |_| help::open())]
}
