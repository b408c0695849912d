//! Test of `trunk serve` in front of the server, which is the setup for working on the page.

use pulseboard_e2e::Stage;

#[tokio::test]
async fn trunk_shows_the_same_board_through_its_proxy() {
    let stage = Stage::start().await;
    stage.server.push("ops/temp", "41").await;
    let trunk = stage.trunk().await;
    let page = stage.page();
    page.open(&format!("{}/b/ops", trunk.base())).await;
    page.shows("ops/temp", "41").await;
    page.badge_is("live").await;
    stage.server.push("ops/temp", "42.5").await;
    page.shows("ops/temp", "42.5").await;
}
