//! Many readers of streams, in several processes, each with its own loopback address: a process may have at most
//! 20,000 open files, and an address at most 28,000 ports.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::ops::Range;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::clock::Schedule;
use super::reading::{Habit, THERE};

/// The most readers of a process.
const OF_A_PROCESS: usize = 5_000;

/// Running readers.
pub(crate) struct Readers {
    processes: Vec<Process>,
    /// The time until each reader had the head of its answer.
    pub(crate) connected_in: Duration,
}

/// The events that the readers received.
#[derive(Default)]
pub(crate) struct Heard {
    /// The number of events, over all readers.
    pub(crate) events: u64,
    /// The number of readers that did not receive every event from the first to the last.
    pub(crate) short: u64,
    /// The delay of each event after its due time in microseconds, if there is a schedule.
    pub(crate) latencies: Vec<u32>,
}

struct Process {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Readers {
    /// Connects `count` readers to `path` at once, and waits until each has the head of its answer. `{}` in the path
    /// stands for the number of the reader, so that each can read something else.
    pub(crate) fn connect(addr: SocketAddr, path: &str, count: usize, habit: Habit) -> anyhow::Result<Self> {
        let mut processes = Vec::new();
        for first in (0..count).step_by(OF_A_PROCESS) {
            processes.push(Process::start(addr, path, first..count.min(first + OF_A_PROCESS), habit)?);
        }
        // Waits until each process is ready, so that only connecting is timed.
        for process in &mut processes {
            process.hear()?;
        }
        let begun = Instant::now();
        for process in &mut processes {
            process.say("connect")?;
        }
        for process in &mut processes {
            let said = process.hear()?;
            anyhow::ensure!(said == THERE, "not all readers got an answer: {said}");
        }
        Ok(Self { processes, connected_in: begun.elapsed() })
    }

    /// Announces the due time of each event to the readers.
    pub(crate) fn expect(&mut self, schedule: Schedule) -> anyhow::Result<()> {
        let line = format!("schedule {} {}", schedule.start.0, schedule.gap.as_nanos());
        self.processes.iter_mut().try_for_each(|process| process.say(&line))
    }

    /// Waits until every reader has event `last`, or until `patience` is over. Returns the received events.
    pub(crate) fn finish(mut self, last: u64, patience: Duration) -> anyhow::Result<Heard> {
        for process in &mut self.processes {
            process.say(&format!("last {last} {}", patience.as_millis()))?;
        }
        let mut heard = Heard::default();
        for process in &mut self.processes {
            process.report(&mut heard)?;
        }
        Ok(heard)
    }
}

impl Process {
    fn start(addr: SocketAddr, path: &str, readers: Range<usize>, habit: Habit) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["readers", "--addr", &addr.to_string(), "--path", path])
            .args(["--first", &readers.start.to_string(), "--count", &readers.len().to_string()])
            .args(["--habit", habit.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a process of readers")?;
        let to = child.stdin.take().context("it has no input")?;
        let from = BufReader::new(child.stdout.take().context("it has no output")?);
        Ok(Self { child, to, from })
    }

    fn say(&mut self, line: &str) -> anyhow::Result<()> {
        writeln!(self.to, "{line}").context("a process of readers has ended")
    }

    fn hear(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        anyhow::ensure!(!line.is_empty(), "a process of readers has ended");
        Ok(line.trim().to_owned())
    }

    /// Reads the report that [`super::reading::run`] wrote: three numbers, and then the latencies.
    fn report(&mut self, heard: &mut Heard) -> anyhow::Result<()> {
        let line = self.hear()?;
        let mut numbers = line.split(' ').map(str::parse::<u64>);
        let mut number = || numbers.next().and_then(Result::ok).with_context(|| format!("the readers said {line:?}"));
        heard.events += number()?;
        heard.short += number()?;
        let mut bytes = vec![0; usize::try_from(number()?)? * 4];
        self.from.read_exact(&mut bytes)?;
        let (latencies, _) = bytes.as_chunks::<4>();
        heard.latencies.extend(latencies.iter().map(|&bytes| u32::from_le_bytes(bytes)));
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
