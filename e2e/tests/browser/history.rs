//! The past on the page: it is there after a reload, and can be looked into.

use std::fmt::Write as _;
use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use pulseboard_e2e::{Page, Stage, curl, until};

/// How far back the numbers go, in seconds: much farther than what is streamed.
const PAST: u64 = 3_000;

const BOARD: &str = r#"{"range":"1h","widgets":[{"id":"temp","type":"line","series":["ops/temp"],
    "place":{"x":0,"y":0,"w":12,"h":4}}]}"#;

/// A board with a line of an hour, on which every second has a number: how many seconds it was ago.
async fn stage() -> Stage {
    let stage = Stage::start().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    let now = u64::try_from(now).expect("before the year 500 million");
    let mut lines = String::new();
    for ago in (0..PAST).rev() {
        writeln!(lines, r#"{{"series":"ops/temp","value":{ago},"ts":{}}}"#, now - ago * 1_000).expect("to a string");
    }
    stage.server.push_batch(&lines).await;
    let url = format!("{}/api/boards/ops", stage.server.base());
    let status =
        curl(&["-X", "PUT", "-H", "content-type: application/json", "-d", BOARD, &url, "-w", "%{http_code}"]).await;
    assert!(status.ends_with("201"), "the board is made");
    stage
}

/// What is read beside the line where the pointer is at a part of its width.
async fn value_at(page: &Page<'_>, part: &str) -> Option<f64> {
    let script = "
        const over = document.querySelector('[data-testid=chart-over]');
        if (!over) return null;
        const { left, top, width, height } = over.getBoundingClientRect();
        const at = { clientX: left + width * Number(arguments[0]), clientY: top + height / 2, bubbles: true };
        over.dispatchEvent(new PointerEvent('pointermove', at));
        return document.querySelector('[data-testid=legend-value]')?.textContent ?? null";
    let text = page.eval(script, &[part]).await;
    text.as_str()?.replace(',', "").replace('−', "-").parse().ok()
}

/// Waits until the line tells a number of this range where the pointer is: what is told follows it, some frames later.
async fn reads(page: &Page<'_>, what: &str, part: &str, wanted: Range<f64>) {
    until(what, async || match value_at(page, part).await {
        Some(value) if wanted.contains(&value) => Ok(()),
        other => Err(format!("{other:?}; {}", page.account().await)),
    })
    .await;
}

/// Waits until the line is there from long ago to now.
async fn shows_the_past(page: &Page<'_>) {
    reads(page, "the line tells of what was half an hour ago", "0.5", 1_700.0..1_900.0).await;
    reads(page, "and of now", "0.99", 0.0..120.0).await;
}

#[tokio::test]
async fn what_was_long_before_the_page_was_opened_is_on_it_and_survives_a_reload() {
    let stage = stage().await;
    let page = stage.open("/b/ops").await;
    shows_the_past(&page).await;
    page.eval("location.reload()", &[]).await;
    shows_the_past(&page).await;
    stage.server.push("ops/temp", "-7").await;
    reads(&page, "the newest number continues the line", "1", -7.0..-6.0).await;
}

#[tokio::test]
async fn a_drag_zooms_in_a_link_shows_the_same_and_a_double_click_leads_back_to_now() {
    let stage = stage().await;
    let page = stage.open("/b/ops").await;
    shows_the_past(&page).await;
    let drag = "
        const over = document.querySelector('[data-testid=chart-over]');
        const { left, top, width, height } = over.getBoundingClientRect();
        const at = (type, part) => over.dispatchEvent(new PointerEvent(type, {
            clientX: left + width * part, clientY: top + height / 2, bubbles: true, button: 0, pointerId: 1 }));
        over.setPointerCapture = () => {};
        at('pointerdown', 0.25); at('pointermove', 0.4); at('pointermove', 0.5); at('pointerup', 0.5);";
    page.eval(drag, &[]).await;
    let address = until("the address says from when to when", async || {
        let address = page.eval("return location.href", &[]).await.as_str().unwrap_or_default().to_owned();
        if address.contains("from=") && address.contains("to=") { Ok(address) } else { Err(address) }
    })
    .await;
    let zoomed = "the middle is what was three eighths from the left";
    reads(&page, zoomed, "0.5", 2_180.0..2_320.0).await;
    page.open(&address).await;
    reads(&page, zoomed, "0.5", 2_180.0..2_320.0).await;
    assert!(page.text("range-told").await.is_some_and(|told| told.contains(" – ")), "it is told which range it is");

    page.eval(
        "document.querySelector('[data-testid=chart-over]').dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))",
        &[],
    )
    .await;
    until("the range is live again", async || {
        let address = page.eval("return location.href", &[]).await.to_string();
        if address.contains("range=1h") { Ok(()) } else { Err(address) }
    })
    .await;
    shows_the_past(&page).await;
}

#[tokio::test]
async fn a_range_that_ends_before_it_starts_is_told_at_the_field() {
    let stage = stage().await;
    let page = stage.open("/b/ops").await;
    shows_the_past(&page).await;
    let fill = "
        const set = (id, value) => {
            const field = document.querySelector(`[data-testid=${id}]`);
            field.value = value;
            field.dispatchEvent(new Event(field.tagName === 'SELECT' ? 'change' : 'input', { bubbles: true }));
        };
        set('range-span', 'fixed');
        set('range-from', '2024-11-23T22:00:00');
        set('range-to', '2024-11-23T21:00:00');
        document.querySelector('[data-testid=range-show]').click();";
    page.eval(fill, &[]).await;
    until("the mistake is told", async || {
        let told = page.text("range-wrong").await.unwrap_or_default();
        if told.contains("after the start") { Ok(()) } else { Err(told) }
    })
    .await;
    let address = page.eval("return location.search", &[]).await;
    assert_eq!(address, "", "and nothing else is shown");
}
