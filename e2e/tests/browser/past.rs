//! Tests of a board that shows the past: all of it is as of then, and the user can move through it.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use pulseboard_e2e::{Page, Stage, curl, until};

/// Length of the history, in seconds.
const LENGTH: u64 = 3_000;

const BOARD: &str = r#"{"range":"1h","widgets":[
    {"id":"temp","type":"stat","series":["ops/temp"],"title":"Temperature","decimals":0,"place":{"x":0,"y":0,"w":3,"h":3}},
    {"id":"rare","type":"gauge","series":["ops/rare"],"title":"Rare","place":{"x":3,"y":0,"w":3,"h":3}},
    {"id":"late","type":"stat","series":["ops/late"],"title":"Late","place":{"x":6,"y":0,"w":3,"h":3}},
    {"id":"hits","type":"bar","series":["ops/hits"],"show":"rate","title":"Hits","place":{"x":9,"y":0,"w":3,"h":3}},
    {"id":"all","type":"table","series":["ops/temp"],"decimals":0,"columns":["name","value","max","age"],
     "place":{"x":0,"y":3,"w":6,"h":3}},
    {"id":"log","type":"log","series":["ops/deploy"],"title":"Deployments","place":{"x":6,"y":3,"w":6,"h":3}},
    {"id":"line","type":"line","series":["ops/temp"],"title":"Over time","place":{"x":0,"y":6,"w":12,"h":4}}]}"#;

/// The newest moment of the history, in milliseconds: some seconds ago, and a whole multiple of ten seconds.
fn newest() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    let now = u64::try_from(now).expect("before the year 500 million");
    now - now % 10_000 - 10_000
}

/// Starts with a board of all kinds of widgets. `ops/temp` has its age in seconds each second, `ops/hits` rises by two a
/// second, `ops/rare` had a point 40 minutes and one a minute ago, `ops/late` one a minute ago, and `ops/deploy` two.
async fn stage(newest: u64) -> Stage {
    let stage = Stage::start().await;
    let mut lines = String::new();
    let mut line = |series: &str, ago: u64, value: &str| {
        writeln!(lines, r#"{{"series":"ops/{series}",{value},"ts":{}}}"#, newest - ago * 1_000).expect("to a string");
    };
    for ago in (0..LENGTH).rev() {
        line("temp", ago, &format!(r#""value":{ago}"#));
        line("hits", ago, &format!(r#""value":{}"#, 2 * (LENGTH - ago)));
    }
    line("rare", 2_400, r#""value":5"#);
    line("rare", 60, r#""value":9"#);
    line("late", 60, r#""value":7"#);
    line("deploy", 1_200, r#""text":"v1""#);
    line("deploy", 300, r#""text":"v2""#);
    stage.server.push_batch(&lines).await;
    let url = format!("{}/api/boards/ops", stage.server.base());
    let status =
        curl(&["-X", "PUT", "-H", "content-type: application/json", "-d", BOARD, &url, "-w", "%{http_code}"]).await;
    assert!(status.ends_with("201"), "the board is made: {status}");
    stage
}

/// Waits until each widget shows one of these texts for its value.
async fn shows(page: &Page<'_>, what: &str, wanted: &[(&str, &str)]) {
    let script = "
        const value = (id) => document.querySelector(`[data-widget=${id}] [data-testid=value]`)?.textContent.trim();
        return JSON.parse(arguments[0]).map((id) => value(id) ?? '')";
    let ids: Vec<_> = wanted.iter().map(|(id, _)| id).collect();
    let ids = serde_json::to_string(&ids).expect("texts");
    until(what, async || {
        let found: Vec<String> = serde_json::from_value(page.eval(script, &[&ids]).await).expect("a list of texts");
        let fits = found.iter().zip(wanted).all(|(found, (_, wanted))| found == wanted);
        if fits { Ok(()) } else { Err(format!("{found:?}; {}", page.account().await)) }
    })
    .await;
}

async fn address(page: &Page<'_>) -> String {
    page.eval("return location.search", &[]).await.as_str().unwrap_or_default().to_owned()
}

/// The moment that the board shows, by its address, in milliseconds.
async fn moment(page: &Page<'_>) -> Option<u64> {
    address(page).await.split_once("to=")?.1.parse().ok()
}

async fn click(page: &Page<'_>, testid: &str) {
    page.eval("document.querySelector(`[data-testid=${arguments[0]}]`).click()", &[testid]).await;
}

const NOW: [(&str, &str); 5] = [("temp", "0"), ("rare", "9"), ("late", "7"), ("hits", "2\u{a0}/s"), ("log", "v2")];

#[tokio::test]
async fn a_board_with_a_fixed_range_shows_all_of_itself_as_of_its_end() {
    let newest = newest();
    let stage = stage(newest).await;
    let page = stage.open("/b/ops").await;
    shows(&page, "the live values", &NOW).await;
    let then = newest - 600_000;
    let link = format!("/b/ops?from={}&to={then}", then - 300_000);
    let wanted = [("temp", "600"), ("rare", "5"), ("late", "–"), ("hits", "2\u{a0}/s"), ("all", "600"), ("log", "v1")];
    let page = stage.open(&link).await;
    shows(&page, "the values of then", &wanted).await;
    page.badge_is("past").await;
    until("the table has the greatest of the range", async || {
        let cells = "return [...document.querySelectorAll('td')].map((e) => e.textContent.trim())";
        let cells: Vec<String> = serde_json::from_value(page.eval(cells, &[]).await).expect("a list of texts");
        if cells == ["600", "900", "now"] { Ok(()) } else { Err(format!("{cells:?}")) }
    })
    .await;
    let ages = page.texts("age").await;
    assert!(ages.iter().all(|age| age.starts_with("as of ")), "{ages:?}");

    stage.server.push("ops/temp", "-5").await;
    page.rests().await;
    shows(&page, "what is pushed changes nothing", &wanted).await;
    for (width, height) in [(1_440, 1_000), (390, 844)] {
        let screen =
            serde_json::json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        page.cdp("Emulation.setDeviceMetricsOverride", screen).await;
        page.rests().await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screens");
        std::fs::create_dir_all(&folder).expect("the folder of screenshots can be made");
        page.screenshot(&folder.join(format!("past-{width}.png"))).await;
    }
    click(&page, "range-live").await;
    shows(&page, "live again", &[("temp", "−5"), ("rare", "9"), ("log", "v2")]).await;
    page.badge_is("live").await;
}

#[tokio::test]
async fn the_slider_the_steps_and_the_player_move_the_moment_and_back_undoes_them() {
    let newest = newest();
    let stage = stage(newest).await;
    let then = newest - 600_000;
    let page = stage.open(&format!("/b/ops?from={}&to={then}", then - 300_000)).await;
    shows(&page, "the values of then", &[("temp", "600"), ("log", "v1")]).await;

    let slide = "
        const slider = document.querySelector('[data-testid=past-slider]');
        slider.value = arguments[0];
        slider.dispatchEvent(new Event('input', { bubbles: true }));
        slider.dispatchEvent(new Event('change', { bubbles: true }));
        return slider.value";
    let slid = page.eval(slide, &[&(then + 420_000).to_string()]).await;
    let slid: u64 = slid.as_str().and_then(|slid| slid.parse().ok()).expect("a moment");
    assert!(slid.abs_diff(then + 420_000) < 5_000, "it is near: {slid}");
    let ago = ((newest - slid).div_ceil(1_000)).to_string();
    shows(&page, "the values of where the slider is", &[("temp", &ago), ("log", "v2")]).await;
    assert_eq!(moment(&page).await, Some(slid), "a link shows the same");
    page.eval("history.back()", &[]).await;
    shows(&page, "back undoes it", &[("temp", "600"), ("log", "v1")]).await;
    assert_eq!(moment(&page).await, Some(then));

    click(&page, "past-earlier").await;
    shows(&page, "a step of the range's length", &[("temp", "900"), ("log", "v1")]).await;
    click(&page, "past-later").await;
    shows(&page, "and forth", &[("temp", "600"), ("log", "v1")]).await;

    page.eval("document.querySelectorAll('[data-testid=past-speed]')[2].click()", &[]).await;
    click(&page, "past-play").await;
    until("the player moves on, a minute a second", async || match moment(&page).await {
        Some(to) if to > then + 120_000 => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    click(&page, "past-play").await;
    page.rests().await;
    let value = "return document.querySelector('[data-widget=temp] [data-testid=value]').textContent";
    until("it rests where the address says", async || {
        let (to, value) = (moment(&page).await.unwrap_or_default(), page.eval(value, &[]).await);
        let wanted = (newest - (to - to % 1_000)) / 1_000;
        // The second in which the moment lies does not count before it is over.
        let fits = [wanted, wanted + 1].iter().any(|ago| value.as_str() == Some(ago.to_string().as_str()));
        if fits { Ok(()) } else { Err(format!("{value} for {wanted}")) }
    })
    .await;
}

#[tokio::test]
async fn an_address_takes_what_the_api_takes_and_says_what_is_wrong_in_it() {
    let newest = newest();
    let stage = stage(newest).await;
    let open = async |query: &str| {
        let page = stage.open(&format!("/b/ops?{query}")).await;
        until("the board is there", async || match page.texts("value").await {
            values if values.len() > 5 => Ok(()),
            values => Err(format!("{values:?}")),
        })
        .await;
        page
    };
    let page = open("from=-2h").await;
    let chosen = page.eval("return document.querySelector('[data-testid=range-span]').value", &[]).await;
    assert_eq!(chosen, "2h");
    let then = newest - 600_000;
    let iso = page.eval("return new Date(Number(arguments[0])).toISOString()", &[&then.to_string()]).await;
    let iso = iso.as_str().expect("a date").to_owned();
    let page = open(&format!("to={iso}")).await;
    shows(&page, "the values of then", &[("temp", "600"), ("log", "v1")]).await;
    for (query, wanted) in [
        ("from=yesterday&to=now", "from: expected a time"),
        ("from=1732399200", "is this in seconds?"),
        ("from=-1h&to=-2h", "ends before it begins"),
        ("from=2099-01-01", "begins in the future"),
        ("range=soon", "is not a length of time"),
    ] {
        let page = open(query).await;
        let words = page.text("range-problem").await.unwrap_or_default();
        assert!(words.contains(wanted) && words.contains("shows the last 1h"), "{query}: {words}");
    }
}

#[tokio::test]
async fn back_undoes_a_zoom_and_forward_does_it_again() {
    let newest = newest();
    let stage = stage(newest).await;
    let page = stage.open("/b/ops").await;
    shows(&page, "the live values", &NOW).await;
    click(&page, "range-earlier").await;
    until("it is an hour earlier", async || match moment(&page).await {
        Some(_) => Ok(()),
        None => Err(address(&page).await),
    })
    .await;
    let earlier = address(&page).await;
    page.eval("history.back()", &[]).await;
    shows(&page, "live again", &NOW).await;
    assert_eq!(address(&page).await, "");
    page.badge_is("live").await;
    page.eval("history.forward()", &[]).await;
    page.badge_is("past").await;
    assert_eq!(address(&page).await, earlier);
}
