//! Tests of several tabs of one browser that share a stream.

use pulseboard_e2e::{Page, Stage, Tab};
use serde_json::json;

#[tokio::test]
async fn seven_tabs_are_live_over_one_stream() {
    let stage = Stage::start().await;
    stage.server.push_batch(&on_every_board(1)).await;
    // A browser has six connections to a server. With one stream for each tab, the seventh would not even load.
    let tabs = seven(&stage).await;
    for value in [1, 2] {
        stage.server.push_batch(&on_every_board(value)).await;
        for (tab, board) in tabs.iter().zip(BOARDS) {
            let page = tab.front().await;
            page.shows(&format!("{board}/n"), &value.to_string()).await;
            page.badge_is("live").await;
        }
    }
    stage.server.has_readers(1).await;
}

#[tokio::test]
async fn when_the_tab_that_has_the_stream_is_closed_the_others_go_on_and_miss_nothing() {
    let stage = Stage::start().await;
    let (mut tabs, mut line) = (Vec::new(), 0);
    for _ in 0..3 {
        tabs.push(stage.open_tab("/b/ops").await);
        tabs.last().expect("just opened").front().await.badge_is("live").await;
    }
    while tabs.len() > 1 {
        push_lines(&stage, &mut line).await;
        tabs.remove(0).close().await;
        push_lines(&stage, &mut line).await;
        for tab in &tabs {
            let page = tab.front().await;
            page.shows("ops/log", &format!("line {line}")).await;
            page.badge_is("live").await;
            assert_eq!(page.text("skipped").await.as_deref(), Some(""), "no line is skipped");
            page.eval("window.__still_here = true", &[]).await;
        }
        stage.server.has_readers(1).await;
    }
}

#[tokio::test]
async fn a_tab_that_is_frozen_gives_the_stream_up_and_catches_up_when_it_wakes() {
    let stage = Stage::start().await;
    stage.server.push("ops/n", "1").await;
    let first = stage.open_tab("/b/ops").await;
    first.front().await.shows("ops/n", "1").await;
    let second = stage.open_tab("/b/ops").await;
    second.front().await.shows("ops/n", "1").await;

    lifecycle(&first.front().await, "frozen").await;
    let page = second.front().await;
    stage.server.push("ops/n", "2").await;
    page.shows("ops/n", "2").await;
    stage.server.has_readers(1).await;

    let page = first.front().await;
    lifecycle(&page, "active").await;
    page.shows("ops/n", "2").await;
    page.badge_is("live").await;
    stage.server.push("ops/n", "3").await;
    page.shows("ops/n", "3").await;
    stage.server.has_readers(1).await;
}

#[tokio::test]
async fn a_tab_that_has_the_stream_and_hangs_is_replaced() {
    let stage = Stage::start().await;
    stage.server.push("ops/n", "1").await;
    let first = stage.open_tab("/b/ops").await;
    first.front().await.shows("ops/n", "1").await;
    // The tab keeps its stream but sends no messages, like one that hangs.
    first.front().await.eval("BroadcastChannel.prototype.postMessage = () => {}", &[]).await;

    let second = stage.open_tab("/b/ops").await;
    let page = second.front().await;
    page.shows("ops/n", "1").await;
    page.badge_is("live").await;
    stage.server.has_readers(1).await;
}

#[tokio::test]
async fn where_tabs_cannot_hear_each_other_each_has_its_own_stream() {
    let stage = Stage::start().await;
    stage.server.push("ops/n", "1").await;
    let mut tabs = Vec::new();
    for _ in 0..2 {
        let tab = stage.open_tab("/").await;
        let page = tab.front().await;
        let alone = "delete Navigator.prototype.locks";
        page.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": alone })).await;
        page.open(&format!("{}/b/ops", stage.server.base())).await;
        page.shows("ops/n", "1").await;
        tabs.push(tab);
    }
    stage.server.has_readers(2).await;
    stage.server.push("ops/n", "2").await;
    for tab in &tabs {
        tab.front().await.shows("ops/n", "2").await;
    }
}

const BOARDS: [&str; 7] = ["ops", "dev", "ops", "hall", "shop", "dev", "ops"];

async fn seven(stage: &Stage) -> Vec<Tab<'_>> {
    let mut tabs = Vec::new();
    for board in BOARDS {
        tabs.push(stage.open_tab(&format!("/b/{board}")).await);
    }
    tabs
}

fn on_every_board(value: u32) -> String {
    let line = |board: &str| format!("{{\"series\":\"{board}/n\",\"value\":{value}}}\n");
    ["ops", "dev", "hall", "shop"].map(line).concat()
}

async fn push_lines(stage: &Stage, line: &mut u32) {
    for _ in 0..10 {
        *line += 1;
        stage.server.push("ops/log", &format!("{{\"text\":\"line {line}\"}}")).await;
    }
}

async fn lifecycle(page: &Page<'_>, state: &str) {
    page.cdp("Page.setWebLifecycleState", json!({ "state": state })).await;
}
