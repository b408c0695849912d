//! The outcome of a scenario, and its rows in the tables.

use std::collections::BTreeMap;

use super::probe::Waits;

/// The most milliseconds that 99 of 100 pushes of another client may wait during an attack.
const PUSH_MS: f64 = 250.0;

/// The most MiB above rest that the server may take during an attack.
const MEMORY_MIB: u64 = 512;

/// Measurements during an attack.
#[derive(Debug)]
pub(crate) struct Measured {
    /// The memory before the attack, in KiB.
    pub(crate) rest: u64,
    /// The greatest memory during the attack, in KiB.
    pub(crate) peak: u64,
    /// The waits of another client's pushes, if it pushed.
    pub(crate) push: Option<Waits>,
    /// The waits of another client's requests of `/healthz`.
    pub(crate) health: Waits,
    /// The answers to the attacker, counted by kind.
    pub(crate) answers: BTreeMap<String, u64>,
    /// The exit of the server, if it ended.
    pub(crate) ended: Option<String>,
}

/// A check: an expected result, and the result that was found.
#[derive(Debug)]
pub(crate) struct Check {
    /// The expected result.
    pub(crate) expected: String,
    /// The result that was found.
    pub(crate) found: String,
    /// True if the result is as expected.
    pub(crate) held: bool,
}

impl Check {
    /// Makes a check.
    pub(crate) fn new(expected: impl Into<String>, held: bool, found: impl Into<String>) -> Self {
        Self { expected: expected.into(), found: found.into(), held }
    }
}

/// The outcome of a scenario.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The measurements, if the scenario has an attack.
    pub(crate) measured: Option<Measured>,
    /// Further checks.
    pub(crate) checks: Vec<Check>,
}

impl Outcome {
    /// Makes an outcome with measurements only.
    pub(crate) fn of(measured: Measured) -> Self {
        Self { measured: Some(measured), checks: Vec::new() }
    }

    /// Adds a check.
    #[must_use]
    pub(crate) fn and(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    /// Returns true if the server lives, every request of the other client was answered, memory stayed in bounds, and
    /// all checks hold. None of this depends on the speed of the machine.
    pub(crate) fn is_sound(&self) -> bool {
        self.checks.iter().all(|check| check.held) && self.measured.as_ref().is_none_or(Measured::is_sound)
    }

    /// Returns true if, in addition, the pushes of the other client did not wait too long.
    pub(crate) fn held(&self) -> bool {
        self.is_sound()
            && self
                .measured
                .as_ref()
                .and_then(|measured| measured.push.as_ref())
                .is_none_or(|push| push.p99_ms() < PUSH_MS)
    }

    /// Describes all checks.
    fn checked(&self) -> String {
        let said = self.checks.iter().map(|check| format!("{}: {}", check.expected, check.found));
        said.collect::<Vec<_>>().join("; ")
    }

    /// Describes the checks that do not hold.
    pub(crate) fn broken(&self) -> Vec<String> {
        let broken = self.checks.iter().filter(|check| !check.held);
        broken.map(|check| format!("expected {}, found {}", check.expected, check.found)).collect()
    }
}

impl Measured {
    fn is_sound(&self) -> bool {
        self.ended.is_none()
            && self.push.as_ref().is_none_or(|push| push.unanswered == 0)
            && self.health.unanswered == 0
            && self.above_rest_mib() < MEMORY_MIB
    }

    /// The memory above rest, in MiB.
    pub(crate) fn above_rest_mib(&self) -> u64 {
        self.peak.saturating_sub(self.rest) >> 10
    }

    /// Formats the answers as `204: 17, 503: 2`.
    pub(crate) fn answers(&self) -> String {
        let all: Vec<String> = self.answers.iter().map(|(kind, count)| format!("{kind}: {count}")).collect();
        if all.is_empty() { "–".to_owned() } else { all.join(", ") }
    }
}

/// The head of the table of attacks.
pub(crate) const ATTACKS: &str = "| item | attack | memory above rest, MiB | push p99, ms | longest push, s | longest `/healthz`, s | answers to the attacker | held |\n| --- | --- | ---: | ---: | ---: | ---: | --- | --- |\n";

/// The head of the table of faults.
pub(crate) const FAULTS: &str = "| item | fault | expected | found | held |\n| --- | --- | --- | --- | --- |\n";

/// A row of the table of attacks.
pub(crate) fn attack_row(item: &str, what: &str, outcome: &anyhow::Result<Outcome>) -> String {
    let held = |held: bool| if held { "yes" } else { "**no**" };
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            return format!(
                "| {item} | {what} | – | – | – | – | not run: {} | **no** |\n",
                cell(&format!("{error:#}"))
            );
        }
    };
    let Some(measured) = &outcome.measured else {
        return format!(
            "| {item} | {what} | – | – | – | – | {} | {} |\n",
            cell(&outcome.checked()),
            held(outcome.held())
        );
    };
    let seconds = |waits: &Waits| {
        let longest = format!("{:.2}", waits.longest_ms() / 1e3);
        if waits.unanswered == 0 { longest } else { format!("{longest}, and no answer") }
    };
    let mut said = measured.answers();
    if let Some(end) = &measured.ended {
        said.push_str(&format!("; **the server ended ({end})**"));
    }
    for broken in outcome.broken() {
        said.push_str(&format!("; {broken}"));
    }
    format!(
        "| {item} | {what} | {} | {} | {} | {} | {} | {} |\n",
        measured.above_rest_mib(),
        measured.push.as_ref().map_or("–".to_owned(), |push| format!("{:.0}", push.p99_ms())),
        measured.push.as_ref().map_or("–".to_owned(), seconds),
        seconds(&measured.health),
        cell(&said),
        held(outcome.held()),
    )
}

/// The rows of the table of faults, one for each check.
pub(crate) fn fault_rows(item: &str, what: &str, outcome: &anyhow::Result<Outcome>) -> String {
    let checks = match outcome {
        Ok(outcome) => &outcome.checks,
        Err(error) => {
            return format!("| {item} | {what} | it can be tried | {} | **no** |\n", cell(&format!("{error:#}")));
        }
    };
    let row = |check: &Check| {
        let held = if check.held { "yes" } else { "**no**" };
        format!("| {item} | {what} | {} | {} | {held} |\n", cell(&check.expected), cell(&check.found))
    };
    checks.iter().map(row).collect()
}

/// Makes a text fit a table cell: one line, at most 300 characters.
fn cell(text: &str) -> String {
    let text: String = text.replace(['\n', '\r'], " ").replace('|', "/");
    if text.chars().count() <= 300 { text } else { text.chars().take(300).chain(['…']).collect() }
}
