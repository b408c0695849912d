//! The browser's EventSource, owned.
//!
//! Its callbacks live exactly as long as the [`Source`]: dropping it closes the connection and no callback comes after.

use wasm_bindgen::prelude::*;
use web_sys::{Event, EventSource, MessageEvent};

/// What an EventSource tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// The response has begun.
    Opened,
    /// A message came.
    Message {
        /// The last id that the stream gave.
        id: String,
        /// The text of it.
        data: String,
    },
    /// The connection failed or ended.
    Failed {
        /// Whether the browser leaves it at that (a status other than 200, a wrong content type). Otherwise it is
        /// already trying again, with the last id in a header.
        gave_up: bool,
    },
}

/// An open EventSource.
#[derive(Debug)]
pub struct Source {
    raw: EventSource,
    // The browser holds only a reference to these: they must live as long as it may call them.
    _opened: Closure<dyn FnMut(Event)>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _failed: Closure<dyn FnMut(Event)>,
}

impl Source {
    /// Connects to `url` and tells `listener` all that happens.
    ///
    /// # Errors
    /// Where `url` is none.
    pub fn open(url: &str, listener: impl Fn(Happened) + Clone + 'static) -> Result<Self, JsValue> {
        let raw = EventSource::new(url)?;
        let opened = {
            let listener = listener.clone();
            Closure::<dyn FnMut(Event)>::new(move |_| listener(Happened::Opened))
        };
        let message = {
            let listener = listener.clone();
            Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                // Data that is no text cannot come from an event stream; read as empty, it fails to parse further on.
                let data = event.data().as_string().unwrap_or_default();
                listener(Happened::Message { id: event.last_event_id(), data });
            })
        };
        let failed = {
            let source = raw.clone();
            Closure::<dyn FnMut(Event)>::new(move |_| {
                listener(Happened::Failed { gave_up: source.ready_state() == EventSource::CLOSED });
            })
        };
        raw.set_onopen(Some(opened.as_ref().unchecked_ref()));
        raw.set_onmessage(Some(message.as_ref().unchecked_ref()));
        raw.set_onerror(Some(failed.as_ref().unchecked_ref()));
        Ok(Self { raw, _opened: opened, _message: message, _failed: failed })
    }

    /// Closes the connection; nothing is told any more. It may be called by one of the callbacks, which must not drop
    /// the closure that it runs in.
    pub fn close(&self) {
        self.raw.set_onopen(None);
        self.raw.set_onmessage(None);
        self.raw.set_onerror(None);
        self.raw.close();
    }

    /// The EventSource itself.
    #[must_use]
    pub fn raw(&self) -> &EventSource {
        &self.raw
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.close();
    }
}
