//! Draws the upper canvas: the crosshair and the marked range.

use leptos::prelude::*;
use web_sys::HtmlCanvasElement;

use super::{Chart, Pointed, State};
use crate::browser;
use crate::chart::look::Look;
use crate::chart::markers;
use crate::chart::pen::{Beside, Pen};
use crate::chart::tip::{self, Tip};

/// The distance in pixels from which on a marker counts as pointed at.
const NEAR: f64 = 6.0;

impl State {
    /// The moments that the user looks at.
    pub(super) fn pointed(&self, chart: Chart) -> Pointed {
        let cross = chart.context.view.cross.try_get_untracked().flatten();
        let tip = self.pinned.or(cross.filter(|_| self.is_pointed));
        Pointed { cross, tip, is_pinned: self.pinned.is_some() }
    }

    /// The content of the tooltip.
    pub(super) fn tip(&self, chart: Chart, look: &Look, pointed: Pointed) -> Option<Tip> {
        let plot = self.plot?;
        let at = pointed.tip.filter(|at| (plot.from..=plot.to).contains(at))?;
        let now = chart.context.server_now_untracked();
        let (rows, more) = tip::rows(self.content.legend(), self.content.readings(look, Some(at), now));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
        let reach = (plot.at(NEAR) - plot.at(0.0)) as u64;
        let markers = markers::near(&self.markers, at, reach).map(|marker| marker.text.clone()).collect();
        let time = browser::moment_of(at, plot.to - plot.from, now);
        Some(Tip { time, markers, rows, more, x: plot.x(at), width: plot.right(), is_pinned: pointed.is_pinned })
    }

    /// Draws the upper canvas: the crosshair and the marked range.
    pub(super) fn draw_over(&mut self, chart: Chart, over: &HtmlCanvasElement) {
        let (Some(plot), Some(key)) = (self.plot, self.drawn) else { return };
        let pointed = self.pointed(chart);
        let inside = |at: &u64| (plot.from..=plot.to).contains(at);
        let cross = pointed.tip.or(pointed.cross).filter(inside);
        let marked = self.drag.and_then(|drag| drag.marked());
        let wanted = (pointed, marked.map(|(a, b)| (a.to_bits(), b.to_bits())), key);
        // If the upper canvas is and stays empty, a change below needs no drawing.
        let was_empty = self.drawn_over.is_none_or(|drawn| drawn.0 == Pointed::default() && drawn.1.is_none());
        if self.drawn_over == Some(wanted) || (was_empty && cross.is_none() && marked.is_none()) {
            return;
        }
        self.drawn_over = Some(wanted);
        let Some(pen) = Pen::wipe(over) else { return };
        if let Some((left, right)) = marked {
            let (left, right) = (plot.clamp(left), plot.clamp(right));
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
        if pointed.tip.is_none() {
            // The tooltip has the time; the other charts of the board have it beside the crosshair.
            let words = browser::moment_of(at, plot.to - plot.from, chart.context.server_now_untracked());
            let wide = pen.width_of(&words);
            let beside = if x + wide + 6.0 > plot.right() { Beside::Left } else { Beside::Right };
            let left = if beside == Beside::Left { x - wide - 6.0 } else { x + 2.0 };
            pen.colour(&self.palette.paper);
            pen.context.fill_rect(left, plot.top, wide + 4.0, pen.label * 1.4);
            pen.colour(&self.palette.ink);
            pen.words(&words, (left + 2.0, plot.top + pen.label * 0.7), Beside::Right);
        }
        chart.look.with_value(|look| {
            let axis = self.content.axis(look, plot.from, plot.to);
            for trace in &self.content.traces {
                let Some(dot) = trace.near(at) else { continue };
                let Some(y) = plot.y(&axis, dot.top) else { continue };
                pen.colour(self.palette.of(trace.colour));
                pen.context.begin_path();
                if pen.context.arc(plot.x(dot.at), y, 3.0, 0.0, std::f64::consts::TAU).is_ok() {
                    pen.context.fill();
                }
            }
        });
    }
}
