//! Tests of the inbox of rejected pushes and the list of series, on the page of all boards.

use pulseboard_e2e::{Page, Stage, curl, until};

async fn click(page: &Page<'_>, testid: &str) {
    until(&format!("{testid} can be clicked"), async || {
        let script = "const e = document.querySelector(`[data-testid=${arguments[0]}]`); e?.click(); return !!e";
        page.eval(script, &[testid]).await.as_bool().filter(|there| *there).ok_or_else(|| "it is not there".to_owned())
    })
    .await;
}

#[tokio::test]
async fn refused_push_is_in_the_inbox_as_text_with_its_sender_and_reason() {
    let stage = Stage::start().await;
    let url = format!("{}/in/ops/temp", stage.server.base());
    curl(&["-s", "--data-binary", "<img src=x onerror=alert(1)> hot", &url]).await;
    let page = stage.open("/").await;
    click(&page, "rejected").await;
    let entry = until("the refused push is shown", async || {
        page.texts("rejected-push").await.first().cloned().ok_or_else(|| "not yet".to_owned())
    })
    .await;
    for part in ["POST /in/ops/temp → 422", "127.0.0.1", "expected a finite number", "<img src=x onerror=alert(1)> hot"]
    {
        assert!(entry.contains(part), "{part} in {entry}");
    }
    let images = page.eval("return document.querySelectorAll('[data-testid=inbox] img').length", &[]).await;
    assert_eq!(images, 0, "what others sent is no markup");
    // New rejections appear while the inbox is open.
    curl(&["-s", "--data-binary", "cold", &url]).await;
    until("the second is shown first", async || {
        let shown = page.texts("rejected-push").await;
        (shown.len() == 2 && shown[0].contains("cold")).then_some(()).ok_or_else(|| format!("{shown:?}"))
    })
    .await;
}

#[tokio::test]
async fn series_is_deleted_after_a_question_and_an_open_board_drops_it() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    stage.server.push("ops/wrong", "2").await;
    let board = stage.open_tab("/b/ops").await;
    board.front().await.shows("ops/wrong", "2").await;
    let home = stage.open_tab("/").await;
    let page = home.front().await;
    click(&page, "series").await;
    listed(&page, "ops/temp,ops/wrong").await;
    let delete = "document.querySelector('[aria-label=\"Delete ops/wrong\"]').click()";
    page.eval(delete, &[]).await;
    click(&page, "confirm-no").await;
    page.eval(delete, &[]).await;
    click(&page, "confirm-yes").await;
    listed(&page, "ops/temp").await;
    let names = stage.server.get("/api/series").await;
    assert_eq!(names.as_array().map(Vec::len), Some(1));
    let page = board.front().await;
    until("the open board drops it", async || {
        let (gone, other) = (page.tile("ops/wrong").await, page.tile("ops/temp").await);
        (gone.is_none() && other.is_some()).then_some(()).ok_or_else(|| "it is still there".to_owned())
    })
    .await;
    page.badge_is("live").await;
}

/// Waits until the list has exactly these series.
async fn listed(page: &Page<'_>, names: &str) {
    until("the series are listed", async || {
        let script = "return [...document.querySelectorAll('.manage-name')].map((name) => name.textContent).join()";
        let shown = page.eval(script, &[]).await.as_str().unwrap_or_default().to_owned();
        (shown == names).then_some(()).ok_or(shown)
    })
    .await;
}
