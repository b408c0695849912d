//! Item 10: the clock jumps ahead and comes back. The server runs under libfaketime, which reads the offset from a
//! file.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::ground::{Ground, now_ms};
use super::outcome::{Check, Outcome};
use super::subject::{Setup, Subject};

/// The library's path in Debian's package libfaketime.
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// The seconds for which the clock is wrong: longer than a round of the retention.
const WRONG: usize = 75;

/// The most time until the server notices that the clock is wrong.
const NOTICED: Duration = Duration::from_secs(20);

/// Starts a server whose clock follows a file.
fn start(ground: &Ground, data: &Path) -> anyhow::Result<(Subject, PathBuf)> {
    anyhow::ensure!(Path::new(LIBRARY).exists(), "{LIBRARY} is not there; install Debian's package libfaketime");
    let offset = data.with_extension("offset");
    std::fs::write(&offset, "+0\n")?;
    let setup = Setup::default()
        .env("LD_PRELOAD", LIBRARY)
        .env("FAKETIME_TIMESTAMP_FILE", &offset.display())
        .env("FAKETIME_NO_CACHE", &1)
        .env("FAKETIME_DONT_FAKE_MONOTONIC", &1)
        .env("DONT_FAKE_MONOTONIC", &1);
    Ok((ground.start_on(&setup, data)?, offset))
}

/// A clock that is three years ahead for 75 seconds deletes nothing. The server names the clock meanwhile.
pub(crate) fn jump(ground: &Ground) -> anyhow::Result<Outcome> {
    let data = ground.fresh()?;
    let (server, _offset) = start(ground, &data)?;
    let newest = now_ms()?;
    // A day of points, one every 30 s, in ten series.
    let mut body = String::new();
    for back in (1..2_800_u64).rev() {
        let n = back % 10;
        body.push_str(&format!("{{\"series\":\"day/s{n}\",\"value\":{back},\"ts\":{}}}\n", newest - back * 30_000));
    }
    server.push("/in", body.as_bytes())?;
    // A clean end flushes all blocks: what is not in the tables cannot be deleted there.
    let data = server.end()?;
    let (server, offset) = start(ground, &data)?;
    let (from, to) = (newest - 86_000_000, newest);
    let asked = |server: &Subject, points: u32| -> anyhow::Result<String> {
        let path = format!("/api/history?series=day/**&from={from}&to={to}&points={points}");
        let text = server.other().get(&path)?.text;
        Ok(text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    };
    let scales = [10_000, 2_000, 300, 40];
    let before: Vec<String> = scales.iter().map(|&points| asked(&server, points)).collect::<Result<_, _>>()?;
    std::fs::write(&offset, "+3y\n")?;
    let is_named = |text: &str| text.to_ascii_lowercase().contains("clock");
    let ready = || -> anyhow::Result<String> {
        let text = server.other().get("/readyz")?.text;
        Ok(text.split_once("\r\n\r\n").map_or("", |(_, body)| body).trim().to_owned())
    };
    let (jumped, mut body) = (Instant::now(), ready()?);
    while !is_named(&body) && jumped.elapsed() < NOTICED {
        std::thread::sleep(Duration::from_millis(200));
        body = ready()?;
    }
    std::thread::sleep(Duration::from_secs(ground.scale.of(WRONG) as u64));
    let logged = is_named(&server.logged());
    std::fs::write(&offset, "+0\n")?;
    std::thread::sleep(Duration::from_secs(5));
    let after: Vec<String> = scales.iter().map(|&points| asked(&server, points)).collect::<Result<_, _>>()?;
    let lengths = |all: &[String]| all.iter().map(|text| text.len().to_string()).collect::<Vec<_>>().join(", ");
    let found = format!("{} bytes of history before, {} after", lengths(&before), lengths(&after));
    Ok(Outcome::default()
        .and(Check::new("the same history as before, at four widths", before == after, found))
        .and(Check::new("the log names the clock", logged, if logged { "it does" } else { "it does not" }))
        .and(Check::new("/readyz names the clock while it is wrong", is_named(&body), body)))
}

/// A point from a day ahead, and one from 299 s ahead, do not hide later pushes.
pub(crate) fn ahead(ground: &Ground) -> anyhow::Result<Outcome> {
    let data = ground.fresh()?;
    let (server, offset) = start(ground, &data)?;
    server.push("/in/day", b"1")?;
    std::fs::write(&offset, "+1d\n")?;
    std::thread::sleep(Duration::from_secs(2));
    let _either = server.other().post("/in/day", b"999");
    std::fs::write(&offset, "+0\n")?;
    std::thread::sleep(Duration::from_secs(2));
    server.push("/in/day", b"2")?;
    let latest = |name: &str| -> anyhow::Result<Option<f64>> {
        let text = server.other().get("/api/series")?.text;
        let json: serde_json::Value = serde_json::from_str(text.split_once("\r\n\r\n").map_or("", |(_, body)| body))?;
        let all = json.as_array().cloned().unwrap_or_default();
        Ok(all.iter().find(|series| series["name"] == name).and_then(|series| series["value"].as_f64()))
    };
    let after_day = latest("day")?;
    let ahead = format!("{{\"value\":999,\"ts\":{}}}", now_ms()? + 299_000);
    server.push("/in/ahead", b"1")?;
    server.push("/in/ahead", ahead.as_bytes())?;
    server.push("/in/ahead", b"2")?;
    let after_ahead = latest("ahead")?;
    let check = |what: &str, found: Option<f64>| {
        Check::new(what, found == Some(2.0), found.map_or("none".to_owned(), |value| value.to_string()))
    };
    Ok(Outcome::default()
        .and(check("the latest value is the one pushed after the clock came back, 2", after_day))
        .and(check("the latest value is the one of now, 2, not the one of 299 s ahead", after_ahead)))
}
