//! The badge of the connection state: by colour, shape and words.

use crate::browser;
use crate::dynamic::RwSignal;
use crate::icon::Icon;
use crate::part::Part;
use crate::stream::supervisor::{ConnectionState, ConnectionStatus};

/// The latency from push to paint, in milliseconds, and the badge beside it.
#[must_use]
pub fn badge(status: RwSignal<ConnectionStatus>, latency_ms: RwSignal<Option<u64>>) -> Vec<Part> {
    let state = move || status.with(|status| status.state);
    let since = move || match status.get() {
        ConnectionStatus { state: ConnectionState::Live | ConnectionState::Connecting, .. } => String::new(),
        ConnectionStatus { since, .. } => format!(" since {}", browser::time_of_day(since)),
    };
    let latency = move || match (state(), latency_ms.get()) {
        (ConnectionState::Live, Some(ms)) => format!("{ms} ms from push to paint"),
        _ => String::new(),
    };
    let latency = Part::new("span", "latency").with("data-testid", "latency").live_text(latency);
    let latency = latency.with("title", "The median of the last 30 updates");
    let sign = move || vec![Part::sign("badge-shape", shape(state()))];
    let sign = Part::new("span", "host").live_inside(sign);
    // Only the word is announced to screen readers, and only when it changes.
    let word = Part::new("span", "").with("role", "status").live_text(move || state().word().to_owned());
    let badge = Part::new("div", "badge").with("data-testid", "badge");
    let badge = badge.live("data-state", move || state().word().to_owned());
    vec![latency, badge.put(&sign).put(&word).put(&Part::new("span", "badge-since").live_text(since))]
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
