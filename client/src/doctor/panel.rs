//! The panel of the stream doctor: its progress and its findings.

use super::findings::Finding;
use crate::dynamic::RwSignal;
use crate::part::Part;

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
