//! Tests of creating, changing and showing a board by keyboard and pointer.

use std::path::Path;

use pulseboard_e2e::{Page, Stage, curl, until};
use thirtyfour::{By, Key, TypingData};

const TITLE: &str = "title = \"Ours\"\n\n[[widgets]]\nid = \"t\"\ntype = \"stat\"\nseries = [\"ops/temp\"] # warm\n";

#[tokio::test]
async fn a_widget_added_by_keyboard_is_saved_and_another_tab_sees_it_at_once() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "41").await;
    stage.server.push("shop/orders", "7").await;
    let watcher = stage.open_tab("/b/ops").await;
    watcher.front().await.shows("ops/temp", "41").await;
    let editor = stage.open_tab("/b/ops").await;
    let page = editor.front().await;
    page.shows("ops/temp", "41").await;

    press(&page, "e").await;
    there(&page, "editbar").await;
    press(&page, "a").await;
    there(&page, "add-sheet").await;
    until("the series are listed", async || {
        let count = page.eval("return document.querySelectorAll('[data-testid=series] option').length", &[]).await;
        if count == 2 { Ok(()) } else { Err(count.to_string()) }
    })
    .await;
    press(&page, "orders").await;
    press(&page, Key::Enter).await;
    gone(&page, "add-sheet").await;
    page.shows("shop/orders", "7").await;
    let handle = focused(&page, "data-handle").await;
    assert_eq!(handle, "orders", "what was added has the focus");

    // Moves it to the left of the other widget, and enlarges it.
    press(&page, Key::Left + "").await;
    until("it moved", async || {
        let label = focused(&page, "aria-label").await;
        if label.contains("column 3, row 1") { Ok(()) } else { Err(label) }
    })
    .await;
    press(&page, Key::Shift + Key::Right).await;
    until("it grew", async || {
        let label = focused(&page, "aria-label").await;
        if label.contains("4 wide") { Ok(()) } else { Err(label) }
    })
    .await;
    let announcement = page.text("announcement").await.unwrap_or_default();
    assert!(announcement.contains("orders is at column 3"), "each step is announced: {announcement:?}");
    press(&page, Key::Control + "s").await;
    gone(&page, "editbar").await;

    let other = watcher.front().await;
    other.shows("shop/orders", "7").await;
    let stored = stage.server.get("/api/boards/ops").await;
    assert_eq!(stored["widgets"][1]["place"]["w"], 4, "{stored}");
}

#[tokio::test]
async fn undo_takes_everything_back_and_leaving_without_saving_is_asked_about() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    stage.server.push("ops/load", "2").await;
    let page = stage.open("/b/ops?edit").await;
    there(&page, "editbar").await;
    let before = tiles(&page).await;
    click(&page, "widget-remove").await;
    until("one is gone", async || match tiles(&page).await {
        now if now.len() == 1 => Ok(()),
        now => Err(format!("{now:?}")),
    })
    .await;
    assert!(guarded(&page).await, "what is not saved is guarded");
    press(&page, Key::Control + "z").await;
    until("it is back", async || match tiles(&page).await {
        now if now == before => Ok(()),
        now => Err(format!("{now:?}")),
    })
    .await;
    assert!(!guarded(&page).await, "nothing is left to guard");
}

#[tokio::test]
async fn a_conflict_is_told_at_once_and_nothing_is_overwritten_until_someone_says_so() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    upload(&stage, TITLE, "If-None-Match: *").await;
    let page = stage.open("/b/ops?edit").await;
    there(&page, "editbar").await;
    click(&page, "widget-copy").await;
    until("there are two", async || match tiles(&page).await {
        now if now.len() == 2 => Ok(()),
        now => Err(format!("{now:?}")),
    })
    .await;
    upload(&stage, &TITLE.replace("Ours", "Theirs"), "If-Match: *").await;
    there(&page, "trouble").await;
    click(&page, "save").await;
    until("saving is refused", async || {
        let told = page.text("trouble").await.unwrap_or_default();
        if told.contains("Someone else has changed") { Ok(()) } else { Err(page.account().await) }
    })
    .await;
    assert_eq!(stage.server.get("/api/boards").await[0]["title"], "Theirs");
    click(&page, "peek").await;
    until("theirs is shown", async || {
        let title = page.eval("return document.querySelector('h1.title').textContent", &[]).await;
        if title == "Theirs" { Ok(()) } else { Err(title.to_string()) }
    })
    .await;
    let mine = page.eval("return document.querySelector('[data-testid=keep-mine]').href", &[]).await;
    assert!(mine.as_str().is_some_and(|link| link.contains("Ours")), "mine can be kept: {mine}");
    click(&page, "overwrite").await;
    gone(&page, "editbar").await;
    let stored = curl(&["-H", "Accept: application/json", &format!("{}/api/boards/ops", stage.server.base())]).await;
    assert!(stored.contains("Ours") && stored.contains(r#""id": "temp""#), "now that they said so: {stored}");
}

#[tokio::test]
async fn what_a_form_cannot_take_is_told_at_its_field() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    let page = stage.open("/b/ops?edit").await;
    there(&page, "editbar").await;
    click(&page, "widget-open").await;
    there(&page, "form").await;
    write(&page, "field-expect", "often").await;
    until("the mistake is told", async || {
        let told = page.eval("return document.getElementById('wrong-expect').textContent", &[]).await;
        if told.as_str().is_some_and(|told| told.contains("60s")) { Ok(()) } else { Err(told.to_string()) }
    })
    .await;
    click(&page, "apply").await;
    there(&page, "form").await;
    write(&page, "field-expect", "5m").await;
    write(&page, "field-title", "Warmth").await;
    click(&page, "apply").await;
    gone(&page, "form").await;
    click(&page, "save").await;
    gone(&page, "editbar").await;
    let stored = stage.server.get("/api/boards/ops").await;
    assert_eq!((&stored["widgets"][0]["title"], &stored["widgets"][0]["expect"]), (&"Warmth".into(), &"5m".into()));
}

#[tokio::test]
async fn a_board_survives_download_deletion_and_upload_byte_for_byte() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    upload(&stage, TITLE, "If-None-Match: *").await;
    let page = stage.open("/b/ops").await;
    there(&page, "tile").await;
    // Records the file that the browser would save, since a test has no folder for downloads.
    let catch = "HTMLAnchorElement.prototype.click = function () { window.__saved = [this.download, this.href]; };";
    page.eval(catch, &[]).await;
    click(&page, "more").await;
    click(&page, "download-toml").await;
    let saved = until("it is downloaded", async || {
        let saved = page.eval("return window.__saved ?? null", &[]).await;
        if saved.is_array() { Ok(saved) } else { Err("not yet".to_owned()) }
    })
    .await;
    assert_eq!(saved[0], "ops.toml");
    let text = page.eval("return decodeURIComponent(window.__saved[1].split(',').slice(1).join(','))", &[]).await;
    assert_eq!(text, TITLE);

    click(&page, "delete").await;
    click(&page, "confirm-no").await;
    gone(&page, "confirm").await;
    assert_eq!(curl(&[&format!("{}/api/boards/ops", stage.server.base())]).await, TITLE, "who says no keeps it");
    click(&page, "delete").await;
    click(&page, "confirm-yes").await;
    until("nobody has made it", async || match stage.server.get("/api/boards").await {
        list if list.as_array().is_some_and(Vec::is_empty) => Ok(()),
        list => Err(list.to_string()),
    })
    .await;
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let file = folder.path().join("ops.toml");
    std::fs::write(&file, TITLE.replace("stat", "pie")).expect("it is writable");
    choose(&page, &file).await;
    until("a broken file is told with its place", async || {
        let told = page.text("trouble").await.unwrap_or_default();
        if told.contains("widgets[0].type") { Ok(()) } else { Err(told) }
    })
    .await;
    std::fs::write(&file, TITLE).expect("it is writable");
    choose(&page, &file).await;
    until("it is a board again", async || match stage.server.get("/api/boards").await {
        list if list[0]["title"] == "Ours" => Ok(()),
        list => Err(list.to_string()),
    })
    .await;
    assert_eq!(curl(&[&format!("{}/api/boards/ops", stage.server.base())]).await, TITLE);
}

#[tokio::test]
async fn a_board_that_was_written_as_toml_stays_so_with_its_comments() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    upload(&stage, TITLE, "If-None-Match: *").await;
    let page = stage.open("/b/ops?edit").await;
    there(&page, "editbar").await;
    click(&page, "widget-copy").await;
    click(&page, "save").await;
    gone(&page, "editbar").await;
    let saved = curl(&[&format!("{}/api/boards/ops", stage.server.base())]).await;
    assert!(saved.starts_with(TITLE) && saved.matches("[[widgets]]").count() == 2, "{saved}");
}

#[tokio::test]
async fn a_board_from_a_file_follows_it_and_saving_over_it_is_refused_in_words() {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let file = folder.path().join("ops.toml");
    std::fs::write(&file, TITLE).expect("it is writable");
    let stage = Stage::with(&["--boards".to_owned(), folder.path().display().to_string()]).await;
    stage.server.push("ops/temp", "1").await;
    let page = stage.open("/b/ops").await;
    let titled = async |wanted: &str| {
        until(&format!("the board is called {wanted}"), async || {
            let title = page.eval("return document.querySelector('h1.title').textContent", &[]).await;
            if title == wanted { Ok(()) } else { Err(title.to_string()) }
        })
        .await;
    };
    titled("Ours").await;
    std::fs::write(&file, TITLE.replace("Ours", "From a file")).expect("it is writable");
    titled("From a file").await;

    click(&page, "edit").await;
    click(&page, "widget-copy").await;
    click(&page, "save").await;
    until("it says why not", async || {
        let told = page.text("trouble").await.unwrap_or_default();
        if told.contains("ops.toml") { Ok(()) } else { Err(told) }
    })
    .await;
    there(&page, "keep-mine").await;
}

#[tokio::test]
async fn a_widget_is_dragged_to_another_cell() {
    let stage = Stage::start().await;
    stage.server.push("ops/a", "1").await;
    stage.server.push("ops/b", "2").await;
    let page = stage.open("/b/ops?edit").await;
    there(&page, "handle").await;
    let label = "return document.querySelector('[data-handle=a]').getAttribute('aria-label')";
    let driver = page.driver();
    let handle = driver.find(By::Css("[data-handle=a]")).await.expect("there is a handle");
    let width = page.eval("return document.querySelector('.grid').getBoundingClientRect().width", &[]).await;
    #[expect(clippy::cast_possible_truncation, reason = "some hundreds of pixels")]
    let three = (width.as_f64().expect("a width") / 4.0) as i64;
    let chain = driver.action_chain().click_and_hold_element(&handle).move_by_offset(three / 2, 0);
    chain.move_by_offset(three - three / 2, 0).release().perform().await.expect("the pointer moves");
    until("it is where it was dragged", async || {
        let label = page.eval(label, &[]).await;
        if label.as_str().is_some_and(|label| label.contains("column 4, row 1")) {
            Ok(())
        } else {
            Err(label.to_string())
        }
    })
    .await;
}

#[tokio::test]
async fn a_wall_shows_its_boards_in_turn_without_a_reload() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    stage.server.push("shop/orders", "2").await;
    let page = stage.open("/?kiosk&boards=ops,shop&every=5s&speed=9").await;
    page.eval("window.__same = true", &[]).await;
    until("what is wrong in the address is told", async || {
        let wrong = page.text("kiosk-wrong").await.unwrap_or_default();
        if wrong.contains("speed") { Ok(()) } else { Err(wrong) }
    })
    .await;
    let on = async |board: &str| {
        until(&format!("{board} is on"), async || {
            let script = "const on = document.querySelector('.turn[data-on=true]');
                return [on?.dataset.board, !!on?.querySelector('[data-testid=value]')]";
            let seen = page.eval(script, &[]).await;
            if seen[0] == board && seen[1] == true { Ok(()) } else { Err(seen.to_string()) }
        })
        .await;
    };
    on("ops").await;
    on("shop").await;
    on("ops").await;
    assert_eq!(page.eval("return window.__same", &[]).await, true, "the page was never loaded anew");
    assert_eq!(page.eval("return document.querySelector('.masthead')", &[]).await, serde_json::Value::Null);
}

#[tokio::test]
async fn a_theme_that_was_chosen_is_there_before_the_page_is() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    let page = stage.open("/b/ops").await;
    there(&page, "theme").await;
    for wanted in ["light", "dark"] {
        press(&page, "t").await;
        until(&format!("it is {wanted}"), async || {
            let theme = page.eval("return document.documentElement.dataset.theme ?? null", &[]).await;
            if theme == wanted { Ok(()) } else { Err(theme.to_string()) }
        })
        .await;
    }
    // Records the theme when the body begins, since nothing is painted before.
    let look = "new MutationObserver((_, observer) => {
        if (!document.body) return;
        window.__at_body = document.documentElement.dataset.theme ?? null;
        observer.disconnect();
    }).observe(document, { childList: true, subtree: true });";
    page.cdp("Page.addScriptToEvaluateOnNewDocument", serde_json::json!({ "source": look })).await;
    let page = stage.open("/b/ops").await;
    there(&page, "theme").await;
    assert_eq!(page.eval("return window.__at_body", &[]).await, "dark");
}

#[tokio::test]
async fn a_new_board_begins_at_home_and_every_board_is_listed_there() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    let page = stage.open("/").await;
    there(&page, "board-card").await;
    write(&page, "new-name", "wall").await;
    press(&page, Key::Enter).await;
    there(&page, "editbar").await;
    click(&page, "add").await;
    there(&page, "add-sheet").await;
    until("the series are listed", async || match page.text("series").await {
        Some(text) if text.contains("ops/temp") => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    click(&page, "add-chosen").await;
    gone(&page, "add-sheet").await;
    click(&page, "save").await;
    gone(&page, "editbar").await;
    let page = stage.open("/").await;
    until("both are listed", async || {
        let cards = page.texts("board-card").await;
        let of = |board: &str| cards.iter().any(|card| card.contains(board) && card.contains("1 series"));
        if of("ops") && of("wall") { Ok(()) } else { Err(format!("{cards:?}")) }
    })
    .await;
}

#[tokio::test]
async fn a_board_is_duplicated_and_renamed_with_its_comments_and_its_tab_has_its_title() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "41").await;
    upload(&stage, TITLE, "if-none-match: *").await;
    let page = stage.open("/b/ops").await;
    page.shows("ops/temp", "41").await;
    let titled = async |wanted: &str| {
        until("the tab has the title of the board", async || {
            let title = page.eval("return document.title", &[]).await;
            if title == wanted { Ok(()) } else { Err(title.to_string()) }
        })
        .await;
    };
    titled("Ours – Pulseboard").await;
    for (button, name, id) in [("duplicate", "Team Board", "team-board"), ("rename", "Their Board", "their-board")] {
        page.eval("document.querySelector('[data-testid=menu]').open = true", &[]).await;
        click(&page, button).await;
        there(&page, "ask").await;
        write(&page, "ask-text", name).await;
        click(&page, "ask-yes").await;
        titled(&format!("{name} – Pulseboard")).await;
        page.shows("ops/temp", "41").await;
        let path = page.eval("return location.pathname", &[]).await;
        assert_eq!(path, format!("/b/{id}"));
        let url = format!("{}/api/boards/{id}", stage.server.base());
        let source = curl(&[&url]).await;
        assert!(source.contains("# warm") && source.contains(name), "{source}");
    }
    let ids = stage.server.get("/api/boards").await;
    let ids: Vec<_> = ids.as_array().into_iter().flatten().filter_map(|board| board["id"].as_str()).collect();
    assert_eq!(ids, ["ops", "their-board"]);
}

#[tokio::test]
async fn the_keys_are_listed_and_the_list_keeps_the_focus() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    let page = stage.open("/b/ops").await;
    page.shows("ops/temp", "1").await;
    press(&page, "?").await;
    until("the list is open", async || {
        let open = page.eval("return document.getElementById('help').open", &[]).await;
        if open == true { Ok(()) } else { Err(open.to_string()) }
    })
    .await;
    press(&page, Key::Tab + "").await;
    let inside = "return document.activeElement === document.body || !!document.activeElement.closest('#help')";
    assert_eq!(page.eval(inside, &[]).await, true);
    press(&page, "e").await;
    assert_eq!(page.text("editbar").await, None, "keys of the page do nothing behind it");
    press(&page, Key::Escape + "").await;
    let open = page.eval("return document.getElementById('help').open", &[]).await;
    assert_eq!(open, false);
}

async fn press(page: &Page<'_>, keys: impl Into<TypingData>) {
    let driver = page.driver();
    let focused = driver.active_element().await.expect("something has the focus, if only the body");
    focused.send_keys(keys).await.expect("keys can be pressed");
}

async fn there(page: &Page<'_>, testid: &str) {
    until(&format!("there is {testid}"), async || match page.text(testid).await {
        Some(_) => Ok(()),
        None => Err(page.account().await),
    })
    .await;
}

async fn gone(page: &Page<'_>, testid: &str) {
    until(&format!("{testid} is gone"), async || match page.text(testid).await {
        None => Ok(()),
        Some(text) => Err(format!("{text}; {}", page.account().await)),
    })
    .await;
}

async fn click(page: &Page<'_>, testid: &str) {
    there(page, testid).await;
    page.eval("document.querySelector(`[data-testid='${arguments[0]}']`).click()", &[testid]).await;
}

async fn write(page: &Page<'_>, testid: &str, text: &str) {
    let script = "const field = document.querySelector(`[data-testid='${arguments[0]}']`);
        field.focus(); field.value = arguments[1]; field.dispatchEvent(new InputEvent('input', { bubbles: true }))";
    page.eval(script, &[testid, text]).await;
}

async fn choose(page: &Page<'_>, file: &Path) {
    let input = page.driver().find(By::Css("[data-testid=upload]")).await.expect("there is an input for files");
    input.send_keys(file.display().to_string()).await.expect("a file can be chosen");
}

async fn focused(page: &Page<'_>, attribute: &str) -> String {
    let script = "return document.activeElement?.getAttribute(arguments[0]) ?? ''";
    page.eval(script, &[attribute]).await.as_str().unwrap_or_default().to_owned()
}

async fn tiles(page: &Page<'_>) -> Vec<String> {
    let script = "return [...document.querySelectorAll('[data-testid=tile]')].map((tile) => tile.dataset.widget)";
    serde_json::from_value(page.eval(script, &[]).await).expect("a list of ids")
}

/// Returns true if the page would ask the user before it is left.
async fn guarded(page: &Page<'_>) -> bool {
    let script = "return !window.dispatchEvent(new Event('beforeunload', { cancelable: true }))";
    page.eval(script, &[]).await == true
}

async fn upload(stage: &Stage, document: &str, condition: &str) {
    let url = format!("{}/api/boards/ops", stage.server.base());
    let status = curl(&[
        "-X",
        "PUT",
        "-H",
        condition,
        "-H",
        "Content-Type: application/toml",
        "--data-binary",
        document,
        &url,
        "-w",
        "%{http_code}",
        "-o",
        "/dev/null",
    ])
    .await;
    assert!(status == "201" || status == "204", "{status}");
}
