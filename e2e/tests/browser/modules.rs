//! Tests of the lazily loaded modules: which ones a page fetches, and its message when one cannot be fetched.

use pulseboard_e2e::{Page, Stage, curl, until};

const BOARD: &str = r#"{"widgets":[{"id":"now","type":"stat","series":["ops/temp"]},
    {"id":"line","type":"line","series":["ops/temp"]},{"id":"note","type":"text","markdown":"Call *Ada*."}]}"#;

const HAS_NOTE: &str = "return !!document.querySelector('.note em')";

async fn stage() -> Stage {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "42.5").await;
    let url = format!("{}/api/boards/ops", stage.server.base());
    curl(&["-X", "PUT", "-H", "content-type: application/json", "-d", BOARD, &url]).await;
    stage
}

/// The wasm files that the page has fetched, without chunks of shared code.
async fn fetched(page: &Page<'_>) -> Vec<String> {
    let names = "return performance.getEntriesByType('resource').map((e) => new URL(e.name).pathname.split('/').pop())
        .filter((name) => name.endsWith('.wasm') && !name.startsWith('chunk_')).sort()";
    serde_json::from_value(page.eval(names, &[]).await).expect("a list of names")
}

#[tokio::test]
async fn a_board_fetches_what_it_shows_and_nothing_else() {
    let stage = stage().await;
    let page = stage.open("/b/ops").await;
    until("there is a chart", async || match page.text("chart").await {
        Some(_) => Ok(()),
        None => Err(page.account().await),
    })
    .await;
    until("there is a note", async || match page.eval(HAS_NOTE, &[]).await {
        there if there == true => Ok(()),
        _ => Err(page.account().await),
    })
    .await;
    assert_eq!(fetched(&page).await, ["pulseboard-client_bg.wasm", "split_board.wasm", "split_notes.wasm"]);
    stage.server.push("numbers/temp", "1").await;
    let page = stage.open("/b/numbers").await;
    page.shows("numbers/temp", "1").await;
    assert_eq!(fetched(&page).await, ["pulseboard-client_bg.wasm"], "a board that makes itself needs no more");
}

#[tokio::test]
async fn what_cannot_be_fetched_is_told_in_its_place_and_comes_when_it_can() {
    let stage = stage().await;
    let page = stage.page();
    page.cdp("Network.enable", serde_json::json!({})).await;
    page.cdp("Network.setBlockedURLs", serde_json::json!({ "urls": ["*split_notes*"] })).await;
    page.open(&format!("{}/b/ops", stage.server.base())).await;
    page.shows("ops/temp", "42.5").await;
    until("the note says that it is missing", async || match page.text("module-missing").await {
        Some(text) if text.contains("notes") => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    stage.server.push("ops/temp", "43.5").await;
    page.shows("ops/temp", "43.5").await;

    page.cdp("Network.setBlockedURLs", serde_json::json!({ "urls": [] })).await;
    page.eval("document.querySelector('[data-testid=module-again]').click()", &[]).await;
    until("there is a note", async || match page.eval(HAS_NOTE, &[]).await {
        there if there == true => Ok(()),
        _ => Err(page.account().await),
    })
    .await;
}

#[tokio::test]
async fn a_board_whose_document_cannot_be_read_says_so_and_comes_by_itself_when_it_can() {
    let stage = stage().await;
    let page = stage.page();
    page.cdp("Network.enable", serde_json::json!({})).await;
    page.cdp("Network.setBlockedURLs", serde_json::json!({ "urls": ["*split_board*"] })).await;
    page.open(&format!("{}/b/ops", stage.server.base())).await;
    until("it says what is missing", async || match page.text("module-missing").await {
        Some(text) if text.contains("board") => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    page.cdp("Network.setBlockedURLs", serde_json::json!({ "urls": [] })).await;
    page.shows("ops/temp", "42.5").await;
    assert_eq!(page.text("module-missing").await, None, "nothing is missing any more");
}
