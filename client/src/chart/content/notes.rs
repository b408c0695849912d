//! Messages of a chart about its data: that there is nothing to draw, and why.

use shared::reading::Cell;

use super::{ChartContent, Span};
use crate::chart::look::{Look, Shape};
use shared::board::axis::Scale;

/// The share of the range that must be without data before the page says where the data begins.
const EMPTY_SHARE: u64 = 10;

/// The points of all series within the range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The time of the earliest point, in milliseconds.
    pub earliest: Option<u64>,
    /// True if there are points before the range.
    pub is_older: bool,
    /// The labels of series of texts, which a chart of numbers cannot show.
    pub texts: Vec<String>,
}

impl Coverage {
    /// Adds the points of buckets.
    pub fn add_cells<'a>(&mut self, cells: impl Iterator<Item = &'a Cell>, span: Span) {
        self.add(cells.map(|cell| (cell.first_at, cell.at)), span);
    }

    /// Adds points, each as the time of the first and the last of a bucket.
    pub fn add(&mut self, points: impl Iterator<Item = (u64, u64)>, span: Span) {
        for (first, last) in points {
            self.is_older |= first < span.from;
            if last >= span.from && first <= span.to {
                let first = first.max(span.from);
                self.earliest = Some(self.earliest.map_or(first, |earliest| earliest.min(first)));
            }
        }
    }

    /// The moment at which the data begins, if a good part of the range before it is empty.
    #[must_use]
    pub fn begins(&self, span: Span) -> Option<u64> {
        let earliest = self.earliest.filter(|_| !self.is_older)?;
        let empty = earliest.saturating_sub(span.from);
        (empty * EMPTY_SHARE > span.end.saturating_sub(span.from)).then_some(earliest)
    }
}

/// A message about the data of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// There is no point in the range.
    NothingReported,
    /// These series have texts, and the chart can draw numbers only.
    Texts(Vec<String>),
    /// There are points, but too few for the number that is shown, such as a rate.
    TooFew,
    /// All values are zero or below, and the axis is logarithmic.
    NotPositive,
    /// All series are hidden.
    Hidden,
}

impl Note {
    /// The message in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::NothingReported => "Nothing was reported in this time".to_owned(),
            Self::Texts(labels) => {
                let (has, them) = if labels.len() == 1 { ("has", "it") } else { ("have", "them") };
                let named = labels.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
                let rest = labels.len().saturating_sub(3);
                let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
                format!("{named}{more} {has} texts, not numbers. Show {them} as states, as a log or as markers.")
            }
            Self::TooFew => "There are too few points in this time for a rate".to_owned(),
            Self::NotPositive => "All values are 0 or less, which a logarithmic axis cannot show".to_owned(),
            Self::Hidden => "All series are hidden. Click one in the legend to show it.".to_owned(),
        }
    }
}

impl ChartContent {
    /// Returns true if anything is drawn in the range.
    fn is_drawn(&self, span: Span) -> bool {
        !self.heat_columns.is_empty()
            || self.lanes.iter().any(|lane| lane.states.iter().any(|state| state.to >= span.from))
            || self.traces.iter().any(|trace| trace.within(span.from, span.to).next().is_some())
    }

    /// The message about series that are not drawn, while others are.
    #[must_use]
    pub fn aside(&self, span: Span) -> Option<Note> {
        let texts = &self.coverage.texts;
        (!texts.is_empty() && self.is_drawn(span)).then(|| Note::Texts(texts.clone()))
    }

    /// The message in the place of the drawing, if nothing is drawn.
    #[must_use]
    pub fn note(&self, look: &Look, span: Span, is_hidden: bool) -> Option<Note> {
        if self.is_drawn(span) {
            let is_log = look.axis.scale == Some(Scale::Log) && !matches!(look.shape, Shape::States(_));
            let none = is_log && self.extent(look, span.from, span.to).is_some_and(|extent| extent.positive.is_none());
            return none.then_some(Note::NotPositive);
        }
        Some(match self.coverage.earliest {
            _ if !self.coverage.texts.is_empty() => Note::Texts(self.coverage.texts.clone()),
            _ if is_hidden => Note::Hidden,
            Some(_) => Note::TooFew,
            None => Note::NothingReported,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Span = Span { from: 1_000, to: 2_000, end: 2_000 };

    fn coverage(points: &[(u64, u64)]) -> Coverage {
        let mut coverage = Coverage::default();
        coverage.add(points.iter().copied(), SPAN);
        coverage
    }

    #[test]
    fn data_begins_where_a_good_part_of_the_range_is_empty_before_it() {
        assert_eq!(coverage(&[(1_600, 1_600), (1_900, 1_950)]).begins(SPAN), Some(1_600));
        assert_eq!(coverage(&[(1_050, 1_050)]).begins(SPAN), None, "almost all of the range has data");
        assert_eq!(coverage(&[(10, 10), (1_600, 1_600)]).begins(SPAN), None, "there are older points");
        assert_eq!(coverage(&[]).begins(SPAN), None);
    }

    #[test]
    fn bucket_that_reaches_into_the_range_is_reported_in_it() {
        assert_eq!(coverage(&[(500, 1_200)]).earliest, Some(1_000));
        assert_eq!(coverage(&[(500, 900)]).earliest, None);
    }

    #[test]
    fn series_of_texts_are_named() {
        let words = |labels: &[&str]| Note::Texts(labels.iter().map(ToString::to_string).collect()).words();
        assert_eq!(words(&["deploy"]), "deploy has texts, not numbers. Show it as states, as a log or as markers.");
        assert!(words(&["a", "b", "c", "d", "e"]).starts_with("a, b, c and 2 more have texts"));
    }
}
