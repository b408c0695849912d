//! Measures the page in a headless browser: its frame rate, the load of its main thread, its memory, and the time
//! from a push to the paint.

mod board;
mod memory;
mod paint;
mod pan;
mod profile;
mod report;
mod server;
pub(crate) mod visit;
pub(crate) mod wall;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use pulseboard_e2e::{Browser, Page};
use serde_json::{Value, json};

use crate::page::report::Report;
use crate::page::server::Server;
use crate::record::Record;

/// The settings of a measurement.
#[derive(Args)]
pub(crate) struct Options {
    /// Widgets of the board
    #[arg(long, default_value_t = 50)]
    widgets: usize,
    /// Changes of each a second
    #[arg(long, default_value_t = 20)]
    rate: u32,
    /// Seconds for which the board is watched
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Minutes for which its memory is watched
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// Points of the line that is panned, a second apart
    #[arg(long, default_value_t = 1_000_000)]
    points: u64,
    /// Pushes of which each is awaited until it is painted
    #[arg(long, default_value_t = 300)]
    pushes: usize,
    /// Where the figures go
    #[arg(long, default_value = "target/bench/page.json")]
    out: PathBuf,
    /// A file for the browser's CPU profile of the board, which its developer tools can open; the profiler takes time
    /// itself, so the figures of such a run do not count
    #[arg(long)]
    profile: Option<PathBuf>,
    #[command(flatten)]
    record: Record,
}

/// Measures, prints a table, and writes the figures.
pub(crate) async fn run(binary: &Path, options: &Options) -> anyhow::Result<()> {
    let mut figures = serde_json::Map::new();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    figures.insert("load_before".to_owned(), load.split(' ').next().unwrap_or_default().into());
    let mut report = Report::default();
    figures.insert("board".to_owned(), board::measure(binary, options, &mut report).await?);
    figures.insert("pan".to_owned(), pan::measure(binary, options, &mut report).await?);
    figures.insert("paint".to_owned(), paint::measure(binary, options, &mut report).await?);
    let folder = options.out.parent().context("the file for the figures is in a folder")?;
    std::fs::create_dir_all(folder)?;
    std::fs::write(&options.out, format!("{:#}\n", Value::Object(figures)))
        .with_context(|| format!("cannot write {}", options.out.display()))?;
    eprintln!("The figures are in {}", options.out.display());
    options.record.write("page", &report.table())
}

/// Starts a browser, with its profile in the returned folder.
async fn browser() -> anyhow::Result<(tempfile::TempDir, Browser)> {
    let folder = tempfile::tempdir()?;
    let browser = Browser::start(folder.path()).await;
    Ok((folder, browser))
}

/// Creates a board with these widgets.
async fn put_board(server: &Server, id: &str, widgets: Vec<Value>) -> anyhow::Result<()> {
    let document = json!({ "range": "1h", "widgets": widgets });
    let url = format!("http://{}/api/boards/{id}", server.addr);
    let body = document.to_string();
    let args = ["-X", "PUT", "-H", "content-type: application/json", "-d", &body, &url, "-w", "%{http_code}"];
    let answer = pulseboard_e2e::curl(&args).await;
    anyhow::ensure!(answer.ends_with("201"), "the board was not made: {answer}");
    Ok(())
}

/// Waits until all tiles are shown.
async fn is_there(page: &Page<'_>, tiles: usize) {
    pulseboard_e2e::within(Duration::from_secs(60), "the board is there", async || {
        let found = page.texts("tile").await.len();
        if found == tiles { Ok(()) } else { Err(format!("{found} tiles")) }
    })
    .await;
}

/// Records the frames of the page for some seconds. Returns the frames per second, and the 95th percentile of the
/// time between two frames in milliseconds.
async fn frames(page: &Page<'_>, seconds: u64) -> (f64, f64) {
    let start = "window.__frames = []; (function next(at) { if (window.__frames) { window.__frames.push(at); requestAnimationFrame(next); } })(performance.now())";
    page.eval(start, &[]).await;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let read = "const f = window.__frames.slice(1); window.__frames = null; const d = f.slice(1).map((t, i) => t - f[i]).sort((a, b) => a - b);
        return [d.length / ((f.at(-1) - f[0]) / 1000), d[Math.floor(d.length * 0.95)]]";
    let read = page.eval(read, &[]).await;
    (read[0].as_f64().unwrap_or_default(), read[1].as_f64().unwrap_or_default())
}

/// A metric that the browser keeps of the page.
async fn metric(page: &Page<'_>, name: &str) -> f64 {
    let answer = page.cdp("Performance.getMetrics", json!({})).await;
    let metrics = answer["metrics"].as_array().cloned().unwrap_or_default();
    metrics.iter().find(|metric| metric["name"] == name).and_then(|metric| metric["value"].as_f64()).unwrap_or_default()
}
