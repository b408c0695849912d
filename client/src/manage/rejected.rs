//! The inbox of rejected pushes: senders, requests, and the reasons of the server.

use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

use super::list::{Inbox, Rejected};
use crate::{browser, fetch, json};

/// Interval between two requests of the list while the panel is open.
const EVERY: Duration = Duration::from_secs(5);

#[derive(Clone, PartialEq)]
enum Look {
    Asking,
    Failed,
    Found(Inbox),
}

/// The last rejected pushes, requested again while the panel is open.
#[component]
pub fn RejectedPushes() -> impl IntoView {
    let look = RwSignal::new(Look::Asking);
    ask(look);
    let every = set_interval_with_handle(move || ask(look), EVERY);
    on_cleanup(move || {
        if let Ok(every) = every {
            every.clear();
        }
    });
    view! { <div data-testid="inbox" role="status">{move || shown(look.get())}</div> }
}

fn ask(look: RwSignal<Look>) {
    if browser::is_hidden() {
        return;
    }
    spawn_local(async move {
        let answer = fetch::get("api/rejected").await.ok().filter(fetch::Answer::is_ok);
        let inbox = answer.and_then(|answer| Inbox::of(&json::read(&answer.body)?));
        let now = inbox.map_or(Look::Failed, Look::Found);
        // Updates the list only if it changed: a new list would clear the user's text selection.
        if look.try_with_untracked(|before| *before != now) == Some(true) {
            look.try_set(now);
        }
    });
}

fn shown(look: Look) -> AnyView {
    match look {
        Look::Asking => view! { <p>"Asking…"</p> }.into_any(),
        Look::Failed => view! { <p>"The server did not answer; it is asked again in some seconds."</p> }.into_any(),
        Look::Found(Inbox { total: 0, .. }) => {
            view! { <p>"No push was refused since the server started."</p> }.into_any()
        }
        Look::Found(Inbox { total, rejected }) => {
            let (kept, now) = (rejected.len(), browser::now());
            view! {
                <p>{format!("{total} refused since the server started; the last {kept}, newest first:")}</p>
                {rejected.into_iter().map(|rejected| view! { <RejectedPush rejected now/> }).collect_view()}
            }
            .into_any()
        }
    }
}

#[component]
fn RejectedPush(rejected: Rejected, now: u64) -> impl IntoView {
    let Rejected { ts, sender, request, detail, line, text } = rejected;
    let body = (!text.is_empty()).then(|| match line {
        Some(line) => format!("line {line}: {text}"),
        None => text,
    });
    view! {
        <div class="finding" data-testid="rejected-push">
            <p><b>{request}</b> {format!(" from {sender}, {}", browser::moment(ts, now))}</p>
            <p class="finding-why">{detail}</p>
            {body.map(|body| view! { <pre>{body}</pre> }.into_any())}
        </div>
    }
}
