//! The boards that there are: those that somebody made, and those that the list of series makes.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::point::Kind;
use shared::{BoardId, Millis, Selector, SeriesName};

/// A series as `GET /api/series` lists it, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: SeriesName,
    /// What it holds.
    pub kind: Kind,
    /// When its newest point was.
    pub ts: Millis,
}

/// A board that somebody made, as `GET /api/boards` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Which board.
    pub id: BoardId,
    /// What it is called.
    pub title: Option<String>,
    /// What it shows.
    pub series: Vec<Selector>,
}

// Both are read from values: a parser of its own for each would be a good part of this page.

impl Listed {
    /// One entry of the list; nothing where it is none.
    #[must_use]
    pub fn of(entry: &Value) -> Option<Self> {
        let kind = if text(entry, "kind")? == "text" { Kind::Text } else { Kind::Number };
        Some(Self { name: text(entry, "name")?.parse().ok()?, kind, ts: Millis(entry.get("ts")?.as_u64()?) })
    }
}

impl Made {
    /// One entry of the list; nothing where it is none.
    #[must_use]
    pub fn of(entry: &Value) -> Option<Self> {
        let series = entry.get("series").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let series = series.iter().filter_map(|selector| selector.as_str()?.parse().ok()).collect();
        Some(Self { id: text(entry, "id")?.parse().ok()?, title: text(entry, "title").map(str::to_owned), series })
    }
}

/// All entries of a list that can be made out; nothing where it is no list.
#[must_use]
pub fn entries<T>(list: &Value, of: fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    Some(list.as_array()?.iter().filter_map(of).collect())
}

fn text<'a>(entry: &'a Value, key: &str) -> Option<&'a str> {
    entry.get(key)?.as_str()
}

/// A board at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Which board.
    pub board: BoardId,
    /// What it is called, where somebody has made it; its name where they did not say.
    pub title: Option<String>,
    /// How many series it shows.
    pub count: usize,
    /// When the newest point of any of them was; nothing where it shows none.
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

    /// Whether all words that are searched for are in its name or title.
    #[must_use]
    pub fn fits(&self, searched: &str) -> bool {
        let known = format!("{} {}", self.board, self.title.as_deref().unwrap_or_default()).to_ascii_lowercase();
        searched.to_ascii_lowercase().split_whitespace().all(|word| known.contains(word))
    }
}

/// A card for each board that somebody made, and for each first segment of a series that nobody made a board of; by name.
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

    fn told(cards: &[Card]) -> Vec<(&str, usize, Option<u64>)> {
        cards.iter().map(|card| (card.board.as_str(), card.count, card.last.map(|last| last.0))).collect()
    }

    #[test]
    fn each_first_segment_is_a_board() {
        let cards = cards(&listed(), vec![]);
        assert_eq!(told(&cards), [("ops", 3, Some(30)), ("shop", 1, Some(5))]);
    }

    #[test]
    fn a_board_that_somebody_made_counts_what_it_shows_and_stands_for_its_name() {
        let made = r#"[
            {"id":"ops","title":"Operations","series":["shop/*","ops/temp"],"etag":"x","origin":"stored","changed":1},
            {"id":"wall","series":[]}
        ]"#;
        let cards = cards(&listed(), entries(&serde_json::from_str(made).unwrap(), Made::of).unwrap());
        assert_eq!(told(&cards), [("ops", 2, Some(10)), ("shop", 1, Some(5)), ("wall", 0, None)]);
        let titles: Vec<_> = cards.iter().map(|card| card.title.as_deref()).collect();
        assert_eq!(titles, [Some("Operations"), None, Some("wall")]);
        assert!(cards[0].fits("oper OPS") && !cards[1].fits("oper") && cards[1].fits(" "));
    }
}
