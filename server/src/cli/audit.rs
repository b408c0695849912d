//! `pulseboard audit`: prints the audit log of a server.

use std::io::Write;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::remote::{CallError, Collection};
use crate::cli::server::Server;
use crate::plain_text::Plain;
use crate::store::audit::{MAX_READ, StoredEvent};

/// Failure of the command.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The server refused the request, or cannot be reached.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The output cannot be written.
    #[error("cannot write: {0}")]
    Output(#[from] std::io::Error),
}

/// The form in which events are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A line for each event, and its details indented below.
    Text,
    /// A line of JSON for each event.
    JsonLines,
}

/// Prints the newest `most` events, the oldest first. Text of others is escaped, so that it cannot change the terminal or
/// forge a line.
///
/// # Errors
/// [`AuditError`].
pub fn run(server: &Server, most: usize, form: Form, out: &mut impl Write) -> Result<(), AuditError> {
    let collection = Collection::new(server, "/api/audit");
    let mut pages = Vec::new();
    let (mut left, mut before) = (most, None);
    while left > 0 {
        let page = read_page(&collection, left.min(MAX_READ), before)?;
        before = page.first().map(|(_, event)| event.id);
        left = if page.len() < left.min(MAX_READ) { 0 } else { left - page.len() };
        pages.push(page);
    }
    for (line, event) in pages.into_iter().rev().flatten() {
        match form {
            // The escapes are those of JSON.
            Form::JsonLines => writeln!(out, "{}", Plain(line))?,
            Form::Text => write_event(&event, out)?,
        }
    }
    Ok(out.flush()?)
}

fn read_page(
    collection: &Collection,
    most: usize,
    before: Option<u64>,
) -> Result<Vec<(String, StoredEvent)>, AuditError> {
    let before = before.map(|before| format!("&before={before}")).unwrap_or_default();
    let url = format!("{}?limit={most}{before}", collection.url);
    let answer = collection.read(collection.http.get(url).call())?;
    let text = String::from_utf8_lossy(answer.body());
    let read = |line: &str| {
        let event = serde_json::from_str(line).map_err(|error| collection.unavailable(error.to_string()))?;
        Ok((line.to_owned(), event))
    };
    text.lines().map(read).collect()
}

fn write_event(StoredEvent { event, .. }: &StoredEvent, out: &mut impl Write) -> std::io::Result<()> {
    let seconds = i64::try_from(event.at.0 / 1_000).unwrap_or_default();
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|time| time.format(&Rfc3339).ok());
    let from = event.from.map_or_else(|| "-".to_owned(), |from| from.to_string());
    let (time, action) = (time.unwrap_or_default(), event.action.word());
    writeln!(out, "{time}\t{}\t{from}\t{action}\t{}", Plain(&event.who), Plain(&event.object))?;
    event.detail.lines().try_for_each(|line| writeln!(out, "    {}", Plain(line)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{AuditAction, AuditEvent};
    use shared::Millis;

    #[test]
    fn text_of_others_forges_no_line() {
        let detail = "a\u{1b}[2J\nb\r2026-01-01T00:00:00Z\tuser root";
        let event = AuditEvent::new(Millis(0), "user ann", None, AuditAction::Refused, "x\ny", detail);
        let mut out = Vec::new();
        write_event(&StoredEvent { id: 1, event }, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0], "1970-01-01T00:00:00Z\tuser ann\t-\trefused\tx\\u000ay");
        assert!(lines[1..].iter().all(|line| line.starts_with("    ")) && !text.contains(['\u{1b}', '\r']));
    }
}
