//! Item 3: some kilobytes of gzip that become a million points, or as many wrong lines.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::ground::Ground;
use super::outcome::Outcome;
use super::subject::{Setup, storm};

/// Requests at once.
const AT_ONCE: usize = 80;

/// The body of a push, compressed as far as it goes.
pub(crate) fn gzip(text: &str) -> anyhow::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.finish()?)
}

/// Lines of 25 fields each, of a few bytes a field, that have `points` points in all.
pub(crate) fn fields(measurement: &str, points: usize) -> String {
    let fields: Vec<String> = (b'a'..=b'y').map(|name| format!("{}=1", char::from(name))).collect();
    format!("{measurement} {}\n", fields.join(",")).repeat(points / 25)
}

/// A million points in each request.
pub(crate) fn points(ground: &Ground) -> anyhow::Result<Outcome> {
    bombs(ground, "/write", &fields("a", ground.scale.of(1_000_000)))
}

/// As many points as are allowed: each request alone is a good one.
pub(crate) fn allowed(ground: &Ground) -> anyhow::Result<Outcome> {
    bombs(ground, "/write", &fields("a", ground.scale.of(100_000)))
}

/// Two million lines in each request, all of them wrong.
pub(crate) fn wrong(ground: &Ground) -> anyhow::Result<Outcome> {
    bombs(ground, "/write", &"x\n".repeat(ground.scale.of(2_000_000)))
}

/// The same as a batch of NDJSON.
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
