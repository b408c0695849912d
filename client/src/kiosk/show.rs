//! Shows the boards of a wall screen: mounts them ahead of time, switches between them, hides an idle pointer and
//! keeps the screen on.

use std::any::Any;
use std::time::Duration;

use leptos::prelude::*;
use shared::BoardId;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Element, HtmlElement};

use super::Kiosk;
use super::rotation::Rotation;
use crate::app::mount;
use crate::board::page::{Screen, board_page};
use crate::browser;
use crate::dynamic::{LocalValue, StoredValue, spawn};
use crate::part::{Part, on_window};
use crate::route::Route;

/// Interval at which the rotation is checked.
const TICK: Duration = Duration::from_secs(1);

/// Number of ticks after which an idle pointer is hidden.
const REST: u32 = 3;

/// Builds the page for the query of the address: one board, or several in rotation. `route` is the route of the
/// address's path.
#[must_use]
pub fn page(route: &Route) -> Part {
    let board = if let Route::Board(id) = route { Some(id) } else { None };
    let Some(Kiosk { boards, every, mistakes }) = Kiosk::of(&browser::query(), board) else { return Part::nothing() };
    let root = Part::new("div", "kiosk");
    let root = mistakes.iter().fold(root, |root, words| {
        root.put(&Part::new("p", "notice").with("role", "alert").with("data-testid", "kiosk-wrong").text(words))
    });
    let mut wall = Wall {
        rotation: Rotation::new(boards.len(), every.into()),
        boards,
        shown: Vec::new(),
        root: root.element().clone(),
        here: Owner::current().unwrap_or_default(),
    };
    wall.show();
    let rested = StoredValue::new(0_u32);
    let rests = root.clone();
    let wall = LocalValue::new(wall);
    let ticking = set_interval_with_handle(
        move || {
            wall.try_update_value(|wall| {
                wall.rotation.pass(TICK);
                wall.show();
            });
            let ticks = rested.try_get_value().unwrap_or_default().saturating_add(1);
            rested.try_set_value(ticks);
            if ticks == REST {
                _ = rests.element().set_attribute("data-rests", "true");
            }
        },
        TICK,
    );
    on_cleanup(move || {
        if let Ok(ticking) = ticking {
            ticking.clear();
        }
    });
    let moved = root.clone();
    on_window("pointermove", move |_| {
        rested.set_value(0);
        _ = moved.element().remove_attribute("data-rests");
    });
    // A hidden page loses its wake lock. The event bubbles up from the document.
    on_window("visibilitychange", |_| stay_awake());
    stay_awake();
    root
}

/// The boards that are mounted, and their parent element.
struct Wall {
    boards: Vec<BoardId>,
    rotation: Rotation,
    /// Each mounted board with the number of its turn.
    shown: Vec<(usize, OnWall)>,
    root: Element,
    /// The owner of the page. Each board has a child owner of it.
    here: Owner,
}

impl Wall {
    /// Mounts the boards that must be there, removes the others, and makes only the current one visible.
    fn show(&mut self) {
        let there = self.rotation.there();
        self.shown.retain(|(turn, _)| there.contains(turn));
        for turn in there {
            if self.shown.iter().any(|(known, _)| *known == turn) {
                continue;
            }
            if let Some(id) = self.boards.get(self.rotation.board(turn)) {
                let made = self.here.child().with(|| OnWall::make(id, &self.root));
                self.shown.push((turn, made));
            }
        }
        for (turn, OnWall { host, .. }) in &self.shown {
            let on = if *turn == self.rotation.turn() { "true" } else { "false" };
            if host.get_attribute("data-on").as_deref() != Some(on) {
                _ = host.set_attribute("data-on", on);
                if on == "true" {
                    let id = host.get_attribute("data-board").unwrap_or_default();
                    document().set_title(&format!("{id} – Pulseboard"));
                }
            }
        }
    }
}

/// A mounted board. Dropping it disposes of the board and removes its element.
struct OnWall {
    host: HtmlElement,
    _owner: Option<Owner>,
    _mounted: Box<dyn Any>,
}

impl OnWall {
    fn make(id: &BoardId, context: &Element) -> Self {
        let part = Part::new("div", "turn").with("data-testid", "turn").with("data-board", id.as_str());
        let host: HtmlElement = part.element().clone().unchecked_into();
        // `append_child` fails only where `host` contains `context`.
        _ = context.append_child(&host);
        let mounted = mount(&host, || board_page(id, Screen::Wall));
        Self { host, _owner: Owner::current(), _mounted: mounted }
    }
}

impl Drop for OnWall {
    fn drop(&mut self) {
        self.host.remove();
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
            spawn(async move {
                _ = wasm_bindgen_futures::JsFuture::from(asked).await;
            });
        }
    }
}
