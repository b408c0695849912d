//! Measures panning of a line with very many points.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::report::{Report, Wanted};
use super::{Options, browser, is_there, put_board};
use crate::page::server::Server;

/// The number of points in a push.
const BATCH: u64 = 10_000;
/// The visible range in seconds: about a point a pixel.
const SIGHT: u64 = 1_200;
/// The duration of the drag.
const DRAG: Duration = Duration::from_secs(10);

/// Drags the line again and again towards the past, moving in each frame, and records the times of the frames.
const DRAGGING: &str = "
    const over = document.querySelector('[data-testid=chart-over]');
    over.setPointerCapture = () => {};
    const { left, top, width, height } = over.getBoundingClientRect();
    const at = (type, x) => over.dispatchEvent(new PointerEvent(type, {
        clientX: left + x, clientY: top + height / 2, bubbles: true, button: 0, shiftKey: true, pointerId: 1 }));
    window.__frames = []; window.__dragging = true;
    let x = 20;
    at('pointerdown', x);
    (function next(t) {
        window.__frames.push(t);
        x += 12;
        if (x > width - 20) { at('pointerup', x); x = 20; at('pointerdown', x); }
        at('pointermove', x);
        if (window.__dragging) requestAnimationFrame(next); else at('pointerup', x);
    })(performance.now());";

pub(super) async fn measure(binary: &Path, options: &Options, report: &mut Report) -> anyhow::Result<Value> {
    let days = options.points / 86_400 + 2;
    let late = format!("{days}d");
    // A late point is added to stored buckets, so these must be kept for longer.
    let (keep, longer) = (format!("{}d", days + 1), format!("{}d", (days + 1).max(7)));
    let flags = ["--late", &late, "--keep-raw", &keep, "--keep-1s", &keep, "--keep-10s", &longer];
    let server = Server::with(binary, &flags).await?;
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let mut pusher = server.pusher().await?;
    let mut ago = options.points;
    while ago > 0 {
        let mut lines = String::new();
        for ago in (ago.saturating_sub(BATCH)..ago).rev() {
            // Writing to a string cannot fail.
            let _ = writeln!(lines, r#"{{"series":"bench/long","value":{},"ts":{}}}"#, ago % 601, now - ago * 1_000);
        }
        pusher.batch(&lines).await?;
        ago = ago.saturating_sub(BATCH);
    }
    put_board(
        &server,
        "bench",
        vec![json!({
        "id": "long", "type": "line", "series": ["bench/long"], "place": { "x": 0, "y": 0, "w": 12, "h": 6 } })],
    )
    .await?;
    let (_folder, browser) = browser().await?;
    let page = pulseboard_e2e::Page::new(browser.driver());
    let to = now - 86_400_000;
    page.open(&format!("http://{}/b/bench?from={}&to={to}", server.addr, to - SIGHT * 1_000)).await;
    is_there(&page, 1).await;
    pulseboard_e2e::until("the line is there", async || {
        let value = page.text("legend-value").await.unwrap_or_default();
        if value.chars().any(|c| c.is_ascii_digit()) { Ok(()) } else { Err(value) }
    })
    .await;
    page.eval(DRAGGING, &[]).await;
    tokio::time::sleep(DRAG).await;
    let read = "window.__dragging = false;
        const f = window.__frames.slice(5); const d = f.slice(1).map((t, i) => t - f[i]).sort((a, b) => a - b);
        return [d.length / ((f.at(-1) - f[0]) / 1000), d[Math.floor(d.length * 0.95)], new URL(location).searchParams.get('from')]";
    let read = page.eval(read, &[]).await;
    let (rate, slow) = (read[0].as_f64().unwrap_or_default(), read[1].as_f64().unwrap_or_default());
    // The goal of 59 allows for a few late frames in ten seconds.
    let what = format!("a line of {} points, panned: frames a second", options.points);
    report.add(&what, rate, 1, Wanted::AtLeast(59.0));
    report.add("… 95th percentile of the time from frame to frame, ms", slow, 1, Wanted::Nothing);
    Ok(json!({ "points": options.points, "frames_a_second": rate, "frame_p95_ms": slow }))
}
