//! Starts the page: mounts the view for the address, and provides the head of every page.

use leptos::ev;
use leptos::mount::mount_to;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

use crate::board::page::{BoardPage, Screen};
use crate::chart::frames::is_dark;
use crate::dom::{close_menus, is_command, on_window};
use crate::lazy::Placeholder;
use crate::pages::PAGES;
use crate::route::Route;
use crate::theme::{Theme, ThemeSwitch};
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
    mount_to(place, move || view! { <App route/> }).forget();
}

/// The page of a route, or the wall screen of it.
#[component]
pub fn App(
    /// The route of the address.
    route: Route,
) -> impl IntoView {
    if browser::query_has("kiosk") {
        return PAGES.view(Placeholder::Nothing, move |pages| (pages.wall)(route.clone()));
    }
    on_window(ev::keydown, |event| {
        if !is_command(&event) || event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        match event.key().as_str() {
            "t" => Theme::turn(),
            "?" => help::open(),
            _ => {}
        }
    });
    close_menus();
    // Canvases stay as they were painted on the screen: print.css inverts those of a dark page.
    on_window(ev::Custom::<web_sys::Event>::new("beforeprint"), |_| {
        if let Some(root) = document().document_element() {
            _ = root.set_attribute("data-painted", if is_dark() { "dark" } else { "light" });
        }
    });
    match route {
        Route::Board(id) => view! { <BoardPage id screen=Screen::Desk/> }.into_any(),
        other => PAGES.view(Placeholder::Nothing, move |pages| (pages.page)(other.clone())),
    }
}

/// The head of every page: the link home, the title, and the children beside it.
#[component]
pub fn Masthead(
    /// The title.
    #[prop(into)]
    title: Signal<String>,
    /// The elements beside the title.
    children: Children,
) -> impl IntoView {
    view! {
        <header class="masthead">
            <a class="wordmark" href=browser::root() aria-label="Pulseboard, all boards">
                <svg class="wordmark-line" viewBox="0 0 32 20" aria-hidden="true">
                    <path d="M1 12h7l4-9 6 15 4-10 2 4h7"></path>
                </svg>
                <span class="wordmark-name">"Pulseboard"</span>
            </a>
            <h1 class="title">{move || title.get()}</h1>
            <div class="masthead-side">{children()}</div>
        </header>
    }
}

/// The buttons of every page: the theme and the keyboard help.
#[component]
pub fn PageButtons() -> impl IntoView {
    view! {
        <ThemeSwitch/>
        <button class="quiet" type="button" data-testid="keys" on:click=|_| help::open()>
            "Keys (?)"
        </button>
    }
}
