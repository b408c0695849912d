//! Pointing, zooming and panning by pointer, wheel and keyboard.

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent, MouseEvent, PointerEvent, WheelEvent};

use super::{Chart, sentence};
use crate::browser;
use crate::chart::gesture::{Aim, Drag};
use crate::range::Range;

/// The time after which a resting finger reads values.
const HOLD: Duration = Duration::from_millis(350);

/// Returns true for a finger.
fn is_touch(event: &PointerEvent) -> bool {
    event.pointer_type() == "touch"
}

impl Chart {
    pub(super) fn press(self, event: &PointerEvent) {
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
        if is_touch(event) {
            self.hold(x);
        }
        let target: Option<Element> = event.target().map(JsCast::unchecked_into);
        if let Some(target) = target {
            // Without pointer capture a drag ends at the edge of the chart.
            _ = target.set_pointer_capture(event.pointer_id());
        }
    }

    pub(super) fn point(self, event: &PointerEvent) {
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
            state.is_pointed = true;
            Some((Some(whole(plot.at(plot.clamp(x)))), None))
        });
        let Some(Some((cross, pan))) = moved else { return };
        if let Some(cross) = cross {
            view.cross.set(Some(cross));
        }
        if let Some(((from, to), by)) = pan
            && by != 0.0
        {
            let before = Range::Fixed { from: shared::Millis(from), to: shared::Millis(to) };
            view.choose(before.moved(self.context.server_now_untracked(), by));
        }
    }

    pub(super) fn release(self, event: &PointerEvent) {
        let x = f64::from(event.offset_x());
        let marked = self.state.try_update_value(|state| {
            let (drag, plot) = (state.drag.take()?, state.plot?);
            let drag = Drag { now: x, ..drag };
            if drag.aim == Aim::Read || drag.is_click() {
                // A tap reads a value, and the next tap another one. A click releases what a click pinned.
                let is_visible = state.pinned.is_some_and(|at| (plot.from..=plot.to).contains(&at));
                let is_released = is_visible && !is_touch(event);
                state.pinned = (!is_released).then(|| whole(plot.at(plot.clamp(x))));
                return None;
            }
            let (left, right) = Drag { now: plot.clamp(x), ..drag }.marked()?;
            Some(Range::between(plot.at(plot.clamp(left)), plot.at(right)))
        });
        if let Some(Some(range)) = marked {
            self.context.view.choose(range);
        }
    }

    pub(super) fn let_go(self) {
        self.state.update_value(|state| state.drag = None);
    }

    /// A finger that rests on the chart reads values from then on, instead of marking a range.
    fn hold(self, x: f64) {
        let rests = move || {
            let read = self.state.try_update_value(|state| {
                let plot = state.plot?;
                let drag = state.drag.as_mut().filter(|drag| drag.start.to_bits() == x.to_bits() && drag.is_click())?;
                drag.aim = Aim::Read;
                state.is_pointed = true;
                Some(whole(plot.at(plot.clamp(x))))
            });
            if let Some(Some(at)) = read {
                self.context.view.cross.set(Some(at));
            }
        };
        set_timeout(rests, HOLD);
    }

    /// The pointer left the chart. A pinned tooltip stays.
    pub(super) fn leave(self) {
        self.state.update_value(|state| state.is_pointed = false);
        self.context.view.cross.set(None);
    }

    /// The focus left the chart.
    pub(super) fn blur(self) {
        self.state.update_value(|state| state.is_pointed = false);
        self.announcement.set(String::new());
    }

    /// Keeps the menu of a long touch away, which would cover the value that the touch reads.
    pub(super) fn menu(self, event: &MouseEvent) {
        if self.state.with_value(|state| state.drag.is_some()) {
            event.prevent_default();
        }
    }

    pub(super) fn wheel(self, event: &WheelEvent) {
        if !event.ctrl_key() {
            return;
        }
        event.prevent_default();
        let (left, width) =
            self.state.with_value(|state| state.plot.map_or((0.0, 1.0), |plot| (plot.left, plot.width)));
        let around = ((f64::from(event.offset_x()) - left) / width).clamp(0.0, 1.0);
        let times = (event.delta_y() / 300.0).exp().clamp(0.2, 5.0);
        let view = self.context.view;
        view.choose(view.range.get_untracked().zoomed(self.context.server_now_untracked(), times, around));
    }

    pub(super) fn key(self, event: &KeyboardEvent) {
        let view = self.context.view;
        let (range, now) = (view.range.get_untracked(), self.context.server_now_untracked());
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
                let was_pinned = self.state.try_update_value(|state| {
                    state.is_pointed = false;
                    state.pinned.take().is_some()
                });
                if was_pinned != Some(true) {
                    view.live();
                }
            }
            _ => return,
        }
        event.prevent_default();
    }

    /// Points at a moment by keyboard, and announces the values at it.
    pub(super) fn cross(self, at: u64) {
        self.context.view.cross.set(Some(at));
        let announcement = self.state.try_update_value(|state| {
            state.is_pointed = true;
            self.look.with_value(|look| {
                let values = state.content.readings(look, Some(at), self.context.server_now_untracked());
                let length = state.plot.map_or(0, |plot| plot.to - plot.from);
                let moment = browser::moment_of(at, length, self.context.server_now_untracked());
                sentence(&format!("{moment}: "), &state.content, &values)
            })
        });
        self.announcement.set(announcement.unwrap_or_default());
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn whole(ms: f64) -> u64 {
    ms as u64
}
