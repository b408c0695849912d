//! The boards that the list of series makes.

use std::collections::BTreeMap;

use serde::Deserialize;
use shared::{BoardId, Millis, SeriesName};

/// A series as `GET /api/series` lists it, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Listed {
    /// Its name.
    pub name: SeriesName,
    /// When its newest point was.
    pub ts: Millis,
}

/// A board at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Which board.
    pub board: BoardId,
    /// How many series it shows.
    pub count: usize,
    /// When the newest point of any of them was.
    pub last: Millis,
}

/// One card for each first segment, by name.
#[must_use]
pub fn cards(listed: Vec<Listed>) -> Vec<Card> {
    let mut boards: BTreeMap<BoardId, Card> = BTreeMap::new();
    for Listed { name, ts } in listed {
        let board = name.home_board();
        let card = boards.entry(board.clone()).or_insert(Card { board, count: 0, last: ts });
        card.count += 1;
        card.last = card.last.max(ts);
    }
    boards.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_first_segment_is_a_board() {
        let listed = r#"[
            {"name":"shop/orders","kind":"number","value":2,"ts":5},
            {"name":"ops/temp","kind":"number","value":42.5,"ts":10},
            {"name":"ops/deploy","kind":"text","text":"deploying","ts":30},
            {"name":"ops","kind":"number","value":1,"ts":20}
        ]"#;
        let cards = cards(serde_json::from_str(listed).unwrap());
        let told: Vec<_> = cards.iter().map(|card| (card.board.as_str(), card.count, card.last.0)).collect();
        assert_eq!(told, [("ops", 3, 30), ("shop", 1, 5)]);
    }
}
