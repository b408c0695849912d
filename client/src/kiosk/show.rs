//! The wall itself.

use std::any::Any;
use std::time::Duration;

use leptos::mount::mount_to;
use leptos::prelude::*;
use shared::BoardId;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Element, HtmlElement};

use super::Kiosk;
use super::turns::Turns;
use crate::board::page::{BoardPage, Screen};
use crate::dynamic::{effect, spawn};
use crate::part::{Part, on_window};

/// How often it is looked at whose turn it is.
const TICK: Duration = Duration::from_secs(1);

/// For how many ticks the pointer must rest before it is hidden.
const REST: u32 = 3;

/// A board, or several in turn, and nothing else.
#[component]
pub fn KioskPage(
    /// What is shown.
    kiosk: Kiosk,
) -> impl IntoView {
    let Kiosk { boards, every, mistakes } = kiosk;
    let turns = RwSignal::new(Turns::new(boards.len(), every));
    let rested = RwSignal::new(0_u32);
    let ticking = set_interval_with_handle(
        move || {
            turns.update(|turns| turns.pass(TICK));
            rested.update(|rested| *rested = rested.saturating_add(1));
        },
        TICK,
    );
    on_cleanup(move || {
        if let Ok(ticking) = ticking {
            ticking.clear();
        }
    });
    on_window("pointermove", move |_| rested.set(0));
    // A page that was hidden has lost its lock.
    on_window("visibilitychange", |_| stay_awake());
    stay_awake();
    let on = Memo::new(move |_| turns.with(Turns::turn));
    let there = Memo::new(move |_| turns.with(Turns::there));
    let rests = Memo::new(move |_| rested.get() >= REST);
    let title = boards.clone();
    effect(move || {
        let board = title.get(turns.with_untracked(|turns| turns.board(on.get())));
        document().set_title(&board.map_or_else(|| "Pulseboard".to_owned(), |id| format!("{id} – Pulseboard")));
    });
    let stage = Part::new("div", "");
    let place = stage.clone();
    // Each board lives under an owner of its own: that of the effect ends whenever a turn comes or goes.
    let here = Owner::current().unwrap_or_default();
    let shown = StoredValue::new_local(Vec::<(usize, TurnOn)>::new());
    effect(move || {
        let there = there.get();
        shown.update_value(|shown| shown.retain(|(turn, _)| there.contains(turn)));
        for turn in there {
            let id = boards.get(turns.with_untracked(|turns| turns.board(turn))).cloned();
            if let Some(id) = id
                && !shown.with_value(|shown| shown.iter().any(|(known, _)| *known == turn))
            {
                let made = here.child().with(|| TurnOn::make(id, place.element(), move || on.get() == turn));
                shown.update_value(|shown| shown.push((turn, made)));
            }
        }
    });
    let wrong = mistakes
        .iter()
        .map(|words| Part::new("p", "notice").with("role", "alert").with("data-testid", "kiosk-wrong").text(words));
    let kiosk = Part::new("div", "kiosk").live("data-rests", move || rests.get().to_string());
    wrong.fold(kiosk, |kiosk, words| kiosk.put(&words)).put(&stage).view()
}

/// A board on the wall: it ends, and its place with it, when this is dropped.
struct TurnOn {
    host: HtmlElement,
    _owner: Option<Owner>,
    _mounted: Box<dyn Any>,
}

impl TurnOn {
    fn make(id: BoardId, stage: &Element, on: impl Fn() -> bool + 'static) -> Self {
        let part = Part::new("div", "turn").with("data-testid", "turn").with("data-board", id.as_str());
        let part = part.live("data-on", move || on().to_string());
        let host: HtmlElement = part.element().clone().unchecked_into();
        // It fails only for what holds the stage itself.
        _ = stage.append_child(&host);
        let mounted = mount_to(host.clone(), move || view! { <BoardPage id screen=Screen::Wall/> });
        Self { host, _owner: Owner::current(), _mounted: Box::new(mounted) }
    }
}

impl Drop for TurnOn {
    fn drop(&mut self) {
        self.host.remove();
    }
}

/// Keeps the screen on, where the browser can (W3C Screen Wake Lock). It lets go of it by itself with the page.
fn stay_awake() {
    let navigator = JsValue::from(window().navigator());
    let lock = js_sys::Reflect::get(&navigator, &"wakeLock".into()).unwrap_or_default();
    let request = js_sys::Reflect::get(&lock, &"request".into()).ok();
    let request = request.and_then(|request| request.dyn_into::<js_sys::Function>().ok());
    if let Some(Ok(asked)) = request.map(|request| request.call1(&lock, &"screen".into())) {
        // A screen that goes dark all the same is nothing to tell anyone on that screen.
        if let Ok(asked) = asked.dyn_into::<js_sys::Promise>() {
            spawn(async move {
                _ = wasm_bindgen_futures::JsFuture::from(asked).await;
            });
        }
    }
}
