//! Simulates a month of a wall screen: thousands of turns of its boards, while the server restarts, the screen sleeps
//! and a new version is deployed. The memory of the page must stay flat.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use pulseboard_e2e::{Fault, FaultyProxy, Page, Stage, within};
use serde_json::json;

use super::memory::{self, Memory};
use super::report::{Report, Wanted};
use crate::page::server::Pusher;
use crate::record::Record;

/// The settings of a measurement.
#[derive(Args)]
pub(crate) struct Options {
    /// Turns of the boards: a month has some 10,000 of four minutes each
    #[arg(long, default_value_t = 10_000)]
    turns: u64,
    #[command(flatten)]
    record: Record,
}

/// The boards in rotation, each with a widget of every kind of [`KINDS`].
const BOARDS: [&str; 3] = ["hall", "plant", "office"];

const KINDS: [&str; 7] = ["stat", "line", "area", "bar", "heatmap", "table", "gauge"];

/// Turns between two samples of the memory, as a share of all turns.
const PARTS: u64 = 60;

/// The longest wait for a part, and for the page to be live again.
const PATIENCE: Duration = Duration::from_secs(300);

/// Makes the clock of the rotation forty times as fast, and counts the turns of all pages of the tab.
const FAST: &str = "
    const slow = window.setInterval;
    window.setInterval = (f, ms, ...rest) => slow.call(window, f, ms === 1000 ? 25 : ms, ...rest);
    new MutationObserver((changes) => {
        const began = changes.filter((change) => change.target.dataset.on === 'true').length;
        sessionStorage.setItem('bench.turns', Number(sessionStorage.getItem('bench.turns')) + began);
    }).observe(document, { subtree: true, attributes: true, attributeFilter: ['data-on'] });";

/// Runs the simulation.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let mut stage = Stage::start().await;
    for board in BOARDS {
        make(&stage, board).await?;
    }
    let addr = stage.server.base().trim_start_matches("http://").parse()?;
    let pushing = tokio::spawn(push(addr));
    let proxy = FaultyProxy::start(stage.server.base()).await;
    let url = format!("{}/?kiosk&boards={}&every=5s", proxy.base(), BOARDS.join(","));
    {
        let page = stage.page();
        memory::watch(&page).await;
        page.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": FAST })).await;
        page.open(&url).await;
    }
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let (mut restarts, mut sleeps) = (0, 0);
    for part in 1..=PARTS {
        let turns = options.turns * part / PARTS;
        within(PATIENCE, &format!("turn {turns}"), async || {
            let shown = stage.page().eval("return Number(sessionStorage.getItem('bench.turns'))", &[]).await;
            if shown.as_u64().unwrap_or_default() >= turns { Ok(()) } else { Err(shown.to_string()) }
        })
        .await;
        let samples = if part <= PARTS / 2 { &mut before } else { &mut after };
        samples.push(memory::now(&stage.page()).await);
        eprintln!("turn {turns} of {}", options.turns);
        if part == PARTS / 2 {
            deploy(&mut stage, &proxy).await;
        } else if part % 6 == 0 {
            stage.server.stop().await;
            stage.server.start_again().await;
            restarts += 1;
        } else if part % 6 == 3 {
            stage.page().cdp("Page.setWebLifecycleState", json!({ "state": "frozen" })).await;
            tokio::time::sleep(Duration::from_secs(3)).await;
            stage.page().cdp("Page.setWebLifecycleState", json!({ "state": "active" })).await;
            sleeps += 1;
        }
        is_live(&stage.page()).await;
    }
    pushing.abort();

    let mut report = Report::default();
    let what = format!(
        "{} turns of {} boards, {restarts} restarts, {sleeps} sleeps and a deployment in the middle",
        options.turns,
        BOARDS.len()
    );
    // The first parts fill the tracks of the page.
    let samples = |samples: Vec<(f64, f64)>| Memory::of(samples.into_iter().skip(6).collect());
    for (half, memory) in [("before", samples(before)), ("after", samples(after))] {
        report.add(&format!("{what}: heap {half} it, MiB"), memory.first_minute(), 1, Wanted::Nothing);
        report.add(&format!("… its end ÷ its beginning, {half}"), memory.growth(), 2, Wanted::Below(1.05));
    }
    options.record.write("wall", &report.table())
}

/// Deploys a new version: the page reloads once, and the wall goes on.
async fn deploy(stage: &mut Stage, proxy: &FaultyProxy) {
    stage.page().eval("window.__old = true", &[]).await;
    proxy.set(Fault::OtherContract);
    stage.server.stop().await;
    stage.server.start_again().await;
    within(PATIENCE, "the page reloads", async || match stage.page().eval("return window.__old === true", &[]).await {
        old if old == true => Err("it is the old one".to_owned()),
        _ => Ok(()),
    })
    .await;
    proxy.set(Fault::None);
}

/// Waits until the board that is on is live.
async fn is_live(page: &Page<'_>) {
    within(PATIENCE, "the wall is live", async || {
        let script = "return document.querySelector('.turn[data-on=true] [data-testid=badge]')?.dataset.state ?? null";
        let state = page.eval(script, &[]).await;
        if state == "live" { Ok(()) } else { Err(state.to_string()) }
    })
    .await;
}

/// Makes a board with a widget of each kind.
async fn make(stage: &Stage, id: &str) -> anyhow::Result<()> {
    let widget =
        |(i, kind): (usize, &&str)| json!({ "id": format!("w{i}"), "type": kind, "series": [format!("{id}/*")] });
    let document = json!({ "widgets": KINDS.iter().enumerate().map(widget).collect::<Vec<_>>() }).to_string();
    let url = format!("{}/api/boards/{id}", stage.server.base());
    let args = ["-X", "PUT", "-H", "content-type: application/json", "-d", &document, &url, "-w", "%{http_code}"];
    let answer = pulseboard_e2e::curl(&args).await;
    anyhow::ensure!(answer.ends_with("201"), "the board was not made: {answer}");
    Ok(())
}

/// Pushes a number of each series twice a second. Connects again after a restart of the server.
async fn push(addr: std::net::SocketAddr) {
    let mut every = tokio::time::interval(Duration::from_millis(500));
    let mut pusher = None;
    for turn in 0_u32.. {
        every.tick().await;
        let mut lines = String::new();
        for board in BOARDS {
            for series in 0..4_u32 {
                let value = f64::from(turn.wrapping_mul(7 + series) % 89) / 3.0;
                // Writing to a string cannot fail.
                let _ = writeln!(lines, r#"{{"series":"{board}/s{series}","value":{value}}}"#);
            }
        }
        if pusher.is_none() {
            pusher = Pusher::connect(addr).await.ok();
        }
        let failed = match &mut pusher {
            Some(pusher) => pusher.batch(&lines).await.is_err(),
            None => false,
        };
        if failed {
            pusher = None;
        }
    }
}
