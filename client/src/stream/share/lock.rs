//! A Web Lock of the browser that is released when it is dropped. Of all tabs that request the same name, one holds
//! it at a time.
//!
//! `web-sys` has Web Locks only as an unstable API, which would need a compiler flag in every build. These few
//! bindings are all that is needed.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Reflect};
use leptos::prelude::window;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortController;

/// The manner in which a lock is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// Wait until it is free.
    Queue,
    /// Take it from its holder.
    Steal,
}

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockOutcome {
    /// This tab holds the lock.
    Granted,
    /// Another tab has stolen the lock.
    Stolen,
}

/// A lock, or a pending request for one. Dropping it releases or cancels it.
#[derive(Debug)]
pub struct Lock {
    held: Rc<RefCell<Held>>,
    abort: AbortController,
}

#[derive(Debug)]
enum Held {
    Waiting,
    /// The function that releases the lock.
    Yes(Function),
    Over,
}

impl Lock {
    /// Requests the lock `name`, and passes the outcome to `notify`. Returns `None` where the browser has no Web Locks,
    /// as on a page over plain HTTP from another machine. Where the browser refuses, as for a page that may not store
    /// anything, the lock counts as granted: that page is on its own.
    #[must_use]
    pub fn request(name: &str, manner: LockMode, notify: Rc<dyn Fn(LockOutcome)>) -> Option<Self> {
        let locks = Reflect::get(&window().navigator(), &"locks".into()).ok().filter(JsValue::is_object)?;
        let request: Function = Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
        let abort = AbortController::new().ok()?;
        let options = Object::new();
        match manner {
            LockMode::Queue => Reflect::set(&options, &"signal".into(), &abort.signal()).ok()?,
            // A steal is granted at once, so there is no wait to abort. Both options together are an error.
            LockMode::Steal => Reflect::set(&options, &"steal".into(), &true.into()).ok()?,
        };

        let held = Rc::new(RefCell::new(Held::Waiting));
        let (mine, notify_granted) = (held.clone(), notify.clone());
        // The closure is freed once it is called. One that waits for ever lives as long as the page.
        let callback = Closure::once_into_js(move |_: JsValue| {
            if matches!(*mine.borrow(), Held::Over) {
                return Promise::resolve(&JsValue::NULL);
            }
            // The lock is held until this promise resolves.
            let promise = Promise::new(&mut |resolve, _| *mine.borrow_mut() = Held::Yes(resolve));
            notify_granted(LockOutcome::Granted);
            promise
        });
        let promise = request.apply(&locks, &Array::of3(&name.into(), &options, &callback)).ok()?;
        let promise: Promise = promise.dyn_into().ok()?;
        let mine = held.clone();
        spawn_local(async move {
            if JsFuture::from(promise).await.is_err() {
                // Aborting a request ends with an error too; the state is `Over` by then.
                let was = mine.replace(Held::Over);
                match was {
                    Held::Yes(_) => notify(LockOutcome::Stolen),
                    Held::Waiting => notify(LockOutcome::Granted),
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
