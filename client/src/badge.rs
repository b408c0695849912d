//! The badge of the connection state: by colour, shape and words.

use leptos::prelude::*;

use crate::browser;
use crate::icon::Icon;
use crate::stream::supervisor::{ConnectionState, ConnectionStatus};

/// The badge. It shows the latency from push to paint while it has the pointer or the focus.
#[component]
pub fn Badge(
    /// The state of the connection.
    status: RwSignal<ConnectionStatus>,
    /// The latency in milliseconds; `None` until it is known.
    latency_ms: RwSignal<Option<u64>>,
    /// True while the board shows the past, which the stream does not change.
    #[prop(into, default = Signal::stored(false))]
    is_past: Signal<bool>,
) -> impl IntoView {
    let state = Memo::new(move |_| status.with(|status| status.state));
    let word = move || match state.get() {
        ConnectionState::Live if is_past.get() => "past",
        state => state.word(),
    };
    let since = move || match status.get() {
        ConnectionStatus { state: ConnectionState::Live | ConnectionState::Connecting, .. } => String::new(),
        ConnectionStatus { since, .. } => format!(" since {}", browser::time_of_day(since)),
    };
    let latency = move || match (state.get(), latency_ms.get()) {
        (ConnectionState::Live, Some(ms)) if !is_past.get() => format!("{ms} ms from push to paint"),
        _ => String::new(),
    };
    // Only the word is announced to screen readers, and only when it changes. The latency comes and goes, so it has no
    // room of its own in the head of the page, where it would move the rest.
    view! {
        <div class="status">
            <div class="badge" tabindex="0" data-testid="badge" data-state=word>
                <svg
                    class="badge-shape"
                    viewBox="0 0 16 16"
                    aria-hidden="true"
                    inner_html=move || shape(word())
                ></svg>
                <span role="status">{move || word()}</span>
                <span class="badge-since">{move || since()}</span>
            </div>
            <span class="latency" data-testid="latency" title="The median of the last 30 updates">
                {move || latency()}
            </span>
        </div>
    }
}

/// Returns the shape of a word of the badge: a full disc, a clock, an arrow ring, a triangle, or a square with a cross.
/// They are distinguishable without colour.
fn shape(word: &str) -> &'static str {
    match word {
        "live" => icondata_bs::BsCircleFill.data,
        "past" => Icon::Stale.drawing(),
        "stale" => Icon::Warning.drawing(),
        "offline" => Icon::Cross.drawing(),
        _ => icondata_bs::BsArrowClockwise.data,
    }
}
