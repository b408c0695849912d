//! Management on the page of all boards: the inbox of rejected pushes, and the list of series, where they can be
//! deleted.

pub mod list;
pub mod rejected;
pub mod series;

use leptos::prelude::*;

use rejected::RejectedPushes;
use series::SeriesList;

/// A button for each panel, and the panels that are open.
#[component]
pub fn ManageSections() -> impl IntoView {
    view! {
        <div class="manage">
            <ManageSection title="Inbox of rejected pushes" testid="rejected">
                <RejectedPushes/>
            </ManageSection>
            <ManageSection title="Series" testid="series">
                <SeriesList/>
            </ManageSection>
        </div>
    }
}

#[component]
fn ManageSection(title: &'static str, testid: &'static str, children: ChildrenFn) -> impl IntoView {
    let open = RwSignal::new(false);
    view! {
        <section class="manage-section" aria-label=title>
            <button
                class="button"
                type="button"
                data-testid=testid
                aria-expanded=move || open.get().to_string()
                on:click=move |_| open.update(|open| *open = !*open)
            >
                {title}
            </button>
            <div>{move || open.get().then(|| children())}</div>
        </section>
    }
}
