//! Tests of a board while numbers are pushed to it.

use std::process::Stdio;

use pulseboard_e2e::{Stage, until};
use tokio::process::Command;

#[tokio::test]
async fn a_number_pushed_with_curl_shows_at_once() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "41").await;
    let page = stage.open("/b/ops").await;
    page.shows("ops/temp", "41").await;
    page.badge_is("live").await;

    stage.server.push("ops/temp", "42.5").await;
    page.shows("ops/temp", "42.5").await;
    let tile = page.tile("ops/temp").await.expect("it is shown");
    assert!(tile.change.contains("1.5"), "from 41 to 42.5 it changed by 1.5, not {:?}", tile.change);
    assert_eq!(tile.age, "", "a value that is not late needs no age");

    until("the latency from push to paint is told", async || {
        let latency = page.text("latency").await.unwrap_or_default();
        if latency.contains(|c: char| c.is_ascii_digit()) { Ok(()) } else { Err(format!("{latency:?}")) }
    })
    .await;
}

#[tokio::test]
async fn a_series_first_pushed_while_the_page_is_open_appears_on_it() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    stage.server.push("home/temp", "2").await;
    let page = stage.open("/b/ops").await;
    page.shows("ops/temp", "1").await;

    stage.server.push("ops/api/latency_ms", "7").await;
    page.shows("ops/api/latency_ms", "7").await;
    stage.server.push("ops/deploy", r#"{"text":"version 12 is out"}"#).await;
    page.shows("ops/deploy", "version 12 is out").await;
    assert_eq!(page.tile("home/temp").await, None, "another board's series stay there");
}

#[tokio::test]
async fn an_empty_board_shows_the_very_line_that_fills_it() {
    let stage = Stage::start().await;
    let page = stage.open("/b/kitchen").await;
    page.badge_is("live").await;
    let line = until("there is a line to copy", async || {
        page.text("curl-line").await.filter(|line| line.contains("curl")).ok_or_else(|| "none".to_owned())
    })
    .await;
    assert!(line.contains(stage.server.base()), "it has the page's own address: {line}");

    let ran = Command::new("sh").arg("-c").arg(&line).stdin(Stdio::null()).output().await.expect("there is a shell");
    assert!(ran.status.success(), "{line}: {ran:?}");
    let series = until("the board has a tile", async || {
        let script = "return document.querySelector('[data-testid=tile]')?.dataset.series ?? null";
        page.eval(script, &[]).await.as_str().map(str::to_owned).ok_or_else(|| "none".to_owned())
    })
    .await;
    assert!(series.starts_with("kitchen/"), "{series}");
    page.shows(&series, "42.5").await;
}

#[tokio::test]
async fn the_home_page_lists_the_boards() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    stage.server.push("shop/orders", "2").await;
    let page = stage.open("/").await;
    until("both boards are listed", async || {
        let cards = page.texts("board-card").await;
        let listed = |board: &str| cards.iter().any(|card| card.contains(board));
        if listed("ops") && listed("shop") { Ok(()) } else { Err(format!("{cards:?}")) }
    })
    .await;
    page.eval("document.querySelector('[data-testid=board-card] a, a[data-testid=board-card]').click()", &[]).await;
    until("a card leads to its board", async || {
        let path = page.eval("return location.pathname", &[]).await;
        if path == "/b/ops" || path == "/b/shop" { Ok(()) } else { Err(path.to_string()) }
    })
    .await;
}
