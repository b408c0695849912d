//! Tests of the server's warnings on the page.

use pulseboard_e2e::{Page, Stage, until};

#[tokio::test]
async fn a_refusal_of_pushes_is_shown_while_it_lasts_and_to_pages_that_come_later() {
    let mut stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    let page = stage.open("/b/ops").await;
    page.shows("ops/temp", "1").await;
    warns(&page, "").await;
    let kept = stage.server.lose_database();
    warns(&page, "The server warns: pushes are refused: ").await;
    page.badge_is("live").await;
    page.open(&format!("{}/b/ops", stage.server.base())).await;
    page.shows("ops/temp", "1").await;
    warns(&page, "The server warns: pushes are refused: ").await;
    stage.server.kill().await;
    kept.put_back();
    stage.server.start_again().await;
    stage.server.push("ops/temp", "2").await;
    let page = stage.page();
    page.shows("ops/temp", "2").await;
    warns(&page, "").await;
}

/// Reads the text of the warnings; empty if they are hidden.
const SHOWN: &str = "const warnings = document.querySelector('[data-testid=warnings]');
    return warnings?.checkVisibility() ? warnings.textContent.trim() : ''";

/// Waits until the page shows a warning that starts with this text; no warning if it is empty.
async fn warns(page: &Page<'_>, beginning: &str) {
    until(&format!("the page warns {beginning:?}"), async || {
        let shown = page.eval(SHOWN, &[]).await.as_str().unwrap_or_default().to_owned();
        let fits = if beginning.is_empty() { shown.is_empty() } else { shown.starts_with(beginning) };
        if fits { Ok(()) } else { Err(shown) }
    })
    .await;
}
