//! The boards to list: stored boards, and boards that follow from the names of series.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::point::Kind;
use shared::{BoardId, Millis, Selector, SeriesName};

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

/// A stored board, as `GET /api/boards` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Id of the board.
    pub id: BoardId,
    /// Title, if the document has one.
    pub title: Option<String>,
    /// Selectors of the series that it shows.
    pub series: Vec<Selector>,
}

// Both types are read from JSON values: a derived parser for each would be a large part of this page's code.

impl Listed {
    /// Reads one entry of the list. Returns `None` where it is malformed.
    #[must_use]
    pub fn of(entry: &Value) -> Option<Self> {
        let kind = if text(entry, "kind")? == "text" { Kind::Text } else { Kind::Number };
        Some(Self { name: text(entry, "name")?.parse().ok()?, kind, ts: Millis(entry.get("ts")?.as_u64()?) })
    }
}

impl Made {
    /// Reads one entry of the list. Returns `None` where it is malformed.
    #[must_use]
    pub fn of(entry: &Value) -> Option<Self> {
        let series = entry.get("series").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let series = series.iter().filter_map(|selector| selector.as_str()?.parse().ok()).collect();
        Some(Self { id: text(entry, "id")?.parse().ok()?, title: text(entry, "title").map(str::to_owned), series })
    }
}

/// Reads all well-formed entries of a list. Returns `None` where `list` is not an array.
#[must_use]
pub fn entries<T>(list: &Value, of: fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    Some(list.as_array()?.iter().filter_map(of).collect())
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
}

impl Card {
    fn of(board: BoardId) -> Self {
        Self { board, title: None, count: 0, last: None }
    }

    fn see(&mut self, series: &Listed) {
        self.count += 1;
        self.last = self.last.max(Some(series.ts));
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

/// Makes a card for each stored board, and for each first segment of a series' name that no stored board has as its
/// id. Sorted by id.
#[must_use]
pub fn cards(listed: &[Listed], made: Vec<Made>) -> Vec<Card> {
    let mut boards: BTreeMap<BoardId, Card> = BTreeMap::new();
    let ids: Vec<_> = made.iter().map(|board| board.id.clone()).collect();
    for Made { id, title, series } in made {
        let mut card = Card::of(id.clone());
        card.title = Some(title.unwrap_or_else(|| id.to_string()));
        let shown = listed.iter().filter(|known| series.iter().any(|selector| selector.matches(&known.name)));
        shown.for_each(|known| card.see(known));
        boards.insert(id, card);
    }
    for known in listed {
        let board = known.name.home_board();
        if !ids.contains(&board) {
            boards.entry(board.clone()).or_insert_with(|| Card::of(board)).see(known);
        }
    }
    boards.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed() -> Vec<Listed> {
        let listed = r#"[
            {"name":"shop/orders","kind":"number","value":2,"ts":5},
            {"name":"ops/temp","kind":"number","value":42.5,"ts":10},
            {"name":"ops/deploy","kind":"text","text":"deploying","ts":30},
            {"name":"ops","kind":"number","value":1,"ts":20}
        ]"#;
        entries(&serde_json::from_str(listed).unwrap(), Listed::of).unwrap()
    }

    fn summaries(cards: &[Card]) -> Vec<(&str, usize, Option<u64>)> {
        cards.iter().map(|card| (card.board.as_str(), card.count, card.last.map(|last| last.0))).collect()
    }

    #[test]
    fn each_first_segment_is_a_board() {
        let cards = cards(&listed(), vec![]);
        assert_eq!(summaries(&cards), [("ops", 3, Some(30)), ("shop", 1, Some(5))]);
    }

    #[test]
    fn a_board_that_somebody_made_counts_what_it_shows_and_stands_for_its_name() {
        let made = r#"[
            {"id":"ops","title":"Operations","series":["shop/*","ops/temp"],"etag":"x","origin":"stored","changed":1},
            {"id":"wall","series":[]}
        ]"#;
        let cards = cards(&listed(), entries(&serde_json::from_str(made).unwrap(), Made::of).unwrap());
        assert_eq!(summaries(&cards), [("ops", 2, Some(10)), ("shop", 1, Some(5)), ("wall", 0, None)]);
        let titles: Vec<_> = cards.iter().map(|card| card.title.as_deref()).collect();
        assert_eq!(titles, [Some("Operations"), None, Some("wall")]);
        assert!(cards[0].fits("oper OPS") && !cards[1].fits("oper") && cards[1].fits(" "));
    }
}
