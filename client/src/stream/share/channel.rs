//! A `BroadcastChannel` of the browser that is closed when it is dropped.

use leptos::prelude::window;
use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, MessageEvent};

use super::message::TabMessage;

/// A channel to all other tabs of this origin.
#[derive(Debug)]
pub struct Channel {
    raw: BroadcastChannel,
    _message: Closure<dyn FnMut(MessageEvent)>,
}

impl Channel {
    /// Opens the channel `name`. Returns `None` where the browser has no such channels.
    #[must_use]
    pub fn open(name: &str, listener: impl Fn(TabMessage) + 'static) -> Option<Self> {
        // Without this check, a missing constructor would throw an exception that the bindings do not catch.
        if !js_sys::Reflect::has(&window(), &"BroadcastChannel".into()).unwrap_or(false) {
            return None;
        }
        let raw = BroadcastChannel::new(name).ok()?;
        let message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            // A text that cannot be read comes from a tab of another version, although the channel's name should
            // differ between versions.
            let message = event.data().as_string().and_then(|text| TabMessage::parse(&text));
            if let Some(message) = message {
                listener(message);
            }
        });
        raw.set_onmessage(Some(message.as_ref().unchecked_ref()));
        Some(Self { raw, _message: message })
    }

    /// Sends a message to all other tabs.
    pub fn say(&self, message: &TabMessage) {
        // Sending fails only on a closed channel.
        _ = self.raw.post_message(&message.text().into());
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.raw.set_onmessage(None);
        self.raw.close();
    }
}
