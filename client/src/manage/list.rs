//! Reads the lists of the panels. All texts in them are untrusted: they are shown as text, never as markup.

use serde_json::Value;
use shared::SeriesName;

/// A rejected push, as `GET /api/rejected` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Time of the rejection, in milliseconds since 1970.
    pub ts: u64,
    /// Address of the sender, and the address that a proxy forwarded for.
    pub sender: String,
    /// Method, path and status of the answer.
    pub request: String,
    /// Reason, in words.
    pub detail: String,
    /// Number of the first wrong line, if the body has lines.
    pub line: Option<u64>,
    /// Beginning of that line, or of the body.
    pub text: String,
}

/// The rejected pushes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbox {
    /// Number of rejected pushes since the server started.
    pub total: u64,
    /// The last of them, newest first.
    pub rejected: Vec<Rejected>,
}

impl Inbox {
    /// Reads the answer. Returns `None` where it is malformed.
    #[must_use]
    pub fn of(answer: &Value) -> Option<Self> {
        let rejected = answer.get("rejected")?.as_array()?.iter().filter_map(Rejected::of).collect();
        Some(Self { total: answer.get("total")?.as_u64()?, rejected })
    }

    /// Returns the pushes, newest first, each with its number since the server started. It keeps its number when others
    /// are rejected.
    #[must_use]
    pub fn numbered(&self) -> Vec<(u64, Rejected)> {
        (0..)
            .zip(&self.rejected)
            .map(|(newer, rejected)| (self.total.saturating_sub(newer), rejected.clone()))
            .collect()
    }
}

impl Rejected {
    fn of(entry: &Value) -> Option<Self> {
        let sender = text(entry, "sender").unwrap_or("an unknown address");
        let sender = match text(entry, "forwarded_for") {
            Some(behind) => format!("{sender} (for {behind})"),
            None => sender.to_owned(),
        };
        let status = entry.get("status")?.as_u64()?;
        Some(Self {
            ts: entry.get("ts")?.as_u64()?,
            sender,
            request: format!("{} {} → {status}", text(entry, "method")?, text(entry, "path")?),
            detail: text(entry, "detail")?.to_owned(),
            line: entry.get("line").and_then(Value::as_u64),
            text: text(entry, "text").unwrap_or_default().to_owned(),
        })
    }
}

/// A series, as `GET /api/series` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Name of the series.
    pub name: SeriesName,
    /// Newest value or text.
    pub newest: String,
}

impl Listed {
    /// Reads one entry. Returns `None` where it is malformed.
    #[must_use]
    pub fn of(entry: &Value) -> Option<Self> {
        let newest = match entry.get("value") {
            Some(value) => value.to_string(),
            None => text(entry, "text")?.to_owned(),
        };
        Some(Self { name: text(entry, "name")?.parse().ok()?, newest })
    }
}

fn text<'a>(entry: &'a Value, key: &str) -> Option<&'a str> {
    entry.get(key)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn refused_push_is_read_with_what_is_known_of_it() {
        let whole = json!({
            "ts": 17, "sender": "10.0.0.7", "forwarded_for": "203.0.113.9", "method": "POST", "path": "/in", "status": 422,
            "reason": "value", "detail": "value: expected a number", "line": 2, "text": "<b>"
        });
        let bare = json!({"ts": 18, "method": "GET", "path": "/in/a", "status": 403, "reason": "x", "detail": "no"});
        let inbox = Inbox::of(&json!({"total": 7, "rejected": [whole, bare, {"ts": 1}]})).unwrap();
        assert_eq!((inbox.total, inbox.rejected.len()), (7, 2));
        let first = &inbox.rejected[0];
        assert_eq!((first.sender.as_str(), first.request.as_str()), ("10.0.0.7 (for 203.0.113.9)", "POST /in → 422"));
        assert_eq!((first.line, first.text.as_str()), (Some(2), "<b>"));
        assert_eq!(inbox.rejected[1].sender, "an unknown address");
        assert_eq!(Inbox::of(&json!([])), None);
    }

    #[test]
    fn series_is_read_with_its_newest_value_or_text() {
        let newest = |entry| Listed::of(&entry).map(|listed| listed.newest);
        assert_eq!(newest(json!({"name": "a/b", "value": 1.5})).as_deref(), Some("1.5"));
        assert_eq!(newest(json!({"name": "a/b", "text": "up"})).as_deref(), Some("up"));
        assert_eq!(newest(json!({"name": "a b", "value": 1})), None);
        assert_eq!(newest(json!({"name": "a"})), None);
    }
}
