//! The tools on each widget while the board is edited: a handle to move it, a corner to resize it, and buttons.

use icondata_bs as set;
use leptos::prelude::*;
use shared::board::WidgetId;
use web_sys::{KeyboardEvent, PointerEvent};

use super::drag::{self, Grip};
use super::editor::{Editor, lies, name_of};
use super::keys::{Key, WidgetAction, widget_action};

/// The tools of a widget under edit; none while the user looks at the stored board.
#[component]
pub fn WidgetTools(
    /// The widget.
    id: WidgetId,
    /// The editor.
    editor: Editor,
) -> impl IntoView {
    view! { {move || (!editor.peeking.get()).then(|| view! { <ToolButtons id=id.clone() editor/> })} }
}

#[component]
fn ToolButtons(id: WidgetId, editor: Editor) -> impl IntoView {
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
    let grab = |grip: Grip| {
        let id = id.clone();
        move |event: PointerEvent| {
            if event.button() == 0 {
                editor.drag.set_value(drag::begin(&id, grip, editor, &event));
            }
        }
    };
    let (pressed, open) = (id.clone(), act(WidgetAction::Open));
    let press = move |event: KeyboardEvent| {
        let name = event.key();
        if let Some(widget_action) = widget_action(Key::of(&event, &name)) {
            event.prevent_default();
            event.stop_propagation();
            editor.act(&pressed, widget_action);
        }
    };
    view! {
        <div class="tools">
            <div class="tools-head">
                <button
                    class="tools-grip"
                    type="button"
                    data-testid="handle"
                    data-handle=id.to_string()
                    aria-describedby="edit-keys"
                    aria-label=label
                    on:pointerdown=grab(Grip::Head)
                    on:dblclick=move |_| open()
                    on:keydown=press
                >
                    <svg viewBox="0 0 16 16" aria-hidden="true" inner_html=set::BsGripVertical.data></svg>
                </button>
                <Tool label="Edit this widget" testid="widget-open" shape=set::BsPencil.data act=act(WidgetAction::Open)/>
                <Tool
                    label="Duplicate this widget"
                    testid="widget-copy"
                    shape=set::BsCopy.data
                    act=act(WidgetAction::Duplicate)
                />
                <Tool label="Remove this widget" testid="widget-remove" shape=set::BsTrash3.data act=act(WidgetAction::Remove)/>
            </div>
            <div class="tools-corner" data-testid="corner" aria-hidden="true" on:pointerdown=grab(Grip::Corner)></div>
        </div>
    }
}

#[component]
fn Tool(label: &'static str, testid: &'static str, shape: &'static str, act: impl Fn() + 'static) -> impl IntoView {
    view! {
        <button class="tool" type="button" title=label aria-label=label data-testid=testid on:click=move |_| act()>
            <svg viewBox="0 0 16 16" aria-hidden="true" inner_html=shape></svg>
        </button>
    }
}

impl<'a> Key<'a> {
    /// Makes the key of an event, whose key name is `name`.
    #[must_use]
    pub fn of(event: &KeyboardEvent, name: &'a str) -> Self {
        Self { name, ctrl: event.ctrl_key() || event.meta_key(), alt: event.alt_key(), shift: event.shift_key() }
    }
}
