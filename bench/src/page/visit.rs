//! Measures a first visit over a slow connection: the time until a board of charts is complete, with and without the
//! server's preload headers.

use std::path::Path;

use clap::Args;
use pulseboard_e2e::{Fault, FaultyProxy, Page, until};
use serde_json::json;

use super::{browser, put_board};
use crate::figures::{Bound, Column, Figures, Goal};
use crate::page::server::Server;
use crate::record::Record;

/// The settings of a measurement.
#[derive(Args)]
pub(crate) struct Options {
    /// Visits of each kind, in turn
    #[arg(long, default_value_t = 5)]
    visits: usize,
    /// Milliseconds by which each answer is late
    #[arg(long, default_value_t = 150)]
    latency: u32,
    /// Bytes a second of the line, each way
    #[arg(long, default_value_t = 200_000)]
    throughput: u32,
    #[command(flatten)]
    record: Record,
}

/// The number of charts on the board, which also has one stat.
const CHARTS: usize = 4;

/// Records when all charts were there, in milliseconds since the start of the visit.
const WATCH: &str = "
    new MutationObserver((_, observer) => {
        if (document.querySelectorAll('[data-testid=chart]').length < CHARTS) return;
        observer.disconnect();
        window.__there = performance.now();
    }).observe(document, { childList: true, subtree: true });";

const COLUMNS: [Column; 2] = [
    Column { name: "something is painted after s", digits: 2 },
    Column { name: "all charts are there after s", digits: 2 },
];

const PRELOADED: &str = "preloaded";
const NOT_PRELOADED: &str = "one after the other";

/// Runs the visits of both kinds in turn.
pub(crate) async fn run(binary: &Path, options: &Options) -> anyhow::Result<()> {
    let server = Server::start(binary).await?;
    server.pusher().await?.push("bench/temp", "42.5").await?;
    let kinds = std::iter::once("stat").chain(std::iter::repeat_n("line", CHARTS)).enumerate();
    let widgets = kinds.map(|(i, kind)| json!({ "id": format!("w{i}"), "type": kind, "series": ["bench/temp"] }));
    put_board(&server, "bench", widgets.collect()).await?;
    let proxy = FaultyProxy::start(&format!("http://{}", server.addr)).await;
    let (_folder, browser) = browser().await?;
    let page = Page::new(browser.driver());
    page.cdp("Network.enable", json!({})).await;
    let watch = WATCH.replace("CHARTS", &CHARTS.to_string());
    page.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": watch })).await;
    let mut figures = Figures::new(&COLUMNS);
    for _ in 0..options.visits {
        for (name, fault) in [(PRELOADED, Fault::None), (NOT_PRELOADED, Fault::WithoutLinks)] {
            proxy.set(fault);
            figures.add(name, visit(&page, &format!("{}/b/bench", proxy.base()), options).await);
        }
    }
    let goal = Goal { of: PRELOADED, column: 1, over: Some(NOT_PRELOADED), bound: Bound::AtMost(0.9) };
    let part = format!(
        "{CHARTS} charts and a number, {} ms and {} kB/s, nothing in the browser's cache, {} visits of each kind\n\n{}\n{}",
        options.latency,
        options.throughput / 1_000,
        options.visits,
        figures.table("what the page needs is"),
        figures.goals(&[goal])
    );
    options.record.write("visit", &part)
}

/// Visits once with an empty cache. Returns the times of the first paint and of the last chart, in seconds.
async fn visit(page: &Page<'_>, url: &str, options: &Options) -> Vec<f64> {
    page.open("about:blank").await;
    page.cdp("Network.clearBrowserCache", json!({})).await;
    let (latency, throughput) = (options.latency, options.throughput);
    let line = json!({ "offline": false, "latency": latency, "downloadThroughput": throughput, "uploadThroughput": throughput });
    page.cdp("Network.emulateNetworkConditions", line).await;
    page.open(url).await;
    let there = until("all charts are there", async || {
        let script = "return [performance.getEntriesByType('paint')[0]?.startTime, window.__there]";
        let times: Vec<f64> =
            serde_json::from_value(page.eval(script, &[]).await).map_err(|error| error.to_string())?;
        Ok::<_, String>(times)
    });
    there.await.into_iter().map(|ms| ms / 1_000.0).collect()
}
