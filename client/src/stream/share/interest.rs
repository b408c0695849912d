//! What a tab shows, or all of the tabs together.

use shared::{Event, Selector, SeriesName, SeriesPart};

/// Some selectors, sorted, each once; a series belongs to it where one of them matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest(Vec<Selector>);

impl Interest {
    /// Of a single selector.
    #[must_use]
    pub fn of(selector: Selector) -> Self {
        Self(vec![selector])
    }

    /// As [`Interest::text`] wrote it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut interest = Self::default();
        for selector in text.split_whitespace() {
            interest.insert(selector.parse().ok()?);
        }
        Some(interest)
    }

    /// Its selectors with spaces between them.
    #[must_use]
    pub fn text(&self) -> String {
        self.joined("", " ")
    }

    /// Takes in all of another one.
    pub fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|selector| self.insert(selector.clone()));
    }

    /// Whether all of `other` is in it. By the selectors as they are written: `**` is not taken to hold `ops/**`,
    /// which costs a selector more in the address of the stream and nothing else.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|selector| self.0.contains(selector))
    }

    /// Whether a series belongs to it.
    #[must_use]
    pub fn includes(&self, name: &SeriesName) -> bool {
        self.0.iter().any(|selector| selector.matches(name))
    }

    /// Leaves of an event what belongs to it.
    pub fn restrict(&self, event: &mut Event) {
        if let Event::Snapshot { series, .. } | Event::Update { series, .. } = event {
            series.retain(|SeriesPart { name, .. }| self.includes(name));
        }
    }

    /// It as the query of the stream. No character of a selector has a meaning there.
    #[must_use]
    pub fn query(&self) -> String {
        self.joined("series=", "&")
    }

    fn insert(&mut self, selector: Selector) {
        if let Err(at) = self.0.binary_search(&selector) {
            self.0.insert(at, selector);
        }
    }

    fn joined(&self, before: &str, between: &str) -> String {
        let mut text = String::new();
        for selector in &self.0 {
            if !text.is_empty() {
                text.push_str(between);
            }
            text.push_str(before);
            text.push_str(selector.as_str());
        }
        text
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
    fn what_belongs_to_nobody_here_is_left_out() {
        let at = Stamp { ts: Millis(1), seq: Seq(1) };
        let part = |name: &str| SeriesPart {
            name: name.parse().unwrap(),
            track: Track::of(at, Value::Number(Number::new(1.0).unwrap())),
            revised: None,
        };
        let mut event = Event::Snapshot { now: Millis(0), series: vec![part("dev/a"), part("ops/a")] };
        interest(&["ops/**"]).restrict(&mut event);
        assert_eq!(event, Event::Snapshot { now: Millis(0), series: vec![part("ops/a")] });
    }
}
