//! Measures a board on which every widget changes all the time.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pulseboard_e2e::Page;
use serde_json::{Value, json};

use super::report::{Report, Wanted};
use super::{Options, browser, frames, is_there, memory, metric, profile, put_board};
use crate::page::server::{Pusher, Server};

/// The kinds of widgets, used in turn.
const KINDS: [&str; 10] = ["line", "stat", "line", "area", "stat", "bar", "line", "heatmap", "line", "stat"];

/// The past of the series when the page is opened, in seconds: the length of the page's tracks. With less, the page's
/// memory would grow until the tracks are full.
const PAST: u32 = 320;

/// The browser's metrics of the main thread, in seconds of processor time, and their names in the table. The first is
/// the whole, the others are parts of it.
const DURATIONS: [(&str, &str); 4] = [
    ("TaskDuration", "main thread busy"),
    ("ScriptDuration", "scripts"),
    ("RecalcStyleDuration", "styles"),
    ("LayoutDuration", "layout"),
];

pub(super) async fn measure(binary: &Path, options: &Options, report: &mut Report) -> anyhow::Result<Value> {
    let server = Server::start(binary).await?;
    let mut pusher = server.pusher().await?;
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    for ago in (0..PAST).rev() {
        // Pushes the same number of points per second as later, so that each second has a distribution of values.
        let turns = (0..options.rate).map(|turn| {
            let ts = now - u64::from(ago) * 1_000 - u64::from(turn * 1_000 / options.rate);
            batch(options.widgets, ago * options.rate + turn, Some(ts))
        });
        pusher.batch(&turns.collect::<String>()).await?;
    }
    let widgets = (0..options.widgets).map(widget).collect();
    put_board(&server, "bench", widgets).await?;
    let (_folder, browser) = browser().await?;
    let page = Page::new(browser.driver());
    memory::watch(&page).await;
    // Uses the thread's processor time, so that other programs on this machine do not count.
    page.cdp("Performance.enable", json!({ "timeDomain": "threadTicks" })).await;
    page.open(&format!("http://{}/b/bench", server.addr)).await;
    is_there(&page, options.widgets).await;

    let pushing = tokio::spawn(push(pusher, options.widgets, options.rate));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (before, began) = (durations(&page).await, Instant::now());
    let (rate, slow) = match &options.profile {
        None => frames(&page, options.seconds).await,
        Some(file) => profile::record(&page, file, frames(&page, options.seconds)).await?,
    };
    let (after, took) = (durations(&page).await, began.elapsed().as_secs_f64());
    let shares: Vec<f64> = after.iter().zip(&before).map(|(after, before)| (after - before) / took * 100.0).collect();
    let busy = shares[0];
    let memory = memory::over(&page, options.minutes).await;
    anyhow::ensure!(!pushing.is_finished(), "the pushes ended before the measurement");
    pushing.abort();

    let what = format!("{} widgets, each changing {} times a second", options.widgets, options.rate);
    report.add(&format!("{what}: frames a second"), rate, 1, Wanted::AtLeast(55.0));
    report.add("… 95th percentile of the time from frame to frame, ms", slow, 1, Wanted::Nothing);
    report.add(&format!("… {}, %", DURATIONS[0].1), busy, 0, Wanted::Below(50.0));
    for (share, (_, part)) in shares.iter().zip(DURATIONS).skip(1) {
        report.add(&format!("… of it {part}, %"), *share, 0, Wanted::Nothing);
    }
    report.add("… heap after its first minute, JavaScript and wasm, MiB", memory.first_minute(), 1, Wanted::Nothing);
    let grown = format!("… heap in the last of {} minutes ÷ in the first", options.minutes);
    report.add(&grown, memory.growth(), 2, Wanted::Below(1.05));
    Ok(
        json!({ "frames_a_second": rate, "frame_p95_ms": slow, "main_thread_busy_percent": busy, "memory": memory.json() }),
    )
}

/// Reads all of [`DURATIONS`], in seconds.
async fn durations(page: &Page<'_>) -> Vec<f64> {
    let mut seconds = Vec::new();
    for (name, _) in DURATIONS {
        seconds.push(metric(page, name).await);
    }
    seconds
}

fn widget(i: usize) -> Value {
    let (x, y) = (i % 4 * 3, i / 4 * 2);
    let mut widget = json!({
        "id": format!("w{i}"), "type": KINDS[i % KINDS.len()], "series": [format!("bench/s{i}")],
        "place": { "x": x, "y": y, "w": 3, "h": 2 },
    });
    if widget["type"] == "bar" {
        widget["across"] = "time".into();
    }
    widget
}

/// A batch with a number for each series, at `ts` in milliseconds if it is set.
fn batch(series: usize, turn: u32, ts: Option<u64>) -> String {
    let mut lines = String::new();
    let ts = ts.map(|ts| format!(r#","ts":{ts}"#)).unwrap_or_default();
    for i in 0..series {
        let value = f64::from(turn % 97) + f64::from(u32::try_from(i).unwrap_or_default());
        // Writing to a string cannot fail.
        let _ = writeln!(lines, r#"{{"series":"bench/s{i}","value":{value}{ts}}}"#);
    }
    lines
}

async fn push(mut pusher: Pusher, series: usize, rate: u32) -> anyhow::Result<()> {
    let mut every = tokio::time::interval(Duration::from_secs(1) / rate);
    for turn in 1.. {
        every.tick().await;
        pusher.batch(&batch(series, turn, None)).await?;
    }
    Ok(())
}
