//! The panel that lists the keyboard shortcuts. Its text is in `index.html`, so that it needs no code.

use leptos::prelude::document;
use wasm_bindgen::JsCast as _;
use web_sys::HtmlDialogElement;

/// Opens the panel.
pub fn open() {
    let panel = document().get_element_by_id("help").and_then(|panel| panel.dyn_into::<HtmlDialogElement>().ok());
    if let Some(panel) = panel.filter(|panel| !panel.open()) {
        // `show_modal` fails only where the dialog is open already.
        _ = panel.show_modal();
    }
}
