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

/// The content of the panel.
#[derive(Clone, Copy, PartialEq)]
enum Content {
    Asking,
    Failed,
    Empty,
    List,
}

impl Look {
    fn content(&self) -> Content {
        match self {
            Self::Asking => Content::Asking,
            Self::Failed => Content::Failed,
            Self::Found(Inbox { total: 0, .. }) => Content::Empty,
            Self::Found(_) => Content::List,
        }
    }

    fn inbox(&self) -> Option<&Inbox> {
        match self {
            Self::Found(inbox) => Some(inbox),
            Self::Asking | Self::Failed => None,
        }
    }
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
    let content = Memo::new(move |_| look.with(Look::content));
    let shown = move || match content.get() {
        Content::Asking => view! { <p>"Asking…"</p> }.into_any(),
        Content::Failed => view! { <p>"The server did not answer; it is asked again in some seconds."</p> }.into_any(),
        Content::Empty => view! { <p>"No push was refused since the server started."</p> }.into_any(),
        Content::List => view! { <RejectedList look/> }.into_any(),
    };
    view! { <div data-testid="inbox" role="status">{move || shown()}</div> }
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

/// The list. A push that stays in it keeps its element, and so the user's selection of text.
#[component]
fn RejectedList(look: RwSignal<Look>) -> impl IntoView {
    let heading = move || {
        let (total, kept) = look.with(|look| look.inbox().map_or((0, 0), |inbox| (inbox.total, inbox.rejected.len())));
        format!("{total} refused since the server started; the last {kept}, newest first:")
    };
    let numbered = move || look.with(|look| look.inbox().map(Inbox::numbered).unwrap_or_default());
    view! {
        <p>{move || heading()}</p>
        // After a restart of the server the numbers begin again, so the time is part of the key.
        <For each=move || numbered() key=|(number, rejected)| (*number, rejected.ts) let(entry)>
            <RejectedPush rejected=entry.1/>
        </For>
    }
}

#[component]
fn RejectedPush(rejected: Rejected) -> impl IntoView {
    let Rejected { ts, sender, request, detail, line, text } = rejected;
    let body = (!text.is_empty()).then(|| match line {
        Some(line) => format!("line {line}: {text}"),
        None => text,
    });
    view! {
        <div class="finding" data-testid="rejected-push">
            <p><b>{request}</b> {format!(" from {sender}, {}", browser::moment(ts, browser::now()))}</p>
            <p class="finding-why">{detail}</p>
            {body.map(|body| view! { <pre>{body}</pre> }.into_any())}
        </div>
    }
}
