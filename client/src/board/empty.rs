//! The hint on a board that has nothing to show.

use leptos::prelude::*;
use shared::BoardId;

use crate::curl_line::CurlLine;

/// The reason why a board has nothing to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emptiness {
    /// No user has created it, and it has no series.
    NoSeries,
    /// A user has stored it without widgets.
    NoWidgets,
}

/// Shows the command that pushes the first number to an automatic board, or how to add widgets to a stored one.
#[expect(clippy::needless_pass_by_value, reason = "a component owns its properties")]
#[component]
pub fn EmptyBoard(
    /// The id of the board.
    id: BoardId,
    /// The reason why it is empty.
    why: Emptiness,
) -> impl IntoView {
    let all = id.selector().to_string();
    if why == Emptiness::NoWidgets {
        return view! {
            <section class="words" data-testid="empty-board">
                <h2>"No widgets yet"</h2>
                <p>
                    "This board was saved without widgets, so it shows nothing, whatever is pushed. "
                    <a href="?edit" data-testid="empty-edit">"Edit it"</a>
                    " to add some. Or delete it (More, Delete), and it shows every series under " <code>{all}</code> " by itself."
                </p>
            </section>
        }
        .into_any();
    }
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
    .into_any()
}
