//! A chart over time: its canvases, its crosshair, and its zooming and panning by pointer, wheel and keyboard.

use leptos::html::Canvas;
use leptos::prelude::*;
use shared::SeriesName;
use shared::board::keyword::Keyword as _;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlCanvasElement, KeyboardEvent, PointerEvent, WheelEvent};

use super::colours::Colours;
use super::frames::Frame;
use super::gesture::{Aim, Drag};
use super::legend::{ChartLegend, Legend, LegendValue};
use super::look::Look;
use super::palette::Palette;
use super::pen::{Beside, Pen, pixels};
use super::picture::{Picture, Strand};
use super::plot::Plot;
use super::wording::labels;
use crate::board::context::BoardContext;
use crate::browser;
use crate::history::Requester;
use crate::history::request::{Margin, VisibleRange};
use crate::range::Range;

/// The most series of a chart; more lines are unreadable.
pub const MOST: usize = 40;
/// The interval in milliseconds at which the chart checks for missing history.
const TEND_MS: u64 = 100;
/// The interval in milliseconds at which the legend's values change. Faster changes are unreadable.
const TELL_MS: u64 = 200;
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

/// The content of the upper canvas: the moment under the pointer, the marked range, and the drawing below.
type Over = (Option<u64>, Option<(u64, u64)>, Key);

/// The state of a chart that is in no signal.
#[derive(Debug, Default)]
struct State {
    strands: Vec<Strand>,
    /// The series and the bucket width for which the strands were made.
    made_for: (Vec<SeriesName>, u64),
    colours: Colours,
    picture: Picture,
    plot: Option<Plot>,
    palette: Palette,
    palette_of: Option<Frame>,
    drawn: Option<Key>,
    /// The content of the upper canvas when it was last drawn.
    drawn_over: Option<Over>,
    drag: Option<Drag>,
    drawn_at: u64,
    tended_at: u64,
    told_at: u64,
    /// The moment and the drawing of the values that the legend shows.
    told_of: Option<(Option<u64>, Key)>,
    spoken_at: u64,
}

/// A handle to a chart.
#[derive(Clone, Copy)]
struct Chart {
    context: BoardContext,
    look: StoredValue<Look>,
    names: Memo<Vec<SeriesName>>,
    state: StoredValue<State, LocalStorage>,
    requester: Requester,
    legend: Legend,
    /// The summary for screen readers.
    summary: RwSignal<String>,
    /// The description of the moment that the keyboard points at, for screen readers.
    announcement: RwSignal<String>,
    /// True if the shown range has no data.
    empty: RwSignal<bool>,
    /// The moment before which entries were left out, if there were too many.
    cut: RwSignal<Option<u64>>,
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
    let chart = Chart {
        context,
        look: StoredValue::new(look),
        names,
        state: StoredValue::new_local(State::default()),
        requester: Requester::new(),
        legend: Legend::empty(),
        summary: RwSignal::new(String::new()),
        announcement: RwSignal::new(String::new()),
        empty: RwSignal::new(false),
        cut: RwSignal::new(None),
    };
    let (ground, over) = (NodeRef::<Canvas>::new(), NodeRef::<Canvas>::new());
    context.frames.paint(move |frame| {
        let canvases = (ground.try_get_untracked().flatten(), over.try_get_untracked().flatten());
        if let (Some(ground), Some(over)) = canvases {
            chart.paint(frame, &ground, &over);
        }
    });
    let view = context.view;
    let note = move || match chart.requester.trouble.get() {
        Some(why) => format!("The history could not be loaded: {why}. Trying again."),
        None if chart.empty.get() && chart.requester.answered.get() => "Nothing was reported in this time".to_owned(),
        None => chart.cut.get().map_or_else(String::new, |cut| {
            let moment = browser::moment(cut, context.server_now.get_untracked());
            format!("It changed too often to show what was before {moment}")
        }),
    };
    let more = move || names.with(Vec::len).saturating_sub(MOST);
    view! {
        <div
            class="chart"
            data-testid="chart"
            tabindex="0"
            role="group"
            aria-roledescription="chart"
            aria-label=move || chart.summary.get()
            on:keydown=move |event| chart.key(&event)
            on:blur=move |_| chart.announcement.set(String::new())
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
                on:pointerleave=move |_| view.cross.set(None)
                on:dblclick=move |_| view.live()
                on:wheel=move |event| chart.wheel(&event)
            ></canvas>
            <p class="chart-note" role="status" data-testid="chart-note">{move || note()}</p>
            <p class="unseen" aria-live="polite" data-testid="chart-announcement">{move || chart.announcement.get()}</p>
        </div>
        <ChartLegend legend=chart.legend/>
        <p class="chart-more" hidden=move || more() == 0>{move || format!("and {} more", more())}</p>
    }
}

impl Chart {
    fn paint(self, frame: Frame, ground: &HtmlCanvasElement, over: &HtmlCanvasElement) {
        self.state.try_update_value(|state| {
            let size = pixels(ground, window().device_pixel_ratio().max(1.0));
            if size.0 == 0 || size.1 == 0 {
                return;
            }
            let now = self.context.now();
            let Some(range) = self.context.view.range.try_get_untracked() else { return };
            let (from, to) = range.at(now);
            self.look.with_value(|look| {
                let width = shared::tier::bucket_width(to - from, look.points(f64::from(ground.client_width())));
                self.names.with_untracked(|names| state.make(look, names, width));
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
                    let names = &state.made_for.0;
                    let (series, moved) = (names.len() as u64, self.context.view.moved());
                    let margin = self.margin(range);
                    let shown = VisibleRange { from, to, width, series, moved, margin };
                    self.context.history.request_missing(self.requester, names, shown, look.detail(), self.context);
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
                self.tell(state, look, now);
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
        let each = state.made_for.0.iter().map(|name| {
            let known = self
                .context
                .history
                .with(name, |known| known.cells(width, look.detail()).version.wrapping_add(known.texts().version));
            self.context.live.version(name).wrapping_add(known.unwrap_or_default() << 32)
        });
        each.fold(0, u64::wrapping_add)
    }

    /// Updates the legend's values, and now and then the summary for screen readers.
    fn tell(self, state: &mut State, look: &Look, now: u64) {
        let cross = self.context.view.cross.try_get_untracked().flatten();
        let Some(of) = state.drawn.map(|drawn| (cross, drawn)) else { return };
        // Updates at once if the pointer moved to another moment. If only the numbers changed, waits until the last
        // ones could be read.
        let pointed = state.told_of.is_some_and(|told| told.0 != cross);
        if state.told_of == Some(of) || (!pointed && now.saturating_sub(state.told_at) < TELL_MS) {
            return;
        }
        (state.told_at, state.told_of) = (now, Some(of));
        let values = state.picture.readings(look, cross);
        if cross.is_none() && now.saturating_sub(state.spoken_at) >= SPEAK_MS {
            state.spoken_at = now;
            let summary = sentence("Chart, newest values: ", &state.picture, &values);
            if self.summary.with_untracked(|before| *before != summary) {
                self.summary.set(summary);
            }
        }
        self.legend.tell(state.picture.legend(), values);
        let empty = state.picture.is_empty();
        if self.empty.get_untracked() != empty {
            self.empty.set(empty);
        }
        if self.cut.get_untracked() != state.picture.cut {
            self.cut.set(state.picture.cut);
        }
    }

    fn press(self, event: &PointerEvent) {
        if event.button() != 0 {
            return;
        }
        let x = f64::from(event.offset_x());
        self.state.update_value(|state| {
            let Some(plot) = state.plot else { return };
            let on_axis = f64::from(event.offset_y()) > plot.bottom();
            let aim = if event.shift_key() || on_axis { Aim::Pan } else { Aim::Zoom };
            state.drag = Some(Drag { aim, start: x, now: x, range: (plot.from, plot.to) });
        });
        let target: Option<Element> = event.target().map(JsCast::unchecked_into);
        if let Some(target) = target {
            // Without pointer capture a drag ends at the edge of the chart.
            _ = target.set_pointer_capture(event.pointer_id());
        }
    }

    fn point(self, event: &PointerEvent) {
        let x = f64::from(event.offset_x());
        let view = self.context.view;
        let moved = self.state.try_update_value(|state| {
            let plot = state.plot?;
            let drag = state.drag.as_mut();
            if let Some(drag) = drag {
                drag.now = x;
                if drag.aim == Aim::Pan {
                    return Some((None, Some((drag.range, drag.moved(plot.width)))));
                }
            }
            Some((Some(whole(plot.at(x.clamp(0.0, plot.width)))), None))
        });
        let Some(Some((cross, pan))) = moved else { return };
        if let Some(cross) = cross {
            view.cross.set(Some(cross));
        }
        if let Some(((from, to), by)) = pan
            && by != 0.0
        {
            let before = Range::Fixed { from: shared::Millis(from), to: shared::Millis(to) };
            view.choose(before.moved(self.context.now(), by));
        }
    }

    fn release(self, event: &PointerEvent) {
        let x = f64::from(event.offset_x());
        let marked = self.state.try_update_value(|state| {
            let (drag, plot) = (state.drag.take()?, state.plot?);
            let (left, right) = Drag { now: x.clamp(0.0, plot.width), ..drag }.marked()?;
            Some(Range::between(plot.at(left), plot.at(right)))
        });
        if let Some(Some(range)) = marked {
            self.context.view.choose(range);
        }
    }

    fn let_go(self) {
        self.state.update_value(|state| state.drag = None);
    }

    fn wheel(self, event: &WheelEvent) {
        if !event.ctrl_key() {
            return;
        }
        event.prevent_default();
        let width = self.state.with_value(|state| state.plot.map_or(1.0, |plot| plot.width));
        let around = f64::from(event.offset_x()) / width.max(1.0);
        let times = (event.delta_y() / 300.0).exp().clamp(0.2, 5.0);
        let view = self.context.view;
        view.choose(view.range.get_untracked().zoomed(self.context.now(), times, around));
    }

    fn key(self, event: &KeyboardEvent) {
        let view = self.context.view;
        let (range, now) = (view.range.get_untracked(), self.context.now());
        let (from, to) = range.at(now);
        let at = view.cross.get_untracked().filter(|at| (from..=to).contains(at));
        #[expect(clippy::cast_precision_loss, reason = "times stay below 2^53")]
        let around = at.map_or(1.0, |at| (at - from) as f64 / (to - from).max(1) as f64);
        let step = ((to - from) / 100).max(1);
        let moved = |later: bool| match (at, later) {
            (None, _) => to,
            (Some(at), true) => (at + step).min(to),
            (Some(at), false) => at.saturating_sub(step).max(from),
        };
        // Keys with these modifiers belong to the browser: Ctrl and + enlarges the page.
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        match (event.key().as_str(), event.shift_key()) {
            ("ArrowLeft", true) => view.choose(range.moved(now, -0.1)),
            ("ArrowRight", true) => view.choose(range.moved(now, 0.1)),
            ("ArrowLeft", false) => self.cross(moved(false)),
            ("ArrowRight", false) => self.cross(moved(true)),
            ("+" | "=", _) => view.choose(range.zoomed(now, 0.5, around)),
            ("-" | "_", _) => view.choose(range.zoomed(now, 2.0, around)),
            ("Escape" | "Home", _) => {
                view.cross.set(None);
                self.announcement.set(String::new());
                view.live();
            }
            _ => return,
        }
        event.prevent_default();
    }

    /// Points at a moment by keyboard, and announces the values at it.
    fn cross(self, at: u64) {
        self.context.view.cross.set(Some(at));
        let announcement = self.state.try_with_value(|state| {
            self.look.with_value(|look| {
                let values = state.picture.readings(look, Some(at));
                let length = state.plot.map_or(0, |plot| plot.to - plot.from);
                let moment = browser::moment_of(at, length, self.context.now());
                sentence(&format!("{moment}: "), &state.picture, &values)
            })
        });
        self.announcement.set(announcement.unwrap_or_default());
    }
}

impl State {
    /// Makes the strands again if the series or the bucket width changed.
    fn make(&mut self, look: &Look, names: &[SeriesName], width: u64) {
        let names = &names[..names.len().min(MOST)];
        if self.made_for.1 == width && self.made_for.0 == names {
            return;
        }
        let colours = self.colours.of(&look.source.series, names);
        let strand = |((name, label), colour): ((&SeriesName, String), usize)| {
            Strand::new(name.clone(), label, colour, width, look.detail())
        };
        self.strands = names.iter().zip(labels(names)).zip(colours).map(strand).collect();
        self.made_for = (names.to_vec(), width);
    }

    fn draw(&mut self, chart: Chart, look: &Look, ground: &HtmlCanvasElement, key: Key, range: (u64, u64), now: u64) {
        if self.palette_of != Some(key.frame) {
            self.palette = Palette::read(ground);
            self.palette_of = Some(key.frame);
        }
        let Some(pen) = Pen::wipe(ground) else { return };
        let plot = Plot::on(&pen, range);
        for strand in &mut self.strands {
            strand.hidden = chart.legend.is_hidden(strand.name());
        }
        self.picture = Picture::take(look, &mut self.strands, range, now, chart.context);
        self.picture.draw(look, &pen, &plot, &self.palette);
        self.plot = Some(plot);
        self.drawn = Some(key);
    }

    /// Draws the upper canvas: the crosshair and the marked range.
    fn draw_over(&mut self, chart: Chart, over: &HtmlCanvasElement) {
        let (Some(plot), Some(key)) = (self.plot, self.drawn) else { return };
        let cross = chart.context.view.cross.try_get_untracked().flatten();
        let cross = cross.filter(|at| (plot.from..=plot.to).contains(at));
        let marked = self.drag.and_then(|drag| drag.marked());
        let wanted = (cross, marked.map(|(a, b)| (a.to_bits(), b.to_bits())), key);
        // If the upper canvas is and stays empty, a change below needs no drawing.
        let was_empty = self.drawn_over.is_none_or(|drawn| drawn.0.is_none() && drawn.1.is_none());
        if self.drawn_over == Some(wanted) || (was_empty && cross.is_none() && marked.is_none()) {
            return;
        }
        self.drawn_over = Some(wanted);
        let Some(pen) = Pen::wipe(over) else { return };
        if let Some((left, right)) = marked {
            pen.colour(&self.palette.ink);
            pen.context.set_global_alpha(0.12);
            pen.context.fill_rect(left, plot.top, right - left, plot.height);
            pen.context.set_global_alpha(1.0);
        }
        let Some(at) = cross else { return };
        let x = plot.x(at).floor() + 0.5;
        pen.colour(&self.palette.quiet);
        pen.context.set_line_width(1.0);
        pen.line((x, plot.top), (x, plot.bottom()));
        let words = browser::moment_of(at, plot.to - plot.from, chart.context.now());
        let wide = pen.width_of(&words);
        let beside = if x + wide + 6.0 > plot.width { Beside::Left } else { Beside::Right };
        let left = if beside == Beside::Left { x - wide - 6.0 } else { x + 2.0 };
        pen.colour(&self.palette.paper);
        pen.context.fill_rect(left, plot.top, wide + 4.0, pen.label * 1.4);
        pen.colour(&self.palette.ink);
        pen.words(&words, (left + 2.0, plot.top + pen.label * 0.7), Beside::Right);
        chart.look.with_value(|look| {
            let axis = self.picture.axis(look, plot.from);
            for trace in &self.picture.traces {
                let Some(dot) = trace.near(at) else { continue };
                let top =
                    if trace.dots.first().is_some_and(|dot| dot.high == dot.value) { dot.high } else { dot.value };
                let Some(y) = plot.y(&axis, top) else { continue };
                pen.colour(self.palette.of(trace.colour));
                pen.context.begin_path();
                if pen.context.arc(plot.x(dot.at), y, 3.0, 0.0, std::f64::consts::TAU).is_ok() {
                    pen.context.fill();
                }
            }
        });
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

fn sentence(head: &str, picture: &Picture, values: &[LegendValue]) -> String {
    let each = picture.legend().into_iter().zip(values);
    let each: Vec<String> = each.take(8).map(|(entry, value)| spoken(&entry.label, value)).collect();
    format!("{head}{}", each.join(", "))
}

fn spoken(label: &str, reading: &LegendValue) -> String {
    let level = reading.level.map(|level| format!(" ({})", level.keyword())).unwrap_or_default();
    format!("{label} {}{level}", reading.text)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn whole(ms: f64) -> u64 {
    ms as u64
}
