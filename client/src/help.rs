//! The panel that lists the keys. It is in `index.html`: words need no code.

use leptos::prelude::document;
use wasm_bindgen::JsCast as _;
use web_sys::HtmlDialogElement;

/// Opens it.
pub fn open() {
    let panel = document().get_element_by_id("help").and_then(|panel| panel.dyn_into::<HtmlDialogElement>().ok());
    if let Some(panel) = panel.filter(|panel| !panel.open()) {
        // It fails only where it is open already.
        _ = panel.show_modal();
    }
}
