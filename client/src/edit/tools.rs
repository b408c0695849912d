//! The tools on each widget while the board is edited: a handle to move it, a corner to resize it, and buttons.

use icondata_bs as set;
use shared::board::WidgetId;
use wasm_bindgen::JsCast as _;
use web_sys::{KeyboardEvent, PointerEvent};

use super::drag::{self, Grip};
use super::editor::{Editor, lies, name_of};
use super::keys::{Key, WidgetAction, widget_action};
use crate::part::Part;

/// The tools of a widget under edit; none while the user looks at the stored board.
#[must_use]
pub fn tools(id: WidgetId, editor: Editor) -> Part {
    let shown = move || if editor.peeking.get() { Vec::new() } else { vec![make(&id, editor)] };
    Part::new("div", "host").live_inside(shown)
}

fn make(id: &WidgetId, editor: Editor) -> Part {
    let labelled = id.clone();
    let label = move || {
        let label = editor.history.with(|history| {
            let draft = history.as_ref()?.now();
            let kind = draft.widget(&labelled)?.get("type")?.as_str()?.to_owned();
            Some(format!("{}, {kind}, {}", name_of(draft, &labelled), lies(draft.place(&labelled)?)))
        });
        label.unwrap_or_default()
    };
    let act = |widget_action: WidgetAction| {
        let id = id.clone();
        move || editor.act(&id, widget_action)
    };
    let small = |shape: &'static str, label: &str, testid: &str, widget_action: WidgetAction| {
        let act = act(widget_action);
        let button = Part::new("button", "tool").with("type", "button").with("title", label).with("aria-label", label);
        button.with("data-testid", testid).put(&Part::sign("", shape)).on("click", move |_| act())
    };
    let grab = |part: Part, grip: Grip| {
        let id = id.clone();
        part.on("pointerdown", move |event| {
            if let Ok(event) = event.dyn_into::<PointerEvent>()
                && event.button() == 0
            {
                editor.drag.set_value(drag::begin(&id, grip, editor, &event));
            }
        })
    };
    let (pressed, open) = (id.clone(), act(WidgetAction::Open));
    let grip = Part::new("button", "tools-grip")
        .with("type", "button")
        .with("data-testid", "handle")
        .with("data-handle", id.as_str())
        .with("aria-describedby", "edit-keys")
        .live("aria-label", label)
        .put(&Part::sign("", set::BsGripVertical.data))
        .on("dblclick", move |_| open())
        .on("keydown", move |event| {
            let Ok(event) = event.dyn_into::<KeyboardEvent>() else { return };
            let name = event.key();
            if let Some(widget_action) = widget_action(Key::of(&event, &name)) {
                event.prevent_default();
                event.stop_propagation();
                editor.act(&pressed, widget_action);
            }
        });
    let head = Part::new("div", "tools-head")
        .put(&grab(grip, Grip::Head))
        .put(&small(set::BsPencil.data, "Edit this widget", "widget-open", WidgetAction::Open))
        .put(&small(set::BsCopy.data, "Duplicate this widget", "widget-copy", WidgetAction::Duplicate))
        .put(&small(set::BsTrash3.data, "Remove this widget", "widget-remove", WidgetAction::Remove));
    let corner = Part::new("div", "tools-corner").with("data-testid", "corner").with("aria-hidden", "true");
    Part::new("div", "tools").put(&head).put(&grab(corner, Grip::Corner))
}

impl<'a> Key<'a> {
    /// Makes the key of an event, whose key name is `name`.
    #[must_use]
    pub fn of(event: &KeyboardEvent, name: &'a str) -> Self {
        Self { name, ctrl: event.ctrl_key() || event.meta_key(), alt: event.alt_key(), shift: event.shift_key() }
    }
}
