//! The list of the server's series, where the user can delete them.

use shared::SeriesName;

use super::list::Listed;
use crate::dynamic::{RwSignal, spawn};
use crate::edit::confirm::confirmed;
use crate::fetch::{self, Request};
use crate::home::cards::entries;
use crate::json;
use crate::part::{Part, written};

/// Most series that are shown. The user finds others by the beginning of their names.
const MOST: usize = 200;

#[derive(Clone, Copy)]
struct Series {
    /// Beginning of the names to list.
    prefix: RwSignal<String>,
    found: RwSignal<Option<Vec<Listed>>>,
    /// Message about the last request; empty where the list says enough.
    told: RwSignal<String>,
}

/// Builds the panel: a search, and a row for each series found.
#[must_use]
pub fn panel() -> Part {
    let series =
        Series { prefix: RwSignal::new(String::new()), found: RwSignal::new(None), told: RwSignal::new(String::new()) };
    series.ask();
    let search = Part::new("input", "").with("type", "search").with("data-testid", "series-prefix");
    let search = search.with("aria-label", "Beginning of the name").with("placeholder", "ops/");
    let search = search.on("input", move |event| {
        series.prefix.set(written(&event));
        series.ask();
    });
    let told = Part::new("p", "").with("role", "status").live_text(move || series.told.get());
    let rows = Part::new("ul", "manage-list").with("data-testid", "series-list").live_inside(move || series.rows());
    Part::new("div", "").put(&search).put(&told).put(&rows)
}

impl Series {
    fn ask(self) {
        let prefix = self.prefix.get_untracked();
        spawn(async move {
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
                    self.told.set(if many {
                        format!("The first {MOST}; type more of the name.")
                    } else {
                        String::new()
                    });
                    self.found.set(Some(found));
                }
                None => self.told.set("The server did not answer; try again.".to_owned()),
            }
        });
    }

    fn rows(self) -> Vec<Part> {
        self.found.with(|found| match found {
            None => Vec::new(),
            Some(found) if found.is_empty() => vec![Part::new("li", "").text("No series begins like that.")],
            Some(found) => found.iter().map(|listed| self.row(listed)).collect(),
        })
    }

    fn row(self, Listed { name, newest }: &Listed) -> Part {
        let named = name.clone();
        let delete = Part::button("Delete", "series-delete", move || self.delete(named.clone()));
        let delete = delete.with("aria-label", &format!("Delete {name}"));
        let newest = Part::new("span", "manage-newest").text(newest);
        Part::new("li", "").put(&Part::new("span", "manage-name").text(name.as_str())).put(&newest).put(&delete)
    }

    fn delete(self, name: SeriesName) {
        spawn(async move {
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
                    _ = self.told.try_set(format!("{name} is not deleted: {why}"));
                }
                Err(error) => _ = self.told.try_set(format!("{name} is not deleted: {error}")),
            }
        });
    }
}
