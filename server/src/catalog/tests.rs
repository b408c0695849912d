//! Tests of long lists: each piece locks the hub for itself.

use std::time::Duration;

use http_body_util::BodyExt as _;
use serde_json::Value as Json;
use shared::{Epoch, Number, Seq, Stamp, Value};

use super::*;
use crate::hub::{Boards, Hub};
use crate::limits::Limits;
use crate::log::{Committed, Epochs, SeriesId};
use crate::rollup::Rollup;

/// The first point of the series in this row.
pub(super) fn name_of(row: usize, name: &str) -> Committed {
    Committed {
        at: Stamp { ts: clock::now().wall, seq: Seq(row as u64) },
        series: SeriesId(u32::try_from(row).unwrap()),
        value: Value::Number(Number::new(1.0).unwrap()),
        begins: name.parse().ok(),
        declares: None,
    }
}

/// A hub with a point of each of these series.
pub(super) fn hub_of(names: impl Iterator<Item = String>) -> HubHandle {
    let rollup = Rollup::new(Epochs::from(Epoch(1)), Seq::ZERO);
    let hub = HubHandle::new(Hub::new(rollup, Boards::default(), Duration::from_secs(15)), &Limits::default());
    hub.publish(&(1..).zip(names).map(|(row, name)| name_of(row, &name)).collect::<Vec<_>>());
    hub
}

/// A hub with the series `s/000001` to `s/{count}`.
fn hub(count: usize) -> HubHandle {
    hub_of((1..=count).map(|series| format!("s/{series:06}")))
}

async fn body(hub: &HubHandle, query: &str) -> Body {
    let query = RawQuery(Some(query.to_owned()));
    list(State(hub.clone()), crate::access::ReadAccess::everything(), LimitedClient(None), query, HeaderMap::new())
        .await
        .unwrap()
        .into_body()
}

#[tokio::test]
async fn long_list_and_long_page_come_in_pieces_between_which_the_hub_is_free() {
    const SERIES: usize = 20 * PIECE;
    let hub = hub(SERIES);
    for (query, wanted) in [(String::new(), SERIES), (format!("limit={}", 10 * PIECE), 10 * PIECE)] {
        let mut body = body(&hub, &query).await;
        let (mut text, mut pieces) = (Vec::new(), 0);
        while let Some(frame) = body.frame().await {
            let piece = frame.unwrap().into_data().unwrap();
            let names = piece.windows(8).filter(|text| text == b"\"name\":\"").count();
            assert!(names <= PIECE, "{names} series in one hold of the lock");
            text.extend_from_slice(&piece);
            pieces += 1;
            // Deadlocks if the answer kept the lock until it is over.
            assert_eq!(hub.counts().series, SERIES);
        }
        assert_eq!(pieces, wanted.div_ceil(PIECE), "{query}");
        let listed: Vec<Json> = serde_json::from_slice(&text).unwrap();
        assert_eq!(listed.len(), wanted);
        assert_eq!(listed.last().unwrap()["name"], format!("s/{wanted:06}"));
    }
}

#[tokio::test]
async fn answer_whose_client_reads_nothing_delays_nobody() {
    let hub = hub(4 * PIECE);
    let mut unread = body(&hub, "").await;
    unread.frame().await.unwrap().unwrap();
    let mut other = body(&hub, "limit=1").await;
    let listed: Vec<Json> =
        serde_json::from_slice(&other.frame().await.unwrap().unwrap().into_data().unwrap()).unwrap();
    assert_eq!(listed[0]["name"], "s/000001");
}
