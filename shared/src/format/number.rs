//! Formats numbers so that they are readable from afar and do not jitter.
//!
//! Each number has the prefix or unit of time that fits it, after it was rounded: 790 B/s is not `0.00 MB/s`, and
//! 999,999.9 B are `1.00 MB`. With a prefix a number has three significant digits. In full it has as many decimals as
//! the recent numbers of its series need, so that its digits stay in place while the value moves.

use super::digits::{fixed, scientific};
use super::scale::{MAX_STEPS, Scale, Step, round, rounded_exponent};
use super::separators;
use super::symbol::Symbol;
use super::unit::{Scaling, UnitFormat};

/// The number of significant digits with a prefix, and of numbers below one.
const DIGITS: i32 = 3;
/// The number of significant digits without a prefix.
const DIGITS_IN_FULL: i32 = 4;
/// Smaller numbers are written with a power of ten.
const LEAST: f64 = 1e-6;
/// A difference below this share of the greatest number is a rounding error of floats.
const NOISE: f64 = 1e-9;
/// A minus sign as wide as the digits.
const MINUS: &str = "\u{2212}";

/// The number format of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NumberFormat {
    unit: UnitFormat,
    scale: Scale,
    /// The decimals that the known numbers need in each step; `None` for steps that they do not use.
    needed: [Option<usize>; MAX_STEPS],
    /// The decimals of the document.
    declared: Option<usize>,
    /// The greatest known number.
    greatest: f64,
    /// True if numbers with a prefix have only the decimals that are needed: for the round numbers of an axis.
    round: bool,
    /// The step of all numbers; `None` if each has its own.
    common: Option<usize>,
}

/// A number as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The number, with its sign and separators.
    pub number: String,
    /// The prefix and the unit, such as `MB`; empty if there is neither.
    pub unit: String,
}

impl Figures {
    /// The number with its unit. A no-break space keeps them together.
    #[must_use]
    pub fn text(&self) -> String {
        with_unit(&self.number, &self.unit)
    }

    /// The number, cut before its decimal sign: rows of a column stand with that below each other.
    #[must_use]
    pub fn halves(&self) -> (&str, &str) {
        let decimal = separators::with(|separators| self.number.rfind(&separators.decimal));
        decimal.and_then(|at| self.number.split_at_checked(at)).unwrap_or((&self.number, ""))
    }
}

/// Appends a unit to a number. A no-break space keeps them together.
#[must_use]
pub fn with_unit(number: &str, unit: &str) -> String {
    if unit.is_empty() { number.to_owned() } else { format!("{number}\u{a0}{unit}") }
}

impl NumberFormat {
    /// Makes the format in which `current` and its recent neighbours are readable.
    #[must_use]
    pub fn of(unit: UnitFormat, current: f64, recent: impl Iterator<Item = f64> + Clone) -> Self {
        Self::of_all(unit, recent.chain([current]), false)
    }

    /// Makes the format of the numbers of an axis. They have the same unit, unless the greatest would hide the least.
    #[must_use]
    pub fn axis(unit: UnitFormat, ticks: &[f64]) -> Self {
        let format = Self::of_all(unit, ticks.iter().copied(), true);
        let parts = |number: &f64| format.place(number.abs()).map(|(index, _)| index);
        let visible = || ticks.iter().filter(|tick| **tick != 0.0);
        let (Some(greatest), true) =
            (visible().filter_map(parts).max(), visible().all(|tick| tick.abs() * 1e3 > format.greatest))
        else {
            return format;
        };
        let divisor = format.scale.step(greatest).map_or(1.0, |step| step.divisor);
        let decimals = ticks.iter().map(|tick| decimals_of(tick / divisor, 6)).max();
        let mut needed = [None; MAX_STEPS];
        if let Some(needed) = needed.get_mut(greatest) {
            *needed = decimals;
        }
        Self { needed, common: Some(greatest), ..format }
    }

    fn of_all(unit: UnitFormat, numbers: impl Iterator<Item = f64> + Clone, round: bool) -> Self {
        let (scale, declared) = (Scale::of(unit), None);
        let greatest = numbers.clone().map(f64::abs).fold(0.0, f64::max);
        let format = Self { unit, scale, needed: [None; MAX_STEPS], declared, greatest, round, common: None };
        // The greatest number of each step limits the decimals of the others.
        let mut greatest = [None::<f64>; MAX_STEPS];
        let mut needed = [None; MAX_STEPS];
        let at_limit = |_: usize, step: &Step, size: f64| limit(step, size / step.divisor);
        let placed = numbers.filter_map(|number| Some((number.abs(), format.place_by(number.abs(), at_limit)?)));
        for (number, (index, _)) in placed.clone() {
            if let Some(greatest) = greatest.get_mut(index) {
                *greatest = Some(greatest.unwrap_or(0.0).max(number));
            }
        }
        for (number, (index, step)) in placed {
            let (Some(&Some(greatest)), Some(needed)) = (greatest.get(index), needed.get_mut(index)) else { continue };
            if round || step.prefix.is_empty() {
                let decimals = decimals_of(number / step.divisor, limit(&step, greatest / step.divisor));
                *needed = (*needed).max(Some(decimals));
            }
        }
        Self { needed, ..format }
    }

    /// Overrides the number of decimals, if the document sets it.
    #[must_use]
    pub fn with_decimals(self, decimals: Option<u16>) -> Self {
        Self { declared: decimals.map(usize::from).or(self.declared), ..self }
    }

    /// Formats a number.
    #[must_use]
    pub fn figures(&self, value: f64) -> Figures {
        let size = value.abs();
        let (digits, prefix, symbol) = match self.place(size) {
            Some((index, step)) => {
                let decimals = self.decimals(index, &step, size);
                (fixed(size / step.divisor, decimals), step.prefix, step.symbol)
            }
            None => {
                // The unit of numbers that are not of an ordinary size: a percentage stays one, a duration has the
                // shortest or the longest unit.
                let index = if size < 1.0 { 0 } else { self.last_unit() };
                let step = self.scale.step(index).filter(|step| (size / step.divisor).is_finite());
                let (divisor, symbol) = step.map_or((1.0, Symbol::default()), |step| (step.divisor, step.symbol));
                (scientific(size / divisor), "", symbol)
            }
        };
        // A number that rounds to zero has no sign.
        let sign = if value < 0.0 && !is_zero(&digits) { MINUS } else { "" };
        let number = format!("{sign}{}", separators::with(|separators| separators.written(&digits)));
        Figures { number, unit: format!("{prefix}{}", symbol.as_str()) }
    }

    /// Formats a number without its unit.
    #[must_use]
    pub fn number(&self, value: f64) -> String {
        self.figures(value).number
    }

    /// Formats a number with its unit: `42.5 ms`.
    #[must_use]
    pub fn text(&self, value: f64) -> String {
        self.figures(value).text()
    }

    /// Formats a difference, with an explicit sign. The difference of two percentages is in points.
    #[must_use]
    pub fn difference(&self, value: f64) -> Figures {
        let value = if value.abs() < self.greatest * NOISE { 0.0 } else { value };
        let Figures { number, unit } = self.figures(value);
        let sign = match number.strip_prefix(MINUS) {
            Some(_) => "",
            None if is_zero(&number) => "±",
            None => "+",
        };
        let unit = if unit == "%" { "points".to_owned() } else { unit };
        Figures { number: format!("{sign}{number}"), unit }
    }

    /// Formats two ends, with the unit once if both have the same: `38.2 to 46.1 ms`.
    #[must_use]
    pub fn span(&self, from: f64, to: f64) -> String {
        let (from, to) = (self.figures(from), self.figures(to));
        let start = if from.unit == to.unit { from.number.clone() } else { from.text() };
        format!("{start} to {}", to.text())
    }

    /// The step of a number as it is after rounding; `None` if it is too large or too small for all of them.
    fn place(&self, size: f64) -> Option<(usize, Step)> {
        self.place_by(size, |index, step, size| self.decimals(index, step, size))
    }

    fn place_by(&self, size: f64, decimals: impl Fn(usize, &Step, f64) -> usize) -> Option<(usize, Step)> {
        if size == 0.0 {
            let index = self.common.unwrap_or_else(|| self.scale.step_of_zero());
            return Some((index, self.scale.step(index)?));
        }
        let mut index = self.common.unwrap_or_else(|| self.scale.step_of(size));
        let smallest = self.scale.step(0)?;
        if size >= self.scale.end || self.declared.is_none() && size / smallest.divisor < LEAST {
            return None;
        }
        loop {
            let step = self.scale.step(index)?;
            let rounded = round(size / step.divisor, signed(decimals(index, &step, size))) * step.divisor;
            match self.scale.step(index + 1).filter(|_| index + 1 < MAX_STEPS && self.common.is_none()) {
                Some(next) if rounded >= next.least * (1.0 - 1e-9) => index += 1,
                None if rounded >= self.scale.end => return None,
                _ => return Some((index, step)),
            }
        }
    }

    /// The number of decimals of a number in a step.
    fn decimals(&self, index: usize, step: &Step, size: f64) -> usize {
        if let Some(declared) = self.declared {
            return declared;
        }
        let size = size / step.divisor;
        let limit = limit(step, size);
        let known = self.needed.get(index).copied().flatten();
        let decimals = match known {
            _ if !step.prefix.is_empty() && !self.round => limit,
            Some(needed) if self.round => needed,
            Some(needed) if size > 0.0 => needed.min(limit),
            Some(needed) => needed,
            None => decimals_of(size, limit),
        };
        // A number that is not zero does not read as zero.
        let vanishes = size > 0.0 && round(size, signed(decimals)) == 0.0;
        if vanishes { unsigned(1 - rounded_exponent(size, 2)) } else { decimals }
    }

    /// The step of the longest unit of time; the first one for other units.
    fn last_unit(&self) -> usize {
        if matches!(self.unit.scaling, Scaling::Time(_)) { MAX_STEPS - 1 } else { 0 }
    }
}

/// The most decimals of a number in its step.
fn limit(step: &Step, size: f64) -> usize {
    if size == 0.0 {
        return 0;
    }
    let exponent = rounded_exponent(size, DIGITS);
    let digits = if step.prefix.is_empty() && exponent >= 0 { DIGITS_IN_FULL } else { DIGITS };
    unsigned(digits - 1 - rounded_exponent(size, digits))
}

/// The number of decimals that a number needs, up to a limit.
fn decimals_of(value: f64, limit: usize) -> usize {
    let text = fixed(value, limit);
    text.split_once('.').map_or(0, |(_, decimals)| decimals.trim_end_matches('0').len())
}

fn is_zero(digits: &str) -> bool {
    !digits.contains(|c: char| matches!(c, '1'..='9'))
}

fn signed(decimals: usize) -> i32 {
    i32::try_from(decimals).unwrap_or(0)
}

fn unsigned(decimals: i32) -> usize {
    usize::try_from(decimals).unwrap_or(0)
}

#[cfg(test)]
mod tests;
