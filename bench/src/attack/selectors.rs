//! Item 1: selectors that match nothing, and make the server examine every series.

use super::ground::Ground;
use super::outcome::{Check, Outcome};
use super::subject::{Setup, storm};

/// The number of connections that a browser opens to one server.
const CONNECTIONS: usize = 6;

/// The most selectors of a request.
const SELECTORS: usize = 256;

/// The headers of a browser's request for a page of another site, when the page cannot read the answer.
pub(crate) const NO_CORS: [(&str, &str); 3] =
    [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")];

/// The selectors of a query. Each turn has different ones, so that nothing can be cached.
pub(crate) fn query(turn: usize) -> String {
    let selector = |n| format!("series=*/*/*/x/y/z/w/n{}", turn * SELECTORS + n);
    (0..SELECTORS).map(selector).collect::<Vec<_>>().join("&")
}

/// A client opens streams with such selectors.
pub(crate) fn stranger(ground: &Ground) -> anyhow::Result<Outcome> {
    let mut server = ground.start(&Setup::default())?;
    let client = server.attacker();
    let measured = server.under(|tally| {
        storm(tally, CONNECTIONS, ground.scale.lasts, |thread, turn| {
            let path = format!("/sse?{}", query(turn * CONNECTIONS + thread));
            tally.note(&client.get(&path));
        });
        Ok(())
    })?;
    Ok(Outcome::of(measured))
}

/// A page of another site opens streams with such selectors, in the browser of the server's user.
pub(crate) fn page(ground: &Ground) -> anyhow::Result<Outcome> {
    let mut server = ground.start(&Setup::default())?;
    let client = server.attacker();
    let measured = server.under(|tally| {
        storm(tally, CONNECTIONS, ground.scale.lasts, |thread, turn| {
            let query = query(turn * CONNECTIONS + thread);
            let path = if thread % 2 == 0 { "/sse" } else { "/api/history" };
            tally.note(&client.send("GET", &format!("{path}?{query}"), &NO_CORS, b""));
        });
        Ok(())
    })?;
    let refused = measured.answers.keys().all(|kind| kind == "403");
    let found = measured.answers();
    Ok(Outcome::of(measured).and(Check::new("403 for every request of the page", refused, found)))
}

/// A board has such selectors, and a client opens streams of the board.
pub(crate) fn board(ground: &Ground) -> anyhow::Result<Outcome> {
    let mut server = ground.start(&Setup::default())?;
    let client = server.attacker();
    let measured = server.under(|tally| {
        storm(tally, CONNECTIONS, ground.scale.lasts, |thread, turn| {
            let widget = |widget: usize| {
                let selector = |n: usize| format!("*/*/*/x/y/z/w/n{}", (turn * 8 + widget) * 32 + n);
                let series: Vec<String> = (0..32).map(selector).collect();
                serde_json::json!({"id": format!("w{widget}"), "type": "table", "series": series})
            };
            let document = serde_json::json!({"widgets": (0..8).map(widget).collect::<Vec<_>>()}).to_string();
            let id = format!("evil{thread}");
            let replacing = [("Content-Type", "application/json"), ("If-Match", "*")];
            let headers = if turn == 0 { &replacing[..1] } else { &replacing };
            tally.note(&client.send("PUT", &format!("/api/boards/{id}"), headers, document.as_bytes()));
            tally.note(&client.get(&format!("/sse?board={id}")));
        });
        Ok(())
    })?;
    Ok(Outcome::of(measured))
}
