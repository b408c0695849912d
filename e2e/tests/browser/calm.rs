//! Tests that a board is calm and readable: a head that does not move, menus that close, long texts, a silent server.

use std::fmt::Write as _;
use std::time::Duration;

use pulseboard_e2e::{Page, Stage, curl, until};
use serde_json::json;

#[tokio::test]
async fn head_does_not_move_when_the_latency_comes() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "41").await;
    let page = stage.open("/b/ops").await;
    page.badge_is("live").await;
    let places = "return [...document.querySelectorAll('.masthead *')].filter((e) => !e.matches('.latency') && e.checkVisibility())
        .map((e) => { const r = e.getBoundingClientRect(); return [e.className?.baseVal ?? e.className, r.x, r.y, r.width, r.height]; })";
    let before = page.eval(places, &[]).await;
    stage.server.push("ops/temp", "42").await;
    until("the latency is there", async || match page.text("latency").await {
        Some(latency) if latency.contains("from push to paint") => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    assert_eq!(page.eval(places, &[]).await, before);
}

#[tokio::test]
async fn menu_closes_by_escape_and_by_a_click_elsewhere() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "41").await;
    let page = stage.open("/b/ops").await;
    page.shows("ops/temp", "41").await;
    let is_open = async || page.eval("return document.querySelector('[data-testid=menu]').open", &[]).await == true;
    let open = "document.querySelector('[data-testid=more]').click()";
    page.eval(open, &[]).await;
    assert!(is_open().await);
    page.eval(
        "document.querySelector('.menu-list').dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }))",
        &[],
    )
    .await;
    assert!(is_open().await, "a click into the menu leaves it open");
    page.eval("document.querySelector('.grid').dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }))", &[])
        .await;
    assert!(!is_open().await);
    page.eval(open, &[]).await;
    page.eval("window.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))", &[]).await;
    assert!(!is_open().await);
    assert_eq!(page.eval("return document.activeElement.dataset.testid", &[]).await, "more", "the focus stays there");
}

#[tokio::test]
async fn automatic_board_leaves_no_error_in_the_console() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "41").await;
    let page = stage.open("/b/ops").await;
    page.shows("ops/temp", "41").await;
    page.rests().await;
    let console = page.driver().browser_log().await.expect("the browser keeps its console");
    let errors: Vec<_> = console.iter().filter(|entry| format!("{entry:?}").contains("404")).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

/// A board with a table and a log in the left third of the page.
const TEXTS: &str = r#"{"widgets": [
    {"id": "table", "type": "table", "series": ["ops/*"], "place": {"x": 0, "y": 0, "w": 4, "h": 4}},
    {"id": "log", "type": "log", "series": ["ops/text"], "place": {"x": 0, "y": 4, "w": 4, "h": 4}}
]}"#;

async fn make(stage: &Stage, id: &str, board: &str) {
    let url = format!("{}/api/boards/{id}", stage.server.base());
    let answer = curl(&["-X", "PUT", "-H", "content-type: application/json", "-d", board, &url]).await;
    assert_eq!(answer, "", "the board {id} is made");
}

#[tokio::test]
async fn long_text_leaves_room_for_names_and_keeps_its_lines() {
    let stage = Stage::start().await;
    stage.server.push("ops/rather_long_name_of_a_series", "790").await;
    let text = json!({ "text": format!("{}\nsecond line", "x".repeat(60)) });
    stage.server.push("ops/text", &text.to_string()).await;
    make(&stage, "ops", TEXTS).await;
    let page = stage.open("/b/ops").await;
    page.badge_is("live").await;
    until("the text is there", async || {
        let lines = page.eval("return document.querySelector('.line-text')?.innerText.split('\\n').length", &[]).await;
        if lines == 2 { Ok(()) } else { Err(lines.to_string()) }
    })
    .await;
    let widths =
        "return [...document.querySelectorAll('.table tbody .name-text')].map((e) => e.getBoundingClientRect().width)";
    let widths: Vec<f64> = serde_json::from_value(page.eval(widths, &[]).await).expect("numbers");
    assert!(widths.len() == 2 && widths.iter().all(|width| *width >= 80.0), "{widths:?}");
}

#[tokio::test]
async fn many_series_can_be_filtered() {
    let stage = Stage::start().await;
    let mut lines = String::new();
    for n in 0..40 {
        for (name, value) in [("latency_ms", 40 + n), ("load", n)] {
            writeln!(lines, r#"{{"series":"shop/host{n}/{name}","value":{value}}}"#).expect("to a String");
        }
    }
    writeln!(lines, r#"{{"series":"shop/orders","value":1284}}"#).expect("to a String");
    stage.server.push_batch(&lines).await;
    let page = stage.open("/b/shop").await;
    page.badge_is("live").await;
    let kinds = "return [...document.querySelectorAll('[data-testid=tile]')].map((e) => e.dataset.kind).join(' ')";
    until("each number of all hosts is one chart", async || {
        let kinds = page.eval(kinds, &[]).await;
        if kinds == "stat line line" { Ok(()) } else { Err(kinds.to_string()) }
    })
    .await;
    let write = "const box = document.querySelector('[data-testid=filter]'); box.value = arguments[0];
        box.dispatchEvent(new Event('input', { bubbles: true }))";
    page.eval(write, &["host7"]).await;
    page.shows("shop/host7/latency_ms", "47").await;
    assert_eq!(page.eval(kinds, &[]).await, "stat stat");
    page.eval(write, &["nothing of that"]).await;
    until("it says that there is none", async || {
        let text = page.eval("return document.querySelector('.board').textContent", &[]).await;
        if text.as_str().is_some_and(|text| text.contains("No series has")) { Ok(()) } else { Err(text.to_string()) }
    })
    .await;
}

#[tokio::test]
async fn page_is_not_live_soon_after_its_server_stops_to_respond() {
    let stage = Stage::start().await;
    let page = stage.open("/b/ops").await;
    page.badge_is("live").await;
    for value in 0..6 {
        stage.server.push("ops/count", &value.to_string()).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    page.badge_is("live").await;
    stage.server.pause();
    state_within(&page, Duration::from_secs(10), "stale").await;
    stage.server.resume();
    page.badge_is("live").await;
}

#[tokio::test]
async fn page_stays_live_when_only_its_sources_stop() {
    let stage = Stage::start().await;
    let page = stage.open("/b/ops").await;
    page.badge_is("live").await;
    for value in 0..6 {
        stage.server.push("ops/count", &value.to_string()).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let watch = "window.__states = new Set(); const badge = document.querySelector('[data-testid=badge]');
        new MutationObserver(() => window.__states.add(badge.dataset.state)).observe(badge, { attributes: true });";
    page.eval(watch, &[]).await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(page.eval("return [...window.__states]", &[]).await, json!([]));
    page.badge_is("live").await;
}

async fn state_within(page: &Page<'_>, limit: Duration, wanted: &str) {
    pulseboard_e2e::within(limit, &format!("the page is {wanted}"), async || {
        let state = page.eval("return document.querySelector('[data-testid=badge]').dataset.state", &[]).await;
        if state == wanted { Ok(()) } else { Err(state.to_string()) }
    })
    .await;
}

#[tokio::test]
async fn board_is_printed_light_also_from_the_dark_theme() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "41").await;
    let page = stage.open("/b/ops").await;
    page.shows("ops/temp", "41").await;
    page.eval("document.documentElement.dataset.theme = 'dark'", &[]).await;
    let paper = "return getComputedStyle(document.body).backgroundColor";
    let dark = page.eval(paper, &[]).await;
    page.cdp("Emulation.setEmulatedMedia", json!({ "media": "print" })).await;
    let printed = page.eval(paper, &[]).await;
    assert_ne!(printed, dark);
    assert_eq!(printed, "rgb(251, 250, 247)");
}

/// A board whose numbers, lines and rows must be legible in every medium.
async fn colourful() -> Stage {
    let stage = Stage::start().await;
    let lines: Vec<String> =
        (0..12).map(|n| json!({ "series": format!("ops/host{n:02}/load"), "value": n }).to_string()).collect();
    stage.server.push_batch(&lines.join("\n")).await;
    let board = json!({ "widgets": [
        { "id": "line", "type": "line", "series": ["ops/host00/load", "ops/host01/load", "ops/host02/load", "ops/host03/load"] },
        { "id": "gauge", "type": "gauge", "series": ["ops/host07/load"], "max": 10, "thresholds": [{ "above": 5, "level": "bad" }] },
        { "id": "table", "type": "table", "series": ["ops/*/load"], "columns": ["name", "value", "change", "min", "max", "age"],
          "place": { "x": 0, "y": 8, "w": 4, "h": 3 } },
    ]});
    let url = format!("{}/api/boards/ops", stage.server.base());
    let answer = curl(&["-X", "PUT", "-H", "content-type: application/json", "-d", &board.to_string(), &url]).await;
    assert_eq!(answer, "", "the board is made");
    stage
}

#[tokio::test]
async fn series_differ_and_texts_are_legible_in_forced_colours() {
    let stage = colourful().await;
    let seen = "
        const paper = getComputedStyle(document.body).backgroundColor;
        const swatches = [...document.querySelectorAll('[data-widget=line] .legend-swatch')];
        const looks = swatches.map((swatch) => `${swatch.dataset.dash} ${getComputedStyle(swatch).background} ${getComputedStyle(swatch).borderTopColor}`);
        const unseen = [...document.querySelectorAll('svg text')].filter((text) => getComputedStyle(text).fill === paper);
        const limit = document.querySelector('.dial-limit');
        return [swatches.length, new Set(looks).size, unseen.length, !!limit && getComputedStyle(limit).stroke !== paper];";
    for theme in ["light", "dark"] {
        let features =
            json!([{ "name": "prefers-color-scheme", "value": theme }, { "name": "forced-colors", "value": "active" }]);
        stage.page().cdp("Emulation.setEmulatedMedia", json!({ "features": features })).await;
        let page = stage.open("/b/ops").await;
        page.badge_is("live").await;
        until("all series differ", async || {
            let found = page.eval(seen, &[]).await;
            if found == json!([4, 4, 0, true]) { Ok(()) } else { Err(format!("{theme}: {found}")) }
        })
        .await;
    }
}

#[tokio::test]
async fn every_row_of_a_table_is_printed() {
    let stage = colourful().await;
    let page = stage.open("/b/ops").await;
    page.badge_is("live").await;
    let metrics = json!({ "width": 1000, "height": 1300, "deviceScaleFactor": 1, "mobile": false });
    page.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
    let cut = "
        const tile = document.querySelector('[data-widget=table]').getBoundingClientRect();
        const cells = [...document.querySelectorAll('[data-widget=table] tbody td, [data-widget=table] tbody th')].filter((cell) => cell.checkVisibility());
        const cut = cells.filter((cell) => { const box = cell.getBoundingClientRect(); return box.bottom > tile.bottom + 1 || box.right > tile.right + 1; });
        return [document.querySelectorAll('[data-widget=table] tbody tr').length, cut.length]";
    until("the table has its rows", async || {
        let found = page.eval(cut, &[]).await;
        if found[0] == 12 { Ok(()) } else { Err(found.to_string()) }
    })
    .await;
    page.cdp("Emulation.setEmulatedMedia", json!({ "media": "print" })).await;
    assert_eq!(page.eval(cut, &[]).await, json!([12, 0]));
}
