//! The browser's BroadcastChannel, owned.

use leptos::prelude::window;
use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, MessageEvent};

use super::message::Said;

/// A channel to all other tabs of this origin.
#[derive(Debug)]
pub struct Channel {
    raw: BroadcastChannel,
    _message: Closure<dyn FnMut(MessageEvent)>,
}

impl Channel {
    /// Opens the channel `name`, where the browser has such.
    #[must_use]
    pub fn open(name: &str, listener: impl Fn(Said) + 'static) -> Option<Self> {
        // Without this, asking for it would throw an error that cannot be told from others.
        if !js_sys::Reflect::has(&window(), &"BroadcastChannel".into()).unwrap_or(false) {
            return None;
        }
        let raw = BroadcastChannel::new(name).ok()?;
        let message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            // What cannot be read is of a tab of another version; the channel's name should have kept us apart.
            let said = event.data().as_string().and_then(|text| Said::parse(&text));
            if let Some(said) = said {
                listener(said);
            }
        });
        raw.set_onmessage(Some(message.as_ref().unchecked_ref()));
        Some(Self { raw, _message: message })
    }

    /// Says it to all others.
    pub fn say(&self, said: &Said) {
        // It fails only on a channel that is closed.
        _ = self.raw.post_message(&said.text().into());
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.raw.set_onmessage(None);
        self.raw.close();
    }
}
