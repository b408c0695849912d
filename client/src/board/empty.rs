//! What a board shows while there is nothing on it.

use leptos::prelude::*;
use shared::BoardId;

use crate::curl_line::CurlLine;

/// The line that puts the first number on the board.
#[expect(clippy::needless_pass_by_value, reason = "a component owns its properties")]
#[component]
pub fn EmptyBoard(
    /// Which board.
    id: BoardId,
) -> impl IntoView {
    let all = id.selector().to_string();
    view! {
        <section class="words" data-testid="empty-board">
            <h2>"Nothing here yet"</h2>
            <p>
                "This board shows every series under " <code>{all}</code>
                ". Run this anywhere, and the number appears here at once:"
            </p>
            <CurlLine board=id.to_string()/>
        </section>
    }
}
