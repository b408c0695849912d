//! A board on which all moves.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Options, browser, frames, is_there, memory, metric, put_board, row};
use crate::page::server::{Pusher, Server};

/// The kinds of widgets that take turns.
const KINDS: [&str; 10] = ["line", "stat", "line", "area", "stat", "bar", "line", "heatmap", "line", "stat"];

pub(super) async fn measure(binary: &Path, options: &Options) -> anyhow::Result<Value> {
    let server = Server::start(binary).await?;
    let mut pusher = server.pusher().await?;
    pusher.batch(&batch(options.widgets, 0)).await?;
    let widgets = (0..options.widgets).map(widget).collect();
    put_board(&server, "bench", widgets).await?;
    let (_folder, browser) = browser().await?;
    let page = pulseboard_e2e::Page::new(browser.driver());
    memory::watch(&page).await;
    // Of a thread's own time: others who compute on this machine do not count.
    page.cdp("Performance.enable", json!({ "timeDomain": "threadTicks" })).await;
    page.open(&format!("http://{}/b/bench", server.addr)).await;
    is_there(&page, options.widgets).await;

    let pushing = tokio::spawn(push(pusher, options.widgets, options.rate));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (busy_before, began) = (metric(&page, "TaskDuration").await, Instant::now());
    let (rate, slow) = frames(&page, options.seconds).await;
    let busy = (metric(&page, "TaskDuration").await - busy_before) / began.elapsed().as_secs_f64() * 100.0;
    let memory = memory::over(&page, options.minutes).await;
    anyhow::ensure!(!pushing.is_finished(), "the pushes ended before the measurement");
    pushing.abort();

    let what = format!("{} widgets, each changing {} times a second", options.widgets, options.rate);
    row(&format!("{what}: frames a second"), &format!("{rate:.1}"), "≥ 55");
    row("… 95th percentile of the time from frame to frame, ms", &format!("{slow:.1}"), "");
    row("… main thread busy, %", &format!("{busy:.0}"), "< 50");
    row(&format!("… heap at the start and after {} min, MiB", options.minutes), &memory.told(), "flat");
    Ok(
        json!({ "frames_a_second": rate, "frame_p95_ms": slow, "main_thread_busy_percent": busy, "memory": memory.json() }),
    )
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

fn batch(series: usize, turn: u32) -> String {
    let mut lines = String::new();
    for i in 0..series {
        let value = f64::from(turn % 97) + f64::from(u32::try_from(i).unwrap_or_default());
        // Writing to a string cannot fail.
        let _ = writeln!(lines, r#"{{"series":"bench/s{i}","value":{value}}}"#);
    }
    lines
}

async fn push(mut pusher: Pusher, series: usize, rate: u32) -> anyhow::Result<()> {
    let mut every = tokio::time::interval(Duration::from_secs(1) / rate);
    for turn in 1.. {
        every.tick().await;
        pusher.batch(&batch(series, turn)).await?;
    }
    Ok(())
}
