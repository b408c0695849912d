//! The panel of the stream doctor: its progress and its findings.

use super::findings::{Finding, Mend};
use leptos::prelude::*;
#[cfg(target_family = "wasm")]
use leptos::task::spawn_local;

/// The progress of a check.
#[derive(Clone, PartialEq)]
enum Visit {
    /// The check takes some seconds, since a pattern must become visible.
    Measuring,
    /// The check is complete.
    #[cfg_attr(not(target_family = "wasm"), expect(dead_code, reason = "nothing is measured without a browser"))]
    Found(Vec<Finding>),
    /// The server did not answer.
    Failed,
}

/// The panel. It starts to measure when it is made.
#[component]
pub fn DoctorPanel() -> impl IntoView {
    let visit = RwSignal::new(Visit::Measuring);
    examine(visit);
    view! { {move || shown(visit.get())} }
}

fn shown(visit: Visit) -> AnyView {
    match visit {
        Visit::Measuring => view! { <p class="finding">"Measuring, some five seconds…"</p> }.into_any(),
        Visit::Failed => view! { <p class="finding">"The server did not answer; try again."</p> }.into_any(),
        Visit::Found(findings) => {
            findings.into_iter().map(|finding| view! { <FindingNote finding/> }).collect_view().into_any()
        }
    }
}

#[cfg(target_family = "wasm")]
fn examine(visit: RwSignal<Visit>) {
    spawn_local(async move {
        let found = super::measure::examine().await.map_or(Visit::Failed, Visit::Found);
        // Fails if the user has closed the panel meanwhile.
        visit.try_set(found);
    });
}

/// Without a browser there is nothing to measure.
#[cfg(not(target_family = "wasm"))]
fn examine(visit: RwSignal<Visit>) {
    visit.set(Visit::Failed);
}

/// A finding, with the configuration that fixes it.
#[component]
fn FindingNote(finding: Finding) -> impl IntoView {
    let Finding { check, level, what, why, mend } = finding;
    let mark = match level.as_str() {
        "ok" => "✓ ",
        "warn" => "△ ",
        _ => "✕ ",
    };
    let configuration = |Mend { proxy, place, lines }| {
        view! {
            <p>{format!("{proxy}, {place}:")}</p>
            <pre>{lines.join("\n")}</pre>
        }
        .into_any()
    };
    view! {
        <div class="finding" data-level=level>
            <p><b>{mark} {check}</b> ": " {what}</p>
            <p class="finding-why">{why.unwrap_or_default()}</p>
            {mend.unwrap_or_default().into_iter().map(configuration).collect_view()}
        </div>
    }
}
