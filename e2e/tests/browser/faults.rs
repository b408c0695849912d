//! Tests of the page on a network with faults.

use std::time::Duration;

use pulseboard_e2e::{Fault, FaultyProxy, Page, Stage};

#[tokio::test]
async fn after_every_fault_of_the_network_the_page_is_live_again_without_a_reload() {
    // A heartbeat of one second, since the page detects a dead connection by two missing heartbeats.
    let stage = Stage::with(&["--heartbeat".to_owned(), "1".to_owned()]).await;
    let proxy = FaultyProxy::start(stage.server.base()).await;
    stage.server.push("ops/count", "0").await;
    let page = stage.page();
    page.open(&format!("{}/b/ops", proxy.base())).await;
    page.shows("ops/count", "0").await;
    page.eval("window.__still_here = true", &[]).await;

    let slow = [Fault::Delay(Duration::from_millis(700)), Fault::OneByteAtATime];
    let broken = [Fault::Cut, Fault::Reset, Fault::Stall];
    let mut count = 0;
    for fault in slow.into_iter().chain(broken) {
        proxy.set(fault);
        count += 1;
        stage.server.push("ops/count", &count.to_string()).await;
        proxy.struck().await;
        if slow.contains(&fault) {
            shows(&page, fault, count).await;
        }
        // A push while nothing gets through is not lost either.
        count += 1;
        stage.server.push("ops/count", &count.to_string()).await;
        proxy.set(Fault::None);
        shows(&page, fault, count).await;
        page.badge_is("live").await;
        count += 1;
        stage.server.push("ops/count", &count.to_string()).await;
        shows(&page, fault, count).await;
    }
    assert_eq!(page.eval("return window.__still_here === true", &[]).await, true, "it was not reloaded");
}

async fn shows(page: &Page<'_>, fault: Fault, count: u32) {
    eprintln!("{fault:?}: {count}");
    page.shows("ops/count", &count.to_string()).await;
}
