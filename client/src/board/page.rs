//! The page of one board.

use leptos::prelude::*;
use shared::BoardId;

use super::empty::EmptyBoard;
use super::tile::Tile;
use crate::app::Masthead;
use crate::badge::Badge;
use crate::chart::frames::Frames;
use crate::doctor::panel::Doctor;
use crate::live::Live;
use crate::reload;
use crate::stream::subscription::Subscription;

/// How many grey tiles stand where the real ones will be.
const SKELETONS: usize = 6;

/// A board: all series under its name, each as a tile.
#[component]
pub fn BoardPage(
    /// Which board.
    id: BoardId,
) -> impl IntoView {
    document().set_title(&format!("{id} – Pulseboard"));
    let live = Live::new();
    let frames = Frames::new();
    let stream = Subscription::open(id.selector(), live);
    let state = Memo::new(move |_| stream.standing.get().state);
    let empty = Memo::new(move |_| live.names.with(Vec::is_empty));
    let title = id.to_string();
    Effect::new(move || {
        if live.loaded.get() {
            request_animation_frame(reload::return_to_place);
        }
    });

    let tiles = move || match (live.loaded.get(), empty.get()) {
        (false, _) => (0..SKELETONS).map(|_| view! { <Skeleton/> }).collect_view().into_any(),
        (true, true) => view! { <EmptyBoard id=id.clone()/> }.into_any(),
        (true, false) => view! {
            <For each=move || live.names.get() key=Clone::clone let:name>
                <Tile name live frames clock=stream.clock server_now=stream.server_now/>
            </For>
        }
        .into_any(),
    };
    view! {
        <Masthead title>
            <Badge standing=stream.standing latency_ms=stream.latency_ms/>
        </Masthead>
        <main>
            <Outdated outdated=stream.outdated/>
            <p class="notice" role="status" data-testid="reason" hidden=move || stream.reason.with(Option::is_none)>
                {move || stream.reason.get()}
            </p>
            <div class="board" data-state=move || state.get().of_picture() aria-busy=move || (!live.loaded.get()).to_string()>
                {tiles}
            </div>
            <Doctor/>
        </main>
    }
}

/// A tile before there is anything to show, of the size that it will have.
#[component]
fn Skeleton() -> impl IntoView {
    view! { <div class="tile skeleton" aria-hidden="true"></div> }
}

#[component]
fn Outdated(outdated: RwSignal<bool>) -> impl IntoView {
    let reload = move |_| _ = window().location().reload();
    view! {
        <p class="notice" role="status" hidden=move || !outdated.get()>
            "A new version is here. "
            <button class="button" type="button" on:click=reload>
                "Reload"
            </button>
        </p>
    }
}

/// What is told of an address that cannot be a board's.
#[component]
pub fn NoBoardPage(
    /// What was written.
    given: String,
    /// Why it cannot.
    why: String,
) -> impl IntoView {
    document().set_title("No board – Pulseboard");
    view! {
        <Masthead title="No such board"/>
        <main class="words" data-testid="invalid-board">
            <p><code>{given}</code> " cannot be the name of a board: " {why} "."</p>
            <p>
                "The name of a board is one word of 1 to 64 letters, digits and "
                <code>"_ . : -"</code> ", such as " <code>"ops"</code> ". " <a href="/">"All boards"</a> "."
            </p>
        </main>
    }
}
