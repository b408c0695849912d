//! Formats numbers so that they are readable from afar and do not jitter.
//!
//! The prefix and the number of decimals are chosen for the recent numbers of a series together, so that the digits
//! stay in place while the value moves.

use super::digits::{fixed, scientific};
use super::symbol::Symbol;
use super::unit::{Scaling, TimeUnit, UnitFormat};

/// The number of significant digits on a board.
const DIGITS: i32 = 4;
/// A minus sign as wide as the digits.
const MINUS: &str = "\u{2212}";

/// The number format of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NumberFormat {
    divisor: f64,
    prefix: &'static str,
    unit: Symbol,
    decimals: usize,
    /// True if the numbers are too large or too small for prefixes.
    scientific: bool,
}

impl NumberFormat {
    /// Makes the style in which `current` and its recent neighbours are readable.
    #[must_use]
    pub fn of(unit: UnitFormat, current: f64, recent: impl Iterator<Item = f64> + Clone) -> Self {
        let greatest = recent.clone().chain([current]).map(f64::abs).fold(0.0, f64::max);
        // If the current value would vanish in the prefix of a greater past value, it decides alone.
        let scale = if current != 0.0 && current.abs() * 1e3 < greatest { current.abs() } else { greatest };
        let Scaled { divisor, prefix, symbol } = scaled(unit, scale);
        let scaled = scale / divisor;
        let limit = match scaled {
            0.0 => 0,
            _ if scaled < 1.0 => DIGITS - 2 - exponent(scaled),
            _ => (DIGITS - 1 - exponent(scaled)).max(0),
        };
        let limit = usize::try_from(limit).unwrap_or_default();
        let decimals = if prefix.is_empty() {
            recent.chain([current]).map(|value| decimals_of(value / divisor, limit)).max().unwrap_or_default()
        } else {
            limit
        };
        let most = if unit.scaling == Scaling::Never { 1e15 } else { 1e6 };
        let scientific = scaled >= most || (scaled > 0.0 && scaled < 1e-6);
        Self { divisor, prefix, unit: symbol, decimals, scientific }
    }

    /// Overrides the number of decimals, if the document sets it.
    #[must_use]
    pub fn with_decimals(self, decimals: Option<u16>) -> Self {
        Self { decimals: decimals.map_or(self.decimals, usize::from), ..self }
    }

    /// Formats the number without its unit.
    #[must_use]
    pub fn number(&self, value: f64) -> String {
        let figures = if self.scientific {
            scientific(value.abs() / self.divisor)
        } else {
            grouped(&fixed(value.abs() / self.divisor, self.decimals))
        };
        // A number that rounds to zero has no sign.
        let zero = !figures.contains(|c: char| matches!(c, '1'..='9'));
        if value < 0.0 && !zero { format!("{MINUS}{figures}") } else { figures }
    }

    /// The prefix and the unit, such as `MB`.
    #[must_use]
    pub fn unit(&self) -> String {
        format!("{}{}", self.prefix, self.unit.as_str())
    }

    /// Formats the number with its unit: `42.5 ms`.
    #[must_use]
    pub fn text(&self, value: f64) -> String {
        with_unit(self.number(value), &self.unit())
    }

    /// Formats a difference, with an explicit sign.
    #[must_use]
    pub fn difference(&self, value: f64) -> String {
        let number = self.number(value);
        let zero = !number.contains(|c: char| matches!(c, '1'..='9'));
        match number.strip_prefix(MINUS) {
            Some(_) => number,
            None if zero => format!("±{number}"),
            None => format!("+{number}"),
        }
    }
}

/// Appends a unit to digits. A no-break space keeps them together.
#[must_use]
pub fn with_unit(figures: String, unit: &str) -> String {
    if unit.is_empty() { figures } else { format!("{figures}\u{a0}{unit}") }
}

/// The divisor of a number, and the prefix and symbol after it.
struct Scaled {
    divisor: f64,
    prefix: &'static str,
    symbol: Symbol,
}

fn scaled(unit: UnitFormat, scale: f64) -> Scaled {
    const STEPS: [(f64, &str); 5] = [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    let symbol = unit.symbol;
    let least = match unit.scaling {
        Scaling::FromThousand => 1e3,
        Scaling::FromMillion => 1e6,
        Scaling::Never => f64::INFINITY,
        Scaling::Ratio => return Scaled { divisor: 0.01, prefix: "", symbol: Symbol::new("%") },
        Scaling::Time(counted) => {
            let written = written_in(counted, scale);
            let divisor = if written == counted { 1.0 } else { written.seconds() / counted.seconds() };
            return Scaled { divisor, prefix: "", symbol: Symbol::new(written.symbol()) };
        }
    };
    let step = STEPS.into_iter().find(|&(step, _)| step >= least && scale >= step);
    let (divisor, prefix) = step.unwrap_or((1.0, ""));
    Scaled { divisor, prefix, symbol }
}

/// The unit in which a duration is written: the longest one that it reaches. Minutes, hours and days must be reached
/// twice, since 90 s says more than 1.5 min.
fn written_in(counted: TimeUnit, scale: f64) -> TimeUnit {
    if scale == 0.0 {
        return counted;
    }
    let seconds = scale * counted.seconds();
    let enough = |unit: &TimeUnit| {
        let least = if *unit > TimeUnit::Second { 2.0 } else { 1.0 };
        // The tolerance keeps a duration in its own unit despite rounding.
        seconds >= least * unit.seconds() * (1.0 - 1e-9)
    };
    TimeUnit::ALL.into_iter().find(enough).unwrap_or(TimeUnit::Nanosecond)
}

/// The greatest power of ten that is not above a positive number, as its exponent.
#[expect(clippy::cast_possible_truncation, reason = "the exponent of a float has three digits")]
fn exponent(value: f64) -> i32 {
    value.log10().floor() as i32
}

/// The number of decimals that a number needs, up to a limit.
fn decimals_of(value: f64, limit: usize) -> usize {
    let text = fixed(value, limit);
    text.split_once('.').map_or(0, |(_, decimals)| decimals.trim_end_matches('0').len())
}

fn grouped(figures: &str) -> String {
    let (whole, decimals) = figures.split_once('.').map_or((figures, None), |(whole, rest)| (whole, Some(rest)));
    let mut text = String::with_capacity(figures.len() + 4);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(decimals) = decimals {
        text.push('.');
        text.push_str(decimals);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes() -> UnitFormat {
        UnitFormat { symbol: Symbol::new("B"), scaling: Scaling::FromThousand }
    }

    fn time(unit: TimeUnit) -> UnitFormat {
        UnitFormat { symbol: Symbol::default(), scaling: Scaling::Time(unit) }
    }

    fn alone(unit: UnitFormat, value: f64) -> String {
        let style = NumberFormat::of(unit, value, std::iter::empty());
        format!("{} {}", style.number(value), style.unit()).trim_end().to_owned()
    }

    #[test]
    fn a_number_by_itself_has_the_decimals_it_needs() {
        for (value, text) in [
            (0.0, "0"),
            (42.0, "42"),
            (42.5, "42.5"),
            (-42.5, "−42.5"),
            (42.483_728, "42.48"),
            (1_234.567, "1,235"),
            (123_456.0, "123,456"),
            (999_999.0, "999,999"),
            (1_234_567.0, "1.235 M"),
            (0.25, "0.25"),
            (0.004_213, "0.00421"),
            (1e-9, "1.000e-9"),
            (1e22, "1.000e7 P"),
        ] {
            assert_eq!(alone(UnitFormat::none(), value), text);
        }
    }

    #[test]
    fn bytes_take_a_prefix_from_a_thousand_on() {
        assert_eq!(alone(bytes(), 999.0), "999 B");
        assert_eq!(alone(bytes(), 3_200_000.0), "3.200 MB");
    }

    #[test]
    fn figures_stay_in_their_places_while_the_value_moves() {
        let recent = [41.25, 42.0, 43.5];
        let style = NumberFormat::of(UnitFormat::none(), 42.0, recent.into_iter());
        assert_eq!(recent.map(|value| style.number(value)), ["41.25", "42.00", "43.50"]);
    }

    #[test]
    fn duration_is_written_in_the_unit_that_fits() {
        for (counted, value, text) in [
            (TimeUnit::Millisecond, 42.5, "42.5 ms"),
            (TimeUnit::Millisecond, 1_250.0, "1.25 s"),
            (TimeUnit::Millisecond, 1_000.0, "1 s"),
            (TimeUnit::Millisecond, 0.0, "0 ms"),
            (TimeUnit::Millisecond, 0.25, "250 µs"),
            (TimeUnit::Second, 0.0421, "42.1 ms"),
            (TimeUnit::Second, 90.0, "90 s"),
            (TimeUnit::Second, 150.0, "2.5 min"),
            (TimeUnit::Second, 5_400.0, "90 min"),
            (TimeUnit::Second, 864_000.0, "10 d"),
        ] {
            assert_eq!(alone(time(counted), value), text);
        }
        let style = NumberFormat::of(time(TimeUnit::Millisecond), 640.0, [980.0, 1_250.0].into_iter());
        assert_eq!(
            [640.0, 980.0, 1_250.0].map(|value| style.text(value)),
            ["0.64\u{a0}s", "0.98\u{a0}s", "1.25\u{a0}s"]
        );
    }

    #[test]
    fn decimals_that_are_declared_are_kept_whatever_the_number() {
        let style = NumberFormat::of(bytes(), 3_200_000.0, std::iter::empty()).with_decimals(Some(1));
        assert_eq!([3_200_000.0, 3_000_000.0].map(|value| style.number(value)), ["3.2", "3.0"]);
    }

    #[test]
    fn a_small_value_after_a_great_one_is_not_drowned() {
        let style = NumberFormat::of(bytes(), 12.0, [5e9].into_iter());
        assert_eq!(style.number(12.0), "12");
    }

    #[test]
    fn a_difference_has_a_sign_unless_it_is_none() {
        let style = NumberFormat::of(UnitFormat::none(), 42.5, [41.0].into_iter());
        assert_eq!([1.5, -0.5, 0.0, -0.01].map(|d| style.difference(d)), ["+1.5", "−0.5", "±0.0", "±0.0"]);
    }
}
