//! Tests of the head of a board on a screen as narrow as a phone.

use pulseboard_e2e::{Page, Stage, until};
use serde_json::json;

/// Lists all controls in the head, from left to right and row by row, with their names and edges.
const CONTROLS: &str = "
    const seen = [...document.querySelectorAll('.masthead :is(a, button, summary, select, label, input:not(.unseen))')]
        .filter((e) => e.matches('summary') || !e.closest('details:not([open])'))
        .map((e) => [e, e.getBoundingClientRect()]).filter(([_, r]) => r.width > 0);
    return seen.map(([e, r]) => ({
        name: e.dataset.testid ?? e.className, left: r.left, right: r.right, top: r.top, height: r.height,
        on_top: e.contains(document.elementFromPoint((r.left + r.right) / 2, (r.top + r.bottom) / 2)),
        cut: e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1,
    }))";

/// The vertical positions of the head's parts and of the board.
const PLACES: &str = "
    const top = (what) => Math.round(document.querySelector(what).getBoundingClientRect().top);
    return [top('.title'), top('.range-picker'), top('.board')]";

#[tokio::test]
async fn the_head_of_a_board_has_two_rows_and_all_of_it_can_be_pressed() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "42").await;
    let metrics = json!({ "width": 360, "height": 780, "deviceScaleFactor": 1, "mobile": true });
    stage.page().cdp("Emulation.setDeviceMetricsOverride", metrics).await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis();
    let fixed = format!("/b/ops?from={}&to={now}", now - 86_400_000 * 3);
    for (path, badge, shown, wanted) in [
        ("/b/ops", "live", "43", vec!["range-earlier", "range-span", "edit", "more"]),
        (&fixed, "past", "42", vec!["range-fixed", "range-live", "edit", "more"]),
    ] {
        let page = stage.open(path).await;
        page.badge_is(badge).await;
        let names = pressable(&page).await;
        assert_eq!(names[0], "wordmark");
        assert_eq!(names[1..], wanted, "{path}");
        let before = page.eval(PLACES, &[]).await;
        stage.server.push("ops/temp", "43").await;
        page.shows("ops/temp", shown).await;
        assert_eq!(page.eval(PLACES, &[]).await, before, "nothing moves when a number comes");
        let badge = "const badge = document.querySelector('[data-testid=badge]');
            badge.querySelector('[role=status]').textContent = 'reconnecting';
            badge.querySelector('.badge-since').textContent = ' since 23:59:59';";
        page.eval(badge, &[]).await;
        assert_eq!(page.eval(PLACES, &[]).await, before, "nor when the badge says all that it ever says");
        page.eval("document.querySelector('[data-testid=more]').click()", &[]).await;
        until("the menu is there", async || {
            page.text("download-json").await.map(|_| ()).ok_or_else(|| "it is not".to_owned())
        })
        .await;
        let names = pressable(&page).await;
        let place = |item: &str| {
            names.iter().position(|name| name == item).unwrap_or_else(|| panic!("{item} is not among {names:?}"))
        };
        assert!(place("theme") < place("keys") && place("keys") < place("download-json"), "what comes later is below");
    }
}

/// Checks that all controls in the head are on the screen, in at most two rows besides the menu, and at least as high
/// as a finger is wide. Returns their names.
async fn pressable(page: &Page<'_>) -> Vec<String> {
    page.rests().await;
    let controls = page.eval(CONTROLS, &[]).await;
    let controls = controls.as_array().expect("a list");
    let number = |of: &serde_json::Value, what: &str| of[what].as_f64().expect("a number");
    for control in controls {
        assert!(number(control, "left") >= 0.0 && number(control, "right") <= 360.0, "{control} is off the screen");
        assert!(number(control, "height") >= 40.0, "{control} is too low to be pressed");
        assert!(control["on_top"] == true && control["cut"] == false, "{control} is covered or cut");
    }
    let head = "return document.querySelector('.masthead').getBoundingClientRect().height";
    let height = page.eval(head, &[]).await.as_f64().expect("a number");
    assert!(height <= 2.0 * 40.0 + 16.0, "the head is {height} px high: more than two rows");
    controls.iter().map(|control| control["name"].as_str().unwrap_or_default().to_owned()).collect()
}
