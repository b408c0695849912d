//! The look of a chart, derived from its document.

use std::collections::BTreeMap;

use shared::Declared;
use shared::board::axis::Axis;
use shared::board::lines::{Band, Quantile, Stack};
use shared::board::states::Colour;
use shared::board::{SeriesSource, Show};

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
            Shape::States(_) => 2.0,
        };
        ((pixels / each) as u64).max(10)
    }

    /// The detail that each bucket must have.
    #[must_use]
    pub fn detail(&self) -> Detail {
        let quantiles = matches!(self.show(), Show::P50 | Show::P95 | Show::P99);
        match &self.shape {
            Shape::Heat => Detail::Bins,
            Shape::Lines { quantiles: lines, band } if !lines.is_empty() || band.is_some_and(|b| b != Band::MinMax) => {
                Detail::Bins
            }
            _ if quantiles => Detail::Bins,
            _ => Detail::Figures,
        }
    }

    /// The number that is shown.
    #[must_use]
    pub fn show(&self) -> Show {
        self.source.show.unwrap_or(Show::Value)
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
            _ => vec![(self.source.show.unwrap_or_else(|| default_show(declared)), "")],
        }
    }
}
