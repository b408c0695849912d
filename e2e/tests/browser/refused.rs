//! Tests of a page that gets no stream, and of the reason that it shows.

use std::time::Duration;

use pulseboard_e2e::{Fault, FaultyProxy, Page, Stage, curl, until};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep;

#[tokio::test]
async fn a_full_server_is_said_to_be_full_and_asked_again_when_it_said() {
    let stage = Stage::with(&["--max-readers".to_owned(), "1".to_owned()]).await;
    stage.server.push("ops/temp", "1").await;
    let address = stage.server.base().trim_start_matches("http://");
    let mut other = TcpStream::connect(address).await.expect("the server listens");
    other.write_all(b"GET /sse?board=dev HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("it reads");
    other.read_exact(&mut [0; 12]).await.expect("it answers");

    let page = stage.open("/b/ops").await;
    tells(&page, "The server is full; next try in ").await;
    page.badge_is("reconnecting").await;
    drop(other);
    page.shows("ops/temp", "1").await;
    page.badge_is("live").await;
    tells(&page, "").await;
}

#[tokio::test]
async fn each_refusal_is_told_and_nothing_is_asked_again_that_would_not_help() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    let proxy = FaultyProxy::start(stage.server.base()).await;
    let page = stage.page();
    let refusals = [
        ("401 Unauthorized", "The server wants you to sign in first."),
        ("403 Forbidden", "The server does not let you read this board."),
        ("404 Not Found", "There is no stream at this address: something else answers here."),
        ("422 Unprocessable Content", "The server refuses the request with status 422."),
    ];
    for (head, told) in refusals {
        proxy.set(Fault::Answer(head));
        let before = proxy.asked();
        page.open(&format!("{}/b/ops", proxy.base())).await;
        tells(&page, told).await;
        // The test checks that nothing happens, so it can only wait for a fixed time.
        sleep(Duration::from_secs(2)).await;
        assert_eq!(proxy.asked() - before, 2, "one stream and one probe");
    }
    for (head, told) in [
        ("429 Too Many Requests\r\nRetry-After: 2", "The server had too many requests; next try in "),
        ("503 Service Unavailable\r\nRetry-After: 1", "The server is full; next try in "),
        ("502 Bad Gateway", "The server failed with status 502; next try in "),
    ] {
        proxy.set(Fault::Answer(head));
        page.open(&format!("{}/b/ops", proxy.base())).await;
        tells(&page, told).await;
        proxy.set(Fault::None);
        page.shows("ops/temp", "1").await;
        tells(&page, "").await;
    }
}

#[tokio::test]
async fn without_a_network_the_page_says_so_and_is_live_again_with_it() {
    let mut stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    let page = stage.open("/b/ops").await;
    page.badge_is("live").await;
    network(&page, "offline").await;
    assert!(stage.server.stop().await.success(), "it ends in good order");
    let page = stage.page();
    page.badge_is("offline").await;
    assert_eq!(page.tile("ops/temp").await.map(|tile| tile.value).as_deref(), Some("1"), "the last value stays");
    stage.server.start_again().await;
    stage.server.push("ops/temp", "2").await;
    let page = stage.page();
    network(&page, "online").await;
    page.shows("ops/temp", "2").await;
    page.badge_is("live").await;
}

async fn network(page: &Page<'_>, state: &str) {
    let conditions =
        json!({ "offline": state == "offline", "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    page.cdp("Network.emulateNetworkConditions", conditions).await;
}

#[tokio::test]
async fn reader_whose_access_ends_is_offered_the_sign_in() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    let page = stage.open("/b/ops?range=6h").await;
    page.badge_is("live").await;
    // From the first token on, nobody reads without one: the server ends the stream.
    let url = format!("{}/api/tokens", stage.server.base());
    let token = r#"{"name":"root","grants":["admin"]}"#;
    let made = curl(&["-X", "POST", "-H", "content-type: application/json", "-d", token, &url]).await;
    assert!(made.contains("token"), "{made}");
    tells(&page, "The server wants you to sign in first.").await;
    let link = "return document.querySelector('[data-testid=sign-in]')?.getAttribute('href') ?? null";
    until("the page links to the sign-in and back", async || {
        let href = page.eval(link, &[]).await;
        if href == json!("/sign-in?to=b%2Fops%3Frange%3D6h") { Ok(()) } else { Err(href.to_string()) }
    })
    .await;
}

/// Waits until the page shows a reason that starts with this text; no reason if it is empty.
async fn tells(page: &Page<'_>, reason: &str) {
    until(&format!("the page tells {reason:?}"), async || {
        let told = page.text("reason").await.unwrap_or_default();
        let fits = if reason.is_empty() { told.is_empty() } else { told.starts_with(reason) };
        if fits { Ok(()) } else { Err(told) }
    })
    .await;
}
