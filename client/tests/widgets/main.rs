//! Tests of widgets, mounted in a real browser. There is one file for each kind ([`bars`], [`gauge`], [`log`],
//! [`stat`], [`table`], [`text`]), [`frame`](mod@frame) for the frame around all of them, and [`past`] for all of them as
//! of a past moment. `Shown` mounts a widget and feeds it points.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod bars;
mod frame;
mod gauge;
mod log;
mod past;
mod stat;
mod table;
mod text;

use leptos::mount::mount_to;
use leptos::prelude::*;
use leptos::task::tick;
use pulseboard_client::board::context::BoardContext;
use pulseboard_client::board::mistake::{Mistake, Mistakes};
use pulseboard_client::chart::frames::Frames;
use pulseboard_client::history::History;
use pulseboard_client::live::Live;
use pulseboard_client::range::view::View;
use pulseboard_client::stream::clock::ServerClock;
use pulseboard_client::widget::frame::WidgetFrame;
use shared::board::Board;
use shared::{Cursor, Declared, Epoch, Event, Millis, Number, Seq, SeriesPart, Stamp, Text, Track, Value};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_test::wasm_bindgen_test_configure;
use web_sys::{Element, HtmlElement};

wasm_bindgen_test_configure!(run_in_browser);

/// The server's time when a test begins, in milliseconds.
const NOW: u64 = 60_000;

/// A mounted widget with a picture of its own.
struct Shown {
    live: Live,
    place: Element,
    now: RwSignal<u64>,
    mistakes: RwSignal<Vec<Mistake>>,
    view: View,
    seq: u64,
    _owner: Owner,
}

impl Shown {
    /// Mounts a widget from its document, in JSON without id, before there is a picture.
    fn new(widget: &str) -> Self {
        let document = format!(r#"{{"widgets": [{{"id": "it", {widget}}}]}}"#);
        let board = Board::read_json(&document).unwrap().strict();
        let widget = board.unwrap_or_else(|mistakes| panic!("{mistakes:?}")).widgets.remove(0);
        let owner = Owner::new();
        let (live, now, mistakes, view) =
            owner.with(|| (Live::new(), RwSignal::new(NOW), RwSignal::new(Vec::<Mistake>::new()), View::new("")));
        let place: HtmlElement = document_place();
        mount_to(place.clone(), move || {
            let clock = RwSignal::new(ServerClock::default());
            provide_context(Mistakes(Memo::new(move |_| mistakes.get())));
            let context =
                BoardContext { live, frames: Frames::new(), clock, server_now: now, view, history: History::new() };
            view! { <WidgetFrame widget context/> }
        })
        .forget();
        Self { live, place: place.into(), now, mistakes, view, seq: 0, _owner: owner }
    }

    /// Mounts a widget and applies a snapshot of these points: series, time in milliseconds and value, in order.
    async fn with(widget: &str, points: &[(&str, u64, Value)]) -> Self {
        let mut shown = Self::new(widget);
        let mut parts: Vec<SeriesPart> = Vec::new();
        for (name, ts, value) in points {
            shown.seq += 1;
            let (name, at) = (name.parse().unwrap(), Stamp { ts: Millis(*ts), seq: Seq(shown.seq) });
            match parts.iter_mut().find(|part| part.name == name) {
                Some(part) => part.track.push(at, value.clone()),
                None => {
                    parts.push(SeriesPart { name, track: Track::of(at, value.clone()), declared: None, revised: None });
                }
            }
        }
        let snapshot = Event::Snapshot { now: Millis(NOW), series: parts };
        shown.live.apply(shown.cursor(), snapshot).unwrap();
        tick().await;
        shown
    }

    fn cursor(&self) -> Cursor {
        Cursor { epoch: Epoch(1), seq: Seq(self.seq) }
    }

    /// Applies an update with one point.
    async fn push(&mut self, name: &str, ts: u64, value: Value) {
        self.hear(name, ts, value, None).await;
    }

    /// Applies an update with one point that declares the metric type of its series.
    async fn declare(&mut self, name: &str, declared: Declared, ts: u64, value: Value) {
        self.hear(name, ts, value, Some(declared)).await;
    }

    async fn hear(&mut self, name: &str, ts: u64, value: Value, declared: Option<Declared>) {
        self.seq += 1;
        let at = Stamp { ts: Millis(ts), seq: Seq(self.seq) };
        let part = SeriesPart { name: name.parse().unwrap(), track: Track::of(at, value), declared, revised: None };
        let update = Event::Update { now: Millis(0), pushed: Millis(0), series: vec![part] };
        self.live.apply(self.cursor(), update).unwrap();
        tick().await;
    }

    /// Sets the server's time, in milliseconds.
    async fn at(&self, now: u64) {
        self.now.set(now);
        tick().await;
    }

    fn all(&self, selector: &str) -> Vec<Element> {
        let found = self.place.query_selector_all(selector).unwrap();
        (0..found.length()).map(|i| found.get(i).unwrap().unchecked_into()).collect()
    }

    fn one(&self, selector: &str) -> Element {
        let found = self.place.query_selector(selector).unwrap();
        found.unwrap_or_else(|| panic!("no {selector} in {}", self.place.inner_html()))
    }

    fn text(&self, selector: &str) -> String {
        self.one(selector).text_content().unwrap_or_default()
    }

    fn texts(&self, selector: &str) -> Vec<String> {
        self.all(selector).iter().map(|element| element.text_content().unwrap_or_default()).collect()
    }

    fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        self.one(selector).get_attribute(name)
    }

    fn state(&self) -> String {
        self.attribute(".tile", "data-state").unwrap_or_default()
    }
}

fn document_place() -> HtmlElement {
    let place: HtmlElement = document().create_element("section").unwrap().unchecked_into();
    place.set_attribute("style", "height: 20rem; width: 30rem").unwrap();
    document().body().unwrap().append_child(&place).unwrap();
    place
}

fn number(value: f64) -> Value {
    Value::Number(Number::new(value).unwrap())
}

fn word(text: &str) -> Value {
    Value::Text(Text::new(text.to_owned()).unwrap())
}
