//! Pushes the pieces of a file, and finds out which lines the server stored.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ring::digest::{SHA256, digest};
use shared::Problem;

use super::pieces::Piece;
use super::settings::{ImportError, Settings};
use super::source::Format;

/// The first and the longest wait between two attempts.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A line that the server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// The number of the line in the file.
    pub(super) line: u64,
    /// The field, the expected value and the given value.
    pub(super) why: String,
}

/// The result of pushing a piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The number of lines that the server has.
    pub(super) stored: u64,
    /// The number of lines that it refused.
    pub(super) refused: u64,
    /// The refused lines that it named, in the order of the file. It names at most a thousand of one push.
    pub(super) named: Vec<Refused>,
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.stored += other.stored;
        self.refuse(other.refused, other.named);
    }

    /// Adds `count` refused lines. The server named only the lines in `named`.
    fn refuse(&mut self, count: u64, named: impl IntoIterator<Item = Refused>) {
        self.refused += count;
        self.named.extend(named);
        self.named.sort_by_key(|refused| refused.line);
    }
}

/// A client that pushes to one server.
pub(super) struct Sender {
    http: ureq::Agent,
    base: String,
    precision: String,
    give_up: Option<Duration>,
}

/// An answer with a status below 500.
struct Answer {
    status: u16,
    problem: Option<Problem>,
    text: String,
}

impl Sender {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            http: settings.server.http(),
            base: settings.server.url().to_owned(),
            precision: settings.precision.clone(),
            give_up: settings.give_up.ms().map(Duration::from_millis),
        }
    }

    /// Pushes a piece: all of it, or all but the lines that the server names as wrong.
    ///
    /// # Errors
    /// [`ImportError::Server`] if the server refuses it for another reason, or cannot be reached.
    pub(super) fn push(&self, format: Format, mut piece: Piece) -> Result<Outcome, ImportError> {
        let mut outcome = Outcome::default();
        loop {
            let lines = piece.lines.len() as u64;
            if lines == 0 {
                return Ok(outcome);
            }
            if piece.body_len() > format.most_bytes() {
                let why = format!("it has {} bytes; one push takes at most {}", piece.body_len(), format.most_bytes());
                outcome.add(self.push_halves(format, piece, why)?);
                return Ok(outcome);
            }
            let answer = self.post(format, &piece)?;
            let problem = answer.problem.as_ref();
            match answer.status {
                200..=299 => {
                    outcome.stored += lines;
                    return Ok(outcome);
                }
                // The push exceeds a limit of the server: points or rows.
                413 => {
                    outcome.add(self.push_halves(format, piece, answer.message())?);
                    return Ok(outcome);
                }
                // Of line protocol, the valid lines are stored ("partial write"); of other formats, nothing is.
                400 | 422 => {
                    let wrong = named(format, &piece, problem);
                    if wrong.is_empty() {
                        return Err(ImportError::Server { message: answer.message() });
                    }
                    let count = wrong.len() as u64;
                    if answer.status == 400 && format == Format::Lines {
                        let dropped = answer.dropped().unwrap_or(count).clamp(count, lines);
                        outcome.stored += lines - dropped;
                        outcome.refuse(dropped, wrong.into_values());
                        return Ok(outcome);
                    }
                    piece = piece.without(|at| wrong.contains_key(&at));
                    outcome.refuse(count, wrong.into_values());
                }
                _ => return Err(ImportError::Server { message: answer.message() }),
            }
        }
    }

    /// Pushes the two halves of a piece that is too large. A single line is refused, for the reason `why`.
    fn push_halves(&self, format: Format, piece: Piece, why: String) -> Result<Outcome, ImportError> {
        let mut outcome = Outcome::default();
        if let [(line, _)] = piece.lines[..] {
            outcome.refuse(1, [Refused { line, why }]);
            return Ok(outcome);
        }
        for half in piece.halves() {
            outcome.add(self.push(format, half)?);
        }
        Ok(outcome)
    }

    /// Sends a body until there is an answer with a status below 500 other than 429, or until `give_up` has passed.
    fn post(&self, format: Format, piece: &Piece) -> Result<Answer, ImportError> {
        let body = piece.body();
        let url = match format {
            Format::Lines => format!("{}/write?import=true&precision={}", self.base, self.precision),
            Format::Ndjson | Format::Csv => format!("{}/in?import=true", self.base),
        };
        let hash: String = digest(&SHA256, &body).as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        // The key includes the line number, so that a file may have the same lines twice.
        let line = piece.lines.first().map_or(0, |(number, _)| *number);
        let key = format!("import-{line}-{hash}");
        let begun = Instant::now();
        let mut wait = FIRST_WAIT;
        loop {
            let request = self.http.post(&url).header("Idempotency-Key", &key);
            let message = match request.content_type("application/octet-stream").send(&body) {
                Ok(mut response) => {
                    let status = response.status().as_u16();
                    let text = response.body_mut().read_to_string().unwrap_or_default();
                    let answer = Answer { status, problem: serde_json::from_str(&text).ok(), text };
                    if status < 500 && status != 429 {
                        return Ok(answer);
                    }
                    answer.message()
                }
                Err(error) => format!("cannot push to {url}: {error}"),
            };
            if self.give_up.is_some_and(|most| begun.elapsed() >= most) {
                return Err(ImportError::Server { message });
            }
            std::thread::sleep(wait);
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

impl Answer {
    /// Returns the number at the end of `partial write: … dropped=7`: of all lines that were not stored, also those that are
    /// not listed.
    fn dropped(&self) -> Option<u64> {
        self.problem.as_ref()?.detail.rsplit_once(" dropped=")?.1.parse().ok()
    }

    fn message(&self) -> String {
        let Self { status, problem, text } = self;
        match problem {
            Some(problem) => format!("the server answered {status}: {}", problem.detail),
            None => format!("the server answered {status}: {}", text.chars().take(200).collect::<String>()),
        }
    }
}

/// Finds the lines of a piece that a problem names, by their place in the piece. The server counts the lines of the
/// body, including line breaks within a text.
fn named(format: Format, piece: &Piece, problem: Option<&Problem>) -> BTreeMap<usize, Refused> {
    let errors = problem.map_or(&[][..], |problem| &problem.errors);
    let mut first = 1;
    let mut begins: Vec<usize> = Vec::with_capacity(piece.lines.len());
    for (_, line) in &piece.lines {
        begins.push(first);
        first += 1 + line_breaks(format, line);
    }
    let mut found = BTreeMap::new();
    for error in errors {
        let Some(line) = error.line else { continue };
        let at = begins.partition_point(|&begin| begin <= line);
        let Some((at, (number, _))) = at.checked_sub(1).and_then(|at| Some((at, piece.lines.get(at)?))) else {
            continue;
        };
        let why = format!("{}: expected {}, got {}", error.field, error.expected, error.got);
        found.entry(at).or_insert(Refused { line: *number, why });
    }
    found
}

/// Counts the ends of lines within a line as the server does: in line protocol a CR ends one too.
fn line_breaks(format: Format, line: &[u8]) -> usize {
    let is_end = |at: &usize| match line[*at] {
        b'\n' => true,
        b'\r' => format == Format::Lines && line.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    (0..line.len()).filter(is_end).count()
}
