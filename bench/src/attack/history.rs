//! Item 5: requests for history that are cancelled, never read, or match nothing.

use std::io::Write as _;
use std::time::{Duration, Instant};

use super::ground::Ground;
use super::http2::{Connection, block_on};
use super::outcome::Outcome;
use super::selectors::query;
use super::subject::{Setup, storm};

/// A request for a very large answer: 40 series of 5,000 points.
const LARGE: &str = "/api/history?series=past/**&from=-3h&points=5000";

/// The number of answers that are not read.
const UNREAD: usize = 64;

/// Requests over HTTP/2 that the client resets.
pub(crate) fn resets(ground: &Ground) -> anyhow::Result<Outcome> {
    let mut server = ground.start(&Setup::default())?;
    let client = server.attacker();
    let measured = server.under(|tally| {
        let until = Instant::now() + ground.scale.lasts;
        block_on(async {
            while Instant::now() < until && tally.goes_on() {
                let Ok(mut connection) = Connection::open(&client, 65_535).await else {
                    tally.count("no connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                };
                for _ in 0..200 {
                    if Instant::now() >= until {
                        break;
                    }
                    match connection.ask_and_reset(LARGE).await {
                        Ok(()) => tally.count("reset by the client"),
                        Err(_) => {
                            tally.count("connection closed");
                            break;
                        }
                    }
                }
            }
            Ok(())
        })
    })?;
    Ok(Outcome::of(measured))
}

/// Answers that are never read, over HTTP/1.1 and HTTP/2.
pub(crate) fn unread(ground: &Ground) -> anyhow::Result<Outcome> {
    let mut server = ground.start(&Setup::default())?;
    let client = server.attacker();
    let measured = server.under(|tally| {
        let until = Instant::now() + ground.scale.lasts;
        let request = client.request("GET", LARGE, &[], b"");
        let mut plain = Vec::new();
        for _ in 0..ground.scale.of(UNREAD) {
            if let Ok(mut socket) = client.connect() {
                let _sent = socket.write_all(&request);
                tally.count("asked over HTTP/1.1");
                plain.push(socket);
            }
        }
        block_on(async {
            let mut bodies = Vec::new();
            let mut connections = Vec::new();
            for _ in 0..ground.scale.of(UNREAD).div_ceil(16) {
                let Ok(mut connection) = Connection::open(&client, 0).await else { continue };
                for _ in 0..16 {
                    if Instant::now() < until
                        && let Ok(body) = connection.ask_and_wait(LARGE, tally).await
                    {
                        bodies.push(body);
                    }
                }
                connections.push(connection);
            }
            tokio::time::sleep(until.saturating_duration_since(Instant::now())).await;
            Ok(())
        })
    })?;
    Ok(Outcome::of(measured))
}

/// Requests with the greatest allowed number of selectors, which match nothing.
pub(crate) fn selectors(ground: &Ground) -> anyhow::Result<Outcome> {
    let mut server = ground.start(&Setup::default())?;
    let client = server.attacker();
    let measured = server.under(|tally| {
        storm(tally, 8, ground.scale.lasts, |thread, turn| {
            tally.note(&client.get(&format!("/api/history?{}", query(turn * 8 + thread))));
        });
        Ok(())
    })?;
    Ok(Outcome::of(measured))
}
