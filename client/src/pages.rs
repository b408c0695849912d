//! The pages other than a single board at a desk: the home page, an empty board, a wall screen, and the messages for
//! wrong addresses. They are one lazily loaded module.

use leptos::html::Span;
use leptos::prelude::*;
use shared::BoardId;

use crate::app::{masthead, page_wide};
use crate::board::empty::EmptyBoard;
use crate::browser;
use crate::dynamic::effect;
use crate::home::HomePage;
use crate::kiosk::show;
use crate::lazy::module;
use crate::part::Part;
use crate::route::Route;

/// The functions of the module that the rest of the page calls.
pub struct Pages {
    /// The page of a route that is not a board; empty for a board.
    pub page: fn(Route) -> Part,
    /// The hint on an empty board.
    pub empty: fn(BoardId) -> Part,
    /// A wall screen at a route.
    pub wall: fn(&Route) -> Part,
}

module! {
    /// The module.
    pub static PAGES: Pages = elsewhere, Pages { page, empty, wall: show::page }
}

fn page(route: Route) -> Part {
    Part::of_view(match route {
        Route::Home => view! { <HomePage/> }.into_any(),
        Route::NoBoard { given, why } => view! { <NoBoardPage given why=why.to_string()/> }.into_any(),
        Route::Unknown => view! { <UnknownPage/> }.into_any(),
        Route::Board(_) => ().into_any(),
    })
}

fn empty(id: BoardId) -> Part {
    Part::of_view(view! { <EmptyBoard id/> }.into_any())
}

/// The page for an address that cannot be a board's.
#[component]
fn NoBoardPage(
    /// The board id in the address.
    given: String,
    /// The reason why it is invalid.
    why: String,
) -> impl IntoView {
    document().set_title("No board – Pulseboard");
    view! {
        <Head title="No such board"/>
        <main class="words" data-testid="invalid-board">
            <p><code>{given}</code> " cannot be the name of a board: " {why} "."</p>
            <p>
                "The name of a board is one word of 1 to 64 letters, digits and "
                <code>"_ . : -"</code> ", such as " <code>"ops"</code> ". " <a href=browser::root()>"All boards"</a> "."
            </p>
        </main>
    }
}

#[component]
fn UnknownPage() -> impl IntoView {
    document().set_title("Nothing here – Pulseboard");
    view! {
        <Head title="Nothing here"/>
        <main class="words">
            <p>"There is no page at this address. " <a href=browser::root()>"All boards"</a> "."</p>
        </main>
    }
}

/// The head of a page of text.
#[component]
pub fn Head(
    /// The heading of the page.
    title: &'static str,
) -> impl IntoView {
    host(masthead(move || title.to_owned(), page_wide()))
}

/// Wraps a part as a Leptos view.
#[must_use]
pub fn host(part: Part) -> AnyView {
    let host = NodeRef::<Span>::new();
    effect(move || {
        if let Some(host) = host.get() {
            _ = host.append_child(part.element());
        }
    });
    view! { <span class="host" node_ref=host></span> }.into_any()
}
