//! Moves and resizes widgets with the pointer.
//!
//! While a widget is dragged, the page previews the resulting layout. The edit is made only when the user releases
//! the widget.

use leptos::ev;
use leptos::prelude::*;
use shared::board::{Columns, WidgetId};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, PointerEvent};

use super::arrange::Target;
use super::editor::Editor;
use crate::dom::on_window;

/// The part of a widget that the pointer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grip {
    /// The head, which moves the widget.
    Head,
    /// The lower right corner, which resizes the widget.
    Corner,
}

/// A drag of a widget.
#[derive(Clone, Debug)]
pub struct Drag {
    id: WidgetId,
    grip: Grip,
    /// The position and size at the start.
    from: Target,
    columns: Columns,
    /// The position of the pointer on the page at the start.
    start: (i32, i32),
    /// The last position of the pointer in the window.
    pointer: (i32, i32),
    pitch: Pitch,
}

/// The distance from the upper and lower edge of the window, in CSS pixels, within which a drag scrolls the page.
const EDGE: i32 = 60;
/// The fastest scrolling, in CSS pixels a frame.
const FASTEST: i32 = 16;

/// Returns the pixels to scroll in a frame while the pointer is at `y` in a window of this height: more, the closer the
/// pointer is to an edge or the farther beyond it.
#[must_use]
pub fn scroll_by(y: i32, height: i32) -> i32 {
    let beyond = |edge: i32| (EDGE - edge).clamp(0, EDGE) * FASTEST / EDGE;
    beyond(height - y) - beyond(y)
}

/// The distance between neighbouring cells in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pitch {
    /// From column to column.
    pub x: f64,
    /// From row to row.
    pub y: f64,
}

impl Pitch {
    /// Converts pixels to a number of cells.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
    pub fn cells(self, x: i32, y: i32) -> (i32, i32) {
        let cells = |pixels: i32, pitch: f64| (f64::from(pixels) / pitch).round() as i32;
        (cells(x, self.x), cells(y, self.y))
    }

    /// Measures the cells of a grid on the page; `None` if it has no cells, as on a narrow page.
    fn of(grid: &Element, columns: Columns) -> Option<Self> {
        let style = window().get_computed_style(grid).ok()??;
        let pixels = |name| {
            let value = style.get_property_value(name).unwrap_or_default();
            Some(js_sys::Number::parse_float(&value)).filter(|pixels| pixels.is_finite())
        };
        let gap = pixels("column-gap").unwrap_or(0.0);
        let x = (grid.get_bounding_client_rect().width() + gap) / f64::from(columns.get());
        let y = pixels("grid-auto-rows")? + pixels("row-gap").unwrap_or(0.0);
        let has_cells = style.get_property_value("display").is_ok_and(|display| display == "grid");
        (has_cells && x > 0.0 && y > 0.0).then_some(Self { x, y })
    }
}

impl Drag {
    /// The position and size where the pointer is, after the page was scrolled by `scrolled` pixels.
    fn target(&self, scrolled: (i32, i32)) -> Target {
        let (x, y) = (self.pointer.0 + scrolled.0, self.pointer.1 + scrolled.1);
        let (columns, rows) = self.pitch.cells(x - self.start.0, y - self.start.1);
        match self.grip {
            Grip::Head => self.from.moved(columns, rows),
            Grip::Corner => self.from.grown(self.columns, columns, rows),
        }
    }
}

/// Starts to drag a widget where the pointer went down.
#[must_use]
pub fn begin(id: &WidgetId, grip: Grip, editor: Editor, event: &PointerEvent) -> Option<Drag> {
    let draft = editor.draft()?;
    let columns = draft.board().columns();
    let held = event.current_target()?.dyn_into::<Element>().ok()?;
    let pitch = Pitch::of(&held.closest(".grid").ok()??, columns)?;
    // Prevents a selection of text while dragging. That also prevents focus, so the handle is focused explicitly.
    event.prevent_default();
    if let Ok(held) = held.dyn_into::<web_sys::HtmlElement>() {
        _ = held.focus();
    }
    let from = Target::of(draft.place(id)?);
    let (start, pointer) = ((event.page_x(), event.page_y()), (event.client_x(), event.client_y()));
    scroll(editor);
    Some(Drag { id: id.clone(), grip, from, columns, start, pointer, pitch })
}

/// Scrolls the page in each frame while a drag is near an edge of the window, until the drag ends.
fn scroll(editor: Editor) {
    request_animation_frame(move || {
        let Some(drag) = editor.drag.try_get_value().flatten() else { return };
        let by = scroll_by(drag.pointer.1, pixels(window().inner_height().ok().and_then(|height| height.as_f64())));
        if by != 0 {
            window().scroll_by_with_x_and_y(0.0, by.into());
            editor.preview(&drag.id, drag.target(scrolled()));
        }
        scroll(editor);
    });
}

/// The distance by which the page is scrolled, in CSS pixels.
fn scrolled() -> (i32, i32) {
    (pixels(window().scroll_x().ok()), pixels(window().scroll_y().ok()))
}

#[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
fn pixels(length: Option<f64>) -> i32 {
    length.unwrap_or_default() as i32
}

/// Follows the pointer on the whole window, as long as the owner lives. The dragged element moves within the
/// document, and would lose a captured pointer by that.
pub fn follow(editor: Editor) {
    let drag = editor.drag;
    let let_go = move || {
        drag.try_set_value(None);
        editor.preview.try_set(None);
    };
    let held = move |event: &PointerEvent| {
        let held = drag.try_update_value(|drag| {
            let held = drag.as_mut()?;
            held.pointer = (event.client_x(), event.client_y());
            Some(held.clone())
        });
        let held = held.flatten()?;
        let target = held.target(scrolled());
        Some((held.id, target))
    };
    on_window(ev::pointermove, move |event| {
        if let Some((id, target)) = held(&event) {
            editor.preview(&id, target);
        }
    });
    on_window(ev::pointerup, move |event| {
        if let Some((id, target)) = held(&event) {
            drag.set_value(None);
            editor.drop_at(id, target);
        }
    });
    on_window(ev::pointercancel, move |_| let_go());
    on_window(ev::keydown, move |event| {
        if event.key() == "Escape" {
            let_go();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_scrolls_while_the_pointer_is_near_an_edge() {
        assert_eq!([scroll_by(300, 800), scroll_by(60, 800), scroll_by(740, 800)], [0, 0, 0]);
        assert_eq!(
            [scroll_by(0, 800), scroll_by(800, 800), scroll_by(-50, 800), scroll_by(900, 800)],
            [-16, 16, -16, 16]
        );
        assert_eq!([scroll_by(30, 800), scroll_by(770, 800)], [-8, 8]);
    }

    #[test]
    fn a_widget_snaps_to_the_next_cell_once_it_is_half_way_there() {
        let pitch = Pitch { x: 100.0, y: 50.0 };
        assert_eq!(pitch.cells(49, 24), (0, 0));
        assert_eq!(pitch.cells(51, 26), (1, 1));
        assert_eq!(pitch.cells(-151, -26), (-2, -1));
    }
}
