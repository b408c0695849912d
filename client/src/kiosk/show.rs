//! Shows the boards of a wall screen: mounts them ahead of time, switches between them, hides an idle pointer, keeps
//! the screen on, and handles its keys (`f` for full screen, Escape to leave).

use std::time::Duration;

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::BoardId;
use wasm_bindgen::{JsCast as _, JsValue};

use super::Kiosk;
use super::rotation::Rotation;
use crate::board::page::{BoardPage, Screen};
use crate::browser;
use crate::dom::{is_command, on_window};
use crate::route::Route;
use crate::theme::Theme;

/// Interval at which the rotation is checked.
const TICK: Duration = Duration::from_secs(1);

/// Number of ticks after which an idle pointer is hidden.
const REST: u32 = 3;

/// The page for the query of the address: one board, or several in rotation.
#[expect(clippy::needless_pass_by_value, reason = "a component owns its properties")]
#[component]
pub fn WallScreen(
    /// The route of the address's path.
    route: Route,
) -> impl IntoView {
    let board = if let Route::Board(id) = &route { Some(id) } else { None };
    let Some(Kiosk { boards, every, mistakes }) = Kiosk::of(&browser::query(), board) else { return ().into_any() };
    let rotation = RwSignal::new(Rotation::new(boards.len(), every.into()));
    let idle_ticks = RwSignal::new(0_u32);
    let ticking = set_interval_with_handle(
        move || {
            rotation.update(|rotation| rotation.pass(TICK));
            idle_ticks.update(|ticks| *ticks = ticks.saturating_add(1));
        },
        TICK,
    );
    on_cleanup(move || {
        if let Ok(ticking) = ticking {
            ticking.clear();
        }
    });
    on_window(ev::pointermove, move |_| idle_ticks.set(0));
    // The sizes of a wall: client/style/kiosk.css, client/src/chart/pen.rs.
    if let Some(root) = document().document_element() {
        _ = root.set_attribute("data-kiosk", "");
    }
    // A hidden page loses its wake lock. The event bubbles up from the document.
    on_window(ev::visibilitychange, |_| stay_awake());
    stay_awake();
    let current = Memo::new(move |_| rotation.with(Rotation::turn));
    let all = boards.clone();
    on_window(ev::keydown, move |event| {
        if !is_command(&event) || event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        match event.key().as_str() {
            "f" => turn_full_screen(),
            "t" => Theme::turn(),
            // The browser takes the first Escape to end its full screen.
            "Escape" if document().fullscreen_element().is_none() => {
                let on = rotation.with_untracked(|rotation| rotation.board(rotation.turn()));
                let board = all.get(on).map(|id| format!("b/{id}")).unwrap_or_default();
                _ = window().location().set_href(&browser::address(&board));
            }
            _ => {}
        }
    });
    let mounted = Memo::new(move |_| {
        let board = |turn| Some((turn, boards.get(rotation.with_untracked(|rotation| rotation.board(turn)))?.clone()));
        rotation.with(Rotation::mounted_turns).into_iter().filter_map(board).collect::<Vec<_>>()
    });
    let rests = Memo::new(move |_| idle_ticks.get() >= REST);
    let mistake = |words| view! { <p class="notice" role="alert" data-testid="kiosk-wrong">{words}</p> }.into_any();
    view! {
        <div class="kiosk" data-rests=move || rests.get().then_some("true")>
            {mistakes.into_iter().map(mistake).collect_view()}
            <For each=move || mounted.get() key=|(turn, _)| *turn let((turn, id))>
                <BoardTurn turn id current/>
            </For>
        </div>
    }
    .into_any()
}

/// A board that is mounted for its turn. It is visible only while the turn is the current one.
#[component]
fn BoardTurn(turn: usize, id: BoardId, current: Memo<usize>) -> impl IntoView {
    let is_on = Memo::new(move |_| current.get() == turn);
    let board = id.to_string();
    let title = id.to_string();
    Effect::new(move |_| {
        if is_on.get() {
            browser::set_title(&title);
        }
    });
    view! {
        <div class="turn" data-testid="turn" data-board=board data-on=move || is_on.get().to_string()>
            <BoardPage id screen=Screen::Wall/>
        </div>
    }
}

/// Switches the browser's full screen on or off. A browser may refuse it, which the user sees.
fn turn_full_screen() {
    match document().fullscreen_element() {
        Some(_) => document().exit_fullscreen(),
        None => _ = document().document_element().map(|root| root.request_fullscreen()),
    }
}

/// Keeps the screen on, where the browser can (W3C Screen Wake Lock). The browser releases the lock when the page is
/// hidden.
fn stay_awake() {
    let navigator = JsValue::from(window().navigator());
    let lock = js_sys::Reflect::get(&navigator, &"wakeLock".into()).unwrap_or_default();
    let request = js_sys::Reflect::get(&lock, &"request".into()).ok();
    let request = request.and_then(|request| request.dyn_into::<js_sys::Function>().ok());
    if let Some(Ok(asked)) = request.map(|request| request.call1(&lock, &"screen".into())) {
        // Ignores a refusal: nobody could read a message on a dark screen.
        if let Ok(asked) = asked.dyn_into::<js_sys::Promise>() {
            spawn_local(async move {
                _ = wasm_bindgen_futures::JsFuture::from(asked).await;
            });
        }
    }
}
