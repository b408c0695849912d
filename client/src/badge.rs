//! The badge of the connection state: by colour, shape and words.

use leptos::prelude::*;

use crate::browser;
use crate::icon::Icon;
use crate::stream::supervisor::{ConnectionState, ConnectionStatus};

/// The latency from push to paint, and the badge beside it.
#[component]
pub fn Badge(
    /// The state of the connection.
    status: RwSignal<ConnectionStatus>,
    /// The latency in milliseconds; `None` until it is known.
    latency_ms: RwSignal<Option<u64>>,
) -> impl IntoView {
    let state = Memo::new(move |_| status.with(|status| status.state));
    let since = move || match status.get() {
        ConnectionStatus { state: ConnectionState::Live | ConnectionState::Connecting, .. } => String::new(),
        ConnectionStatus { since, .. } => format!(" since {}", browser::time_of_day(since)),
    };
    let latency = move || match (state.get(), latency_ms.get()) {
        (ConnectionState::Live, Some(ms)) => format!("{ms} ms from push to paint"),
        _ => String::new(),
    };
    // Only the word is announced to screen readers, and only when it changes.
    view! {
        <span class="latency" data-testid="latency" title="The median of the last 30 updates">{move || latency()}</span>
        <div class="badge" data-testid="badge" data-state=move || state.get().word()>
            <svg class="badge-shape" viewBox="0 0 16 16" aria-hidden="true" inner_html=move || shape(state.get())></svg>
            <span role="status">{move || state.get().word()}</span>
            <span class="badge-since">{move || since()}</span>
        </div>
    }
}

/// Returns the shape of a state: a full disc, an arrow ring, a triangle, or a square with a cross. They are
/// distinguishable without colour.
fn shape(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::Live => icondata_bs::BsCircleFill.data,
        ConnectionState::Connecting | ConnectionState::Reconnecting => icondata_bs::BsArrowClockwise.data,
        ConnectionState::Stale => Icon::Warning.drawing(),
        ConnectionState::Offline => Icon::Cross.drawing(),
    }
}
