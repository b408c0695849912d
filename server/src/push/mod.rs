//! `pulseboard push`: reads values from standard input, one a line, and pushes each as it comes.

mod outage;

use std::io::{BufRead, ErrorKind};
use std::sync::mpsc::{Receiver, sync_channel};

use shared::point::MAX_TEXT_LEN;
use shared::{Declared, Number, SeriesName};

use crate::clock;
use crate::ingest::MAX_BODY;
use crate::length::Keep;
use crate::terminal::Plain;
use crate::upload::{Sent, UploadError, Uploader};

/// Most lines in one push, and most that wait for one.
const GROUP: usize = 1_000;

/// What the lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// A number each, of a series of this kind where that is said.
    Numbers(Option<Declared>),
    /// A text each.
    Texts,
}

/// The kind that a word on the command line names.
///
/// # Errors
/// A message with the kinds that there are.
pub fn parse_kind(word: &str) -> Result<Declared, String> {
    Declared::of(word).ok_or_else(|| "there are gauge and counter".to_owned())
}

/// How it went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines that were pushed.
    pub pushed: u64,
    /// Lines that were not what they should be, each of which was named on standard error.
    pub wrong: u64,
}

/// Pushes each line to `series`, with the time at which it was read, until the input ends.
///
/// # Errors
/// [`UploadError`] where the server refuses, or cannot be reached for as long as `give_up` says.
pub fn run(
    input: impl BufRead + Send + 'static,
    series: SeriesName,
    lines: Lines,
    to: &str,
    give_up: Keep,
) -> Result<Summary, UploadError> {
    let (read, waiting) = sync_channel(GROUP);
    // A thread of its own, so that lines that come while a push is under way go together in the next.
    let reading = std::thread::spawn(move || {
        let mut wrong = 0;
        for (number, line) in (1_u64..).zip(input.lines()) {
            let parsed = match line {
                Ok(line) => parse(&line, &series, lines),
                // Bytes that are no text spoil one line; whatever else fails would fail again, for ever.
                Err(error) if error.kind() == ErrorKind::InvalidData => Err(error.to_string()),
                Err(error) => {
                    eprintln!("pulseboard: the input cannot be read after line {}: {}", number - 1, Plain(error));
                    wrong += 1;
                    break;
                }
            };
            match parsed {
                Ok(None) => {}
                Ok(Some(sent)) => {
                    if read.send(sent).is_err() {
                        break;
                    }
                }
                Err(message) => {
                    eprintln!("pulseboard: line {number}: {}", Plain(message));
                    wrong += 1;
                }
            }
        }
        wrong
    });
    let pushed = push_all(&waiting, &Uploader::new(to), give_up)?;
    let wrong = reading.join().unwrap_or_default();
    Ok(Summary { pushed, wrong })
}

fn parse(line: &str, series: &SeriesName, lines: Lines) -> Result<Option<Sent>, String> {
    let line = line.trim();
    if line.is_empty() {
        return Ok(None);
    }
    let sent = Sent { series: series.clone(), value: None, text: None, ts: Some(clock::now().wall), kind: None };
    match lines {
        Lines::Numbers(kind) => {
            let number = line.parse().ok().and_then(Number::new);
            let number = number.ok_or_else(|| format!("{line:?} is not a number; for a series of texts use --text"))?;
            Ok(Some(Sent { value: Some(number.get()), kind, ..sent }))
        }
        Lines::Texts if line.len() > MAX_TEXT_LEN => {
            Err(format!("{} bytes are too long; at most {MAX_TEXT_LEN}", line.len()))
        }
        Lines::Texts => Ok(Some(Sent { text: Some(line.to_owned()), ..sent })),
    }
}

fn push_all(waiting: &Receiver<Sent>, uploader: &Uploader, give_up: Keep) -> Result<u64, UploadError> {
    let run = getrandom::u64().unwrap_or_else(|_| clock::now().wall.0);
    let mut pushed = 0;
    while let Ok(first) = waiting.recv() {
        let mut points = vec![first];
        // Bounded by bytes too: a batch of long texts must stay under the limit of a body. JSON at most doubles a
        // text that has no control characters, and the longest is small beside what is left.
        let size =
            |points: &[Sent]| -> usize { points.iter().map(|s| s.text.as_ref().map_or(0, String::len) + 200).sum() };
        while points.len() < GROUP && size(&points) < MAX_BODY / 4 {
            let Ok(next) = waiting.try_recv() else { break };
            points.push(next);
        }
        outage::push_through(uploader, &points, &format!("push-{run:016x}-{pushed}"), give_up)?;
        pushed += points.len() as u64;
    }
    Ok(pushed)
}
