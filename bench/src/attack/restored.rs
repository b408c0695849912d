//! Item 9: a backup is restored, and readers have cursors from the lost part.

use std::io::Read as _;
use std::time::{Duration, Instant};

use super::client::Client;
use super::ground::{Ground, copy_folder};
use super::outcome::{Check, Outcome};
use super::subject::Setup;

/// Returns everything that a stream sends within this time.
pub(crate) fn heard(client: &Client, path: &str, headers: &[(&str, &str)], lasts: Duration) -> anyhow::Result<String> {
    use std::io::Write as _;
    let mut socket = client.connect()?;
    socket.write_all(&client.request("GET", path, headers, b""))?;
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    let until = Instant::now() + lasts;
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 << 10];
    while Instant::now() < until {
        match socket.read(&mut piece) {
            Ok(0) => break,
            Ok(len) => bytes.extend_from_slice(&piece[..len]),
            Err(_) => {}
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The id of the last event in the received text.
fn last_id(heard: &str) -> Option<String> {
    heard.lines().filter_map(|line| line.strip_prefix("id: ")).next_back().map(str::to_owned)
}

/// Tests a reader whose cursor is ahead of the backup, and one whose cursor new pushes have passed again.
pub(crate) fn run(ground: &Ground) -> anyhow::Result<Outcome> {
    let data = ground.fresh()?;
    let mut server = ground.start_on(&Setup::default(), &data)?;
    for n in 0..10 {
        server.push("/in/a", n.to_string().as_bytes())?;
    }
    let data = server.end()?;
    let backup = ground.fresh()?;
    copy_folder(&data, &backup)?;

    server = ground.start_on(&Setup::default(), &data)?;
    for n in 100..120 {
        server.push("/in/a", n.to_string().as_bytes())?;
    }
    let said = heard(&server.other(), "/sse?series=a", &[], Duration::from_millis(800))?;
    let cursor = last_id(&said).ok_or_else(|| anyhow::anyhow!("the stream has no id: {said}"))?;
    drop(server);

    server = ground.start_on(&Setup::default(), &backup)?;
    let mut outcome = Outcome::default();
    for (when, pushes) in [("at once", 1), ("after more pushes than were lost", 40)] {
        for n in 0..pushes {
            server.push("/in/a", n.to_string().as_bytes())?;
        }
        let headers = [("Last-Event-ID", cursor.as_str())];
        let said = heard(&server.other(), "/sse?series=a", &headers, Duration::from_millis(800))?;
        let gap = said.contains("\"type\":\"gap\"") && said.contains("\"type\":\"snapshot\"");
        let types: Vec<&str> = ["hello", "gap", "snapshot", "update"]
            .into_iter()
            .filter(|kind| said.contains(&format!("\"type\":\"{kind}\"")))
            .collect();
        outcome = outcome.and(Check::new(
            format!("gap and snapshot for a reader that returns {when}"),
            gap,
            types.join(", "),
        ));
    }
    Ok(outcome)
}
