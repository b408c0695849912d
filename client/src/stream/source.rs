//! An EventSource of the browser that is closed when it is dropped.
//!
//! Its callbacks live exactly as long as the [`Source`]: after it is dropped, none is called.

use wasm_bindgen::prelude::*;
use web_sys::{Event, EventSource, MessageEvent};

/// An event of an EventSource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceEvent {
    /// The response has begun.
    Opened,
    /// A message arrived.
    Message {
        /// The last id of the stream.
        id: String,
        /// The data of the message.
        data: String,
    },
    /// The connection failed or ended.
    Failed {
        /// True if the browser gave up (a status other than 200, or a wrong content type). Otherwise it already
        /// reconnects, with the last id in a header.
        gave_up: bool,
    },
}

/// An open EventSource.
#[derive(Debug)]
pub struct Source {
    raw: EventSource,
    // The browser holds only references to these closures, so they must live as long as it may call them.
    _opened: Closure<dyn FnMut(Event)>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _failed: Closure<dyn FnMut(Event)>,
}

impl Source {
    /// Connects to `url`, and calls `listener` for each event.
    ///
    /// # Errors
    /// If `url` is invalid.
    pub fn open(url: &str, listener: impl Fn(SourceEvent) + Clone + 'static) -> Result<Self, JsValue> {
        let raw = EventSource::new(url)?;
        let opened = {
            let listener = listener.clone();
            Closure::<dyn FnMut(Event)>::new(move |_| listener(SourceEvent::Opened))
        };
        let message = {
            let listener = listener.clone();
            Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                // An event stream carries only text. Anything else is read as empty, which fails to parse later.
                let data = event.data().as_string().unwrap_or_default();
                listener(SourceEvent::Message { id: event.last_event_id(), data });
            })
        };
        let failed = {
            let source = raw.clone();
            Closure::<dyn FnMut(Event)>::new(move |_| {
                listener(SourceEvent::Failed { gave_up: source.ready_state() == EventSource::CLOSED });
            })
        };
        raw.set_onopen(Some(opened.as_ref().unchecked_ref()));
        raw.set_onmessage(Some(message.as_ref().unchecked_ref()));
        raw.set_onerror(Some(failed.as_ref().unchecked_ref()));
        Ok(Self { raw, _opened: opened, _message: message, _failed: failed })
    }

    /// Closes the connection; `listener` is not called any more. One of the callbacks may call this, so it does not
    /// drop the closures.
    pub fn close(&self) {
        self.raw.set_onopen(None);
        self.raw.set_onmessage(None);
        self.raw.set_onerror(None);
        self.raw.close();
    }

    /// Returns the browser's EventSource.
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
