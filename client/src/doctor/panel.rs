//! What the doctor found, in the page.

use super::findings::Finding;
use crate::dynamic::RwSignal;
use crate::part::Part;

/// How far it is.
#[derive(Clone, PartialEq)]
enum Visit {
    /// It takes some seconds: a pattern has to be seen.
    Measuring,
    /// Done.
    #[cfg_attr(not(target_family = "wasm"), expect(dead_code, reason = "nothing is measured without a browser"))]
    Found(Vec<Finding>),
    /// The server did not answer.
    Failed,
}

/// What the doctor found; he begins as it is made.
#[must_use]
pub fn panel() -> Part {
    let visit = RwSignal::new(Visit::Measuring);
    examine(visit);
    let line = |words: &str| vec![Part::new("p", "finding").text(words)];
    Part::new("div", "host").live_inside(move || {
        visit.with(|visit| match visit {
            Visit::Measuring => line("Measuring, some five seconds…"),
            Visit::Failed => line("The server did not answer; try again."),
            Visit::Found(findings) => findings.iter().map(shown).collect(),
        })
    })
}

#[cfg(target_family = "wasm")]
fn examine(visit: RwSignal<Visit>) {
    crate::dynamic::spawn(async move {
        let found = super::measure::examine().await.map_or(Visit::Failed, Visit::Found);
        // Closed meanwhile: then nobody wants to know.
        visit.try_set(found);
    });
}

/// There is nothing to measure without a browser.
#[cfg(not(target_family = "wasm"))]
fn examine(visit: RwSignal<Visit>) {
    visit.set(Visit::Failed);
}

/// A line, with what to do where something is wrong.
fn shown(finding: &Finding) -> Part {
    let mark = match finding.level.as_str() {
        "ok" => "✓ ",
        "warn" => "△ ",
        _ => "✕ ",
    };
    let check = Part::new("b", "").text(mark).text(&finding.check);
    let what = Part::new("p", "").put(&check).text(": ").text(&finding.what);
    let mend = finding.mend.iter().flatten().flat_map(|mend| {
        let head = Part::new("p", "").text(&mend.proxy).text(", ").text(&mend.place).text(":");
        [head, Part::new("pre", "").text(&mend.lines.join("\n"))]
    });
    Part::new("div", "finding")
        .with("data-level", &finding.level)
        .put(&what)
        .put(&Part::new("p", "finding-why").text(finding.why.as_deref().unwrap_or_default()))
        .put_all(mend)
}
