//! What a tab shows, or all of the tabs together.

use shared::{BoardId, Event, Selector, SeriesName, SeriesPart};

/// Before a board where an interest is written as text; no selector begins so.
const BOARD: char = '@';

/// Some selectors, sorted, each once: a series belongs to it where one of them matches. And the boards whose documents
/// are followed: which series they show is said by selectors all the same, so that a claim about an interest stands
/// by itself, whatever edition of a document somebody knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    selectors: Vec<Selector>,
    boards: Vec<BoardId>,
}

impl Interest {
    /// Of a single selector.
    #[must_use]
    pub fn of(selector: Selector) -> Self {
        Self { selectors: vec![selector], boards: Vec::new() }
    }

    /// Of a board that shows this.
    #[must_use]
    pub fn of_board(id: BoardId, selectors: impl IntoIterator<Item = Selector>) -> Self {
        let mut interest = Self { selectors: Vec::new(), boards: vec![id] };
        selectors.into_iter().for_each(|selector| insert(&mut interest.selectors, selector));
        interest
    }

    /// As [`Interest::text`] wrote it.
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

    /// Its selectors, and its boards, with spaces between them.
    #[must_use]
    pub fn text(&self) -> String {
        self.joined("", &BOARD.to_string(), " ")
    }

    /// Takes in all of another one.
    pub fn add(&mut self, other: &Self) {
        other.selectors.iter().for_each(|selector| insert(&mut self.selectors, selector.clone()));
        other.boards.iter().for_each(|board| insert(&mut self.boards, board.clone()));
    }

    /// Whether all of `other` is in it. By the selectors as they are written: `**` is not taken to hold `ops/**`,
    /// which costs a selector more in the address of the stream and nothing else.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let selects = |selector| self.selectors.contains(selector);
        other.selectors.iter().all(selects) && other.boards.iter().all(|board| self.boards.contains(board))
    }

    /// Whether a series belongs to it.
    #[must_use]
    pub fn includes(&self, name: &SeriesName) -> bool {
        self.selectors.iter().any(|selector| selector.matches(name))
    }

    /// Leaves of an event what belongs to it.
    pub fn restrict(&self, event: &mut Event) {
        if let Event::Snapshot { series, .. } | Event::Update { series, .. } = event {
            series.retain(|SeriesPart { name, .. }| self.includes(name));
        }
    }

    /// It as the query of the stream. No character of a selector or a board has a meaning there.
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
