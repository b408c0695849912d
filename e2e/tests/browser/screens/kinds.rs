//! Boards with each kind of widget in each of its states: empty, loading, live, stale, error.

use serde_json::{Value, json};

/// The state of all widgets of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The selectors match nothing.
    Empty,
    /// The stream has not started yet.
    Loading,
    /// All is well.
    Live,
    /// No report came for too long.
    Stale,
    /// Each widget has an option that cannot be read.
    Error,
}

impl State {
    pub(crate) const ALL: [Self; 5] = [Self::Empty, Self::Loading, Self::Live, Self::Stale, Self::Error];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Loading => "loading",
            Self::Live => "live",
            Self::Stale => "stale",
            Self::Error => "error",
        }
    }

    /// The document of the board with widgets in this state. It is valid; [`BREAK`] makes it [`State::Error`].
    pub(crate) fn board(self) -> Value {
        let base = if self == Self::Empty { "nothing" } else { "shop" };
        let series = |names: &[&str]| names.iter().map(|name| format!("{base}/{name}")).collect::<Vec<_>>();
        let expect = if self == Self::Stale { "1s" } else { "1d" };
        let widget = |kind: &str, title: &str, names: &[&str], w: u16, h: u16| {
            json!({ "id": kind, "type": kind, "title": title, "series": series(names), "expect": expect, "decimals": 1,
                "place": { "x": 0, "y": 0, "w": w, "h": h } })
        };
        let latencies = ["search/latency_ms", "cart/latency_ms", "checkout/latency_ms"];
        let mut widgets = vec![
            widget("stat", "A stat", &["checkout/latency_ms"], 3, 2),
            widget("gauge", "A gauge", &["budget_pct"], 3, 2),
            widget("table", "A table", &["*/latency_ms"], 6, 4),
            widget("line", "A line", &latencies, 6, 4),
            widget("area", "An area", &latencies, 6, 4),
            widget("bar", "Bars", &["*/requests_per_s"], 6, 3),
            widget("heatmap", "A heatmap", &["checkout/latency_ms"], 6, 3),
            widget("log", "A log", &["deploy", "alerts"], 6, 3),
            widget("states", "States", &["web/state", "pay/state"], 6, 3),
        ];
        // The places of the widgets, in the order of the list.
        let places = [(0, 0), (3, 0), (6, 0), (0, 2), (6, 4), (0, 6), (6, 8), (0, 9), (6, 11)];
        for (widget, (x, y)) in widgets.iter_mut().zip(places) {
            (widget["place"]["x"], widget["place"]["y"]) = (x.into(), y.into());
        }
        widgets.push(json!({ "id": "text", "type": "text", "title": "A note",
            "markdown": "Words of its own, with *emphasis*, **weight**, `code` and a [link](https://example.org).\n\n- one\n- two\n\n> A quote.",
            "place": { "x": 0, "y": 12, "w": 6, "h": 2 } }));
        json!({ "title": format!("All kinds, {}", self.word()), "widgets": widgets })
    }
}

/// Adds mistakes to the document on its way to the page, for [`State::Error`]. The server stores no document with a
/// mistake.
pub(crate) const BREAK: &str = r#"
    if (location.pathname.endsWith('error')) {
        const ask = window.fetch;
        window.fetch = async (...args) => {
            const answer = await ask(...args);
            if (!String(args[0].url ?? args[0]).includes('/api/boards/')) return answer;
            const text = (await answer.text()).replaceAll('"decimals":1', '"decimals":99').replace('"markdown":', '"stray":1,"markdown":');
            return new Response(text, { status: answer.status, headers: answer.headers });
        };
    }
    if (location.pathname.endsWith('loading')) {
        window.EventSource = class extends EventTarget { close() {} };
    }"#;
