//! A dialog that asks the user to confirm an action that cannot be undone.

use leptos::prelude::document;
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlDialogElement;

use crate::part::Part;

/// Asks the user, and returns true if `yes` was pressed. Returns false if the browser cannot show the dialog.
pub async fn confirmed(question: &str, yes: &str) -> bool {
    // A form with `method="dialog"` closes the dialog with the value of the button.
    let yes = Part::new("button", "button strong").with("value", "yes").with("data-testid", "confirm-yes").text(yes);
    let no = Part::new("button", "button").with("value", "").with("data-testid", "confirm-no").text("Cancel");
    // Cancel has the focus, so that a second press of Enter does not confirm an accidental action.
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
