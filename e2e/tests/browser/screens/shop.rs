//! The synthetic data of a running shop over the last hours, the same on each run.

use std::fmt::Write as _;

use serde_json::json;

/// The document of its board.
pub(crate) const BOARD: &str = include_str!("shop.toml");

/// The services, each with its mean latency and its requests a second.
const SERVICES: [(&str, f64, f64); 6] = [
    ("search", 42.0, 1_210.0),
    ("cart", 88.0, 640.0),
    ("checkout", 210.0, 182.0),
    ("product", 31.0, 2_080.0),
    ("login", 64.0, 96.0),
    ("mail", 720.0, 12.0),
];

/// All pushes until `now`, in milliseconds, as batches of NDJSON.
pub(crate) fn past(now: u64) -> Vec<String> {
    // A point a minute for six hours, and a point a second for the last five minutes, which is what a page keeps.
    let moments = (1..=360_u64).rev().map(|minutes| minutes * 60).filter(|ago| *ago > 300).chain((0..300).rev());
    let mut batches = Vec::new();
    let mut batch = String::new();
    for ago in moments {
        second(&mut batch, now, ago);
        if batch.len() > 256 << 10 {
            batches.push(std::mem::take(&mut batch));
        }
    }
    texts(&mut batch, now);
    batches.push(batch);
    batches
}

/// The points of the moment `ago` seconds ago.
fn second(batch: &mut String, now: u64, ago: u64) {
    let ts = now - ago * 1_000;
    let t = -seconds(ago);
    let mut put = |series: &str, value: f64| {
        writeln!(batch, "{}", json!({ "series": series, "value": value, "ts": ts })).expect("to a String");
    };
    // A slow quarter of an hour, an hour and a half ago.
    let slow = if (4_900.0..5_800.0).contains(&-t) { 1.7 } else { 1.0 };
    for (i, (service, latency, requests)) in SERVICES.into_iter().enumerate() {
        // One service stopped reporting.
        if service == "mail" && ago < 75 {
            continue;
        }
        let n = seconds(i as u64);
        let tail = if noise(t, n) > 0.8 { 1.0 + 1.6 * noise(t, n + 7.0).abs() } else { 1.0 };
        let swing = 1.0 + 0.12 * (t / (900.0 + 70.0 * n)).sin() + 0.1 * noise(t, n + 3.0);
        put(&format!("shop/{service}/latency_ms"), round(latency * swing * tail * slow, 10.0));
        let day = 1.0 + 0.25 * (t / 5_200.0 + n / 9.0).sin() + 0.04 * noise(t, n + 20.0);
        put(&format!("shop/{service}/requests_per_s"), round(requests * day, 1.0));
    }
    put("shop/api/requests_total", round(91_000_000.0 + 4_220.0 * t + 30_000.0 * (t / 400.0).sin(), 1.0));
    put("shop/orders/revenue_eur", round(48_213.0 + 1.9 * t + 40.0 * (t / 60.0).sin(), 100.0));
    put("shop/budget_pct", round(61.0 - 12.0 * (1.0 + t / 21_600.0), 10.0));
    for (host, load) in [("alpha", 0.42), ("beta", 0.58), ("gamma", 0.93)] {
        let value = load + 0.04 * (t / 70.0 + load * 9.0).sin() + 0.02 * noise(t, load * 50.0);
        put(&format!("shop/hosts/{host}/cpu_ratio"), round(value, 1_000.0));
    }
}

/// The pushes of one moment after [`past`], as a batch of NDJSON. The server stamps them.
pub(crate) fn next(moment: u64, revenue: u64) -> String {
    let t = seconds(moment);
    let mut batch = String::new();
    let mut put = |series: &str, value: f64| {
        writeln!(batch, "{}", json!({ "series": series, "value": value })).expect("to a String");
    };
    for (i, (service, latency, requests)) in SERVICES.into_iter().enumerate() {
        let n = seconds(i as u64);
        let tail = if noise(t, n) > 0.7 { 1.7 } else { 1.0 };
        put(&format!("shop/{service}/latency_ms"), round(latency * tail * (1.0 + 0.2 * noise(t, n + 3.0)), 10.0));
        put(&format!("shop/{service}/requests_per_s"), round(requests * (1.0 + 0.1 * noise(t, n + 20.0)), 1.0));
    }
    put("shop/api/requests_total", round(91_004_220.0 + 4_220.0 * t, 1.0));
    put("shop/orders/revenue_eur", seconds(revenue));
    put("shop/budget_pct", round(49.0 - t / 10.0, 10.0));
    for (host, load) in [("alpha", 0.42), ("beta", 0.58), ("gamma", 0.93)] {
        put(&format!("shop/hosts/{host}/cpu_ratio"), round(load + 0.05 * noise(t, load * 50.0), 1_000.0));
    }
    batch
}

fn texts(batch: &mut String, now: u64) {
    let mut say = |series: &str, ago: u64, text: &str| {
        let ts = now - ago * 1_000;
        writeln!(batch, "{}", json!({ "series": series, "text": text, "ts": ts })).expect("to a String");
    };
    for (ago, text) in [
        (5_760, "checkout is slower than 250 ms"),
        (4_880, "checkout is back to normal"),
        (1_320, "disk of beta is 80 % full"),
        (410, "mail: queue is growing"),
    ] {
        say("shop/alerts", ago, text);
    }
    for (ago, text) in [
        (2_700, "building 2.14.0"),
        (2_460, "rolling out 2.14.0 to 3 of 8"),
        (2_220, "2.14.0 is out"),
        (95, "building 2.14.1"),
        (12, "rolling out 2.14.1 to 1 of 8"),
    ] {
        say("shop/deploy", ago, text);
    }
    for (service, states) in [
        ("web", &[(21_600, "up"), (2_460, "deploying"), (2_220, "up"), (12, "deploying")][..]),
        ("pay", &[(21_600, "up"), (5_760, "degraded"), (4_880, "up")]),
        ("mail", &[(21_600, "up"), (410, "degraded"), (75, "down")]),
    ] {
        for (ago, state) in states {
            say(&format!("shop/{service}/state"), *ago, state);
        }
    }
}

fn seconds(whole: u64) -> f64 {
    f64::from(u32::try_from(whole).expect("hours"))
}

fn round(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

/// Pseudo-random noise between -1 and 1, the same on each run.
fn noise(t: f64, series: f64) -> f64 {
    (t * 12.9898 + series * 78.233).sin() * 43_758.547 % 1.0
}
