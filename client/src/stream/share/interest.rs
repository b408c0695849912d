//! The series and boards that a tab shows, or all tabs together.

use shared::{BoardId, Event, Selector, SeriesName, SeriesPart};

/// Prefix of a board in the text form of an interest. No selector begins with it.
const BOARD: char = '@';

/// A set of selectors and boards, each sorted and without duplicates. A series belongs to it if a selector matches.
/// The documents of the boards are followed. Their series are named by selectors all the same, so that a frame's
/// claim about an interest is valid whatever edition of a document a tab knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    selectors: Vec<Selector>,
    boards: Vec<BoardId>,
}

impl Interest {
    /// Makes an interest of one selector.
    #[must_use]
    pub fn of(selector: Selector) -> Self {
        Self { selectors: vec![selector], boards: Vec::new() }
    }

    /// Makes an interest of a board and the selectors that it shows.
    #[must_use]
    pub fn of_board(id: BoardId, selectors: impl IntoIterator<Item = Selector>) -> Self {
        let mut interest = Self { selectors: Vec::new(), boards: vec![id] };
        selectors.into_iter().for_each(|selector| insert(&mut interest.selectors, selector));
        interest
    }

    /// Parses the output of [`Interest::text`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut interest = Self::default();
        for word in text.split_whitespace() {
            match word.strip_prefix(BOARD) {
                Some(board) => insert(&mut interest.boards, board.parse().ok()?),
                None => insert(&mut interest.selectors, word.parse().ok()?),
            }
        }
        Some(interest)
    }

    /// Formats the selectors and boards as text, separated by spaces.
    #[must_use]
    pub fn text(&self) -> String {
        self.joined("", &BOARD.to_string(), " ")
    }

    /// Adds all of another interest.
    pub fn add(&mut self, other: &Self) {
        other.selectors.iter().for_each(|selector| insert(&mut self.selectors, selector.clone()));
        other.boards.iter().for_each(|board| insert(&mut self.boards, board.clone()));
    }

    /// True if all of `other` is part of this. Selectors are compared as text: `**` does not count as covering
    /// `ops/**`, which only costs one more selector in the stream's address.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let selects = |selector| self.selectors.contains(selector);
        other.selectors.iter().all(selects) && other.boards.iter().all(|board| self.boards.contains(board))
    }

    /// True if a selector matches the series.
    #[must_use]
    pub fn includes(&self, name: &SeriesName) -> bool {
        self.selectors.iter().any(|selector| selector.matches(name))
    }

    /// Removes from an event the series that do not belong to this.
    pub fn restrict(&self, event: &mut Event) {
        if let Event::Snapshot { series, .. } | Event::Update { series, .. } = event {
            series.retain(|SeriesPart { name, .. }| self.includes(name));
        }
    }

    /// Formats it as the query string of the stream. No character of a selector or a board id needs an escape there.
    #[must_use]
    pub fn query(&self) -> String {
        self.joined("series=", "board=", "&")
    }

    fn joined(&self, selector: &str, board: &str, between: &str) -> String {
        let mut text = String::new();
        let selectors = self.selectors.iter().map(|known| (selector, known.as_str()));
        for (before, word) in selectors.chain(self.boards.iter().map(|known| (board, known.as_str()))) {
            if !text.is_empty() {
                text.push_str(between);
            }
            text.push_str(before);
            text.push_str(word);
        }
        text
    }
}

fn insert<T: Ord>(sorted: &mut Vec<T>, new: T) {
    if let Err(at) = sorted.binary_search(&new) {
        sorted.insert(at, new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Millis, Number, Seq, Stamp, Track, Value};

    fn interest(selectors: &[&str]) -> Interest {
        Interest::parse(&selectors.join(" ")).unwrap()
    }

    #[test]
    fn the_query_names_each_selector_once() {
        let mut both = interest(&["ops/**", "dev/*"]);
        both.add(&interest(&["ops/**"]));
        assert_eq!(both.query(), "series=dev/*&series=ops/**");
        assert!(both.covers(&interest(&["ops/**"])));
        assert!(!interest(&["ops/**"]).covers(&both));
    }

    #[test]
    fn a_board_is_followed_beside_the_series_that_it_shows() {
        let hall = Interest::of_board("hall".parse().unwrap(), ["ops/**".parse().unwrap()]);
        assert_eq!((hall.query().as_str(), hall.text().as_str()), ("series=ops/**&board=hall", "ops/** @hall"));
        assert_eq!(Interest::parse(&hall.text()), Some(hall.clone()));
        assert!(!interest(&["ops/**"]).covers(&hall) && hall.covers(&interest(&["ops/**"])));
    }

    #[test]
    fn what_belongs_to_nobody_here_is_left_out() {
        let at = Stamp { ts: Millis(1), seq: Seq(1) };
        let part = |name: &str| SeriesPart {
            name: name.parse().unwrap(),
            track: Track::of(at, Value::Number(Number::new(1.0).unwrap())),
            declared: None,
            revised: None,
        };
        let mut event = Event::Snapshot { now: Millis(0), series: vec![part("dev/a"), part("ops/a")] };
        interest(&["ops/**"]).restrict(&mut event);
        assert_eq!(event, Event::Snapshot { now: Millis(0), series: vec![part("ops/a")] });
    }
}
