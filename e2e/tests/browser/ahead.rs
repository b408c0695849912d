//! Tests of preloading: the server announces all that the page then requests, and nothing else.

use std::collections::BTreeSet;

use pulseboard_e2e::{Page, Stage, curl, until};
use serde_json::{Value, json};
use shared::board::keyword::Keyword as _;
use shared::board::widget::WidgetType;

/// Records the page's own requests, before any of its scripts runs.
const ASKED: &str = "
    window.__asked = [];
    const ask = window.fetch;
    window.fetch = (...args) => {
        window.__asked.push(new URL(args[0].url ?? args[0], location).href);
        return ask(...args);
    };";

/// Lists the modules, the code that they share and the document in three ways: fetched through preload links, fetched
/// otherwise, and requested by the page. Each appears as often as it was fetched.
const FETCHED: &str = "
    const name = (url) => { const { pathname, search } = new URL(url); return pathname.replace(/^\\/page-[0-9a-f]{16}/, '') + search; };
    const apart = (name) => /\\.wasm$|form=json$/.test(name) && !name.startsWith('/pulseboard-client');
    const fetched = performance.getEntriesByType('resource').map((e) => [name(e.name), e.initiatorType]).filter(([name]) => apart(name));
    const of = (told) => fetched.filter(([, by]) => (by === 'link' || by === 'early-hints') === told).map(([name]) => name);
    return [of(true), of(false), window.__asked.map(name).filter(apart)];";

/// Opens an address and waits until `there` is on the page and all requests are done. Returns everything that was
/// fetched separately, except for chunks of shared code, after checking that it is exactly what the server announced, once
/// each.
async fn fetched(stage: &Stage, address: &str, there: &str) -> BTreeSet<String> {
    let page = stage.open(address).await;
    until(&format!("{address} is there"), async || {
        let script = "return !!document.querySelector(arguments[0]) && !document.querySelector('.blank')";
        if page.eval(script, &[there]).await == true { Ok(()) } else { Err(page.account().await) }
    })
    .await;
    page.rests().await;
    let [told, untold, asked]: [Vec<String>; 3] =
        serde_json::from_value(page.eval(FETCHED, &[]).await).expect("three lists of names");
    let (set, wanted): (BTreeSet<_>, BTreeSet<_>) = (told.iter().cloned().collect(), asked.iter().cloned().collect());
    let untold: Vec<_> = untold.iter().filter(|name| !is_document_of_nobody(address, name)).collect();
    assert!(untold.is_empty(), "{address}: {untold:?} was fetched untold, or again");
    assert_eq!(set.len(), told.len(), "{address}: each is fetched once, {told:?}");
    assert_eq!(set, wanted.into_iter().filter(|name| !is_document_of_nobody(address, name)).collect(), "{address}");
    quiet(&page).await;
    set.into_iter().filter(|name| !name.starts_with("/chunk_")).collect()
}

/// Returns true for the document of an automatic board. Only the page's request shows that there is none, so the
/// server does not announce it.
fn is_document_of_nobody(address: &str, name: &str) -> bool {
    !address.contains("made") && name.starts_with("/api/boards/")
}

/// Checks that no preload differs in kind from the page's request, which the browser would report in its console.
async fn quiet(page: &Page<'_>) {
    let console = page.driver().browser_log().await.expect("the browser keeps its console");
    let about: Vec<_> = console.iter().filter(|entry| entry.message.contains("preload")).collect();
    assert!(about.is_empty(), "{about:?}");
}

async fn make(stage: &Stage, id: &str, widgets: &[Value]) {
    let url = format!("{}/api/boards/{id}", stage.server.base());
    let board = json!({ "widgets": widgets }).to_string();
    let answer = curl(&["-X", "PUT", "-H", "content-type: application/json", "-d", &board, &url]).await;
    assert_eq!(answer, "", "the board {id} is made");
}

fn widget(kind: &str) -> Value {
    match kind {
        "text" => json!({ "id": kind, "type": kind, "markdown": "Words." }),
        _ => json!({ "id": kind, "type": kind, "series": ["ops/temp"] }),
    }
}

/// The names of what was fetched, without what every board with a document needs.
fn beside(board: &str, fetched: &BTreeSet<String>) -> Vec<String> {
    let every = [format!("/api/boards/{board}?form=json"), "/split_board.wasm".to_owned()];
    assert!(every.iter().all(|name| fetched.contains(name)), "{fetched:?}");
    fetched.iter().filter(|name| !every.contains(name)).cloned().collect()
}

#[tokio::test]
async fn what_a_made_board_needs_comes_with_the_page_whichever_kinds_of_widgets_are_on_it() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "42.5").await;
    let page = stage.page();
    page.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": ASKED })).await;
    let mut all: Vec<Value> = WidgetType::ALL.iter().map(|(kind, _)| widget(kind)).collect();
    let mut over_time = widget("bar");
    (over_time["id"], over_time["across"]) = ("over-time".into(), "time".into());
    all.push(over_time);
    for (at, widget) in all.iter().enumerate() {
        let id = format!("made-{at}");
        make(&stage, &id, std::slice::from_ref(widget)).await;
        let kind = widget["id"].as_str().expect("it has one");
        let drawn = beside(&id, &fetched(&stage, &format!("/b/{id}"), "[data-testid=tile]").await);
        assert_eq!(drawn.len(), usize::from(kind == "text"), "{kind}: {drawn:?}");
    }
    make(&stage, "made", &all).await;
    let there = format!(".grid .cell:nth-child({})", all.len());
    let drawn = beside("made", &fetched(&stage, "/b/made", &there).await);
    assert_eq!(drawn, ["/split_notes.wasm"]);
    let edited = beside("made", &fetched(&stage, "/b/made?edit", "[data-testid=editbar]").await);
    assert_eq!(edited, ["/split_edit.wasm", "/split_notes.wasm"]);
    make(&stage, "made-empty", &[]).await;
    let drawn = beside("made-empty", &fetched(&stage, "/b/made-empty", "[data-testid=empty-board]").await);
    assert_eq!(drawn, ["/split_pages.wasm"]);
}

#[tokio::test]
async fn so_does_what_other_pages_need() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "42.5").await;
    stage.server.push("words/last", r#"{"text":"deployed"}"#).await;
    let page = stage.page();
    page.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": ASKED })).await;
    make(&stage, "made", &[widget("line")]).await;
    let tile = "[data-testid=tile]";
    let cases: [(&str, &str, &[&str]); 9] = [
        ("/b/ops", tile, &[]),
        ("/b/words", tile, &["board"]),
        ("/b/nothing", "[data-testid=empty-board]", &["pages"]),
        ("/b/ops?edit", "[data-testid=editbar]", &["edit"]),
        ("/b/no%20board", "[data-testid=invalid-board]", &["pages"]),
        ("/", "[data-testid=board-card]", &["pages"]),
        ("/b/ops?kiosk", tile, &["pages"]),
        ("/b/ops?kiosk&boards=no%20board%2Cwords,ops", tile, &["board", "pages"]),
        ("/?kiosk", "[data-testid=kiosk-wrong]", &["pages"]),
    ];
    for (address, there, modules) in cases {
        let wanted: BTreeSet<_> = modules.iter().map(|module| format!("/split_{module}.wasm")).collect();
        assert_eq!(fetched(&stage, address, there).await, wanted, "{address}");
    }
    let wall = fetched(&stage, "/?kiosk&boards=made,words", tile).await;
    assert_eq!(beside("made", &wall), ["/split_pages.wasm"]);
}
