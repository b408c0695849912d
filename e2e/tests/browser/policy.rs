//! The content security policy of the page. [`Browser`](pulseboard_e2e::Browser) asserts at the end of every test that
//! no page violated it.

use pulseboard_e2e::{Stage, until};

#[tokio::test]
#[should_panic(expected = "keep to their policy")]
async fn a_page_that_violates_its_policy_fails_its_test() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "1").await;
    let page = stage.open("/b/ops").await;
    page.shows("ops/temp", "1").await;
    assert_eq!(stage.browser().violations(), [""; 0], "the page by itself keeps to it");
    page.eval("document.body.setAttribute('style', 'color: red')", &[]).await;
    until("the violation is in the log", async || {
        if stage.browser().violations().is_empty() { Err("nothing is".to_owned()) } else { Ok(()) }
    })
    .await;
}
