//! A curl command that pushes a number, with a button to copy it.

use leptos::html::Code;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

use crate::browser;

/// The command that pushes a first number to the series `board`/temp of the server at `base`.
#[must_use]
pub fn command(base: &str, board: &str) -> String {
    format!("curl -d 42.5 {base}/in/{board}/temp")
}

/// The command for this page's server, with a button that copies it.
#[expect(clippy::needless_pass_by_value, reason = "a component owns its properties")]
#[component]
pub fn CurlLine(
    /// The board that the number appears on.
    #[prop(into)]
    board: String,
) -> impl IntoView {
    // Some shells change letters beyond ASCII, so they are percent-encoded.
    let line = command(&browser::base(), &String::from(js_sys::encode_uri(&board)));
    let label = RwSignal::new("Copy");
    let code = NodeRef::<Code>::new();
    let copy = {
        let line = line.clone();
        move |_| {
            let line = line.clone();
            spawn_local(async move {
                if clipboard(&line).await {
                    label.try_set("Copied");
                } else {
                    // Browsers give the clipboard only to pages over HTTPS or from this machine, so the command is
                    // selected instead.
                    if let (Ok(Some(selection)), Some(code)) = (window().get_selection(), code.get_untracked()) {
                        _ = selection.select_all_children(&code);
                    }
                    label.try_set("Selected: press Ctrl C");
                }
            });
        }
    };
    view! {
        <div class="curl">
            // The command may be wider than the page, so it must be scrollable by keyboard.
            <code class="curl-line" data-testid="curl-line" tabindex="0" node_ref=code>{line}</code>
            <button class="button" data-testid="copy" type="button" aria-live="polite" on:click=copy>
                {move || label.get()}
            </button>
        </div>
    }
}

async fn clipboard(text: &str) -> bool {
    let window = window();
    window.is_secure_context() && JsFuture::from(window.navigator().clipboard().write_text(text)).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_pushes_to_the_board_at_the_pages_own_address() {
        assert_eq!(command("http://localhost:7878", "ops"), "curl -d 42.5 http://localhost:7878/in/ops/temp");
    }
}
