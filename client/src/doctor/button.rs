//! The button that starts the stream doctor, whose module is fetched on the first click.

use leptos::prelude::*;

use crate::lazy::Placeholder;
use crate::pages::PAGES;

/// A button that checks the network path of the stream, and the findings below it.
#[component]
pub fn Doctor() -> impl IntoView {
    let open = RwSignal::new(false);
    view! {
        <section class="doctor" aria-label="Stream doctor">
            <button
                class="button"
                type="button"
                data-testid="doctor"
                aria-expanded=move || open.get().to_string()
                on:click=move |_| open.update(|open| *open = !*open)
            >
                {move || if open.get() { "Close" } else { "Check the stream" }}
            </button>
            <div role="status" data-testid="findings">
                {move || open.get().then(|| PAGES.view(Placeholder::Nothing, |pages| (pages.doctor)()))}
            </div>
        </section>
    }
}
