//! Tests of a server below a path of another site, behind nginx and Caddy: everything works, although the server does
//! not know the path.

use pulseboard_e2e::{Front, Page, Stage, until};
use serde_json::{Value, json};

/// The addresses that the page fetched from outside of the server's root.
const OUTSIDE: &str = "return performance.getEntriesByType('resource').map((e) => e.name).filter((name) => !name.startsWith(arguments[0]))";

/// The files that were fetched more than once.
const TWICE: &str = "
    const names = performance.getEntriesByType('resource').map((e) => e.name).filter((name) => /\\.(wasm|bin|js|css)$/.test(name));
    return names.filter((name, at) => names.indexOf(name) !== at)";

#[tokio::test]
async fn everything_works_below_a_path_behind_nginx_and_caddy() {
    let stage = Stage::start().await;
    let boards = ["ops", "caddy"];
    for board in boards {
        stage.server.push(&format!("{board}/temp"), "41").await;
        stage.server.push(&format!("{board}/load"), "2").await;
        stage.server.push(&format!("{board}/last"), r#"{"text":"deployed"}"#).await;
    }
    // Uses `/b/` as the path, which could be mistaken for the address of a board.
    let nginx = Front::nginx(stage.folder(), &stage.server, "/b/", "").await;
    let caddy = Front::caddy(stage.folder(), &stage.server, "/pulse/").await;
    for (front, board) in [&nginx, &caddy].into_iter().zip(boards) {
        visit(&stage, &front.root(), board).await;
    }
}

/// Uses the page in the way in which a user does.
async fn visit(stage: &Stage, root: &str, board: &str) {
    let page = stage.page();
    let temp = format!("{board}/temp");
    // Opens all boards at an address without its final slash, and goes to one of them.
    page.open(root.trim_end_matches('/')).await;
    there(&page, "[data-testid=board-card]").await;
    is_at(&page, root).await;
    click(&page, &format!("a[href$='/b/{board}']")).await;
    page.shows(&temp, "41").await;
    is_at(&page, &format!("{root}b/{board}")).await;
    page.badge_is("live").await;
    stage.server.push(&temp, "42.5").await;
    page.shows(&temp, "42.5").await;
    inside(&page, root).await;

    // Edits and saves, with the modules that this fetches.
    page.open(&format!("{root}b/{board}?edit")).await;
    there(&page, "[data-testid=editbar]").await;
    click(&page, "[data-testid=widget-copy]").await;
    click(&page, "[data-testid=save]").await;
    until("the board is saved", async || {
        let boards = stage.server.get("/api/boards").await;
        let saved = boards.as_array().is_some_and(|boards| boards.iter().any(|made| made["id"] == board));
        if saved { Ok(()) } else { Err(page.account().await) }
    })
    .await;

    // A board that needs all modules.
    let made = json!({ "widgets": [
        { "id": "a", "type": "line", "series": [temp] },
        { "id": "b", "type": "log", "series": [format!("{board}/last")] },
        { "id": "c", "type": "text", "markdown": "**another**" },
    ] });
    put(&page, &format!("{root}api/boards/{board}-made"), &made).await;
    page.open(&format!("{root}b/{board}-made")).await;
    there(&page, ".note strong").await;
    until("all is there", async || match page.eval("return !document.querySelector('.blank')", &[]).await {
        Value::Bool(true) => Ok(()),
        other => Err(other.to_string()),
    })
    .await;
    page.rests().await;
    let fetched_twice = page.eval(TWICE, &[]).await;
    assert_eq!(fetched_twice, json!([]), "what the server named is what the page fetched");
    inside(&page, root).await;
    click(&page, ".wordmark").await;
    is_at(&page, root).await;

    // A wall screen, a wrong address, and the doctor.
    page.open(&format!("{root}?kiosk&boards={board}-made")).await;
    there(&page, "[data-testid=tile]").await;
    page.open(&format!("{root}b/no%20board")).await;
    there(&page, "[data-testid=invalid-board]").await;
    click(&page, "main a").await;
    is_at(&page, root).await;
    page.open(&format!("{root}b/{board}-nothing")).await;
    until("the line to copy has the path", async || match page.text("curl-line").await {
        Some(line) if line.contains(&format!("{root}in/{board}-nothing/")) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    page.open(&format!("{root}b/{board}")).await;
    page.shows(&temp, "42.5").await;
    click(&page, "[data-testid=doctor]").await;
    until("the doctor finds the stream well", async || match page.text("findings").await {
        Some(text) if text.contains("arrive as they are sent") && !text.contains('✕') => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    inside(&page, root).await;
}

#[tokio::test]
async fn saving_over_plain_http_says_what_the_proxy_lacks_and_works_once_it_has_it() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "41").await;
    let page = stage.page();
    // By default, nginx sends its own Host, and over plain HTTP the browser does not send Sec-Fetch-Site.
    let bare = Front::nginx(&stage.folder().join("bare"), &stage.server, "/pulse/", "").await;
    edit(&page, &bare.root_elsewhere()).await;
    until("it is told what to change", async || match page.text("trouble").await {
        Some(told) if told.contains("proxy_set_header Host $http_host;") => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    page.open(&format!("{}b/ops", bare.root_elsewhere())).await;
    page.shows("ops/temp", "41").await;
    click(&page, "[data-testid=doctor]").await;
    until("the doctor finds it, too", async || match page.text("findings").await {
        Some(text) if text.contains("✕ saving") => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    let lines = "proxy_set_header X-Forwarded-Host $http_host;";
    let forwarding = Front::nginx(stage.folder(), &stage.server, "/pulse/", lines).await;
    edit(&page, &forwarding.root_elsewhere()).await;
    until("the board is saved", async || match stage.server.get("/api/boards").await {
        boards if boards[0]["id"] == "ops" => Ok(()),
        _ => Err(page.account().await),
    })
    .await;
}

/// Changes the board below this root and saves it.
async fn edit(page: &Page<'_>, root: &str) {
    page.open(&format!("{root}b/ops?edit")).await;
    there(page, "[data-testid=editbar]").await;
    let secure = page.eval("return isSecureContext", &[]).await;
    assert_eq!(secure, false, "plain HTTP to another machine");
    click(page, "[data-testid=widget-copy]").await;
    click(page, "[data-testid=save]").await;
}

async fn put(page: &Page<'_>, url: &str, document: &Value) {
    let script = "return (async () => (await fetch(arguments[0], { method: 'PUT', headers: { 'content-type': 'application/json' }, body: arguments[1] })).status)()";
    let status = page.eval(script, &[url, &document.to_string()]).await;
    assert_eq!(status, 201, "a board is made");
}

async fn click(page: &Page<'_>, selector: &str) {
    there(page, selector).await;
    page.eval("document.querySelector(arguments[0]).click()", &[selector]).await;
}

async fn there(page: &Page<'_>, selector: &str) {
    until(&format!("{selector} is on the page"), async || {
        match page.eval("return !!document.querySelector(arguments[0])", &[selector]).await {
            Value::Bool(true) => Ok(()),
            _ => Err(page.account().await),
        }
    })
    .await;
}

async fn is_at(page: &Page<'_>, url: &str) {
    until(&format!("the page is {url}"), async || match page.eval("return location.href", &[]).await {
        Value::String(at) if at == url => Ok(()),
        other => Err(other.to_string()),
    })
    .await;
}

/// Checks that nothing was fetched from outside of the path.
async fn inside(page: &Page<'_>, root: &str) {
    assert_eq!(page.eval(OUTSIDE, &[root]).await, json!([]));
}
