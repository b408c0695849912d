//! Tests of the past on the page: it is shown after a reload, and the user can zoom into it.

use std::fmt::Write as _;
use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use pulseboard_e2e::{Page, Stage, curl, until};
use serde_json::json;

/// The reach of the numbers into the past, in seconds: much more than the streamed part.
const PAST: u64 = 3_000;

const BOARD: &str = r#"{"range":"1h","widgets":[{"id":"temp","type":"line","series":["ops/temp"],
    "place":{"x":0,"y":0,"w":12,"h":4}}]}"#;

/// Starts with a board that has a line over an hour. Each second has a point, whose value is its age in seconds.
async fn stage() -> Stage {
    stage_with(BOARD).await
}

/// Starts with the same numbers on another board.
async fn stage_with(board: &str) -> Stage {
    let stage = Stage::start().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    let now = u64::try_from(now).expect("before the year 500 million");
    // The middle of ten seconds on each run, so that values rounded to the width of a bucket are the same each time.
    let now = now - now % 10_000 - 5_000;
    let mut lines = String::new();
    for ago in (0..PAST).rev() {
        writeln!(lines, r#"{{"series":"ops/temp","value":{ago},"ts":{}}}"#, now - ago * 1_000).expect("to a string");
    }
    stage.server.push_batch(&lines).await;
    let url = format!("{}/api/boards/ops", stage.server.base());
    let status =
        curl(&["-X", "PUT", "-H", "content-type: application/json", "-d", board, &url, "-w", "%{http_code}"]).await;
    assert!(status.ends_with("201"), "the board is made");
    stage
}

/// The legend's value when the pointer is at this share of the chart's width.
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

/// Returns the legend's value at this share of the chart's width, once it follows the pointer into this range.
async fn settled(page: &Page<'_>, part: &str, wanted: Range<f64>) -> f64 {
    let mut before = None;
    until("the legend follows the pointer", async || {
        let now = value_at(page, part).await;
        let same = now.is_some_and(|now| wanted.contains(&now)) && now == before;
        before = now;
        now.filter(|_| same).ok_or_else(|| format!("{now:?}"))
    })
    .await
}

/// Waits until the legend shows a number in this range for the pointer. The legend follows the pointer some frames
/// later.
async fn reads(page: &Page<'_>, what: &str, part: &str, wanted: Range<f64>) {
    until(what, async || match value_at(page, part).await {
        Some(value) if wanted.contains(&value) => Ok(()),
        other => Err(format!("{other:?}; {}", page.account().await)),
    })
    .await;
}

/// Waits until the line reaches from long ago to now.
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
    let newest = "
        const leave = new PointerEvent('pointerleave', {});
        document.querySelector('[data-testid=chart-over]')?.dispatchEvent(leave);
        return document.querySelector('[data-testid=legend-value]')?.textContent ?? null";
    until("the newest number continues the line", async || match page.eval(newest, &[]).await.as_str() {
        Some("−7") => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test]
async fn a_stat_and_a_table_tell_of_the_whole_range_and_never_of_less() {
    let board = r#"{"range":"1h","widgets":[
        {"id":"now","type":"stat","series":["ops/temp"],"place":{"x":0,"y":0,"w":4,"h":3}},
        {"id":"half","type":"stat","series":["ops/temp"],"change":"30m","place":{"x":4,"y":0,"w":4,"h":3}},
        {"id":"mean","type":"stat","series":["ops/temp"],"show":"mean","decimals":0,"place":{"x":8,"y":0,"w":4,"h":3}},
        {"id":"all","type":"table","series":["ops/temp"],"decimals":0,"columns":["name","value","min","mean","max","change"],
         "place":{"x":0,"y":3,"w":12,"h":3}}]}"#;
    let stage = stage_with(board).await;
    // Records every text that was ever shown, including the time before the past was loaded.
    let watch = "
        window.__read = new Set();
        const look = () => {
            document.querySelectorAll('[data-testid=change], .range, td').forEach((e) => window.__read.add(e.textContent.trim()));
            requestAnimationFrame(look);
        };
        requestAnimationFrame(look);";
    let source = serde_json::json!({ "source": watch });
    stage.page().cdp("Page.addScriptToEvaluateOnNewDocument", source).await;
    let page = stage.open("/b/ops").await;
    until("all figures are of the whole", async || {
        let changes = page.texts("change").await;
        let cells = "return [...document.querySelectorAll('td')].map((e) => e.textContent.trim())";
        let cells: Vec<String> = serde_json::from_value(page.eval(cells, &[]).await).expect("a list of texts");
        let mean = page.eval("return document.querySelectorAll('[data-testid=value]')[2]?.textContent", &[]).await;
        let change = |at: usize, by: &str, over: &str| {
            changes.get(at).is_some_and(|change| change.contains(by) && change.ends_with(over))
        };
        // The series goes back fifty minutes and falls by one each second; a bucket holds ten of them.
        let told = change(0, "−2,99", "50 min") && change(1, "−1,8", "30 min") && mean == "1,500";
        if told && cells == ["0", "0", "1,500", "2,999", "−2,999"] {
            Ok(())
        } else {
            Err(format!("{changes:?} {cells:?} {mean}; {}", page.account().await))
        }
    })
    .await;
    let read: Vec<String> =
        serde_json::from_value(page.eval("return [...window.__read]", &[]).await).expect("a list of texts");
    let of_less = |text: &&String| text.contains("in 4 min") || text.contains("in 5 min") || *text == "299";
    assert_eq!(read.iter().find(of_less), None, "never told as of five minutes: {read:?}");
}

#[tokio::test]
async fn of_a_series_that_stopped_before_the_range_the_last_of_it_is_told() {
    let board = r#"{"range":"1h","widgets":[
        {"id":"long","type":"stat","series":["ops/temp"],"change":"7d","place":{"x":0,"y":0,"w":4,"h":3}},
        {"id":"old","type":"table","series":["ops/old"],"decimals":0,"columns":["value","min","max"],
         "place":{"x":0,"y":3,"w":12,"h":3}}]}"#;
    let stage = stage_with(board).await;
    let hours_ago = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() - 5 * 3_600_000;
    let mut lines = String::new();
    for second in 0..2_000_u128 {
        let ts = hours_ago + second * 1_000;
        writeln!(lines, r#"{{"series":"ops/old","value":{second},"ts":{ts}}}"#).expect("to a string");
    }
    stage.server.push_batch(&lines).await;
    let page = stage.open("/b/ops").await;
    until("all is told", async || {
        let change = page.text("change").await.unwrap_or_default();
        let cells = "return [...document.querySelectorAll('td')].map((e) => e.textContent.trim())";
        let cells: Vec<String> = serde_json::from_value(page.eval(cells, &[]).await).expect("a list of texts");
        // The series did not exist a week ago, so its change is measured from its beginning.
        if change.contains("−2,99") && cells == ["1,999", "0", "1,999"] {
            Ok(())
        } else {
            Err(format!("{change} {cells:?}"))
        }
    })
    .await;
}

#[tokio::test]
async fn a_drag_zooms_in_a_link_shows_the_same_and_a_double_click_leads_back_to_now() {
    let stage = stage().await;
    let page = stage.open("/b/ops").await;
    shows_the_past(&page).await;
    let from = settled(&page, "0.25", 2_500.0..3_300.0).await;
    let to = settled(&page, "0.5", 1_600.0..2_400.0).await;
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
    // A bucket is some seconds wide, and the left part of the canvas has the labels of the values.
    let about = |value: f64| value - 70.0..value + 70.0;
    let zoomed = async || {
        reads(&page, "the left edge is where the drag began", "0", about(from)).await;
        reads(&page, "the right edge is where it ended", "1", about(to)).await;
    };
    zoomed().await;
    page.open(&address).await;
    zoomed().await;
    assert!(page.text("range-fixed").await.is_some_and(|range| range.contains(" – ")), "the range is named");

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

#[tokio::test]
async fn tab_and_page_of_all_boards_know_the_level_of_a_number_over_the_range() {
    let stage = Stage::start().await;
    let now =
        u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis()).expect("fits");
    // More points than a track has, and the worst before them.
    let recent = (1..=400_u64).map(|second| (now - second * 1_000, 1.0));
    let line = |(ts, value)| json!({ "series": "ops/ms", "ts": ts, "value": value }).to_string();
    let lines: Vec<String> = std::iter::once((now - 40 * 60_000, 900.0)).chain(recent).map(line).collect();
    stage.server.push_batch(&lines.join("\n")).await;
    let board = json!({ "title": "Ops", "widgets": [{
        "id": "worst", "type": "stat", "series": ["ops/ms"], "show": "max", "change": "10m",
        "thresholds": [{ "above": 500, "level": "bad" }],
    }]});
    let url = format!("{}/api/boards/ops", stage.server.base());
    let answer = curl(&["-X", "PUT", "-H", "content-type: application/json", "-d", &board.to_string(), &url]).await;
    assert_eq!(answer, "", "the board is made");
    let page = stage.open("/b/ops").await;
    page.shows("ops/ms", "900").await;
    until("the title has the level", async || {
        let title = page.eval("return document.title", &[]).await;
        if title.as_str().is_some_and(|title| title.starts_with("(bad) Ops")) { Ok(()) } else { Err(title.to_string()) }
    })
    .await;
    let page = stage.open("/").await;
    until("the card has the level", async || {
        let cards = page.texts("board-card").await;
        if cards.len() == 1 && cards[0].contains("bad") { Ok(()) } else { Err(format!("{cards:?}")) }
    })
    .await;
}

#[tokio::test]
async fn chart_never_says_that_its_data_begins_later_than_it_does() {
    let stage = stage().await;
    let watch = "
        window.__begins = new Set();
        new MutationObserver(() => document.querySelectorAll('[data-testid=chart-begins]').forEach((e) => window.__begins.add(e.textContent)))
            .observe(document, { childList: true, characterData: true, subtree: true });";
    stage.page().cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": watch })).await;
    // All of the range has data, most of it older than the streamed part.
    let page = stage.open("/b/ops?range=30m").await;
    page.badge_is("live").await;
    page.rests().await;
    assert_eq!(page.eval("return [...window.__begins].filter((text) => text)", &[]).await, json!([]));
}
