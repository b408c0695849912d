//! Tests of browser features on a wall screen and on a board: the wake lock, the hidden pointer, and dropped files.

use pulseboard_e2e::{Page, Stage, until};
use serde_json::json;

/// Records the page's requests for a wake lock, in place of the browser's own lock.
const LOCK: &str = "
    window.__asked = [];
    Object.defineProperty(navigator, 'wakeLock', { value: {
        request(type) { window.__asked.push(type + (this === navigator.wakeLock ? '' : ' of nothing')); return Promise.resolve({}); }
    } });";

#[tokio::test]
async fn a_wall_keeps_its_screen_on_and_asks_again_once_it_was_out_of_sight() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "41").await;
    stage.page().cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": LOCK })).await;
    let page = stage.open("/b/ops?kiosk").await;
    page.shows("ops/temp", "41").await;
    asked(&page, 1).await;
    page.eval("document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))", &[]).await;
    asked(&page, 2).await;
    let page = stage.open("/b/ops").await;
    page.shows("ops/temp", "41").await;
    assert_eq!(page.eval("return window.__asked", &[]).await, json!([]), "a desk may go dark");
}

/// Waits until the page has requested the wake lock this many times.
async fn asked(page: &Page<'_>, times: usize) {
    until(&format!("the screen was asked {times} times"), async || {
        let asked = page.eval("return window.__asked", &[]).await;
        if asked == json!(vec!["screen"; times]) { Ok(()) } else { Err(asked.to_string()) }
    })
    .await;
}

#[tokio::test]
async fn a_pointer_that_rests_on_a_wall_is_hidden_until_it_moves() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "41").await;
    let page = stage.open("/b/ops?kiosk").await;
    page.shows("ops/temp", "41").await;
    let cursor = async || page.eval("return getComputedStyle(document.querySelector('.kiosk')).cursor", &[]).await;
    until("the pointer is hidden", async || match cursor().await {
        hidden if hidden == "none" => Ok(()),
        other => Err(other.to_string()),
    })
    .await;
    page.eval("window.dispatchEvent(new PointerEvent('pointermove'))", &[]).await;
    assert_ne!(cursor().await, "none", "at once");
}

#[tokio::test]
async fn a_file_that_is_dropped_on_a_board_is_that_board_from_then_on() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "41").await;
    let page = stage.open("/b/ops").await;
    page.shows("ops/temp", "41").await;
    page.badge_is("live").await;
    let document =
        "# By hand.\ntitle = \"Dropped\"\n\n[[widgets]]\nid = \"t\"\ntype = \"stat\"\nseries = [\"ops/temp\"]\n";
    let drop = "
        const data = new DataTransfer();
        data.items.add(new File([arguments[0]], 'ops.toml'));
        const over = new DragEvent('dragover', { bubbles: true, cancelable: true, dataTransfer: data });
        document.body.dispatchEvent(over);
        const dropped = new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: data });
        document.body.dispatchEvent(dropped);
        return [over.defaultPrevented, dropped.defaultPrevented]";
    let taken = page.eval(drop, &[document]).await;
    assert_eq!(taken, json!([true, true]), "the browser does not open the file itself");
    until("the board has its title", async || {
        let title = page.eval("return document.querySelector('h1')?.textContent", &[]).await;
        if title == "Dropped" { Ok(()) } else { Err(format!("{title}; {}", page.account().await)) }
    })
    .await;
    let url = format!("{}/api/boards/ops", stage.server.base());
    let kept = async || pulseboard_e2e::curl(&["-H", "accept: application/toml", &url]).await;
    assert_eq!(kept().await, document, "byte for byte");

    // The page asks before it replaces a board that a user created.
    page.eval(drop, &[&document.replace("Dropped", "Another")]).await;
    let asked =
        until("it is asked first", async || page.text("confirm").await.ok_or_else(|| "it is not".to_owned())).await;
    assert!(asked.contains("ops.toml"), "{asked}");
    assert_eq!(kept().await, document);
    page.eval("document.querySelector('[data-testid=confirm-yes]').click()", &[]).await;
    until("the other one is the board", async || match kept().await {
        text if text.contains("Another") => Ok(()),
        text => Err(text),
    })
    .await;
}
