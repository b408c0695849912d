//! Waits of another client: a push every 20 ms, each on a connection of its own as curl has it, and as many requests
//! of `/healthz`. Several threads take turns, so that one that waits does not keep the next from being sent.

use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::client::{Client, OTHER};

/// From one request to the next.
const GAP: Duration = Duration::from_millis(20);

/// Threads of a probe.
const LANES: u32 = 16;

/// Time for which a request is repeated before it counts as never answered.
const PATIENCE: Duration = Duration::from_secs(30);

/// The request of a probe.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Probe {
    /// Pushes a point.
    Push,
    /// Asks `/healthz`.
    Health,
}

/// A probe that runs.
pub(crate) struct Running {
    end: Arc<AtomicBool>,
    lanes: Vec<JoinHandle<Waits>>,
}

/// Waits of the requests of a probe, from when each was due until it succeeded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waits {
    micros: Vec<u32>,
    /// Requests that failed and were repeated.
    pub(crate) failed: u64,
    /// Requests that never succeeded.
    pub(crate) unanswered: u64,
}

impl Probe {
    /// Starts it.
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
            // Those that were due before the end are still sent: they were kept waiting.
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
    /// Ends it, once all that was due is answered.
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

    /// The wait below which 99 of 100 are, in milliseconds.
    pub(crate) fn p99_ms(&self) -> f64 {
        crate::figures::quantile_ms(&mut self.micros.clone(), 0.99)
    }

    /// The longest wait, in milliseconds.
    pub(crate) fn longest_ms(&self) -> f64 {
        self.micros.iter().max().map_or(f64::NAN, |&micros| f64::from(micros) / 1e3)
    }
}
