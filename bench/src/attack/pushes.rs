//! Item 3: gzip bombs, whose few kilobytes expand to a million points or wrong lines.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::ground::Ground;
use super::outcome::Outcome;
use super::subject::{Setup, storm};

/// The number of simultaneous requests.
const AT_ONCE: usize = 80;

/// Compresses the body of a push as much as possible.
pub(crate) fn gzip(text: &str) -> anyhow::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.finish()?)
}

/// Makes lines of 25 short fields each, with `points` points in total.
pub(crate) fn fields(measurement: &str, points: usize) -> String {
    let fields: Vec<String> = (b'a'..=b'y').map(|name| format!("{}=1", char::from(name))).collect();
    format!("{measurement} {}\n", fields.join(",")).repeat(points / 25)
}

/// Each request has a million points.
pub(crate) fn points(ground: &Ground) -> anyhow::Result<Outcome> {
    bombs(ground, "/write", &fields("a", ground.scale.of(1_000_000)))
}

/// Each request has as many points as are allowed, so each alone is valid.
pub(crate) fn allowed(ground: &Ground) -> anyhow::Result<Outcome> {
    bombs(ground, "/write", &fields("a", ground.scale.of(100_000)))
}

/// Each request has two million wrong lines.
pub(crate) fn wrong(ground: &Ground) -> anyhow::Result<Outcome> {
    bombs(ground, "/write", &"x\n".repeat(ground.scale.of(2_000_000)))
}

/// Each request has 500,000 wrong lines of NDJSON.
pub(crate) fn wrong_batch(ground: &Ground) -> anyhow::Result<Outcome> {
    bombs(ground, "/in", &"x\n".repeat(ground.scale.of(500_000)))
}

fn bombs(ground: &Ground, path: &str, text: &str) -> anyhow::Result<Outcome> {
    let body = gzip(text)?;
    let mut server = ground.start(&Setup::default())?;
    let client = server.attacker();
    let measured = server.under(|tally| {
        storm(tally, ground.scale.of(AT_ONCE).max(8), ground.scale.lasts, |_, _| {
            tally.note(&client.send("POST", path, &[("Content-Encoding", "gzip")], &body));
        });
        Ok(())
    })?;
    Ok(Outcome::of(measured))
}
