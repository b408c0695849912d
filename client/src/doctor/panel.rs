//! What the doctor found, in the page.

use leptos::prelude::*;

use super::findings::Finding;
use crate::dynamic::{part, text};

/// How far it is.
#[derive(Clone, PartialEq)]
enum Visit {
    /// Nobody asked.
    Closed,
    /// It takes some seconds: a pattern has to be seen.
    Measuring,
    /// Done.
    #[cfg_attr(not(target_family = "wasm"), expect(dead_code, reason = "nothing is measured without a browser"))]
    Found(Vec<Finding>),
    /// The server did not answer.
    Failed,
}

/// A button that has the way of the stream examined, and what was found.
#[component]
pub fn Doctor() -> impl IntoView {
    let visit = RwSignal::new(Visit::Closed);
    let open = move || visit.with(|visit| *visit != Visit::Closed);
    let click = move |_| {
        if open() {
            visit.set(Visit::Closed);
        } else {
            visit.set(Visit::Measuring);
            examine(visit);
        }
    };
    view! {
        <section class="doctor" aria-label="Stream doctor">
            <button class="button" type="button" data-testid="doctor" aria-expanded=text(move || open().to_string()) on:click=click>
                {text(move || if open() { "Close" } else { "Check the stream" }.to_owned())}
            </button>
            <div role="status" data-testid="findings">
                {part(move || visit.with(|visit| match visit {
                    Visit::Closed => ().into_any(),
                    Visit::Measuring => view! { <p class="finding">"Measuring, some five seconds…"</p> }.into_any(),
                    Visit::Failed => view! { <p class="finding">"The server did not answer; try again."</p> }.into_any(),
                    Visit::Found(findings) => findings.iter().map(shown).collect_view().into_any(),
                }))}
            </div>
        </section>
    }
}

#[cfg(target_family = "wasm")]
fn examine(visit: RwSignal<Visit>) {
    crate::dynamic::spawn(async move {
        let found = super::measure::examine().await.map_or(Visit::Failed, Visit::Found);
        // Closed meanwhile: then nobody wants to know.
        visit.try_update(|visit| {
            if *visit == Visit::Measuring {
                *visit = found;
            }
        });
    });
}

/// There is nothing to measure without a browser.
#[cfg(not(target_family = "wasm"))]
fn examine(visit: RwSignal<Visit>) {
    visit.set(Visit::Failed);
}

/// A line, with what to do where something is wrong.
fn shown(finding: &Finding) -> AnyView {
    let mark = match finding.level.as_str() {
        "ok" => "✓ ",
        "warn" => "△ ",
        _ => "✕ ",
    };
    let mend = finding.mend.iter().flatten().map(|mend| {
        let lines = mend.lines.join("\n");
        view! { <p>{mend.proxy.clone()} ", " {mend.place.clone()} ":"</p><pre>{lines}</pre> }
    });
    view! {
        <div class="finding" data-level=finding.level.clone()>
            <p><b>{mark} {finding.check.clone()}</b> ": " {finding.what.clone()}</p>
            <p class="finding-why">{finding.why.clone()}</p>
            {mend.collect_view()}
        </div>
    }
    .into_any()
}
