//! The line of one series on a canvas.

use std::collections::VecDeque;
use std::f64::consts::TAU;

use leptos::html::Canvas;
use leptos::prelude::*;
use shared::board::Show;
use shared::bucket::SECOND;
use shared::{Bucket, Number, SeriesName, Track};
use wasm_bindgen::JsCast as _;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::frames::Frame;
use super::scale::{Range, Window};
use crate::board::stage::Stage;
use crate::widget::figure::of_bucket;

/// Width of the line, in pixels of the page.
const LINE: f64 = 1.5;
/// Radius of the dot at the newest point.
const DOT: f64 = 2.5;
/// How strongly the band from least to greatest is filled, and the ground below the line.
const BAND: f64 = 0.20;
const GROUND: f64 = 0.07;

/// All on which a drawing depends. Where it is as it was, nothing is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    version: u64,
    width: u32,
    height: u32,
    frame: Frame,
    /// The right edge, in steps of one pixel: a line that moves by less need not be drawn anew.
    edge: u64,
}

/// The moving line of a series: a value of each second (its last where nothing else is said), above the band from the least to the greatest.
#[component]
pub fn Spark(
    /// Whose line.
    name: SeriesName,
    /// Which number of each second is drawn.
    #[prop(optional)]
    show: Option<Show>,
    /// Where its track is, and the loop that moves it.
    stage: Stage,
) -> impl IntoView {
    let Stage { live, frames, .. } = stage;
    let canvas = NodeRef::<Canvas>::new();
    let mut drawn: Option<Key> = None;
    frames.paint(move |frame| {
        let Some(Some(canvas)) = canvas.try_get_untracked() else { return };
        let now = stage.now();
        let ratio = window().device_pixel_ratio().max(1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
        let pixels = |css: i32| (f64::from(css) * ratio).round() as u32;
        let (width, height) = (pixels(canvas.client_width()), pixels(canvas.client_height()));
        if width == 0 || height == 0 {
            return;
        }
        live.with_track(&name, |track| {
            let Track::Numbers(buckets) = track else { return };
            let told = show.filter(|show| *show != Show::Value).map(|show| told(show, buckets));
            let buckets = told.as_ref().unwrap_or(buckets);
            let Some(window) = Window::of(buckets, now) else { return };
            let step = ((window.to - window.from) / u64::from(width)).max(1);
            let key = Key { version: live.version(&name), width, height, frame, edge: window.to / step };
            if drawn == Some(key) {
                return;
            }
            drawn = Some(key);
            if (canvas.width(), canvas.height()) != (width, height) {
                canvas.set_width(width);
                canvas.set_height(height);
            }
            draw(&canvas, ratio, buckets, &window);
        });
    });
    view! { <canvas class="spark" data-testid="spark" aria-hidden="true" node_ref=canvas></canvas> }
}

fn draw(canvas: &HtmlCanvasElement, ratio: f64, buckets: &VecDeque<Bucket>, window: &Window) {
    let context = canvas.get_context("2d").ok().flatten();
    let Some(context) = context.and_then(|object| object.dyn_into::<CanvasRenderingContext2d>().ok()) else { return };
    // The style sheet decides the colour.
    let style = leptos::prelude::window().get_computed_style(canvas).ok().flatten();
    let colour = style.and_then(|style| style.get_property_value("color").ok()).unwrap_or_default();
    let (width, height) = (f64::from(canvas.width()) / ratio, f64::from(canvas.height()) / ratio);
    // Setting what is there already is no error that could be handled here.
    _ = context.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0);
    context.clear_rect(0.0, 0.0, width, height);
    context.set_fill_style_str(&colour);
    context.set_stroke_style_str(&colour);
    context.set_line_width(LINE);
    context.set_line_join("round");
    context.set_line_cap("round");

    let range = Range::of(buckets, window);
    // Room for the dot at the right edge.
    let x = |bucket: &Bucket| window.x(bucket.last.at.ts.0) * (width - 2.0 * DOT);
    let y = |value: f64| range.y(value) * (height - LINE) + LINE / 2.0;

    for run in runs(buckets, window) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        context.set_global_alpha(BAND);
        context.begin_path();
        run.iter().for_each(|b| context.line_to(x(b), y(b.max)));
        run.iter().rev().for_each(|b| context.line_to(x(b), y(b.min)));
        context.fill();

        context.set_global_alpha(GROUND);
        context.begin_path();
        context.move_to(x(first), height);
        run.iter().for_each(|b| context.line_to(x(b), y(b.last.value)));
        context.line_to(x(last), height);
        context.fill();

        context.set_global_alpha(1.0);
        context.begin_path();
        run.iter().for_each(|b| context.line_to(x(b), y(b.last.value)));
        context.stroke();
        // A point without neighbours has no line: it is a dot.
        if run.len() == 1 {
            dot(&context, x(first), y(first.last.value));
        }
    }
    if let Some(newest) = buckets.back() {
        dot(&context, x(newest), y(newest.last.value));
    }
}

fn dot(context: &CanvasRenderingContext2d, x: f64, y: f64) {
    context.begin_path();
    if context.arc(x, y, DOT, 0.0, TAU).is_ok() {
        context.fill();
    }
}

/// Buckets whose values are what `show` says of each.
fn told(show: Show, buckets: &VecDeque<Bucket>) -> VecDeque<Bucket> {
    let mut all = VecDeque::with_capacity(buckets.len());
    let mut before = None;
    for bucket in buckets {
        let value = of_bucket(show, bucket, before).and_then(Number::new);
        before = Some(bucket);
        if let Some(value) = value {
            all.push_back(Bucket::of(bucket.last.at, value, SECOND));
        }
    }
    all
}

/// The unbroken lines within a window, with the point just before it, from which the first one comes.
fn runs<'a>(buckets: &'a VecDeque<Bucket>, window: &Window) -> Vec<Vec<&'a Bucket>> {
    let inside = buckets.partition_point(|bucket| bucket.last.at.ts.0 < window.from);
    let mut runs: Vec<Vec<&Bucket>> = Vec::new();
    for bucket in buckets.iter().skip(inside.saturating_sub(1)) {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|b| bucket.start.since(b.start) <= window.break_ms) => run.push(bucket),
            _ => runs.push(vec![bucket]),
        }
    }
    runs
}
