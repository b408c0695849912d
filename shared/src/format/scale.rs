//! The prefixes and units of time in which a number can be written, and the choice among them.

use super::symbol::Symbol;
use super::unit::{Scaling, TimeUnit, UnitFormat};

/// The number of steps that a unit can have.
pub(super) const MAX_STEPS: usize = 7;

/// One way to write the numbers of a unit: in full, with a prefix, or in a unit of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    /// A number in this step is the number divided by this.
    pub divisor: f64,
    /// The least number that is written in this step. It is at least the divisor, except in the first step.
    pub least: f64,
    /// The prefix; empty for numbers in full and for units of time.
    pub prefix: &'static str,
    /// The unit behind the prefix.
    pub symbol: Symbol,
}

/// The steps of a unit, from the smallest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    unit: UnitFormat,
    /// Numbers from here on have no step, and are written with a power of ten.
    pub end: f64,
}

const PREFIXES: [(f64, &str); 5] = [(1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T"), (1e15, "P")];

impl Scale {
    pub(super) fn of(unit: UnitFormat) -> Self {
        let end = match unit.scaling {
            Scaling::FromThousand | Scaling::FromMillion => 1e18,
            Scaling::Never => 1e15,
            Scaling::Ratio => 1e13,
            Scaling::Time(counted) => 1e6 * TimeUnit::Day.seconds() / counted.seconds(),
        };
        Self { unit, end }
    }

    /// Returns a step; `None` beyond the last one.
    pub(super) fn step(&self, index: usize) -> Option<Step> {
        let full = Step { divisor: 1.0, least: 0.0, prefix: "", symbol: self.unit.symbol };
        let prefixed = |skipped: usize| match index {
            0 => Some(full),
            _ => PREFIXES.get(index - 1 + skipped).map(|&(divisor, prefix)| Step {
                divisor,
                least: divisor,
                prefix,
                ..full
            }),
        };
        match self.unit.scaling {
            Scaling::FromThousand => prefixed(0),
            Scaling::FromMillion => prefixed(1),
            Scaling::Never => (index == 0).then_some(full),
            Scaling::Ratio => (index == 0).then_some(Step { divisor: 0.01, symbol: Symbol::new("%"), ..full }),
            Scaling::Time(counted) => {
                let unit = *TimeUnit::ALL.iter().rev().nth(index)?;
                let divisor = if unit == counted { 1.0 } else { unit.seconds() / counted.seconds() };
                // Minutes, hours and days must be reached twice, since 90 s says more than 1.5 min.
                let times = if unit > TimeUnit::Second { 2.0 } else { 1.0 };
                let least = if index == 0 { 0.0 } else { times * divisor };
                Some(Step { divisor, least, prefix: "", symbol: Symbol::new(unit.symbol()) })
            }
        }
    }

    /// The step of a positive number, before it is rounded.
    pub(super) fn step_of(&self, value: f64) -> usize {
        // The tolerance keeps a duration in its own unit despite rounding.
        let reached = |&index: &usize| self.step(index).is_some_and(|step| value >= step.least * (1.0 - 1e-9));
        (1..MAX_STEPS).take_while(reached).last().unwrap_or(0)
    }

    /// The step in which zero is written: the number in full, or the unit of time in which it is counted.
    pub(super) fn step_of_zero(&self) -> usize {
        match self.unit.scaling {
            Scaling::Time(counted) => TimeUnit::ALL.iter().rev().position(|&unit| unit == counted).unwrap_or(0),
            _ => 0,
        }
    }
}

/// The exponent of a positive number after it is rounded to this many significant digits: 999.96 has the exponent 3
/// if it is rounded to four of them.
pub(super) fn rounded_exponent(value: f64, digits: i32) -> i32 {
    let exponent = exponent(value);
    if round(value, digits - 1 - exponent) >= power(exponent + 1) { exponent + 1 } else { exponent }
}

/// Rounds a positive number to this many decimals, or to tens, hundreds and so on if there are fewer than none. A half
/// is rounded up.
pub(super) fn round(value: f64, decimals: i32) -> f64 {
    let shift = power(decimals.abs());
    if decimals >= 0 { (value * shift + 0.5).floor() / shift } else { (value / shift + 0.5).floor() * shift }
}

/// The exponent of the greatest power of ten that is not above a positive number.
#[expect(clippy::cast_possible_truncation, reason = "the exponent of a float has three digits")]
fn exponent(value: f64) -> i32 {
    // The logarithm of a power of ten may be just below its exponent.
    let near = value.log10().floor() as i32;
    if power(near + 1) <= value { near + 1 } else { near }
}

fn power(exponent: i32) -> f64 {
    10.0_f64.powi(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponent_is_the_one_of_the_rounded_number() {
        for (value, digits, exponent) in [
            (1.0, 3, 0),
            (999.4, 3, 2),
            (999.5, 3, 3),
            (999.96, 4, 3),
            (0.099_96, 3, -1),
            (1_000.0, 3, 3),
            (1e15, 3, 15),
        ] {
            assert_eq!(rounded_exponent(value, digits), exponent, "{value}");
        }
    }
}
