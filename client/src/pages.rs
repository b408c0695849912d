//! The pages other than a single board at a desk: the home page, an empty board, a wall screen, and the messages for
//! wrong addresses. They are one lazily loaded module.

use leptos::prelude::*;
use shared::BoardId;

use crate::app::{Masthead, PageButtons};
use crate::board::empty::{Emptiness, EmptyBoard};
use crate::browser;
use crate::doctor::panel::DoctorPanel;
use crate::home::HomePage;
use crate::kiosk::show::WallScreen;
use crate::lazy::module;
use crate::route::Route;

/// The functions of the module that the rest of the page calls.
pub struct Pages {
    /// The page of a route that is not a board; empty for a board.
    pub page: fn(Route) -> AnyView,
    /// The hint on an empty board.
    pub empty: fn(BoardId, Emptiness) -> AnyView,
    /// A wall screen at a route.
    pub wall: fn(Route) -> AnyView,
    /// The panel of the stream doctor, which starts to measure when it is made.
    pub doctor: fn() -> AnyView,
}

module! {
    /// The module.
    pub static PAGES: Pages = pages, Pages { page, empty, wall, doctor }
}

fn page(route: Route) -> AnyView {
    match route {
        Route::Home => view! { <HomePage/> }.into_any(),
        Route::NoBoard { given, why } => view! { <NoBoardPage given why=why.to_string()/> }.into_any(),
        Route::Unknown => view! { <UnknownPage/> }.into_any(),
        Route::Board(_) => ().into_any(),
    }
}

fn empty(id: BoardId, why: Emptiness) -> AnyView {
    view! { <EmptyBoard id why/> }.into_any()
}

fn wall(route: Route) -> AnyView {
    view! { <WallScreen route/> }.into_any()
}

fn doctor() -> AnyView {
    view! { <DoctorPanel/> }.into_any()
}

/// The page for an address that cannot be a board's.
#[component]
fn NoBoardPage(
    /// The board id in the address.
    given: String,
    /// The reason why it is invalid.
    why: String,
) -> impl IntoView {
    browser::set_title("No board");
    view! {
        <Masthead title="No such board"><PageButtons/></Masthead>
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
    browser::set_title("Nothing here");
    view! {
        <Masthead title="Nothing here"><PageButtons/></Masthead>
        <main class="words">
            <p>"There is no page at this address. " <a href=browser::root()>"All boards"</a> "."</p>
        </main>
    }
}
