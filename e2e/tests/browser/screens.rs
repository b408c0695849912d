//! Takes screenshots of the pages for people to look at, in `target/screens/`, and checks that nothing overflows.

mod kinds;
mod shop;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use kinds::State;
use pulseboard_e2e::{Animation, Page, Server, Stage, curl, until};
use serde_json::json;

/// The length of the past in the pictures, in seconds.
const PAST: u64 = 240;

/// A synthetic series: its name, its mean value, its amplitude, and its number of decimals.
type Lively = (&'static str, f64, f64, usize);

const LIVELY: [Lively; 10] = [
    ("shop/api/latency_ms", 48.0, 30.0, 1),
    ("shop/api/requests_per_s", 1830.0, 420.0, 0),
    ("shop/api/error_pct", 0.42, 0.4, 2),
    ("shop/orders/today", 1284.0, 60.0, 0),
    ("shop/orders/revenue_eur", 48_213.5, 900.0, 2),
    ("shop/db/size_bytes", 7_315_000_000.0, 40_000_000.0, 0),
    ("shop/db/pool:primary", 12.0, 6.0, 0),
    ("shop/host/load", 1.7, 1.3, 2),
    ("shop/hall/temp_c", -3.5, 2.0, 1),
    ("shop/queue/a_name_that_is_rather_longer_than_a_phone_is_wide.depth", 310.0, 300.0, 0),
];

#[tokio::test]
async fn the_pages_fit_a_phone_and_a_wall_by_day_and_by_night() {
    let folder = folder();
    let stage = Stage::start().await;
    stage.server.push_batch(&history(now())).await;

    for (path, name, ready) in
        [("/b/shop", "board", "tile"), ("/", "home", "board-card"), ("/b/new", "empty", "curl-line")]
    {
        let page = stage.open(path).await;
        if ready != "board-card" {
            page.badge_is("live").await;
        }
        let wanted = if ready == "tile" { LIVELY.len() + 1 } else { 1 };
        until(&format!("{path} is complete"), async || {
            let texts = page.texts(ready).await;
            if texts.len() == wanted { Ok(()) } else { Err(format!("{texts:?}")) }
        })
        .await;
        if ready == "tile" {
            // The latency appears only after an update.
            stage.server.push("shop/api/latency_ms", "51.3").await;
            until("the latency is told", async || {
                let latency = page.text("latency").await.unwrap_or_default();
                if latency.is_empty() { Err("none".to_owned()) } else { Ok(()) }
            })
            .await;
        }
        for theme in ["light", "dark"] {
            for (width, height) in [(360, 780), (1440, 900)] {
                picture(&page, &folder.join(format!("{name}-{theme}-{width}.png")), theme, width, height).await;
            }
        }
    }
}

#[tokio::test]
async fn a_board_of_all_kinds_fits_every_screen_without_a_scroll_bar_across() {
    let folder = folder();
    let stage = shop().await;
    let page = open_shop(&stage).await;
    stage.server.push("shop/orders/revenue_eur", "48391").await;
    page.shows("shop/orders/revenue_eur", "48,391").await;
    for theme in ["light", "dark"] {
        for (width, height) in [(360, 800), (768, 1024), (1440, 900), (1920, 1080), (3840, 2160)] {
            picture(&page, &folder.join(format!("shop-{theme}-{width}.png")), theme, width, height).await;
        }
    }
    let page = stage.open("/").await;
    until("the shop is listed", async || {
        let cards = page.texts("board-card").await;
        if cards.len() == 1 { Ok(()) } else { Err(format!("{cards:?}")) }
    })
    .await;
    picture(&page, &folder.join("shop-home-light-1440.png"), "light", 1440, 900).await;
}

/// The frames of the animation, and the time that each is shown in hundredths of a second.
const FRAMES: (u64, u16) = (14, 60);

#[tokio::test]
async fn board_is_recorded_as_it_moves_in_a_small_file() {
    let file = folder().join("board.gif");
    let stage = shop().await;
    let page = stage.page();
    let metrics = json!({ "width": 1200, "height": 750, "deviceScaleFactor": 1, "mobile": false });
    page.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
    page.cdp(
        "Emulation.setEmulatedMedia",
        json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] }),
    )
    .await;
    let page = open_shop(&stage).await;
    page.rests().await;
    let mut animation = Animation::default();
    for frame in 0..FRAMES.0 {
        let revenue = 48_390 + frame * 7;
        stage.server.push_batch(&shop::next(frame, revenue)).await;
        page.shows("shop/orders/revenue_eur", &format!("{},{:03}", revenue / 1_000, revenue % 1_000)).await;
        animation.add(&page, 0.6, FRAMES.1).await;
    }
    assert_eq!(animation.changes() as u64, FRAMES.0 - 1, "each push is seen");
    animation.write(&file);
    let size = std::fs::metadata(&file).expect("it was written").len();
    assert!(size <= 300_000, "{size} bytes are too many for a README");
}

#[tokio::test]
async fn nothing_moves_while_data_arrives() {
    let stage = shop().await;
    let watch = "
        window.__shift = 0; window.__moved = [];
        new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
            window.__shift += entry.value;
            window.__moved.push(...entry.sources.map((source) => `${source.node?.className || source.node?.nodeName} by ${entry.value}`));
        })).observe({ type: 'layout-shift', buffered: true });";
    stage.page().cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": watch })).await;
    for (width, height) in [(360, 800), (1440, 900), (3840, 2160)] {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        stage.page().cdp("Emulation.setDeviceMetricsOverride", metrics).await;
        let page = stage.open("/b/shop").await;
        page.badge_is("live").await;
        all_are(&page, &[("live", 12)]).await;
        page.rests().await;
        stage.server.push("shop/orders/revenue_eur", "48391").await;
        stage.server.push("shop/alerts", r#"{"text":"something happened"}"#).await;
        page.shows("shop/orders/revenue_eur", "48,391").await;
        stage.server.push("shop/orders/revenue_eur", "48390").await;
        page.shows("shop/orders/revenue_eur", "48,390").await;
        let shift = page.eval("return window.__shift", &[]).await.as_f64().expect("a number");
        let moved = page.eval("return window.__moved", &[]).await;
        assert!(shift <= 0.02, "at {width} px the layout shifts by {shift}: {moved}");
    }
}

#[tokio::test]
async fn the_editor_fits_a_phone_and_a_wall_by_day_and_by_night() {
    let folder = folder();
    let stage = shop().await;
    let page = open_shop(&stage).await;
    // Closes the previous dialog before the next one opens.
    let close = "document.querySelector('dialog[open]')?.close()";
    for (name, open, there) in [
        ("edit", "document.querySelector('[data-testid=edit]').click()", "editbar"),
        ("edit-add", "document.querySelector('[data-testid=add]').click()", "add-sheet"),
        ("edit-board", "document.querySelector('[data-testid=settings]').click()", "apply"),
        (
            "edit-widget",
            "document.querySelector('[data-handle]').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }))",
            "apply",
        ),
    ] {
        page.eval(close, &[]).await;
        page.eval(open, &[]).await;
        until(&format!("{there} is there"), async || {
            page.text(there).await.map(|_| ()).ok_or_else(|| "it is not".to_owned())
        })
        .await;
        for theme in ["light", "dark"] {
            for (size, width, height) in [("phone", 360, 800), ("wall", 1920, 1080)] {
                picture(&page, &folder.join(format!("{name}-{theme}-{size}.png")), theme, width, height).await;
            }
        }
    }
}

#[tokio::test]
async fn each_kind_of_widget_says_in_which_state_it_is() {
    let folder = folder();
    let stage = Stage::start().await;
    for batch in shop::past(now() - 60_000) {
        stage.server.push_batch(&batch).await;
    }
    stage.page().cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": kinds::BREAK })).await;
    for state in State::ALL {
        let id = state.word();
        put(&stage.server, id, "application/json", &state.board().to_string()).await;
        let page = stage.open(&format!("/b/{id}")).await;
        let others = if state == State::Error { 0 } else { 1 };
        // A note has no numbers to wait for.
        if state == State::Live {
            all_are(&page, &[("live", 10)]).await;
        } else {
            all_are(&page, &[(id, 10 - others), ("live", others)]).await;
        }
        for theme in ["light", "dark"] {
            for (name, width, height) in [("phone", 360, 800), ("wall", 1920, 1080)] {
                picture(&page, &folder.join(format!("kinds-{id}-{theme}-{name}.png")), theme, width, height).await;
            }
        }
    }
}

/// Starts a server with the board of the shop and its past.
pub(crate) async fn shop() -> Stage {
    let stage = Stage::start().await;
    put(&stage.server, "shop", "application/toml", shop::BOARD).await;
    for batch in shop::past(now()) {
        stage.server.push_batch(&batch).await;
    }
    stage
}

/// Opens the board of the shop and waits for all its widgets.
pub(crate) async fn open_shop(stage: &Stage) -> Page<'_> {
    let page = stage.open("/b/shop").await;
    page.badge_is("live").await;
    all_are(&page, &[("live", 12)]).await;
    page
}

/// Waits until each of these states has the given number of widgets.
async fn all_are(page: &Page<'_>, wanted: &[(&str, usize)]) {
    until(&format!("the widgets are {wanted:?}"), async || {
        let script = "return [...document.querySelectorAll('[data-testid=tile]')].map((tile) => tile.dataset.state)";
        let states: Vec<String> = serde_json::from_value(page.eval(script, &[]).await).expect("a list of states");
        let so = |&(state, count): &(&str, usize)| states.iter().filter(|s| *s == state).count() == count;
        if wanted.iter().all(so) { Ok(()) } else { Err(format!("{states:?}; {}", page.account().await)) }
    })
    .await;
}

async fn put(server: &Server, id: &str, kind: &str, document: &str) {
    let (url, kind) = (format!("{}/api/boards/{id}", server.base()), format!("content-type: {kind}"));
    let code = ["-X", "PUT", "-H", &kind, "--data-binary", document, &url, "-o", "/dev/stderr", "-w", "%{http_code}"];
    assert_eq!(curl(&code).await, "201", "the document of {id} is taken");
}

/// The time in milliseconds.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    u64::try_from(now).expect("before the year 500 million")
}

async fn picture(page: &Page<'_>, file: &Path, theme: &str, width: u32, height: u32) {
    let features = json!([{ "name": "prefers-color-scheme", "value": theme }]);
    page.cdp("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
    page.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
    // The page learns its new size in one frame and redraws its charts in the next.
    let frames =
        "const done = arguments[0]; let n = 4; (function next() { n-- ? requestAnimationFrame(next) : done(); })()";
    page.eval_async(frames).await;

    page.rests().await;
    let [inner, content] = ["innerWidth", "document.documentElement.scrollWidth"];
    let fits = format!("return {content} <= {inner} ? '' : `${{{content}}} px of content in ${{{inner}}} px`");
    let overflow = page.eval(&fits, &[]).await;
    assert_eq!(overflow, "", "{} scrolls sideways", file.display());
    let seen = page.eval("return innerWidth", &[]).await;
    assert_eq!(seen, width, "the page is as wide as the screen");

    page.screenshot(file).await;
}

/// The folder of the pictures, below the target folder.
fn folder() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member of a workspace");
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let folder = workspace.join(target).join("screens");
    std::fs::create_dir_all(&folder).expect("the target folder is writable");
    folder
}

/// The past of the synthetic series as a batch, with a point every one to three seconds.
fn history(now: u64) -> String {
    let mut lines = String::new();
    for (i, (name, middle, swing, digits)) in LIVELY.into_iter().enumerate() {
        for ago in (0..PAST).rev().step_by(i % 3 + 1) {
            let value = middle + swing * shape(i, ago);
            let ts = now - ago * 1_000;
            writeln!(lines, r#"{{"series":"{name}","value":{value:.digits$},"ts":{ts}}}"#).expect("to a String");
        }
    }
    for (ago, text) in [(95, "building 2.14.0"), (40, "rolling out 2.14.0 to 3 of 8"), (4, "2.14.0 is out")] {
        let ts = now - ago * 1_000;
        writeln!(lines, r#"{{"series":"shop/deploy","text":"{text}","ts":{ts}}}"#).expect("to a String");
    }
    lines
}

/// A value between -1 and 1. It differs for each series and is the same on each run: waves, a saw tooth, steps, a
/// spike.
fn shape(series: usize, ago: u64) -> f64 {
    let t = f64::from(u32::try_from(ago).expect("minutes"));
    let n = f64::from(u32::try_from(series).expect("ten"));
    let noise = ((t * 12.9898 + n * 78.233).sin() * 43_758.547).fract();
    match series % 4 {
        0 => 0.6 * (t / (9.0 + n)).sin() + 0.3 * noise,
        1 => 1.0 - 2.0 * ((t / (40.0 + n)).fract()) * 0.9 + 0.05 * noise,
        2 => (0.9 * (t / 25.0).sin()).signum() * 0.5 + 0.2 * noise,
        _ => {
            if (ago / 20) % 4 == 1 {
                0.9
            } else {
                -0.4 + 0.2 * noise
            }
        }
    }
}
