//! Questions before what cannot be undone, in front of the page.

use leptos::prelude::document;
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlDialogElement;

use crate::part::Part;

/// Asks, and waits for the answer: whether `yes` was pressed. A browser that cannot ask has not been answered so.
pub async fn confirmed(question: &str, yes: &str) -> bool {
    // A form of a dialog closes it with the value of the button.
    let yes = Part::new("button", "button strong").with("value", "yes").with("data-testid", "confirm-yes").text(yes);
    let no = Part::new("button", "button").with("value", "").with("data-testid", "confirm-no").text("Cancel");
    // What was asked for by mistake must not be done by pressing Enter once more.
    let ways = Part::new("p", "ways").put(&yes).put(&no.with("autofocus", ""));
    let form = Part::new("form", "").with("method", "dialog");
    let form = form.put(&Part::new("p", "").with("id", "question").text(question)).put(&ways);
    let sheet =
        Part::new("dialog", "sheet").with("data-testid", "confirm").with("aria-labelledby", "question").put(&form);
    let (Some(dialog), Some(body)) = (sheet.as_a::<HtmlDialogElement>(), document().body()) else { return false };
    let closed = js_sys::Promise::new(&mut |done, _| {
        _ = dialog.add_event_listener_with_callback("close", &done);
    });
    let open = body.append_child(dialog).is_ok() && dialog.show_modal().is_ok();
    let answered = open && JsFuture::from(closed).await.is_ok() && dialog.return_value() == "yes";
    dialog.remove();
    answered
}
