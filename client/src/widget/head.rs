//! The label of a series and its mark of staleness, as all kinds of widgets show them.

use leptos::prelude::*;
use shared::SeriesName;

use super::series::WidgetSeries;
use crate::icon::{Icon, IconImage};

/// The label of a series and its mark of staleness. Empty for a single series, for which the frame shows both.
#[component]
pub fn SeriesHead(
    /// The series.
    name: SeriesName,
    /// The series of the widget.
    series: WidgetSeries,
) -> impl IntoView {
    let of = name.clone();
    let label = Memo::new(move |_| series.label(&of));
    let head = move |label: String| {
        view! {
            <p class="label">
                <span class="label-name" title=name.to_string()>{label}</span>
                <StaleMark name=name.clone() series/>
            </p>
        }
        .into_any()
    };
    view! { {move || label.get().map(&head)} }
}

/// The mark of a stale series, by icon and in words; nothing while it reports.
#[component]
pub fn StaleMark(
    /// The series.
    name: SeriesName,
    /// The series of the widget.
    series: WidgetSeries,
) -> impl IntoView {
    let words = Memo::new(move |_| series.stale_words(&name));
    let mark = move |words: String| {
        view! {
            <span class="stale-mark" data-testid="stale">
                <IconImage icon=Icon::Stale/>
                " "
                {words}
            </span>
        }
        .into_any()
    };
    view! { {move || Some(words.get()).filter(|words| !words.is_empty()).map(mark)} }
}
