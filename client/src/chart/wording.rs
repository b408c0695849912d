//! What series are called in a chart, and how their numbers are written.

use shared::SeriesName;
use shared::board::unit::KnownUnit;
use shared::board::{Show, Source, Unit as Declared};

use crate::format::number::Style;
use crate::format::unit::Unit;

/// What the numbers count that are shown of a series.
#[must_use]
pub fn unit(source: &Source, name: &SeriesName, show: Show) -> Unit {
    Unit::of(source.unit.as_ref(), name).shown(show)
}

/// How these numbers are written.
#[must_use]
pub fn style(unit: Unit, values: &[f64], source: &Source) -> Style {
    let greatest = values.iter().copied().map(f64::abs).fold(0.0, f64::max);
    Style::of(unit, greatest, values.iter().copied()).with_decimals(source.decimals)
}

/// A number as it is written.
#[must_use]
pub fn written(style: &Style, value: f64) -> String {
    style.text(value)
}

/// What each of several series is called beside the others.
#[must_use]
pub fn labels(names: &[SeriesName]) -> Vec<String> {
    crate::widget::names::labels(names)
}

/// How shares are written.
#[must_use]
pub fn percent(values: &[f64]) -> Style {
    Style::of(Unit::declared(&Declared::Known(KnownUnit::Percent)), 100.0, values.iter().copied())
}

/// No unit at all.
#[must_use]
pub fn none() -> Unit {
    Unit::none()
}
