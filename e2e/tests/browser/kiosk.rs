//! Tests of wall screens: the board fills the screen, all of it is readable, and it can be left.

use std::fmt::Write as _;
use std::path::Path;

use pulseboard_e2e::{Stage, curl, until};
use serde_json::{Value, json};

/// A board with widgets of all kinds that scroll on a desk.
const BOARD: &str = r#"{"title": "Hall", "widgets": [
    {"id": "temp", "type": "stat", "series": ["hall/temp_celsius"], "place": {"x": 0, "y": 0, "w": 3, "h": 2}},
    {"id": "all", "type": "stat", "series": ["hall/net/*"], "place": {"x": 3, "y": 0, "w": 6, "h": 2}},
    {"id": "gauge", "type": "gauge", "series": ["hall/load_pct"], "place": {"x": 9, "y": 0, "w": 3, "h": 2}},
    {"id": "line", "type": "line", "series": ["hall/net/*"], "place": {"x": 0, "y": 2, "w": 6, "h": 4}},
    {"id": "log", "type": "log", "series": ["hall/log"], "place": {"x": 6, "y": 2, "w": 6, "h": 4}},
    {"id": "table", "type": "table", "series": ["hall/**"], "place": {"x": 0, "y": 6, "w": 6, "h": 3}},
    {"id": "states", "type": "states", "series": ["hall/door/*"], "place": {"x": 6, "y": 6, "w": 6, "h": 3}}
]}"#;

async fn hall() -> Stage {
    let stage = Stage::start().await;
    let mut lines = String::new();
    for n in 0..60 {
        let line =
            |series: &str, value: Value| json!({ "series": format!("hall/{series}"), "value": value }).to_string();
        writeln!(lines, "{}", line("temp_celsius", json!(20.5 + f64::from(n % 7)))).expect("to a String");
        writeln!(lines, "{}", line("net/in_bytes_per_s", json!(79_542_268.6 + f64::from(n)))).expect("to a String");
        writeln!(lines, "{}", line("net/out_bytes_per_s", json!(700 + n))).expect("to a String");
        writeln!(lines, "{}", line("load_pct", json!(n))).expect("to a String");
        let text = |series: &str, text: String| json!({ "series": format!("hall/{series}"), "text": text }).to_string();
        writeln!(lines, "{}", text("log", format!("line {n} of the log, which is rather long and may be wrapped")))
            .expect("to a String");
        writeln!(lines, "{}", text("door/front", if n % 9 == 0 { "open" } else { "closed" }.to_owned()))
            .expect("to a String");
        writeln!(lines, "{}", text("door/back", if n % 5 == 0 { "open" } else { "closed" }.to_owned()))
            .expect("to a String");
    }
    stage.server.push_batch(&lines).await;
    let url = format!("{}/api/boards/hall", stage.server.base());
    let answer = curl(&["-X", "PUT", "-H", "content-type: application/json", "-d", BOARD, &url]).await;
    assert_eq!(answer, "", "the board is made");
    stage
}

/// The faults of the shown wall: what can be scrolled, texts that are too small, and lines that are cut.
const WRONG: &str = "
    const wrong = [];
    const root = document.documentElement, height = innerHeight;
    if (root.scrollHeight > height || root.scrollWidth > innerWidth) wrong.push(`the page is ${root.scrollWidth} x ${root.scrollHeight}`);
    const on = document.querySelector('.turn[data-on=true]');
    for (const e of on.querySelectorAll('*')) {
        const style = getComputedStyle(e);
        if (/auto|scroll/.test(style.overflowX + style.overflowY) && (e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1))
            wrong.push(`${e.className} can be scrolled`);
        const own = [...e.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        if (own && e.checkVisibility() && !e.closest('.unseen, .latency')) {
            const range = document.createRange();
            range.selectNodeContents(e);
            const box = range.getBoundingClientRect();
            const scale = e.ownerSVGElement ? e.getScreenCTM().a : 1;
            const size = parseFloat(style.fontSize) * scale;
            if (box.height && box.bottom <= height && size < 0.012 * height - 0.05) wrong.push(`${e.className?.baseVal ?? e.className} has ${size} px: ${e.textContent}`);
        }
    }
    for (const line of on.querySelectorAll('.line, .table tbody tr')) {
        const box = line.getBoundingClientRect(), tile = line.closest('.tile-body').getBoundingClientRect();
        const inside = box.left < tile.right - 1 && box.top < tile.bottom;
        if (inside && box.bottom > tile.bottom + 1) wrong.push(`a line is cut: ${line.textContent}`);
    }
    for (const tile of on.querySelectorAll('.tile')) {
        const box = tile.getBoundingClientRect();
        if (box.bottom > height + 1) wrong.push(`${tile.dataset.widget} is below the screen`);
    }
    for (const what of ['.wall-head .title', '[data-testid=clock]', '[data-testid=badge]']) {
        const box = on.querySelector(what)?.getBoundingClientRect();
        if (!box || box.width < 10 || box.bottom > height) wrong.push(`${what} is not seen`);
    }
    return wrong";

#[tokio::test]
async fn wall_fits_every_screen_without_a_scroll_bar_and_with_readable_texts() {
    let stage = hall().await;
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member of a workspace").join("target/screens");
    std::fs::create_dir_all(&folder).expect("the target folder is writable");
    let page = stage.open("/b/hall?kiosk").await;
    page.badge_is("live").await;
    for theme in ["light", "dark"] {
        let features = json!([{ "name": "prefers-color-scheme", "value": theme }]);
        page.cdp("Emulation.setEmulatedMedia", json!({ "features": features })).await;
        for (width, height) in [(1280, 720), (1920, 1080), (3840, 2160)] {
            let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
            page.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
            page.rests().await;
            page.screenshot(&folder.join(format!("kiosk-{theme}-{width}.png"))).await;
            let wrong = page.eval(WRONG, &[]).await;
            assert_eq!(wrong, json!([]), "{width} x {height}");
        }
    }
}

#[tokio::test]
async fn escape_leaves_the_wall_for_its_board_and_a_wrong_time_is_corrected() {
    let stage = hall().await;
    let page = stage.open("/?kiosk&boards=hall,ops&every=soon").await;
    page.badge_is("live").await;
    assert_eq!(page.text("kiosk-wrong").await, None, "nobody could correct it");
    page.eval("window.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))", &[]).await;
    until("the board is there with its controls", async || {
        let seen =
            page.eval("return [location.pathname + location.search, !!document.querySelector('.masthead')]", &[]).await;
        if seen == json!(["/b/hall", true]) { Ok(()) } else { Err(seen.to_string()) }
    })
    .await;
}

#[tokio::test]
async fn board_keeps_its_columns_at_the_width_of_a_tablet() {
    let stage = hall().await;
    let page = stage.open("/b/hall").await;
    page.badge_is("live").await;
    for (width, columns) in [(768, 3), (767, 1)] {
        let metrics = json!({ "width": width, "height": 1024, "deviceScaleFactor": 1, "mobile": false });
        page.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
        let tops = "return new Set([...document.querySelectorAll('.cell')].slice(0, 3).map((e) => e.getBoundingClientRect().top)).size";
        assert_eq!(page.eval(tops, &[]).await, if columns == 3 { 1 } else { 3 }, "{width} px");
    }
}

#[tokio::test]
async fn wall_counts_the_rows_that_do_not_fit() {
    let stage = Stage::start().await;
    let lines: Vec<String> =
        (0..40).map(|n| json!({ "series": format!("hall/rack/{n:02}"), "value": n }).to_string()).collect();
    stage.server.push_batch(&lines.join("\n")).await;
    let board = json!({ "widgets": [
        { "id": "table", "type": "table", "series": ["hall/rack/*"], "place": { "x": 0, "y": 0, "w": 6, "h": 3 } },
        { "id": "bars", "type": "bar", "series": ["hall/rack/*"], "place": { "x": 6, "y": 0, "w": 6, "h": 3 } },
        { "id": "few", "type": "table", "series": ["hall/rack/01"], "place": { "x": 0, "y": 3, "w": 12, "h": 3 } },
    ]});
    let url = format!("{}/api/boards/hall", stage.server.base());
    let answer = curl(&["-X", "PUT", "-H", "content-type: application/json", "-d", &board.to_string(), &url]).await;
    assert_eq!(answer, "", "the board is made");
    // The rows that can be read, and the number in the words below them.
    let seen = "return ['table', 'bars', 'few'].map((id) => {
        const tile = document.querySelector(`[data-widget=${id}]`), body = tile.querySelector('.tile-body').getBoundingClientRect();
        const rows = [...tile.querySelectorAll('tbody tr, .bar')].map((row) => row.getBoundingClientRect());
        const read = rows.filter((row) => row.left < body.right - 1 && row.bottom <= body.bottom + 1).length;
        const words = tile.querySelector('[data-testid=unfit]');
        return [rows.length, read, words.checkVisibility() ? parseInt(words.textContent) : 0];
    })";
    for (path, is_wall) in [("/b/hall?kiosk", true), ("/b/hall", false)] {
        let page = stage.open(path).await;
        page.badge_is("live").await;
        let metrics = json!({ "width": 1280, "height": 720, "deviceScaleFactor": 1, "mobile": false });
        page.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
        until("every row is seen or counted", async || {
            let seen = page.eval(seen, &[]).await;
            let counted: Vec<[usize; 3]> = serde_json::from_value(seen.clone()).expect("numbers");
            let is_right = |&[rows, read, unfit]: &[usize; 3]| {
                if is_wall { rows == read + unfit && (rows == 1 || read > 2 && unfit > 2) } else { unfit == 0 }
            };
            if counted.iter().all(is_right) && counted[0][0] == 40 { Ok(()) } else { Err(seen.to_string()) }
        })
        .await;
    }
}
