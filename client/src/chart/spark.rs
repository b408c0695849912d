//! Sparklines: a small moving line of one series on a canvas.

use std::collections::VecDeque;
use std::f64::consts::TAU;

use leptos::html::Canvas;
use leptos::prelude::*;
use shared::board::Show;
use shared::board::lines::Band;
use shared::{Bucket, SeriesName, Track};
use wasm_bindgen::JsCast as _;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::frames::Frame;
use super::scale::{Range, Window};
use super::trace::{self, Anchor, Column, Dot, columns, outline};
use crate::board::context::BoardContext;
use crate::widget::lookback::WidgetHistory;
use shared::reading::from_track::of_bucket;
use shared::reading::{Lookback, LookbackBuckets};

/// The width of the line in CSS pixels.
const LINE: f64 = 1.5;
/// The radius of the dot at the newest point.
const DOT: f64 = 2.5;
/// The opacity of the band between minimum and maximum, and that below the line.
const BAND: f64 = 0.20;
const GROUND: f64 = 0.07;

/// Everything on which a drawing depends. If it is unchanged, nothing is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    version: u64,
    /// The version of the fetched past.
    past: u64,
    width: u32,
    height: u32,
    frame: Frame,
    /// The right edge in steps of one pixel: a smaller move needs no redraw.
    edge: u64,
}

/// The sparkline of a series: the number `show` of each interval, above the band from the minimum to the maximum. It
/// covers the board's range, or the whole series if that is shorter.
#[component]
pub fn Spark(
    /// The series.
    name: SeriesName,
    /// The number to show of it.
    show: Show,
    /// The lookback of the widget.
    history: WidgetHistory,
    /// The shared context of the board's widgets.
    context: BoardContext,
) -> impl IntoView {
    let frames = context.frames;
    let canvas_ref = NodeRef::<Canvas>::new();
    let mut drawn: Option<Key> = None;
    frames.paint(move |frame| {
        let Some(canvas) = canvas_ref.try_get_untracked().flatten() else { return };
        let now = context.shown_moment_untracked().0;
        let ratio = window().device_pixel_ratio().max(1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
        let pixels = |css: i32| (f64::from(css) * ratio).round() as u32;
        let (width, height) = (pixels(canvas.client_width()), pixels(canvas.client_height()));
        if width == 0 || height == 0 {
            return;
        }
        context.with_track_untracked(&name, |track| {
            let Track::Numbers(buckets) = track else { return };
            let Some(lookback) = history.lookback_untracked() else { return };
            let Some(window) = window_of(buckets, history, lookback, now) else { return };
            let step = ((window.to - window.from) / u64::from(width)).max(1);
            let known = history.version(&name, lookback.width());
            let key =
                Key { version: context.version(&name), past: known, width, height, frame, edge: window.to / step };
            if drawn == Some(key) {
                return;
            }
            drawn = Some(key);
            if (canvas.width(), canvas.height()) != (width, height) {
                canvas.set_width(width);
                canvas.set_height(height);
            }
            let beyond = goes_beyond(buckets, history, lookback);
            let dots = history.peek(&name, buckets, lookback, |stretch| match stretch {
                LookbackBuckets::Whole(glued) if beyond => {
                    trace::dots(&glued, show, (show == Show::Value).then_some(Band::MinMax), Anchor::Points)
                }
                // While a part of a longer range is missing, the available part is drawn at its position, at the
                // right.
                _ => dots(show, buckets),
            });
            let dots = dots.unwrap_or_default();
            // Where history and live seconds meet, points can be closer than before, so the length of a gap is judged
            // by the usual distance of the points.
            let break_ms = window.break_ms.max(trace::break_ms(&dots, lookback.width(), None));
            draw(&canvas, ratio, &dots, &Window { break_ms, ..window });
        });
    });
    view! { <canvas class="spark" data-testid="spark" aria-hidden="true" node_ref=canvas_ref></canvas> }
}

/// The shown window; see [`Window::for_range`].
fn window_of(buckets: &VecDeque<Bucket>, history: WidgetHistory, lookback: Lookback, now: u64) -> Option<Window> {
    let (oldest, newest) = (buckets.front()?.last.at.ts.0, buckets.back()?.last.at.ts.0);
    let is_older = goes_beyond(buckets, history, lookback);
    Some(Window::for_range((oldest, newest), buckets.len(), is_older, lookback.range_ms, lookback.width(), now))
}

/// Returns true if the range is longer than the track. The sparkline does not show the reference of a change, so that
/// one is ignored.
fn goes_beyond(buckets: &VecDeque<Bucket>, history: WidgetHistory, lookback: Lookback) -> bool {
    history.goes_beyond(buckets, Lookback { change_ms: lookback.range_ms, ..lookback })
}

fn draw(canvas: &HtmlCanvasElement, ratio: f64, dots: &[Dot], window: &Window) {
    let context = canvas.get_context("2d").ok().flatten();
    let Some(context) = context.and_then(|object| object.dyn_into::<CanvasRenderingContext2d>().ok()) else { return };
    // The style sheet sets the colour.
    let style = leptos::prelude::window().get_computed_style(canvas).ok().flatten();
    let colour = style.and_then(|style| style.get_property_value("color").ok()).unwrap_or_default();
    let (width, height) = (f64::from(canvas.width()) / ratio, f64::from(canvas.height()) / ratio);
    // Setting this transform cannot fail in a way that could be handled here.
    _ = context.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0);
    context.clear_rect(0.0, 0.0, width, height);
    context.set_fill_style_str(&colour);
    context.set_stroke_style_str(&colour);
    context.set_line_width(LINE);
    context.set_line_join("round");
    context.set_line_cap("round");

    let range = Range::of(dots, window);
    // Leaves room for half a dot at both edges.
    let x = |at: u64| DOT + window.x(at) * (width - 2.0 * DOT);
    let y = |value: f64| range.y(value) * (height - LINE) + LINE / 2.0;

    for run in runs(dots, window) {
        let run = columns(run, &x);
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        let along = |column: &Column| column.visit(&mut |x, value| context.line_to(x, y(value)));
        context.set_global_alpha(BAND);
        context.begin_path();
        outline(&run).into_iter().for_each(|(x, value)| context.line_to(x, y(value)));
        context.fill();

        context.set_global_alpha(GROUND);
        context.begin_path();
        context.move_to(first.x, height);
        run.iter().for_each(along);
        context.line_to(last.x, height);
        context.fill();

        context.set_global_alpha(1.0);
        context.begin_path();
        run.iter().for_each(along);
        context.stroke();
        // A point without neighbours has no line, so it is drawn as a dot.
        if run.len() == 1 {
            mark(&context, first.x, y(first.last));
        }
    }
    if let Some(newest) = dots.last() {
        mark(&context, x(newest.at), y(newest.value));
    }
}

fn mark(context: &CanvasRenderingContext2d, x: f64, y: f64) {
    context.begin_path();
    if context.arc(x, y, DOT, 0.0, TAU).is_ok() {
        context.fill();
    }
}

/// The number `show` of each second of a track.
fn dots(show: Show, buckets: &VecDeque<Bucket>) -> Vec<Dot> {
    let mut all = Vec::with_capacity(buckets.len());
    let mut before = None;
    for bucket in buckets {
        let value = of_bucket(show, bucket, before);
        before = Some(bucket);
        let Some(value) = value.filter(|value| value.is_finite()) else { continue };
        let (low, high) = if show == Show::Value { (bucket.min, bucket.max) } else { (value, value) };
        let (from, to) = (bucket.first.at.ts.0, bucket.last.at.ts.0);
        all.push(Dot { from, to, low, high, ..Dot::new(to, value) });
    }
    all
}

/// The unbroken runs of points within a window. The first one starts with the point just before the window, so that
/// its line enters from the left.
fn runs<'a>(dots: &'a [Dot], window: &Window) -> Vec<&'a [Dot]> {
    let inside = dots.partition_point(|dot| dot.at < window.from);
    let dots = dots.get(inside.saturating_sub(1)..).unwrap_or_default();
    dots.chunk_by(|a, b| b.at.saturating_sub(a.at) <= window.break_ms).collect()
}
