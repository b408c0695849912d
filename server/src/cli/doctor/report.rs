//! Prints the findings for people.

use std::io::{self, Write};

use shared::doctor::{Check, Finding, Level, Measurements, Mend};

/// Columns of text beside the word of the check.
const WIDTH: usize = 96;

/// The column where the text begins.
const INDENT: usize = 23;

pub(super) fn print(measured: &Measurements, findings: &[Finding], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "The way to {}\n", measured.base)?;
    for finding in findings {
        let (shape, word) = sign(finding.level);
        writeln!(out, "  {shape} {word:4}  {:11}  {}", finding.check.word(), finding.what)?;
        for line in wrap(&finding.why) {
            writeln!(out, "{:INDENT$}{line}", "")?;
        }
        // If a proxy names itself, its instructions come first, and are enough for people.
        let shown = if measured.proxy().is_some() { 1 } else { finding.mend.len() };
        for mend in finding.mend.iter().take(shown) {
            print_mend(mend, out)?;
        }
    }
    if !findings.iter().any(|finding| finding.check == Check::Idle) && findings.len() > 1 {
        writeln!(out, "\nNot looked at: whether a silent stream stays open. --idle 20 is silent for 20 seconds.")?;
    }
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let verdict = match (count(Level::Fail), count(Level::Warn)) {
        (0, 0) => "All is well.".to_owned(),
        (0, warn) => format!("The stream flows; {warn} could be better."),
        (fail, 0) => format!("{fail} broken."),
        (fail, warn) => format!("{fail} broken, {warn} could be better."),
    };
    writeln!(out, "\n{verdict}")
}

fn print_mend(mend: &Mend, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{:INDENT$}{:8} {}", "", mend.proxy.name(), mend.place)?;
    for line in &mend.lines {
        writeln!(out, "{:INDENT$}{:8}   {line}", "", "")?;
    }
    Ok(())
}

/// A symbol and a word, so that no colour is needed.
fn sign(level: Level) -> (char, &'static str) {
    match level {
        Level::Ok => ('✓', "ok"),
        Level::Warn => ('▲', "warn"),
        Level::Fail => ('✗', "fail"),
    }
}

fn wrap(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
