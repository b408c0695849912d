//! A chart over time: its canvases, its legend and its messages.
//!
//! - [`pointer`] zooms, pans and points by pointer, touch, wheel and keyboard; [`overlay`] draws the crosshair, and
//!   fills the tooltip.

mod overlay;
mod pointer;

use leptos::html::Canvas;
use leptos::prelude::*;
use shared::SeriesName;
use shared::board::keyword::Keyword as _;
use web_sys::HtmlCanvasElement;

use super::colours::Colours;
use super::content::notes::Note;
use super::content::{ChartContent, Span, Strand};
use super::frames::Frame;
use super::gesture::Drag;
use super::legend::{ChartLegend, Legend, LegendValue, MOST_LISTED};
use super::look::Look;
use super::markers::{self, Marker, marker_names};
use super::palette::Palette;
use super::pen::{Pen, pixels};
use super::plot::Plot;
use super::tip::{ChartTip, Tip};
use crate::board::context::BoardContext;
use crate::browser;
use crate::history::Requester;
use crate::history::request::{Margin, VisibleRange};
use crate::range::Range;
use crate::widget::names::labels;
use shared::reading::Detail;

/// The interval in milliseconds at which the chart checks for missing history.
const TEND_MS: u64 = 100;
/// The interval in milliseconds at which the legend's values change. Faster changes are unreadable.
const LEGEND_MS: u64 = 200;
/// The interval in milliseconds at which an invisible chart is drawn.
const UNSEEN_MS: u64 = 1_000;
/// The interval in milliseconds at which the summary for screen readers changes.
const SPEAK_MS: u64 = 5_000;

/// Everything on which a drawing depends. If it is unchanged, nothing is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    /// A sum of the versions of the series and of their fetched past.
    versions: u64,
    range: (u64, u64),
    size: (u32, u32),
    frame: Frame,
    /// The number of clicks in the legend.
    switched: u64,
}

/// The content of the upper canvas: the moments, the marked range, and the drawing below.
type Over = (Pointed, Option<(u64, u64)>, Key);

/// The moments that the user looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pointed {
    /// The moment under the crosshair of all charts, in milliseconds.
    cross: Option<u64>,
    /// The moment of the tooltip of this chart.
    tip: Option<u64>,
    /// True if a click pinned the tooltip.
    is_pinned: bool,
}

/// The state of a chart that is in no signal.
#[derive(Debug, Default)]
struct State {
    strands: Vec<Strand>,
    /// The series and the bucket width for which the strands were made.
    made_for: (Vec<SeriesName>, u64),
    /// The number of clicks in the legend for which the strands were hidden.
    hidden_for: Option<u64>,
    colours: Colours,
    content: ChartContent,
    plot: Option<Plot>,
    palette: Palette,
    palette_of: Option<Frame>,
    drawn: Option<Key>,
    /// The content of the upper canvas when it was last drawn.
    drawn_over: Option<Over>,
    drag: Option<Drag>,
    drawn_at: u64,
    tended_at: u64,
    legend_updated_at: u64,
    /// The moments and the drawing of the values that the legend and the tooltip show.
    legend_shows: Option<(Pointed, Key)>,
    /// The drawing that the messages are about, and true if history had arrived for it.
    messages_for: Option<(Key, bool)>,
    /// The moment that a click pinned, in milliseconds.
    pinned: Option<u64>,
    /// True while the pointer or the keyboard points at a moment of this chart.
    is_pointed: bool,
    markers: Vec<Marker>,
    spoken_at: u64,
}

/// A handle to a chart.
#[derive(Clone, Copy)]
struct Chart {
    context: BoardContext,
    look: StoredValue<Look>,
    names: Memo<Vec<SeriesName>>,
    state: StoredValue<State, LocalStorage>,
    /// The series of the markers.
    marker_names: Memo<Vec<SeriesName>>,
    requester: Requester,
    /// Requests the history of an earlier time.
    earlier: Requester,
    /// Requests the history of markers.
    marker_requester: Requester,
    legend: Legend,
    /// The content of the tooltip.
    tip: RwSignal<Option<Tip>>,
    /// The summary for screen readers.
    summary: RwSignal<String>,
    /// The description of the moment that the keyboard points at, for screen readers.
    announcement: RwSignal<String>,
    /// The messages about the data.
    messages: RwSignal<Messages>,
}

/// The messages of a chart about its data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Messages {
    /// The message in the place of the drawing.
    note: Option<Note>,
    /// The message about series that are not drawn, while others are.
    aside: Option<Note>,
    /// The moment at which the data begins, if a good part of the range before it is empty.
    begins: Option<u64>,
    /// The moment before which entries were left out, if there were too many.
    cut: Option<u64>,
}

/// A chart over time.
#[component]
pub fn TimeChart(
    /// The kind and the options of the chart.
    look: Look,
    /// The series.
    names: Memo<Vec<SeriesName>>,
    /// The shared context of the board's widgets.
    context: BoardContext,
) -> impl IntoView {
    let marker_names = marker_names(&look, context);
    let chart = Chart {
        context,
        marker_names,
        earlier: Requester::new(),
        marker_requester: Requester::new(),
        tip: RwSignal::new(None),
        look: StoredValue::new(look),
        names,
        state: StoredValue::new_local(State::default()),
        requester: Requester::new(),
        legend: Legend::empty(),
        summary: RwSignal::new(String::new()),
        announcement: RwSignal::new(String::new()),
        messages: RwSignal::new(Messages::default()),
    };
    let (ground, over) = (NodeRef::<Canvas>::new(), NodeRef::<Canvas>::new());
    context.frames.paint(move |frame| {
        let canvases = (ground.try_get_untracked().flatten(), over.try_get_untracked().flatten());
        if let (Some(ground), Some(over)) = canvases {
            chart.paint(frame, &ground, &over);
        }
    });
    let view = context.view;
    let messages = chart.messages;
    let note = move || match chart.requester.trouble.get() {
        Some(why) => format!("The history could not be loaded: {why}. Trying again."),
        None => messages.with(|messages| match (&messages.note, messages.cut) {
            (Some(note), _) => note.words(),
            (None, Some(cut)) => {
                let moment = browser::moment(cut, context.server_now.get_untracked());
                format!("It changed too often to show what was before {moment}")
            }
            (None, None) => String::new(),
        }),
    };
    let begins = Memo::new(move |_| {
        let begins = messages.with(|messages| messages.begins);
        begins.map(|at| format!("In this range, data begins {}", chart.short_moment(at))).unwrap_or_default()
    });
    let aside =
        Memo::new(move |_| messages.with(|messages| messages.aside.as_ref().map(Note::words)).unwrap_or_default());
    view! {
        <div
            class="chart"
            data-testid="chart"
            tabindex="0"
            role="group"
            aria-roledescription="chart"
            aria-label=move || chart.summary.get()
            on:keydown=move |event| chart.key(&event)
            on:blur=move |_| chart.blur()
        >
            <canvas class="chart-ground" aria-hidden="true" node_ref=ground></canvas>
            <canvas
                class="chart-over"
                aria-hidden="true"
                data-testid="chart-over"
                node_ref=over
                on:pointerdown=move |event| chart.press(&event)
                on:pointermove=move |event| chart.point(&event)
                on:pointerup=move |event| chart.release(&event)
                on:pointercancel=move |_| chart.let_go()
                on:pointerleave=move |_| chart.leave()
                on:contextmenu=move |event| chart.menu(&event)
                on:dblclick=move |_| view.live()
                on:wheel=move |event| chart.wheel(&event)
            ></canvas>
            <p class="chart-note" role="status" data-testid="chart-note">{move || note()}</p>
            <p class="chart-begins" data-testid="chart-begins">{move || begins.get()}</p>
            <ChartTip tip=chart.tip/>
            <p class="unseen" aria-live="polite" data-testid="chart-announcement">{move || chart.announcement.get()}</p>
        </div>
        <ChartLegend legend=chart.legend names/>
        <p class="chart-more" data-testid="chart-aside" hidden=move || aside.with(String::is_empty)>
            {move || aside.get()}
        </p>
    }
}

impl Chart {
    fn paint(self, frame: Frame, ground: &HtmlCanvasElement, over: &HtmlCanvasElement) {
        self.state.try_update_value(|state| {
            let size = pixels(ground, window().device_pixel_ratio().max(1.0));
            if size.0 == 0 || size.1 == 0 {
                return;
            }
            let now = self.context.server_now_untracked();
            let Some(range) = self.context.view.range.try_get_untracked() else { return };
            let (from, to) = range.at(now);
            self.look.with_value(|look| {
                let width = shared::tier::bucket_width(to - from, look.points(f64::from(ground.client_width())));
                self.names.with_untracked(|names| state.make(look, names, width));
                state.hide(self.legend);
                let key = Key {
                    versions: self.versions(state, look, width),
                    range: still(range, (from, to), size.0),
                    size,
                    frame,
                    switched: self.legend.switched(),
                };
                let moved = state.drawn.is_none_or(|drawn| drawn.range != key.range || drawn.size != key.size);
                if moved || now.saturating_sub(state.tended_at) >= TEND_MS {
                    state.tended_at = now;
                    let names: Vec<SeriesName> = state.drawn_names().cloned().collect();
                    let (series, moved) = (names.len() as u64, self.context.view.moved());
                    let margin = self.margin(range);
                    let shown = VisibleRange { from, to, width, series, moved, margin };
                    let history = self.context.history;
                    history.request_missing(self.requester, &names, shown, look.detail(), self.context);
                    if let Some(earlier) = look.compare {
                        let ms = earlier.distance().as_millis();
                        let shown = VisibleRange { from: from.saturating_sub(ms), to: to.saturating_sub(ms), ..shown };
                        history.request_missing(self.earlier, &names, shown, look.detail(), self.context);
                    }
                    self.marker_names.with_untracked(|names| {
                        let shown = VisibleRange { series: names.len() as u64, ..shown };
                        if !names.is_empty() {
                            history.request_missing(self.marker_requester, names, shown, Detail::Figures, self.context);
                        }
                    });
                }
                // An invisible chart is kept up to date, but not in each frame. A chart that was resized is redrawn
                // at once, since it would look stretched until then.
                let resized = state.drawn.is_none_or(|drawn| drawn.size != key.size);
                let due = resized || now.saturating_sub(state.drawn_at) >= UNSEEN_MS;
                if state.drawn != Some(key) && (due || is_seen(ground)) {
                    state.drawn_at = now;
                    state.draw(self, look, ground, key, (from, to), now);
                }
                state.draw_over(self, over);
                self.update_messages(state, look, now);
                self.update_texts(state, look, now);
            });
        });
    }

    /// A user who points at a chart, or has moved it, may move it next.
    fn margin(self, range: Range) -> Margin {
        let pointed = self.context.view.cross.try_get_untracked().flatten().is_some();
        if pointed || matches!(range, Range::Fixed { .. }) { Margin::Half } else { Margin::None }
    }

    /// A number that changes whenever a series or its fetched past does.
    fn versions(self, state: &State, look: &Look, width: u64) -> u64 {
        let markers = self.marker_names.get_untracked();
        let each = state.drawn_names().chain(&markers).map(|name| {
            let known = self
                .context
                .history
                .with(name, |known| known.cells(width, look.detail()).version.wrapping_add(known.texts().version));
            self.context.live.version(name).wrapping_add(known.unwrap_or_default() << 32)
        });
        each.fold(0, u64::wrapping_add)
    }

    /// Updates the messages at once when a drawing changed: a message about an earlier one would be false. Says nothing
    /// before history has arrived.
    fn update_messages(self, state: &mut State, look: &Look, now: u64) {
        let is_known = self.requester.answered.try_get_untracked().unwrap_or_default();
        let of = state.drawn.map(|drawn| (drawn, is_known));
        if state.messages_for == of {
            return;
        }
        state.messages_for = of;
        let messages = if is_known { state.messages(look, now) } else { Messages::default() };
        if self.messages.with_untracked(|before| *before != messages) {
            self.messages.set(messages);
        }
    }

    /// Updates the legend's values, and now and then the summary for screen readers.
    fn update_texts(self, state: &mut State, look: &Look, now: u64) {
        let pointed_at = state.pointed(self);
        let cross = pointed_at.cross;
        let Some(of) = state.drawn.map(|drawn| (pointed_at, drawn)) else { return };
        // Updates at once if the pointer moved to another moment. If only the numbers changed, waits until the last
        // ones could be read.
        let pointed = state.legend_shows.is_some_and(|shown| shown.0 != pointed_at);
        if state.legend_shows == Some(of) || (!pointed && now.saturating_sub(state.legend_updated_at) < LEGEND_MS) {
            return;
        }
        (state.legend_updated_at, state.legend_shows) = (now, Some(of));
        let values = state.content.readings(look, cross, self.context.server_now_untracked());
        if cross.is_none() && now.saturating_sub(state.spoken_at) >= SPEAK_MS {
            state.spoken_at = now;
            let summary = sentence("Chart, newest values: ", &state.content, &values);
            if self.summary.with_untracked(|before| *before != summary) {
                self.summary.set(summary);
            }
        }
        self.legend.update(state.content.legend(), values);
        let tip = state.tip(self, look, pointed_at);
        if self.tip.with_untracked(|before| *before != tip) {
            self.tip.set(tip);
        }
    }

    /// Formats a moment for the shown range: as a date if the range is long.
    fn short_moment(self, at: u64) -> String {
        let now = self.context.server_now_untracked();
        let length = self.context.view.range.try_get_untracked().map_or(0, |range| {
            let (from, to) = range.at(now);
            to - from
        });
        browser::short_moment(at, length, now)
    }
}

impl State {
    /// Makes the strands again if the series or the bucket width changed.
    fn make(&mut self, look: &Look, names: &[SeriesName], width: u64) {
        let names = &names[..names.len().min(MOST_LISTED)];
        if self.made_for.1 == width && self.made_for.0 == names {
            return;
        }
        let colours = self.colours.of(&look.source.series, names);
        let strand = |((name, label), colour): ((&SeriesName, String), usize)| {
            Strand::new(name.clone(), label, colour, width, look.detail())
        };
        self.strands = names.iter().zip(labels(names)).zip(colours).map(strand).collect();
        self.made_for = (names.to_vec(), width);
        self.hidden_for = None;
    }

    /// Hides the series that are not drawn, if the user's choice or the series changed.
    fn hide(&mut self, legend: Legend) {
        if self.hidden_for == Some(legend.switched()) {
            return;
        }
        self.hidden_for = Some(legend.switched());
        let drawn = legend.drawn(&self.made_for.0);
        self.strands.iter_mut().zip(drawn).for_each(|(strand, drawn)| strand.hidden = !drawn);
    }

    /// The names of the series that are drawn.
    fn drawn_names(&self) -> impl Iterator<Item = &SeriesName> {
        self.strands.iter().filter(|strand| !strand.hidden).map(Strand::name)
    }

    /// The messages about the data that was drawn last.
    fn messages(&self, look: &Look, now: u64) -> Messages {
        let Some(Plot { from, to, .. }) = self.plot else { return Messages::default() };
        let span = Span { from, to, end: to.min(now) };
        let is_hidden = !self.strands.is_empty() && self.strands.iter().all(|strand| strand.hidden);
        Messages {
            note: self.content.note(look, span, is_hidden),
            aside: self.content.aside(span),
            begins: self.content.coverage.begins(span),
            cut: self.content.cut,
        }
    }

    fn draw(&mut self, chart: Chart, look: &Look, ground: &HtmlCanvasElement, key: Key, range: (u64, u64), now: u64) {
        if self.palette_of != Some(key.frame) {
            self.palette = Palette::read(ground);
            self.palette_of = Some(key.frame);
        }
        let Some(pen) = Pen::wipe(ground) else { return };
        self.content = ChartContent::take(look, &mut self.strands, range, now, chart.context);
        let plot = self.content.draw(look, &pen, range, &self.palette);
        let span = Span { from: range.0, to: range.1, end: range.1.min(now) };
        self.markers = chart.marker_names.with_untracked(|names| markers::take(names, span, chart.context));
        markers::draw(&pen, &plot, &self.palette, &self.markers);
        self.plot = Some(plot);
        self.drawn = Some(key);
    }
}

/// Returns two ends that change only when the drawing moves by a pixel, so that a range that moves with the time is
/// not drawn again in each frame.
fn still(range: Range, (from, to): (u64, u64), pixels: u32) -> (u64, u64) {
    match range {
        Range::Fixed { .. } => (from, to),
        Range::Live(span) => {
            let step = (span.as_millis() / u64::from(pixels)).max(1);
            (0, to / step)
        }
    }
}

/// Returns true if a part of the element is within the window's height.
fn is_seen(element: &HtmlCanvasElement) -> bool {
    let place = element.get_bounding_client_rect();
    let height = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(f64::MAX);
    place.bottom() > 0.0 && place.top() < height
}

fn sentence(head: &str, content: &ChartContent, values: &[LegendValue]) -> String {
    let each = content.legend().into_iter().zip(values);
    let each: Vec<String> = each.take(8).map(|(entry, value)| spoken(&entry.label, value)).collect();
    format!("{head}{}", each.join(", "))
}

fn spoken(label: &str, reading: &LegendValue) -> String {
    let level = reading.level.map(|level| format!(" ({})", level.keyword())).unwrap_or_default();
    format!("{label} {}{level}", reading.text)
}
