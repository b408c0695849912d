//! Measures the memory of the page: JavaScript's and wasm's.

use std::time::Duration;

use pulseboard_e2e::Page;
use serde_json::{Value, json};

/// Makes the memory of the page's wasm module accessible to scripts.
const WATCH: &str = "
    const start = WebAssembly.instantiateStreaming;
    WebAssembly.instantiateStreaming = async (...args) => {
        const made = await start.apply(WebAssembly, args);
        // The lazily loaded modules share the memory of the page.
        window.__memory = made.instance.exports.memory ?? window.__memory;
        return made;
    };";

/// Prepares later pages for the measurement.
pub(super) async fn watch(page: &Page<'_>) {
    page.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": WATCH })).await;
}

/// Samples over time in bytes: JavaScript's heap after a garbage collection, and wasm's memory.
pub(super) struct Memory(Vec<(f64, f64)>);

/// Samples every ten seconds for some minutes.
pub(super) async fn over(page: &Page<'_>, minutes: u64) -> Memory {
    let mut all = vec![now(page).await];
    for _ in 0..minutes * 6 {
        tokio::time::sleep(Duration::from_secs(10)).await;
        all.push(now(page).await);
    }
    Memory(all)
}

/// The memory after a garbage collection, in bytes: JavaScript's heap and wasm's.
pub(super) async fn now(page: &Page<'_>) -> (f64, f64) {
    page.cdp("HeapProfiler.collectGarbage", json!({})).await;
    let heap = page.cdp("Runtime.getHeapUsage", json!({})).await["usedSize"].as_f64().unwrap_or_default();
    let wasm = page.eval("return window.__memory?.buffer.byteLength ?? 0", &[]).await.as_f64().unwrap_or_default();
    (heap, wasm)
}

/// The number of samples in a minute, or in a part of another measurement.
const MINUTE: usize = 6;

impl Memory {
    /// Makes it of samples, the oldest first.
    pub(super) fn of(samples: Vec<(f64, f64)>) -> Self {
        Self(samples)
    }

    /// The median of the sums in the first minute, in MiB.
    pub(super) fn first_minute(&self) -> f64 {
        middle(&self.0[..self.0.len().min(MINUTE)]) / 1_048_576.0
    }

    /// The ratio of the last minute's median sum to the first minute's.
    pub(super) fn growth(&self) -> f64 {
        let first = middle(&self.0[..self.0.len().min(MINUTE)]);
        middle(&self.0[self.0.len().saturating_sub(MINUTE)..]) / first
    }

    pub(super) fn json(&self) -> Value {
        json!({ "every_seconds": 10, "javascript_and_wasm_bytes": self.0 })
    }
}

/// The median of the sums of both memories, in bytes.
fn middle(samples: &[(f64, f64)]) -> f64 {
    let mut sums: Vec<f64> = samples.iter().map(|(heap, wasm)| heap + wasm).collect();
    sums.sort_by(f64::total_cmp);
    sums.get(sums.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_the_last_minute_by_the_first_and_a_single_peak_does_not_count() {
        let mut samples = vec![(1.0, 1.0); 60];
        samples[2] = (90.0, 1.0);
        samples[54..].fill((2.0, 1.0));
        assert!((Memory(samples).growth() - 1.5).abs() < 1e-9);
    }
}
