//! Measures the waits of another client: a push every 20 ms, each on a new connection as with curl, and the same
//! number of requests of `/healthz`. Several threads take turns, so that a waiting request does not delay the next
//! one.

use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::client::{Client, OTHER};

/// The interval between two requests.
const GAP: Duration = Duration::from_millis(20);

/// The number of threads of a probe.
const LANES: u32 = 16;

/// The time for which a request is repeated before it counts as never answered.
const PATIENCE: Duration = Duration::from_secs(30);

/// The request of a probe.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Probe {
    /// Pushes a point.
    Push,
    /// Requests `/healthz`.
    Health,
}

/// A running probe.
pub(crate) struct Running {
    end: Arc<AtomicBool>,
    lanes: Vec<JoinHandle<Waits>>,
}

/// The waits of a probe's requests, each from its due time until it succeeded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waits {
    micros: Vec<u32>,
    /// The number of requests that failed and were repeated.
    pub(crate) failed: u64,
    /// The number of requests that never succeeded.
    pub(crate) unanswered: u64,
}

impl Probe {
    /// Starts the probe.
    pub(crate) fn start(self, server: SocketAddr) -> Running {
        let end = Arc::new(AtomicBool::new(false));
        let start = Instant::now();
        let lane = |lane| {
            let end = end.clone();
            std::thread::spawn(move || self.run(server, start + GAP * lane, &end))
        };
        let lanes = (0..LANES).map(lane).collect();
        Running { end, lanes }
    }

    fn run(self, server: SocketAddr, start: Instant, end: &AtomicBool) -> Waits {
        let client = Client { source: OTHER, server, patience: PATIENCE };
        let mut waits = Waits::default();
        for number in 0.. {
            let due = start + GAP * LANES * number;
            // Requests that were due before the end are still sent, since the server kept them waiting.
            if end.load(Ordering::Relaxed) && Instant::now() < due {
                break;
            }
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            while !self.ask(&client) {
                waits.failed += 1;
                let is_gone = || std::net::TcpStream::connect(server).is_err();
                if due.elapsed() > PATIENCE || (end.load(Ordering::Relaxed) && is_gone()) {
                    waits.unanswered += 1;
                    waits.add(due.elapsed());
                    return waits;
                }
                std::thread::sleep(GAP / 2);
            }
            waits.add(due.elapsed());
        }
        waits
    }

    fn ask(self, client: &Client) -> bool {
        let answer = match self {
            Self::Push => client.post("/in/probe/pulse", b"1"),
            Self::Health => client.get("/healthz"),
        };
        answer.is_ok_and(|answer| (200..300).contains(&answer.status))
    }
}

impl Running {
    /// Ends the probe, once all due requests are answered.
    pub(crate) fn finish(self) -> Waits {
        self.end.store(true, Ordering::Relaxed);
        let mut all = Waits::default();
        for lane in self.lanes {
            let waits = lane.join().unwrap_or_default();
            all.micros.extend(waits.micros);
            all.failed += waits.failed;
            all.unanswered += waits.unanswered;
        }
        all
    }
}

impl Waits {
    fn add(&mut self, wait: Duration) {
        self.micros.push(u32::try_from(wait.as_micros()).unwrap_or(u32::MAX));
    }

    /// The 99th percentile of the waits, in milliseconds.
    pub(crate) fn p99_ms(&self) -> f64 {
        crate::figures::quantile_ms(&mut self.micros.clone(), 0.99)
    }

    /// The longest wait in milliseconds.
    pub(crate) fn longest_ms(&self) -> f64 {
        self.micros.iter().max().map_or(f64::NAN, |&micros| f64::from(micros) / 1e3)
    }
}
