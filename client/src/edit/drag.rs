//! Moving and resizing with the pointer.
//!
//! While a widget is dragged, where all would be is shown; it is an edit only once it is let go of.

use leptos::prelude::*;
use shared::board::{Columns, WidgetId};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, Event, KeyboardEvent, PointerEvent};

use super::arrange::Target;
use super::editor::Editor;
use crate::part::on_window;

/// By what a widget is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grip {
    /// By its head: it is moved.
    Head,
    /// By its lower right corner: it is resized.
    Corner,
}

/// A widget that is being dragged.
#[derive(Clone, Debug)]
pub struct Drag {
    id: WidgetId,
    grip: Grip,
    /// Where it was.
    from: Target,
    columns: Columns,
    /// Where the pointer was, on the page.
    start: (i32, i32),
    pitch: Pitch,
}

/// How far a cell is from the next one, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pitch {
    /// From column to column.
    pub x: f64,
    /// From row to row.
    pub y: f64,
}

impl Pitch {
    /// How many cells that many pixels are.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
    pub fn cells(self, x: i32, y: i32) -> (i32, i32) {
        let cells = |pixels: i32, pitch: f64| (f64::from(pixels) / pitch).round() as i32;
        (cells(x, self.x), cells(y, self.y))
    }

    /// That of a grid on the page; nothing where it has no cells, as on a narrow page.
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
    fn target(&self, event: &PointerEvent) -> Target {
        let (columns, rows) = self.pitch.cells(event.page_x() - self.start.0, event.page_y() - self.start.1);
        match self.grip {
            Grip::Head => self.from.moved(columns, rows),
            Grip::Corner => self.from.grown(self.columns, columns, rows),
        }
    }
}

/// Takes hold of a widget where the pointer went down.
#[must_use]
pub fn begin(id: &WidgetId, grip: Grip, editor: Editor, event: &PointerEvent) -> Option<Drag> {
    let draft = editor.draft()?;
    let columns = draft.board().columns();
    let held = event.current_target()?.dyn_into::<Element>().ok()?;
    let pitch = Pitch::of(&held.closest(".grid").ok()??, columns)?;
    // Nothing of the page is to be selected while something is dragged over it. The handle has the focus all the same.
    event.prevent_default();
    if let Ok(held) = held.dyn_into::<web_sys::HtmlElement>() {
        _ = held.focus();
    }
    let from = Target::of(draft.place(id)?);
    Some(Drag { id: id.clone(), grip, from, columns, start: (event.page_x(), event.page_y()), pitch })
}

/// Follows the pointer, wherever it goes, for as long as the owner lives: what is dragged is moved in the page, and
/// would lose a pointer that it has caught.
pub fn follow(editor: Editor) {
    let drag = editor.drag;
    let let_go = move || {
        drag.try_set_value(None);
        editor.preview.try_set(None);
    };
    let held = move |event: &Event| {
        let held = drag.try_get_value().flatten()?;
        let target = held.target(event.dyn_ref()?);
        Some((held.id, target))
    };
    on_window("pointermove", move |event| {
        if let Some((id, target)) = held(&event) {
            editor.preview(&id, target);
        }
    });
    on_window("pointerup", move |event| {
        if let Some((id, target)) = held(&event) {
            drag.set_value(None);
            editor.drop_at(id, target);
        }
    });
    on_window("pointercancel", move |_| let_go());
    on_window("keydown", move |event| {
        if event.dyn_ref::<KeyboardEvent>().is_some_and(|event| event.key() == "Escape") {
            let_go();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_widget_snaps_to_the_next_cell_once_it_is_half_way_there() {
        let pitch = Pitch { x: 100.0, y: 50.0 };
        assert_eq!(pitch.cells(49, 24), (0, 0));
        assert_eq!(pitch.cells(51, 26), (1, 1));
        assert_eq!(pitch.cells(-151, -26), (-2, -1));
    }
}
