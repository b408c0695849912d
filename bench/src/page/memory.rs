//! How much memory the page has: that of JavaScript, and that of wasm.

use std::time::Duration;

use pulseboard_e2e::Page;
use serde_json::{Value, json};

/// Keeps the memory of the page's module where it can be asked for its size.
const WATCH: &str = "
    const start = WebAssembly.instantiateStreaming;
    WebAssembly.instantiateStreaming = async (...args) => {
        const made = await start.apply(WebAssembly, args);
        window.__memory = made.instance.exports.memory;
        return made;
    };";

/// From now on, pages can be asked.
pub(super) async fn watch(page: &Page<'_>) {
    page.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": WATCH })).await;
}

/// Memory over time, in bytes: that of JavaScript after its garbage was collected, and that of wasm.
pub(super) struct Memory(Vec<(f64, f64)>);

/// Looks every ten seconds for some minutes.
pub(super) async fn over(page: &Page<'_>, minutes: u64) -> Memory {
    let mut all = vec![now(page).await];
    for _ in 0..minutes * 6 {
        tokio::time::sleep(Duration::from_secs(10)).await;
        all.push(now(page).await);
    }
    Memory(all)
}

async fn now(page: &Page<'_>) -> (f64, f64) {
    page.cdp("HeapProfiler.collectGarbage", json!({})).await;
    let heap = page.cdp("Runtime.getHeapUsage", json!({})).await["usedSize"].as_f64().unwrap_or_default();
    let wasm = page.eval("return window.__memory?.buffer.byteLength ?? 0", &[]).await.as_f64().unwrap_or_default();
    (heap, wasm)
}

impl Memory {
    pub(super) fn told(&self) -> String {
        let told = |all: Option<&(f64, f64)>| {
            all.map_or_else(String::new, |(heap, wasm)| {
                format!("{:.1} + {:.1}", heap / 1_048_576.0, wasm / 1_048_576.0)
            })
        };
        format!("{} → {}", told(self.0.first()), told(self.0.last()))
    }

    pub(super) fn json(&self) -> Value {
        json!({ "every_seconds": 10, "javascript_and_wasm_bytes": self.0 })
    }
}
