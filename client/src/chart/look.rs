//! The look of a chart, derived from its document.

use std::collections::BTreeMap;

use shared::board::axis::Axis;
use shared::board::lines::{Band, Quantile, Stack};
use shared::board::states::Colour;
use shared::board::{Earlier, SeriesSource, Show};
use shared::{Declared, Selector};

use shared::reading::Detail;
use shared::reading::default_show;

/// The look of a chart over time.
#[derive(Clone, Debug)]
pub struct Look {
    /// The shape of its content.
    pub shape: Shape,
    /// The vertical axis.
    pub axis: Axis,
    /// The series, with their options.
    pub source: SeriesSource,
    /// The series of texts that are drawn as markers, besides those of the board.
    pub markers: Vec<Selector>,
    /// The earlier time with which the series are compared.
    pub compare: Option<Earlier>,
}

/// The shape of a chart's content.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A line for each series, or for each of some of its quantiles.
    Lines {
        /// The quantiles; if empty, a single line of the selected number.
        quantiles: Vec<Quantile>,
        /// The band around the line.
        band: Option<Band>,
    },
    /// An area below each series.
    Areas(Stack),
    /// A bar for each bucket.
    Bars,
    /// A heatmap of the values.
    Heat,
    /// A timeline of states.
    States(BTreeMap<String, Colour>),
}

impl Look {
    /// The number of buckets to show on a width in pixels.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
    pub fn points(&self, pixels: f64) -> u64 {
        let each = match self.shape {
            Shape::Lines { .. } | Shape::Areas(_) => 1.0,
            Shape::Bars => 10.0,
            Shape::Heat => 5.0,
            // Several buckets a pixel, so that a short state is not spread over the width of a bucket.
            Shape::States(_) => 0.25,
        };
        let most = match self.shape {
            // A wide screen shows larger cells, not more of them with gaps between.
            Shape::Heat => 200,
            _ => u64::MAX,
        };
        ((pixels / each) as u64).clamp(10, most)
    }

    /// The detail that each bucket must have.
    #[must_use]
    pub fn detail(&self) -> Detail {
        let quantiles = matches!(self.show(), Show::P50 | Show::P95 | Show::P99);
        match &self.shape {
            Shape::Heat => Detail::Bins,
            Shape::Lines { quantiles: lines, band }
                if !lines.is_empty() || matches!(band, Some(Band::P50P95 | Band::P50P99)) =>
            {
                Detail::Bins
            }
            _ if quantiles => Detail::Bins,
            _ => Detail::Figures,
        }
    }

    /// Returns true if areas stand on each other.
    #[must_use]
    pub fn is_stacked(&self) -> bool {
        matches!(self.shape, Shape::Areas(Stack::Sum | Stack::Share))
    }

    /// Returns true if the chart shows shares in percent instead of values.
    #[must_use]
    pub fn is_share(&self) -> bool {
        matches!(self.shape, Shape::Areas(Stack::Share))
    }

    /// The number that the document selects.
    fn show(&self) -> Show {
        self.source.show.unwrap_or(Show::Mean)
    }

    /// The band around the first line of a series that shows this number. If the document sets none, a mean that it
    /// does not select has the band of the extremes, without which they would be invisible.
    #[must_use]
    pub fn band(&self, show: Show) -> Option<Band> {
        let own = match &self.shape {
            Shape::Lines { band, .. } => *band,
            _ => None,
        };
        own.or((self.source.show.is_none() && show == Show::Mean).then_some(Band::MinMax))
    }

    /// The numbers of a series with this declared type that get a line each. Each comes with its label, which is
    /// empty for a single line.
    #[must_use]
    pub fn numbers(&self, declared: Option<Declared>) -> Vec<(Show, &'static str)> {
        match &self.shape {
            Shape::Lines { quantiles, .. } if !quantiles.is_empty() => quantiles
                .iter()
                .map(|quantile| match quantile {
                    Quantile::P50 => (Show::P50, "p50"),
                    Quantile::P95 => (Show::P95, "p95"),
                    Quantile::P99 => (Show::P99, "p99"),
                })
                .collect(),
            _ => {
                let default = || match default_show(declared) {
                    // The last value of a bucket says nothing of the others.
                    Show::Value => Show::Mean,
                    show => show,
                };
                vec![(self.source.show.unwrap_or_else(default), "")]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(shape: Shape, show: Option<Show>) -> Look {
        let source = SeriesSource { show, ..SeriesSource::default() };
        Look { shape, axis: Axis::default(), source, markers: Vec::new(), compare: None }
    }

    #[test]
    fn chart_shows_the_mean_and_the_extremes_unless_the_document_selects_a_number() {
        let lines = |band| Shape::Lines { quantiles: Vec::new(), band };
        for shape in [lines(None), Shape::Areas(Stack::None), Shape::Bars] {
            let default = look(shape.clone(), None);
            assert_eq!(default.numbers(None), [(Show::Mean, "")]);
            assert_eq!(default.band(Show::Mean), Some(Band::MinMax));
            let last = look(shape, Some(Show::Value));
            assert_eq!((last.numbers(None), last.band(Show::Value)), (vec![(Show::Value, "")], None));
        }
        assert_eq!(look(lines(Some(Band::None)), None).band(Show::Mean), Some(Band::None));
        assert_eq!(look(lines(Some(Band::MinMax)), Some(Show::P50)).band(Show::P50), Some(Band::MinMax));
    }

    #[test]
    fn declared_counter_is_shown_by_its_rate_without_a_band() {
        let look = look(Shape::Bars, None);
        assert_eq!(look.numbers(Some(Declared::Counter)), [(Show::Rate, "")]);
        assert_eq!(look.band(Show::Rate), None, "the extremes of a counter are no rates");
    }
}
