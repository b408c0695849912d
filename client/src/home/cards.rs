//! The boards to list: boards with a document, and boards that follow from the names of series.

use serde_json::Value;
use shared::board::Level;
use shared::board::keyword::Keyword as _;
use shared::point::Kind;
use shared::reading::BoardState;
use shared::{BoardId, Millis, SeriesName};

/// A series of `GET /api/series`, with the fields that this page needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Name of the series.
    pub name: SeriesName,
    /// Kind of its points: numbers or texts.
    pub kind: Kind,
    /// Time of its newest point.
    pub ts: Millis,
}

// Entries are read from JSON values: a derived parser for each type would be a large part of this page's code.

impl Listed {
    /// Reads one entry of the list. Returns `None` where it is malformed.
    #[must_use]
    pub fn of(entry: &Value) -> Option<Self> {
        let kind = if text(entry, "kind")? == "text" { Kind::Text } else { Kind::Number };
        Some(Self { name: text(entry, "name")?.parse().ok()?, kind, ts: Millis(entry.get("ts")?.as_u64()?) })
    }
}

/// Reads all well-formed entries of a list. Returns `None` where `list` is not an array.
#[must_use]
pub fn entries<T>(list: &Value, of: fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    Some(list.as_array()?.iter().filter_map(of).collect())
}

/// Returns a number of things, which is absent where there are none.
fn count(entry: &Value, key: &str) -> usize {
    entry.get(key).and_then(Value::as_u64).and_then(|count| count.try_into().ok()).unwrap_or_default()
}

fn text<'a>(entry: &'a Value, key: &str) -> Option<&'a str> {
    entry.get(key)?.as_str()
}

/// A board as one card of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Id of the board.
    pub board: BoardId,
    /// Title of a stored board, or its id where it has no title. `None` for a board that is not stored.
    pub title: Option<String>,
    /// Number of series that it shows.
    pub count: usize,
    /// Time of the newest point of any of its series; `None` where it shows none.
    pub last: Option<Millis>,
    /// Level and number of stale series, and of unknown levels.
    pub state: BoardState,
}

impl Card {
    /// Reads one entry of `GET /api/overview`. Returns `None` where it is malformed.
    #[must_use]
    pub fn of(entry: &Value) -> Option<Self> {
        Some(Self {
            board: text(entry, "id")?.parse().ok()?,
            title: text(entry, "title").map(str::to_owned),
            count: usize::try_from(entry.get("series")?.as_u64()?).ok()?,
            last: entry.get("last").and_then(Value::as_u64).map(Millis),
            state: BoardState {
                level: text(entry, "level").and_then(Level::of),
                stale: count(entry, "stale"),
                unknown: count(entry, "unknown"),
            },
        })
    }

    /// The title, or the id of a board without one.
    #[must_use]
    pub fn name(&self) -> String {
        self.title.clone().unwrap_or_else(|| self.board.to_string())
    }

    /// The id, with a space before it, of a board whose title is another: the id is in its address. Empty otherwise.
    #[must_use]
    pub fn address(&self) -> String {
        if self.name() == self.board.as_str() { String::new() } else { format!(" {}", self.board) }
    }

    /// The number of series, in words.
    #[must_use]
    pub fn series_count(&self) -> String {
        if self.count == 1 { "1 series".to_owned() } else { format!("{} series", self.count) }
    }

    /// True if all searched words are in the id or title.
    #[must_use]
    pub fn fits(&self, searched: &str) -> bool {
        let known = format!("{} {}", self.board, self.title.as_deref().unwrap_or_default()).to_ascii_lowercase();
        searched.to_ascii_lowercase().split_whitespace().all(|word| known.contains(word))
    }
}

/// The answer of `GET /api/overview`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// A card for each board, sorted by id.
    pub cards: Vec<Card>,
    /// The number of boards that are not listed.
    pub left_out: u64,
}

impl Overview {
    /// Reads the answer. Returns `None` where it is malformed.
    #[must_use]
    pub fn of(answer: &Value) -> Option<Self> {
        Some(Self { cards: entries(answer.get("boards")?, Card::of)?, left_out: answer.get("left_out")?.as_u64()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn boards_are_read_with_and_without_a_document() {
        let answer = json!({
            "boards": [
                {"id": "ops", "title": "Operations", "series": 2, "last": 10, "level": "bad", "stale": 2},
                {"id": "shop", "series": 1, "last": 5},
                {"id": "wall", "title": "wall", "series": 0},
                {"id": "not an id", "series": 1}
            ],
            "left_out": 3
        });
        let Overview { cards, left_out } = Overview::of(&answer).unwrap();
        let summaries: Vec<_> =
            cards.iter().map(|card| (card.name(), card.count, card.last.map(|last| last.0))).collect();
        let wanted = [("Operations", 2, Some(10)), ("shop", 1, Some(5)), ("wall", 0, None)];
        assert_eq!(summaries, wanted.map(|(name, count, last)| (name.to_owned(), count, last)));
        assert_eq!(cards[0].state, BoardState { level: Some(Level::Bad), stale: 2, unknown: 0 });
        assert_eq!(cards[1].state.words(), "");
        assert_eq!((left_out, cards[0].address(), cards[1].address()), (3, " ops".to_owned(), String::new()));
        assert!(cards[0].fits("oper OPS") && !cards[1].fits("oper") && cards[1].fits(" "));
        assert_eq!(Overview::of(&json!([])), None);
    }
}
