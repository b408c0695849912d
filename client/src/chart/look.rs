//! What a chart looks like, as its document says.

use std::collections::BTreeMap;

use shared::Declared;
use shared::board::axis::Axis;
use shared::board::lines::{Band, Quantile, Stack};
use shared::board::states::Colour;
use shared::board::{Show, Source};

use crate::history::cell::Detail;
use crate::widget::told::shown_of;

/// A chart over time.
#[derive(Clone, Debug)]
pub struct Look {
    /// What is drawn.
    pub shape: Shape,
    /// The upright axis.
    pub axis: Axis,
    /// Of which series, and what is known of them.
    pub source: Source,
}

/// What is drawn.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A line for each series, or for each of some quantiles of it.
    Lines {
        /// Which quantiles; none: the number that is shown.
        quantiles: Vec<Quantile>,
        /// What is filled around.
        band: Option<Band>,
    },
    /// What is below each series.
    Areas(Stack),
    /// A bar for each bucket.
    Bars,
    /// How values are spread.
    Heat,
    /// Which state was when.
    States(BTreeMap<String, Colour>),
}

impl Look {
    /// How many buckets it shows on so many pixels.
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

    /// How much of each bucket it needs.
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

    /// Which number is shown.
    #[must_use]
    pub fn show(&self) -> Show {
        self.source.show.unwrap_or(Show::Value)
    }

    /// The numbers of which a series has a line of which this was declared, with what they are called where there are several.
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
            _ => vec![(self.source.show.unwrap_or_else(|| shown_of(declared)), "")],
        }
    }
}
