//! What a board shows: each kind of widget in a file of its own, all from the same fold.
//!
//! [`frame`] is what is around each of them; [`names`] which series it has; [`glance`] a track made readable.

pub mod frame;
pub mod glance;
pub mod log;
pub mod names;
pub mod stat;

use leptos::prelude::*;
use shared::board::widget::Shown;
use shared::board::{Content, View};

use crate::board::stage::Stage;
use log::LogWidget;
use stat::StatWidget;

/// What is inside of a widget.
#[must_use]
pub fn inside(content: Content, stage: Stage) -> AnyView {
    let Content::Series(shown) = content else {
        return view! { <p class="empty"></p> }.into_any();
    };
    let Shown { view: kind, source } = *shown;
    match kind {
        View::Log(options) => view! { <LogWidget options source stage/> }.into_any(),
        View::Stat(options) => view! { <StatWidget options source stage/> }.into_any(),
        _ => view! { <StatWidget options=shared::board::stat::Stat::default() source stage/> }.into_any(),
    }
}
