//! The hint on a board without any series.

use leptos::prelude::*;
use shared::BoardId;

use crate::curl_line::CurlLine;

/// Shows the command that pushes the first number to the board.
#[expect(clippy::needless_pass_by_value, reason = "a component owns its properties")]
#[component]
pub fn EmptyBoard(
    /// The id of the board.
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
