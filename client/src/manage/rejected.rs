//! The inbox of rejected pushes: senders, requests, and the reasons of the server.

use std::time::Duration;

use leptos::prelude::{on_cleanup, set_interval_with_handle};

use super::list::{Inbox, Rejected};
use crate::dynamic::{RwSignal, spawn};
use crate::part::Part;
use crate::{browser, fetch, json};

/// Interval between two requests of the list while the panel is open.
const EVERY: Duration = Duration::from_secs(5);

#[derive(Clone, PartialEq)]
enum Look {
    Asking,
    Failed,
    Found(Inbox),
}

/// Builds the panel: the last rejected pushes, requested again while it is open.
#[must_use]
pub fn panel() -> Part {
    let look = RwSignal::new(Look::Asking);
    ask(look);
    let every = set_interval_with_handle(move || ask(look), EVERY);
    on_cleanup(move || {
        if let Ok(every) = every {
            every.clear();
        }
    });
    let inside = move || look.with(shown);
    Part::new("div", "").with("data-testid", "inbox").with("role", "status").live_inside(inside)
}

fn ask(look: RwSignal<Look>) {
    if browser::is_hidden() {
        return;
    }
    spawn(async move {
        let answer = fetch::get("api/rejected").await.ok().filter(fetch::Answer::is_ok);
        let inbox = answer.and_then(|answer| Inbox::of(&json::read(&answer.body)?));
        let now = inbox.map_or(Look::Failed, Look::Found);
        // Updates the list only if it changed: a new list would clear the user's text selection.
        if look.try_with_untracked(|before| *before != now) == Some(true) {
            look.try_set(now);
        }
    });
}

fn shown(look: &Look) -> Vec<Part> {
    let line = |words: &str| vec![Part::new("p", "").text(words)];
    match look {
        Look::Asking => line("Asking…"),
        Look::Failed => line("The server did not answer; it is asked again in some seconds."),
        Look::Found(Inbox { total: 0, .. }) => line("No push was refused since the server started."),
        Look::Found(Inbox { total, rejected }) => {
            let kept = rejected.len();
            let head = format!("{total} refused since the server started; the last {kept}, newest first:");
            let now = browser::now();
            line(&head).into_iter().chain(rejected.iter().map(|one| entry(one, now))).collect()
        }
    }
}

fn entry(rejected: &Rejected, now: u64) -> Part {
    let Rejected { ts, sender, request, detail, line, text } = rejected;
    let head = Part::new("p", "").put(&Part::new("b", "").text(request));
    let head = head.text(&format!(" from {sender}, {}", browser::moment(*ts, now)));
    let what = match line {
        Some(line) => format!("line {line}: {text}"),
        None => text.clone(),
    };
    let entry = Part::new("div", "finding").with("data-testid", "rejected-push").put(&head);
    let entry = entry.put(&Part::new("p", "finding-why").text(detail));
    if text.is_empty() { entry } else { entry.put(&Part::new("pre", "").text(&what)) }
}
