//! The units and formats of the numbers of a chart, and the labels of its ticks.

use shared::SeriesName;
use shared::board::axis::Scale;
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
pub fn number_format(unit: UnitFormat, values: &[f64], source: &SeriesSource) -> NumberFormat {
    let greatest = values.iter().copied().map(f64::abs).fold(0.0, f64::max);
    NumberFormat::of(unit, greatest, values.iter().copied()).with_decimals(source.decimals)
}

/// The labels of the ticks of an axis. On a logarithmic axis each has its own prefix, since they differ by orders of
/// magnitude.
#[must_use]
pub fn ticks(unit: UnitFormat, values: &[f64], source: &SeriesSource, scale: Scale) -> Vec<String> {
    let format = |values: &[f64]| NumberFormat::axis(unit, values).with_decimals(source.decimals);
    match scale {
        Scale::Linear => {
            let common = format(values);
            values.iter().map(|&value| common.text(value)).collect()
        }
        Scale::Log => values.iter().map(|&value| format(&[value]).text(value)).collect(),
    }
}

/// The format of shares in percent.
#[must_use]
pub fn percent(values: &[f64]) -> NumberFormat {
    NumberFormat::of(UnitFormat::declared(&Declared::Known(KnownUnit::Percent)), 100.0, values.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels_of(values: &[f64], scale: Scale) -> Vec<String> {
        let texts = ticks(UnitFormat::none(), values, &SeriesSource::default(), scale);
        texts.into_iter().map(|text| text.replace('\u{a0}', " ")).collect()
    }

    #[test]
    fn ticks_of_different_magnitudes_are_readable() {
        assert_eq!(labels_of(&[1.0, 100.0, 10_000.0], Scale::Log), ["1", "100", "10,000"]);
        assert_eq!(labels_of(&[0.001, 1.0, 1e6, 1e9], Scale::Log), ["0.001", "1", "1 M", "1 G"]);
    }

    #[test]
    fn ticks_have_no_needless_zeros() {
        assert_eq!(labels_of(&[0.0, 1e6, 2e6], Scale::Linear), ["0 M", "1 M", "2 M"]);
        assert_eq!(labels_of(&[0.0, 0.5, 1.0], Scale::Linear), ["0.0", "0.5", "1.0"]);
    }
}
