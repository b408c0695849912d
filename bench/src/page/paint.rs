//! Measures the time from a push to the paint by one clock: the page itself pushes, and observes its tile.

use std::path::Path;

use serde_json::{Value, json};

use super::report::{Report, Wanted};
use super::{Options, browser, is_there, put_board};
use crate::page::server::Server;

/// Pushes a number, waits until the tile shows it and the frame is painted, and continues after a random pause.
const PUSHING: &str = "
    const done = arguments[arguments.length - 1];
    const many = Number(arguments[0]);
    (async () => {
        const value = document.querySelector('[data-testid=value]');
        const times = [];
        for (let i = 1; i <= many; i++) {
            const seen = new Promise((resolve) => {
                const observer = new MutationObserver(() => {
                    if (value.dataset.value !== String(i)) return;
                    observer.disconnect();
                    // The end of the next paint: a message is handled once the frame is done.
                    requestAnimationFrame(() => {
                        const channel = new MessageChannel();
                        channel.port1.onmessage = () => resolve(performance.now());
                        channel.port2.postMessage(0);
                    });
                });
                observer.observe(value, { attributes: true });
            });
            const began = performance.now();
            fetch('/in/bench/paint', { method: 'POST', body: String(i) });
            times.push((await seen) - began);
            await new Promise((resolve) => setTimeout(resolve, 60 + Math.random() * 60));
        }
        times.sort((a, b) => a - b);
        done(times);
    })();";

pub(super) async fn measure(binary: &Path, options: &Options, report: &mut Report) -> anyhow::Result<Value> {
    let server = Server::start(binary).await?;
    let mut pusher = server.pusher().await?;
    pusher.push("bench/paint", "0").await?;
    put_board(&server, "bench", vec![json!({ "id": "paint", "type": "stat", "series": ["bench/paint"] })]).await?;
    let (_folder, browser) = browser().await?;
    browser.driver().set_script_timeout(std::time::Duration::from_secs(600)).await?;
    let page = pulseboard_e2e::Page::new(browser.driver());
    page.open(&format!("http://{}/b/bench", server.addr)).await;
    is_there(&page, 1).await;
    page.badge_is("live").await;
    let times = browser.driver().execute_async(PUSHING, vec![options.pushes.into()]).await?;
    let times: Vec<f64> = times.convert()?;
    let at = |part: f64| {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "few")]
        let place = (times.len() as f64 * part) as usize;
        times.get(place.min(times.len().saturating_sub(1))).copied().unwrap_or_default()
    };
    let (p50, p99) = (at(0.50), at(0.99));
    report.add("push to paint, p50, ms", p50, 1, Wanted::Below(30.0));
    report.add("push to paint, p99, ms", p99, 1, Wanted::Below(60.0));
    Ok(json!({ "pushes": times.len(), "p50_ms": p50, "p99_ms": p99 }))
}
