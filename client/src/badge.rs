//! The state of the connection: by colour, by shape and in words.

use leptos::prelude::*;

use crate::browser;
use crate::dynamic::text;
use crate::stream::supervisor::{Standing, State};

/// The badge, and the latency from push to paint beside it.
#[component]
pub fn Badge(
    /// What to say of the connection.
    #[prop(into)]
    standing: Signal<Standing>,
    /// From push to paint, in milliseconds.
    #[prop(into)]
    latency_ms: Signal<Option<u64>>,
) -> impl IntoView {
    let state = Memo::new(move |_| standing.get().state);
    let since = move || match standing.get() {
        Standing { state: State::Live | State::Connecting, .. } => String::new(),
        Standing { since, .. } => format!(" since {}", browser::time_of_day(since)),
    };
    let latency = move || match (state.get(), latency_ms.get()) {
        (State::Live, Some(ms)) => format!("{ms} ms from push to paint"),
        _ => String::new(),
    };
    view! {
        <span
            class="latency"
            data-testid="latency"
            title="The median of the last 30 updates"
        >
            {text(latency)}
        </span>
        <div class="badge" data-testid="badge" data-state=text(move || state.get().word().to_owned())>
            <svg class="badge-shape" viewBox="0 0 16 16" aria-hidden="true">
                <path d=text(move || shape(state.get()).to_owned())/>
            </svg>
            // Only the word is announced, and only when it changes.
            <span role="status">{text(move || state.get().word().to_owned())}</span>
            <span class="badge-since">{text(since)}</span>
        </div>
    }
}

/// A full disc, a ring with a gap, a triangle, a cross: told apart without colour.
fn shape(state: State) -> &'static str {
    match state {
        State::Live => "M8 3a5 5 0 1 0 0 10a5 5 0 1 0 0-10z",
        State::Connecting | State::Reconnecting => "M8 3a5 5 0 1 0 5 5",
        State::Stale => "M8 2l6.5 11.5h-13z",
        State::Offline => "M3 3l10 10M13 3L3 13",
    }
}
