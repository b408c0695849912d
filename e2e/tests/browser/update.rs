//! Tests of a tab that is older than its server, so that the modules which it has not fetched yet are gone.

use pulseboard_e2e::{Page, Stage, UpdatedServer, Version, until};

const DOCTOR: &str = "document.querySelector('[data-testid=doctor]').click()";

/// Opens a tab with the page of the old server.
async fn old_tab(stage: &Stage) -> (UpdatedServer, Page<'_>) {
    stage.server.push("ops/temp", "41").await;
    let server = UpdatedServer::start(stage.server.base()).await;
    let page = stage.page();
    page.open(&format!("{}/b/ops", server.base())).await;
    page.shows("ops/temp", "41").await;
    page.eval("window.__old = true", &[]).await;
    (server, page)
}

async fn is_anew(page: &Page<'_>) {
    until("it is another page", async || match page.eval("return window.__old === true", &[]).await {
        old if old == true => Err(page.account().await),
        _ => Ok(()),
    })
    .await;
    page.shows("ops/temp", "41").await;
}

/// Waits until the page reports a missing module with a message that contains these words.
async fn is_missing(page: &Page<'_>, words: &str) {
    until(&format!("it says {words:?}"), async || match page.text("module-missing").await {
        Some(text) if text.contains(words) => Ok(()),
        other => Err(format!("{other:?}; {}", page.account().await)),
    })
    .await;
}

#[tokio::test]
async fn an_old_tab_becomes_the_new_page_by_itself_when_a_part_of_the_old_one_is_gone() {
    let stage = Stage::start().await;
    let (server, page) = old_tab(&stage).await;
    server.set(Version::New);
    page.eval(DOCTOR, &[]).await;
    is_anew(&page).await;
    assert_eq!(server.boards(), 2);
    page.eval(DOCTOR, &[]).await;
    until("the doctor is there", async || match page.text("findings").await {
        Some(text) if text.contains("reach") => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    assert_eq!(page.text("module-missing").await, None);
}

#[tokio::test]
async fn where_the_new_page_is_broken_too_it_says_so_and_is_not_loaded_again() {
    let stage = Stage::start().await;
    let (server, page) = old_tab(&stage).await;
    server.set(Version::NewAndBroken);
    page.eval(DOCTOR, &[]).await;
    is_anew(&page).await;
    for click in [DOCTOR, "document.querySelector('[data-testid=module-again]').click()"] {
        page.eval(click, &[]).await;
        is_missing(&page, "Could not load the list of boards").await;
        page.rests().await;
    }
    assert_eq!(server.boards(), 2);
}

#[tokio::test]
async fn where_the_new_page_cannot_be_had_it_is_tried_once_and_then_told() {
    let stage = Stage::start().await;
    let (server, page) = old_tab(&stage).await;
    server.set(Version::NewBehindOldCache);
    // The other files of the old page come from the browser's cache.
    page.eval(DOCTOR, &[]).await;
    is_anew(&page).await;
    page.eval(DOCTOR, &[]).await;
    is_missing(&page, "A new version of this page is here").await;
    assert_eq!(server.boards(), 2);
}

#[tokio::test]
async fn who_edits_is_told_and_the_new_page_comes_once_they_are_done() {
    let stage = Stage::start().await;
    let (server, page) = old_tab(&stage).await;
    page.eval("document.querySelector('[data-testid=edit]').click()", &[]).await;
    until("it is edited", async || page.text("editbar").await.ok_or_else(|| "it is not".to_owned())).await;
    server.set(Version::New);
    page.eval(DOCTOR, &[]).await;
    is_missing(&page, "Save what you edit").await;
    assert_eq!(page.eval("return window.__old === true", &[]).await, true, "nothing is lost");
    page.eval("document.querySelector('[data-testid=cancel]').click()", &[]).await;
    is_anew(&page).await;
    assert_eq!(server.boards(), 2);
}
