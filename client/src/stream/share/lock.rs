//! The browser's Web Lock, owned: of all tabs that ask for a name, one has it at a time.
//!
//! web-sys has Web Locks only as unstable, which would take a compiler flag in every build; this is all that is
//! needed of them.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Reflect};
use leptos::prelude::window;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortController;

/// How to ask for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Wait in line.
    Queue,
    /// Take it from whoever has it.
    Steal,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is held.
    Granted,
    /// It was taken by another tab.
    Stolen,
}

/// A lock, or the wait for it. Dropping it lets go.
#[derive(Debug)]
pub struct Lock {
    held: Rc<RefCell<Held>>,
    abort: AbortController,
}

#[derive(Debug)]
enum Held {
    Waiting,
    /// Calling it lets go.
    Yes(Function),
    Over,
}

impl Lock {
    /// Asks for the lock `name`, where the browser has such (it has not on a page that came over plain HTTP from
    /// another machine), and tells what becomes of it. Where the browser then refuses, as it does to a page that may
    /// store nothing, it counts as granted: that page is on its own.
    #[must_use]
    pub fn request(name: &str, manner: Manner, tell: Rc<dyn Fn(Turn)>) -> Option<Self> {
        let locks = Reflect::get(&window().navigator(), &"locks".into()).ok().filter(JsValue::is_object)?;
        let request: Function = Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
        let abort = AbortController::new().ok()?;
        let options = Object::new();
        match manner {
            Manner::Queue => Reflect::set(&options, &"signal".into(), &abort.signal()).ok()?,
            // It is granted at once, so there is no wait to be ended; both together are an error.
            Manner::Steal => Reflect::set(&options, &"steal".into(), &true.into()).ok()?,
        };

        let held = Rc::new(RefCell::new(Held::Waiting));
        let (mine, told) = (held.clone(), tell.clone());
        // Freed once it is called; one that waits for ever is kept as long as the page.
        let callback = Closure::once_into_js(move |_: JsValue| {
            if matches!(*mine.borrow(), Held::Over) {
                return Promise::resolve(&JsValue::NULL);
            }
            // The lock is held for as long as this promise is open.
            let promise = Promise::new(&mut |resolve, _| *mine.borrow_mut() = Held::Yes(resolve));
            told(Turn::Granted);
            promise
        });
        let promise = request.apply(&locks, &Array::of3(&name.into(), &options, &callback)).ok()?;
        let promise: Promise = promise.dyn_into().ok()?;
        let mine = held.clone();
        spawn_local(async move {
            if JsFuture::from(promise).await.is_err() {
                // Letting go of a wait ends with an error too, and is then over already.
                let was = mine.replace(Held::Over);
                match was {
                    Held::Yes(_) => tell(Turn::Stolen),
                    Held::Waiting => tell(Turn::Granted),
                    Held::Over => {}
                }
            }
        });
        Some(Self { held, abort })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        match self.held.replace(Held::Over) {
            Held::Yes(release) => _ = release.call0(&JsValue::NULL),
            Held::Waiting => self.abort.abort(),
            Held::Over => {}
        }
    }
}
