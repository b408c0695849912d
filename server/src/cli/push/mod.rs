//! `pulseboard push`: reads values from standard input, one per line, and pushes each as it comes. `outage` retries
//! while the server cannot be reached.

mod outage;

use std::io::{BufRead, ErrorKind};
use std::sync::mpsc::{Receiver, sync_channel};

use shared::point::MAX_TEXT_LEN;
use shared::{Declared, Number, SeriesName};

use crate::cli::server::Server;
use crate::cli::upload::{Sent, UploadError, Uploader};
use crate::clock;
use crate::config::duration::Keep;
use crate::ingest::MAX_BODY;
use crate::plain_text::Plain;

/// Maximum number of lines in one push, and of lines that wait for the next one.
const GROUP: usize = 1_000;

/// The content of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// A number each; the type of the series, if it is declared.
    Numbers(Option<Declared>),
    /// A text each.
    Texts,
}

/// Parses the metric type on the command line.
///
/// # Errors
/// A message with the types.
pub fn parse_kind(word: &str) -> Result<Declared, String> {
    Declared::of(word).ok_or_else(|| "there are gauge and counter".to_owned())
}

/// The result of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines that were pushed.
    pub pushed: u64,
    /// Lines that were not valid. Each was reported on standard error.
    pub wrong: u64,
}

/// Pushes each line to `series`, with the time at which it was read, until the input ends.
///
/// # Errors
/// [`UploadError`] where the server refuses a push, or cannot be reached for as long as `give_up` says.
pub fn run(
    input: impl BufRead + Send + 'static,
    series: SeriesName,
    lines: Lines,
    server: &Server,
    give_up: Keep,
) -> Result<Summary, UploadError> {
    let (read, waiting) = sync_channel(GROUP);
    // A thread of its own, so that the lines that come during a push go together into the next one.
    let reading = std::thread::spawn(move || {
        let mut wrong = 0;
        for (number, line) in (1_u64..).zip(input.lines()) {
            let parsed = match line {
                Ok(line) => parse(&line, &series, lines),
                // Bytes that are not UTF-8 spoil one line; any other error would come again, for ever.
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
    let pushed = push_all(&waiting, &Uploader::new(server), give_up)?;
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
        // Bounded by bytes too: a batch of long texts must stay under the limit of a body. JSON at most doubles a text
        // that has no control characters, and the longest text is small compared with the remaining space.
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
