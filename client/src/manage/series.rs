//! The list of the server's series, where the user can delete them.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::SeriesName;

use super::list::Listed;
use crate::edit::confirm::confirmed;
use crate::fetch::{self, Request};
use crate::home::cards::entries;
use crate::json;

/// Most series that are shown. The user finds others by the beginning of their names.
const MOST: usize = 200;

#[derive(Clone, Copy)]
struct Search {
    /// Beginning of the names to list.
    prefix: RwSignal<String>,
    found: RwSignal<Option<Vec<Listed>>>,
    /// Message about the last request; empty where the list says enough.
    message: RwSignal<String>,
}

/// A search, and a row for each series found.
#[component]
pub fn SeriesList() -> impl IntoView {
    let search = Search {
        prefix: RwSignal::new(String::new()),
        found: RwSignal::new(None),
        message: RwSignal::new(String::new()),
    };
    search.ask();
    let rows = move || {
        let found = search.found.get()?;
        Some(if found.is_empty() {
            view! { <li>"No series begins like that."</li> }.into_any()
        } else {
            found.into_iter().map(|listed| view! { <SeriesRow listed search/> }).collect_view().into_any()
        })
    };
    view! {
        <div>
            <input
                type="search"
                data-testid="series-prefix"
                aria-label="Beginning of the name"
                placeholder="ops/"
                on:input=move |event| {
                    search.prefix.set(event_target_value(&event));
                    search.ask();
                }
            />
            <p role="status">{move || search.message.get()}</p>
            <ul class="manage-list" data-testid="series-list">{move || rows()}</ul>
        </div>
    }
}

#[component]
fn SeriesRow(listed: Listed, search: Search) -> impl IntoView {
    let Listed { name, newest } = listed;
    let label = format!("Delete {name}");
    view! {
        <li>
            <span class="manage-name">{name.to_string()}</span>
            <span class="manage-newest">{newest}</span>
            <button
                class="button"
                type="button"
                data-testid="series-delete"
                aria-label=label
                on:click=move |_| search.delete(name.clone())
            >
                "Delete"
            </button>
        </li>
    }
}

impl Search {
    fn ask(self) {
        let prefix = self.prefix.get_untracked();
        spawn_local(async move {
            let escaped = String::from(js_sys::encode_uri_component(&prefix));
            let answer = fetch::get(&format!("api/series?limit={MOST}&prefix={escaped}")).await;
            // The user has typed another prefix meanwhile.
            if self.prefix.try_with_untracked(|now| *now == prefix) != Some(true) {
                return;
            }
            let answer = answer.ok().filter(fetch::Answer::is_ok);
            match answer.and_then(|answer| entries(&json::read(&answer.body)?, Listed::of)) {
                Some(found) => {
                    let many = found.len() == MOST;
                    self.message.set(if many {
                        format!("The first {MOST}; type more of the name.")
                    } else {
                        String::new()
                    });
                    self.found.set(Some(found));
                }
                None => self.message.set("The server did not answer; try again.".to_owned()),
            }
        });
    }

    fn delete(self, name: SeriesName) {
        spawn_local(async move {
            let question = format!("Delete {name} with all its history? Nothing brings it back.");
            if !confirmed(&question, "Delete").await {
                return;
            }
            let address = format!("api/series/{name}");
            let answer = fetch::send(Request { method: "DELETE", address: &address, headers: &[], body: None }).await;
            match answer {
                // 404: somebody else may have deleted it already.
                Ok(answer) if answer.is_ok() || answer.status == 404 => self.ask(),
                Ok(answer) => {
                    let detail = json::read::<serde_json::Value>(&answer.body);
                    let detail = detail.and_then(|problem| Some(problem.get("detail")?.as_str()?.to_owned()));
                    let why = detail.unwrap_or_else(|| answer.status.to_string());
                    _ = self.message.try_set(format!("{name} is not deleted: {why}"));
                }
                Err(error) => _ = self.message.try_set(format!("{name} is not deleted: {error}")),
            }
        });
    }
}
