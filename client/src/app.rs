//! The page as a whole.

use std::any::Any;

use leptos::mount::mount_to;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

use crate::board::page::{BoardPage, NoBoardPage};
use crate::edit::bar::key_for_page;
use crate::home::HomePage;
use crate::kiosk::Kiosk;
use crate::kiosk::show;
use crate::part::{Part, on_window};
use crate::route::Route;
use crate::theme::{self, Theme};
use crate::{browser, help};

/// Puts the page that the address names in the place of the skeleton in `index.html`.
pub fn start() {
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&panic.to_string().into());
        // The values would stay as they are and look as if they were true: say that nothing moves any more.
        if let Some(broken) = document().get_element_by_id("broken") {
            _ = broken.remove_attribute("hidden");
        }
    }));
    let Some(place) = document().get_element_by_id("app").and_then(|element| element.dyn_into().ok()) else { return };
    let place: web_sys::HtmlElement = place;
    place.set_inner_html("");
    let route = Route::of(&browser::path());
    let board = if let Route::Board(id) = &route { Some(id) } else { None };
    let page: Box<dyn FnOnce() -> AnyView> = match Kiosk::of(&browser::query(), board) {
        Some(kiosk) => Box::new(|| show::page(kiosk)),
        None => Box::new(|| view! { <App route/> }.into_any()),
    };
    // It stays for as long as the page is open.
    Box::leak(mount(place, page));
}

/// Puts a view in a place, until what is given back is dropped.
pub fn mount(place: web_sys::HtmlElement, page: impl FnOnce() -> AnyView + 'static) -> Box<dyn Any> {
    let page: Box<dyn FnOnce() -> AnyView> = Box::new(page);
    Box::new(mount_to(place, page))
}

/// The page of a route.
#[component]
pub fn App(
    /// Which page.
    route: Route,
) -> impl IntoView {
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
        Route::Home => view! { <HomePage/> }.into_any(),
        Route::Board(id) => view! { <BoardPage id/> }.into_any(),
        Route::NoBoard { given, why } => view! { <NoBoardPage given why=why.to_string()/> }.into_any(),
        Route::Unknown => view! { <UnknownPage/> }.into_any(),
    }
}

/// The head of every page: the way home, what this is, and what belongs beside it.
#[component]
pub fn Masthead(
    /// The heading of the page.
    #[prop(into)]
    title: Signal<String>,
    /// What stands at the right.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let keys = Part::new("button", "quiet").with("type", "button").with("aria-label", "Keys").with("title", "Keys (?)");
    let keys = keys.text("?").on("click", |_| help::open());
    let page_wide = Part::new("span", "").put(&theme::switch()).put(&keys).view();
    view! {
        <header class="masthead">
            <a class="wordmark" href="/" aria-label="Pulseboard, all boards">
                <svg class="wordmark-line" viewBox="0 0 32 20" aria-hidden="true">
                    <path d="M1 12h7l4-9 6 15 4-10 2 4h7"/>
                </svg>
                <span class="wordmark-name">"Pulseboard"</span>
            </a>
            <h1 class="title">{title}</h1>
            <div class="masthead-side">
                {children.map(|children| children())}
                {page_wide}
            </div>
        </header>
    }
}

#[component]
fn UnknownPage() -> impl IntoView {
    document().set_title("Nothing here – Pulseboard");
    view! {
        <Masthead title="Nothing here"/>
        <main class="words">
            <p>"There is no page at this address. " <a href="/">"All boards"</a> "."</p>
        </main>
    }
}
