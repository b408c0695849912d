//! Dialogs that ask the user: to confirm an action that cannot be undone, or for a text.

use leptos::html::Dialog;
use leptos::mount::mount_to;
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

/// Asks the user, and returns true if `yes` was pressed. Returns false if the browser cannot show the dialog.
pub async fn confirmed(question: &str, yes: &'static str) -> bool {
    let Some(body) = document().body() else { return false };
    let mut mounted = None;
    let answer = js_sys::Promise::new(&mut |resolve, _| {
        let (body, question) = (body.clone(), question.to_owned());
        mounted = Some(mount_to(body, move || view! { <ConfirmDialog question yes resolve/> }));
    });
    let answer = JsFuture::from(answer).await;
    // Dropping it removes the dialog.
    drop(mounted);
    answer.is_ok_and(|answer| answer == "yes")
}

/// Asks the user for a text, which begins as `initial`. Returns `None` if the user cancels.
pub async fn asked(question: &str, initial: &str, yes: &'static str) -> Option<String> {
    let body = document().body()?;
    let text = RwSignal::new(initial.to_owned());
    let mut mounted = None;
    let answer = js_sys::Promise::new(&mut |resolve, _| {
        let (body, question) = (body.clone(), question.to_owned());
        mounted = Some(mount_to(body, move || view! { <AskDialog question yes text resolve/> }));
    });
    let answer = JsFuture::from(answer).await;
    let text = text.try_get_untracked();
    drop(mounted);
    text.filter(|_| answer.is_ok_and(|answer| answer == "yes"))
}

/// Returns a dialog that opens as soon as it is on the page, and the handler of its end. `resolve` gets the value of the
/// pressed button, or null if the browser cannot open the dialog.
fn modal(resolve: js_sys::Function) -> (NodeRef<Dialog>, impl Fn(web_sys::Event)) {
    let dialog = NodeRef::<Dialog>::new();
    let unopened = resolve.clone();
    dialog.on_load(move |dialog| {
        if dialog.show_modal().is_err() {
            _ = unopened.call1(&JsValue::NULL, &JsValue::NULL);
        }
    });
    let closed = move |_: web_sys::Event| {
        let answer = dialog.get_untracked().map(|dialog| dialog.return_value());
        _ = resolve.call1(&JsValue::NULL, &answer.into());
    };
    (dialog, closed)
}

/// The dialog with an input. Calls `resolve` with the value of the pressed button.
#[component]
fn AskDialog(question: String, yes: &'static str, text: RwSignal<String>, resolve: js_sys::Function) -> impl IntoView {
    let (dialog, closed) = modal(resolve);
    let label = question.clone();
    view! {
        <dialog class="sheet" data-testid="ask" aria-label=label node_ref=dialog on:close=closed>
            <form method="dialog">
                <label class="field">
                    <span>{question}</span>
                    <input data-testid="ask-text" autocomplete="off" autofocus bind:value=text/>
                </label>
                <p class="ways">
                    <button class="button strong" value="yes" data-testid="ask-yes">
                        {yes}
                    </button>
                    <button class="button" value="" formnovalidate data-testid="ask-no">
                        "Cancel"
                    </button>
                </p>
            </form>
        </dialog>
    }
}

/// The dialog. Calls `resolve` with the value of the pressed button.
#[component]
fn ConfirmDialog(question: String, yes: &'static str, resolve: js_sys::Function) -> impl IntoView {
    let (dialog, closed) = modal(resolve);
    // A form with `method="dialog"` closes the dialog with the value of the button. Cancel has the focus, so that a
    // second press of Enter does not confirm an accidental action.
    view! {
        <dialog class="sheet" data-testid="confirm" aria-labelledby="question" node_ref=dialog on:close=closed>
            <form method="dialog">
                <p id="question">{question}</p>
                <p class="ways">
                    <button class="button strong" value="yes" data-testid="confirm-yes">
                        {yes}
                    </button>
                    <button class="button" value="" data-testid="confirm-no" autofocus>
                        "Cancel"
                    </button>
                </p>
            </form>
        </dialog>
    }
}
