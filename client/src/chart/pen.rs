//! Drawing on a canvas.

use js_sys::Array;
use leptos::prelude::window;
use shared::board::Level;
use wasm_bindgen::JsCast as _;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::palette::Palette;

/// How large labels are, in pixels of the page, where the page has its usual size.
const LABEL: f64 = 11.0;

/// Where labels stand beside the point that they are put at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// To the right of it.
    Right,
    /// Below it, in the middle.
    Below,
    /// To the left of it.
    Left,
}

/// A canvas that is drawn on, in pixels of the page.
#[derive(Debug)]
pub struct Pen {
    /// What draws.
    pub context: CanvasRenderingContext2d,
    /// How wide it is.
    pub width: f64,
    /// How high it is.
    pub height: f64,
    /// How large labels are.
    pub label: f64,
}

impl Pen {
    /// A canvas as large as it is shown, wiped; nothing where it is not shown.
    #[must_use]
    pub fn wipe(canvas: &HtmlCanvasElement) -> Option<Self> {
        let ratio = window().device_pixel_ratio().max(1.0);
        let (width, height) = pixels(canvas, ratio);
        if width == 0 || height == 0 {
            return None;
        }
        if (canvas.width(), canvas.height()) != (width, height) {
            canvas.set_width(width);
            canvas.set_height(height);
        }
        let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
        // Setting what is there already is no error that could be handled here.
        _ = context.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0);
        let (width, height) = (f64::from(width) / ratio, f64::from(height) / ratio);
        context.clear_rect(0.0, 0.0, width, height);
        context.set_line_join("round");
        // On a wall all is larger, and so are labels; but a flat chart has no room for them.
        let label = LABEL * (width / 900.0).min(height / 200.0).clamp(1.0, 1.6);
        context.set_font(&format!("{label}px system-ui, sans-serif"));
        Some(Self { context, width, height, label })
    }

    /// A line from one place to another.
    pub fn line(&self, from: (f64, f64), to: (f64, f64)) {
        self.context.begin_path();
        self.context.move_to(from.0, from.1);
        self.context.line_to(to.0, to.1);
        self.context.stroke();
    }

    /// Words at a place.
    pub fn words(&self, words: &str, at: (f64, f64), beside: Beside) {
        let (align, baseline) = match beside {
            Beside::Right => ("left", "middle"),
            Beside::Below => ("center", "top"),
            Beside::Left => ("right", "middle"),
        };
        self.context.set_text_align(align);
        self.context.set_text_baseline(baseline);
        _ = self.context.fill_text(words, at.0, at.1);
    }

    /// Words at a place to the right of it, with some of the ground around them, so that they can be read above lines.
    pub fn words_above(&self, words: &str, at: (f64, f64), palette: &Palette) {
        self.context.set_stroke_style_str(&palette.paper);
        self.context.set_line_width(3.0);
        self.context.set_text_align("left");
        self.context.set_text_baseline("middle");
        _ = self.context.stroke_text(words, at.0, at.1);
        self.quiet(palette);
        _ = self.context.fill_text(words, at.0, at.1);
    }

    /// How wide words are.
    #[must_use]
    pub fn width_of(&self, words: &str) -> f64 {
        self.context.measure_text(words).map_or(0.0, |metrics| metrics.width())
    }

    /// The sign of a level around a place, as it stands beside numbers too: a disc, a triangle or a lozenge.
    pub fn mark(&self, level: Level, (x, y): (f64, f64), size: f64) {
        let half = size / 2.0;
        let corners: &[(f64, f64)] = match level {
            Level::Ok => &[],
            Level::Warn => &[(0.0, -1.0), (1.0, 0.85), (-1.0, 0.85)],
            Level::Bad => &[(0.0, -1.1), (1.1, 0.0), (0.0, 1.1), (-1.1, 0.0)],
        };
        self.context.begin_path();
        if corners.is_empty() {
            // A radius is never negative here, which is all that an arc can be refused for.
            _ = self.context.arc(x, y, half * 0.7, 0.0, std::f64::consts::TAU);
        }
        corners.iter().for_each(|corner| self.context.line_to(x + corner.0 * half, y + corner.1 * half));
        self.context.fill();
    }

    /// Sets the colour of lines and of what is filled.
    pub fn colour(&self, colour: &str) {
        self.context.set_fill_style_str(colour);
        self.context.set_stroke_style_str(colour);
    }

    /// Sets how long the dashes of lines are; unbroken where there are none.
    pub fn dashes(&self, dashes: &[f64]) {
        let array: Array = dashes.iter().copied().map(wasm_bindgen::JsValue::from_f64).collect();
        _ = self.context.set_line_dash(&array);
    }

    /// A length that grows as labels do where there is much room: from afar a hair is not seen.
    #[must_use]
    pub fn grown(&self, length: f64) -> f64 {
        length * self.label / LABEL
    }

    /// The colour of labels.
    pub fn quiet(&self, palette: &Palette) {
        self.context.set_global_alpha(1.0);
        self.colour(&palette.quiet);
    }
}

/// How many pixels of the screen a canvas has.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
pub fn pixels(canvas: &HtmlCanvasElement, ratio: f64) -> (u32, u32) {
    let pixels = |css: i32| (f64::from(css) * ratio).round() as u32;
    (pixels(canvas.client_width()), pixels(canvas.client_height()))
}
