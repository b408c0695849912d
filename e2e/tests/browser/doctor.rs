//! Tests of the stream doctor in the page.

use std::time::Duration;

use pulseboard_e2e::{Fault, FaultyProxy, Page, Stage, until};

const CLICK: &str = "document.querySelector('[data-testid=doctor]').click()";

#[tokio::test]
async fn the_doctor_finds_a_clean_way_clean() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    let page = stage.open("/b/ops").await;
    page.eval(CLICK, &[]).await;
    finds(&page, "reach").await;
    finds(&page, "10 events, 200 ms apart, arrive as they are sent").await;
    let findings = page.text("findings").await.unwrap_or_default();
    assert!(!findings.contains('✕'), "{findings}");
    page.eval(CLICK, &[]).await;
    until("it is closed again", async || match page.text("findings").await {
        Some(text) if text.is_empty() => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test]
async fn the_doctor_finds_what_holds_events_back_and_says_what_mends_it() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    let proxy = FaultyProxy::start(stage.server.base()).await;
    let page = stage.page();
    page.open(&format!("{}/b/ops", proxy.base())).await;
    page.shows("ops/temp", "1").await;
    // The bytes that come during the delay pass together, like from a buffer.
    proxy.set(Fault::Delay(Duration::from_millis(1_500)));
    page.eval(CLICK, &[]).await;
    finds(&page, "✕ buffering").await;
    finds(&page, "events are held back").await;
    finds(&page, "proxy_buffering off;").await;
}

async fn finds(page: &Page<'_>, what: &str) {
    until(&format!("the doctor finds {what:?}"), async || match page.text("findings").await {
        Some(text) if text.contains(what) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}
