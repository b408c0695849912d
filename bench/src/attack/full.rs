//! Item 13: the disk fills up, and has room again later.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::ground::Ground;
use super::outcome::{Check, Outcome};
use super::subject::{Setup, Subject};

/// A small file system in memory, unmounted on drop.
struct Small(PathBuf);

impl Small {
    fn mount(folder: &Path, megabytes: u32) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let options = format!("size={megabytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder).status()?;
        anyhow::ensure!(mounted.success(), "a file system cannot be mounted: run it as root");
        Ok(Self(folder.to_owned()))
    }

    fn resize(&self, megabytes: u32) -> anyhow::Result<()> {
        let options = format!("remount,size={megabytes}m");
        let mounted = Command::new("mount").args(["-o", &options]).arg(&self.0).status()?;
        anyhow::ensure!(mounted.success(), "the file system cannot be made larger");
        Ok(())
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Lazily, since the server may still have files open.
        let _unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn ready(server: &Subject) -> u16 {
    server.other().get("/readyz").map_or(0, |answer| answer.status)
}

/// While the disk is full, pushes are refused, `/readyz` is 503, and the log warns a few times. Everything recovers
/// when there is room.
pub(crate) fn run(ground: &Ground) -> anyhow::Result<Outcome> {
    let data = ground.fresh()?;
    let disk = Small::mount(&data, 16)?;
    let server = ground.start_on(&Setup::default(), &data)?;
    let text = "x".repeat(4_000);
    let line = |n: usize| format!("{{\"series\":\"fill/{n}\",\"text\":\"{text}\"}}\n");
    let body: String = (0..100).map(line).collect();
    let filler = data.join("filler");
    let mut refused = None;
    for _ in 0..200 {
        let answer = server.other().post("/in", body.as_bytes())?;
        if answer.status >= 300 {
            refused = Some(answer.status);
            break;
        }
    }
    // Another program fills the remaining space, so that small pushes fail as well.
    let mut other = std::fs::File::create(&filler)?;
    while other.write_all(&[1; 4_096]).is_ok() {}
    let mut failed = 0;
    for n in 0..2_000 {
        let status = server.other().post("/in/small", n.to_string().as_bytes()).map_or(0, |answer| answer.status);
        failed = if status >= 300 { failed + 1 } else { 0 };
        if failed == 100 {
            break;
        }
    }
    let while_full = ready(&server);
    let lines = server.logged().lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).count();
    disk.resize(256)?;
    let begun = Instant::now();
    let mut status = 0;
    while begun.elapsed() < Duration::from_secs(30) {
        status = server.other().post("/in/small", b"1").map_or(0, |answer| answer.status);
        if status == 204 && ready(&server) == 200 {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let after = ready(&server);
    Ok(Outcome::default()
        .and(Check::new(
            "pushes are refused with 507 or 503",
            matches!(refused, Some(503 | 507)),
            refused.map_or("all are taken".to_owned(), |status| status.to_string()),
        ))
        .and(Check::new("/readyz is 503 while the disk is full", while_full == 503, while_full.to_string()))
        .and(Check::new(
            "1 to 10 warnings in the log for 100 refused pushes",
            (1..=10).contains(&lines),
            lines.to_string(),
        ))
        .and(Check::new(
            "all is well when there is room",
            status == 204 && after == 200,
            format!("push {status}, /readyz {after}"),
        )))
}
