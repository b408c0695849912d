//! The labels of series in a chart, and the format of their numbers.

use shared::SeriesName;
use shared::board::unit::KnownUnit;
use shared::board::{SeriesSource, Show, Unit as Declared};

use shared::format::number::NumberFormat;
use shared::format::unit::UnitFormat;

/// The unit of the shown numbers of a series.
#[must_use]
pub fn unit(source: &SeriesSource, name: &SeriesName, show: Show) -> UnitFormat {
    UnitFormat::of(source.unit.as_ref(), name).shown(show)
}

/// The format of these numbers.
#[must_use]
pub fn style(unit: UnitFormat, values: &[f64], source: &SeriesSource) -> NumberFormat {
    let greatest = values.iter().copied().map(f64::abs).fold(0.0, f64::max);
    NumberFormat::of(unit, greatest, values.iter().copied()).with_decimals(source.decimals)
}

/// Formats a number.
#[must_use]
pub fn written(style: &NumberFormat, value: f64) -> String {
    style.text(value)
}

/// The labels that distinguish several series from each other.
#[must_use]
pub fn labels(names: &[SeriesName]) -> Vec<String> {
    crate::widget::names::labels(names)
}

/// The format of shares in percent.
#[must_use]
pub fn percent(values: &[f64]) -> NumberFormat {
    NumberFormat::of(UnitFormat::declared(&Declared::Known(KnownUnit::Percent)), 100.0, values.iter().copied())
}

/// The unit of numbers without a unit.
#[must_use]
pub fn none() -> UnitFormat {
    UnitFormat::none()
}
