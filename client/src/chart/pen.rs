//! Draws on a canvas, in CSS pixels.

use js_sys::Array;
use leptos::prelude::{document, window};
use shared::board::Level;
use wasm_bindgen::JsCast as _;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::palette::Palette;

/// The size of labels in CSS pixels, on a chart of the usual size.
const LABEL: f64 = 11.0;

/// The position of a label relative to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// To the right.
    Right,
    /// Below, centred.
    Below,
    /// To the left.
    Left,
}

/// A canvas to draw on, in CSS pixels.
#[derive(Debug)]
pub struct Pen {
    /// The drawing context.
    pub context: CanvasRenderingContext2d,
    /// The width.
    pub width: f64,
    /// The height.
    pub height: f64,
    /// The size of labels.
    pub label: f64,
}

impl Pen {
    /// Resizes a canvas to its displayed size and clears it; `None` if it is not displayed.
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
        // Setting this transform cannot fail in a way that could be handled here.
        _ = context.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0);
        let (width, height) = (f64::from(width) / ratio, f64::from(height) / ratio);
        context.clear_rect(0.0, 0.0, width, height);
        context.set_line_join("round");
        // Labels grow on a wall screen, where everything is larger. A flat chart has no room for larger labels.
        let label = (LABEL * (width / 900.0).min(height / 200.0).clamp(1.0, 1.6)).max(least_label());
        context.set_font(&format!("{label}px system-ui, sans-serif"));
        Some(Self { context, width, height, label })
    }

    /// Draws a line between two points.
    pub fn line(&self, from: (f64, f64), to: (f64, f64)) {
        self.context.begin_path();
        self.context.move_to(from.0, from.1);
        self.context.line_to(to.0, to.1);
        self.context.stroke();
    }

    /// Writes a label beside a point.
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

    /// Writes a label to the right of a point, with an outline in the background colour, so that it is readable above
    /// lines.
    pub fn words_above(&self, words: &str, at: (f64, f64), palette: &Palette) {
        self.context.set_stroke_style_str(&palette.paper);
        self.context.set_line_width(3.0);
        self.context.set_text_align("left");
        self.context.set_text_baseline("middle");
        _ = self.context.stroke_text(words, at.0, at.1);
        self.quiet(palette);
        _ = self.context.fill_text(words, at.0, at.1);
    }

    /// The width of a text.
    #[must_use]
    pub fn width_of(&self, words: &str) -> f64 {
        self.context.measure_text(words).map_or(0.0, |metrics| metrics.width())
    }

    /// Cuts a text so that it is not wider than `room`. The end stays, which distinguishes the names of series.
    #[must_use]
    pub fn shortened(&self, words: &str, room: f64) -> String {
        if self.width_of(words) <= room {
            return words.to_owned();
        }
        let ends = words.char_indices().skip(1).map(|(at, _)| format!("…{}", &words[at..]));
        let fitting = ends.into_iter().find(|short| self.width_of(short) <= room);
        fitting.unwrap_or_else(|| "…".to_owned())
    }

    /// Cuts a text so that it is not wider than `room`; its beginning stays. Empty where not even three letters fit.
    #[must_use]
    pub fn beginning(&self, words: &str, room: f64) -> String {
        if self.width_of(words) <= room {
            return words.to_owned();
        }
        let cuts = words.char_indices().skip(3).map(|(at, _)| format!("{}…", &words[..at]));
        cuts.take_while(|short| self.width_of(short) <= room).last().unwrap_or_default()
    }

    /// Draws the mark of a level around a point: a disc, a triangle or a diamond, as beside numbers.
    pub fn mark(&self, level: Level, (x, y): (f64, f64), size: f64) {
        let half = size / 2.0;
        let corners: &[(f64, f64)] = match level {
            Level::Ok => &[],
            Level::Warn => &[(0.0, -1.0), (1.0, 0.85), (-1.0, 0.85)],
            Level::Bad => &[(0.0, -1.1), (1.1, 0.0), (0.0, 1.1), (-1.1, 0.0)],
        };
        self.context.begin_path();
        if corners.is_empty() {
            // `arc` fails only for a negative radius, which cannot occur here.
            _ = self.context.arc(x, y, half * 0.7, 0.0, std::f64::consts::TAU);
        }
        corners.iter().for_each(|corner| self.context.line_to(x + corner.0 * half, y + corner.1 * half));
        self.context.fill();
    }

    /// Sets the colour of lines and fills.
    pub fn colour(&self, colour: &str) {
        self.context.set_fill_style_str(colour);
        self.context.set_stroke_style_str(colour);
    }

    /// Sets the dash pattern of lines; an empty one makes them solid.
    pub fn dashes(&self, dashes: &[f64]) {
        let array: Array = dashes.iter().copied().map(wasm_bindgen::JsValue::from_f64).collect();
        _ = self.context.set_line_dash(&array);
    }

    /// Scales a length like the labels: on large charts, thin lines are not visible from afar.
    #[must_use]
    pub fn grown(&self, length: f64) -> f64 {
        length * self.label / LABEL
    }

    /// Sets the colour of labels, at full opacity.
    pub fn quiet(&self, palette: &Palette) {
        self.context.set_global_alpha(1.0);
        self.colour(&palette.quiet);
    }
}

/// The least size of labels: on a wall screen 1.25 % of its height, as in kiosk.css.
fn least_label() -> f64 {
    let wall = document().document_element().is_some_and(|root| root.has_attribute("data-kiosk"));
    let height = || window().inner_height().ok()?.as_f64();
    if wall { height().unwrap_or(0.0) * 0.0125 } else { 0.0 }
}

/// The size of a canvas in device pixels.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
pub fn pixels(canvas: &HtmlCanvasElement, ratio: f64) -> (u32, u32) {
    let pixels = |css: i32| (f64::from(css) * ratio).round() as u32;
    (pixels(canvas.client_width()), pixels(canvas.client_height()))
}
