//! Tests of a page whose server goes down and comes back.

use pulseboard_e2e::{Stage, until};
use shared::{Bucket, Track};

#[tokio::test]
async fn the_page_recovers_from_a_restart_without_a_reload_and_without_a_lost_point() {
    let mut stage = Stage::start().await;
    stage.page().record().await;
    let page = stage.open("/b/ops").await;
    page.badge_is("live").await;
    for value in 1..=20 {
        stage.server.push("ops/count", &value.to_string()).await;
    }
    page.shows("ops/count", "20").await;
    page.eval("window.__still_here = true", &[]).await;

    assert!(stage.server.stop().await.success(), "it ends in good order with a page connected");
    let page = stage.page();
    page.badge_is("reconnecting").await;
    assert_eq!(page.tile("ops/count").await.map(|tile| tile.value).as_deref(), Some("20"), "the last value stays");

    stage.server.start_again().await;
    let page = stage.page();
    for value in 21..=40 {
        stage.server.push("ops/count", &value.to_string()).await;
    }
    page.badge_is("live").await;
    page.shows("ops/count", "40").await;
    assert_eq!(page.eval("return window.__still_here === true", &[]).await, true, "it was not reloaded");

    let now = stage.server.snapshot("ops").await;
    assert_eq!(points(now.series().values().next().expect("one series")), (40, 820.0), "each point is kept once");
    until("the page knows what the server knows", async || {
        let told = page.told().await;
        if told.series() == now.series() { Ok(()) } else { Err(format!("{told:?} and not {now:?}")) }
    })
    .await;
}

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_is_there_after_it() {
    let mut stage = Stage::start().await;
    for value in 1..=10 {
        stage.server.push("ops/count", &value.to_string()).await;
    }
    stage.server.kill().await;
    stage.server.start_again().await;
    let page = stage.open("/b/ops").await;
    page.shows("ops/count", "10").await;
    let now = stage.server.snapshot("ops").await;
    assert_eq!(points(now.series().values().next().expect("one series")), (10, 55.0));
}

/// The number of points of a track, and their sum.
fn points(track: &Track) -> (u64, f64) {
    let Track::Numbers(buckets) = track else { panic!("numbers were pushed") };
    let sum = |bucket: &Bucket| bucket.sum;
    (buckets.iter().map(|bucket| bucket.count).sum(), buckets.iter().map(sum).sum())
}
