//! Tests of a page whose server speaks a newer version of the contract.

use pulseboard_e2e::{Fault, FaultyProxy, Stage, curl, until};
use serde_json::json;

#[tokio::test]
async fn an_old_page_reloads_once_where_it_was_and_then_tells_the_reader() {
    let stage = Stage::start().await;
    let lines: String = (0..60).map(|i| format!("{{\"series\":\"ops/n{i}\",\"value\":{i}}}\n")).collect();
    stage.server.push_batch(&lines).await;
    // A tile for each series, so that the page is long.
    let stat = |i: usize| json!({ "id": format!("n{i}"), "type": "stat", "series": [format!("ops/n{i}")] });
    let board = json!({ "widgets": (0..60).map(stat).collect::<Vec<_>>() }).to_string();
    let url = format!("{}/api/boards/ops", stage.server.base());
    assert_eq!(curl(&["-X", "PUT", "-H", "content-type: application/json", "-d", &board, &url]).await, "");
    let proxy = FaultyProxy::start(stage.server.base()).await;
    let page = stage.page();
    page.open(&format!("{}/b/ops", proxy.base())).await;
    page.shows("ops/n59", "59").await;
    page.eval("scrollTo(0, 400); window.__old = true", &[]).await;
    let place = "return document.querySelector('[data-series=\\'ops/n20\\']').getBoundingClientRect().top";
    let before = page.eval(place, &[]).await.as_f64().expect("it is on the page");

    // The server comes back as a newer version.
    proxy.set(Fault::Cut);
    stage.server.push("ops/n1", "2").await;
    proxy.struck().await;
    proxy.set(Fault::OtherContract);
    until("it reloads", async || match page.eval("return window.__old === true", &[]).await {
        old if old == true => Err("it is the old one".to_owned()),
        _ => Ok(()),
    })
    .await;
    // The reloaded page is as old as before, as behind a stubborn cache.
    page.shows("ops/n59", "59").await;
    page.eval("window.__new = true", &[]).await;
    until("the reader is told", async || {
        let told = page.eval("return document.body.innerText", &[]).await.to_string();
        if told.contains("A new version is here") { Ok(()) } else { Err(told) }
    })
    .await;
    // The line with the message may be above, so its height is allowed for.
    let line = "return document.querySelector('[data-testid=reload]').parentElement.getBoundingClientRect().height";
    let line = page.eval(line, &[]).await.as_f64().expect("it is on the page");
    until("it is where it was", async || match page.eval(place, &[]).await.as_f64() {
        Some(now) if (now - before).abs() < line + 1.0 => Ok(()),
        now => Err(format!("{now:?} instead of {before}")),
    })
    .await;
    page.badge_is("live").await;
    assert_eq!(page.eval("return window.__new === true", &[]).await, true, "it reloads only once");
}
