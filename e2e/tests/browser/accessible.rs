//! Checks the pages with axe-core, by day and by night: names, roles, contrast, and the order of headings.

use std::path::PathBuf;

use pulseboard_e2e::Page;
use serde_json::json;

use crate::screens;

/// Returns the findings of axe-core, each with the elements that it is about.
const RUN: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ['violations'] }).then(
        (found) => done(found.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => `${n.html} (${n.failureSummary})`).join(' | ')}`)),
        (error) => done([`axe-core failed: ${error}`]),
    )";

#[tokio::test]
async fn pages_are_accessible_by_day_and_by_night() {
    let stage = screens::shop().await;
    let axe = std::fs::read_to_string(axe_core()).expect("`make test` installs axe-core, or tools/setup.sh clients");
    let page = screens::open_shop(&stage).await;
    let mut found = check(&page, &axe, "a board").await;
    press(&page, "[data-testid=edit]").await;
    page.appears("editbar").await;
    found.extend(check(&page, &axe, "the editor").await);
    press(&page, "[data-testid=add]").await;
    page.appears("add-sheet").await;
    found.extend(check(&page, &axe, "the dialog for a widget").await);
    for (path, part, name) in [
        ("/", "board-card", "all boards"),
        ("/b/new", "curl-line", "an empty board"),
        ("/b/no%20board", "invalid-board", "a wrong address"),
        ("/b/shop?from=-2h&to=-1h", "past-bar", "the past"),
        ("/b/shop?kiosk", "tile", "a wall screen"),
    ] {
        let page = stage.open(path).await;
        page.appears(part).await;
        page.rests().await;
        found.extend(check(&page, &axe, name).await);
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Returns the findings on this page in both themes.
async fn check(page: &Page<'_>, axe: &str, name: &str) -> Vec<String> {
    let mut all = Vec::new();
    page.eval(&format!("{axe}; window.axe = axe"), &[]).await;
    for theme in ["light", "dark"] {
        let features = json!([{ "name": "prefers-color-scheme", "value": theme }]);
        page.cdp("Emulation.setEmulatedMedia", json!({ "features": features })).await;
        let found = page.eval_async(RUN).await;
        let found: Vec<String> = serde_json::from_value(found).expect("a list of texts");
        all.extend(found.into_iter().map(|finding| format!("{name}, {theme}: {finding}")));
    }
    all
}

async fn press(page: &Page<'_>, selector: &str) {
    page.eval("document.querySelector(arguments[0]).click()", &[selector]).await;
}

/// The file of axe-core, among the packages that tools/setup.sh installs.
fn axe_core() -> PathBuf {
    let tests = std::env::current_exe().expect("a test has a file");
    let target = tests.ancestors().nth(3).expect("tests are in target/PROFILE/deps");
    target.join("clients/node/node_modules/axe-core/axe.min.js")
}
