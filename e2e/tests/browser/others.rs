//! The plain page of docs/read-the-stream.md reads the stream from another origin.

use pulseboard_e2e::{Page, PlainSite, Stage, until};

const DOCUMENT: &str = include_str!("../../../docs/read-the-stream.md");

#[tokio::test]
async fn documented_page_reads_the_stream_from_an_allowed_origin() {
    let site = PlainSite::start();
    let stage = Stage::with(&["--allow-origin".to_owned(), site.origin().to_owned()]).await;
    stage.server.push("ops/temp", "1").await;
    site.put(documented_page(stage.server.base()));

    let page = stage.page();
    page.open(site.origin()).await;
    logs(&page, "open").await;
    logs(&page, "snapshot ops/temp 1 ").await;
    for value in ["2", "3"] {
        stage.server.push("ops/temp", value).await;
        logs(&page, &format!("update ops/temp {value} ")).await;
    }
    stage.server.push("ops/deploy", r#"{"text":"done"}"#).await;
    logs(&page, "update ops/deploy done ").await;
    assert!(!log(&page).await.contains("error"), "nothing goes wrong on the way");
}

#[tokio::test]
async fn the_same_page_on_an_origin_that_is_not_allowed_gets_an_error() {
    let (allowed, site) = (PlainSite::start(), PlainSite::start());
    let stage = Stage::with(&["--allow-origin".to_owned(), allowed.origin().to_owned()]).await;
    stage.server.push("ops/temp", "1").await;
    site.put(documented_page(stage.server.base()));

    let page = stage.page();
    page.open(site.origin()).await;
    logs(&page, "error").await;
    assert!(!log(&page).await.contains("ops/temp"), "nothing of the stream reaches it");
}

/// The first block of HTML in the document, with the address of this server.
fn documented_page(base: &str) -> String {
    let (_, rest) = DOCUMENT.split_once("```html\n").expect("the document has a page to copy");
    let (page, _) = rest.split_once("```").expect("and it ends");
    assert!(page.contains("http://localhost:7878"), "it reads from the default address");
    page.replace("http://localhost:7878", base)
}

async fn log(page: &Page<'_>) -> String {
    page.text("log").await.unwrap_or_default()
}

async fn logs(page: &Page<'_>, line: &str) {
    until(&format!("the page logs {line:?}"), async || {
        let log = log(page).await;
        if log.lines().any(|logged| logged.starts_with(line)) { Ok(()) } else { Err(log) }
    })
    .await;
}
