//! Numbers as integers. Most measured numbers have few decimals, so that a number times a power of ten is an integer.
//! The rest, such as sums of such numbers, are some steps of the last bit away from one.

use crate::store::damage::Unreadable;

/// The most decimals that are tried.
const MAX_DECIMALS: u8 = 12;

/// The byte of a scale of bits is this, plus the shift.
const BITS: u8 = 64;

/// The number of values that decide about the scale.
const SAMPLE: usize = 64;

/// The powers of ten, which are exact.
const POWERS: [f64; MAX_DECIMALS as usize + 1] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12];

/// Integers up to this are exact as numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The way in which the numbers of a row become integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// The number times this power of ten.
    Decimals(u8),
    /// The bits of the number without this many last ones, which are 0 in all numbers of the row.
    Bits(u8),
}

impl Scale {
    /// Chooses the scale for the numbers `all`. Only `values` among them were measured.
    pub fn of(values: impl Iterator<Item = f64> + Clone, all: impl Iterator<Item = f64>) -> Self {
        let sample = values.take(SAMPLE);
        let count = sample.clone().count();
        for decimals in 0..=MAX_DECIMALS {
            let scale = Self::Decimals(decimals);
            let exact = sample.clone().filter(|&value| scale.split(value).1 == 0).count();
            if exact * 10 >= count * 9 {
                return scale;
            }
        }
        let shift = all.filter(|value| *value != 0.0).map(|value| value.to_bits().trailing_zeros()).min();
        Self::Bits(u8::try_from(shift.unwrap_or_default().min(52)).unwrap_or_default())
    }

    /// Splits a number into an integer and the steps of the last bit between that integer and the number.
    #[must_use]
    pub fn split(self, value: f64) -> (i64, i64) {
        match self {
            Self::Decimals(decimals) => {
                let scaled = (value * POWERS[usize::from(decimals)]).round();
                #[expect(clippy::cast_possible_truncation, reason = "it is less than 2^53")]
                let whole = if scaled.abs() < EXACT { scaled as i64 } else { 0 };
                (whole, ordered(value).wrapping_sub(ordered(self.nearest(whole))))
            }
            Self::Bits(shift) => {
                let bits = value.to_bits().cast_signed() >> shift;
                (bits, value.to_bits().cast_signed().wrapping_sub(bits << shift))
            }
        }
    }

    /// Undoes [`Self::split`].
    #[must_use]
    pub fn join(self, whole: i64, steps: i64) -> f64 {
        match self {
            Self::Decimals(_) if steps == 0 => self.nearest(whole),
            Self::Decimals(_) => unordered(ordered(self.nearest(whole)).wrapping_add(steps)),
            Self::Bits(shift) => f64::from_bits((whole << shift).wrapping_add(steps).cast_unsigned()),
        }
    }

    /// Returns true if sums and differences of the integers are those of the numbers.
    #[must_use]
    pub fn is_linear(self) -> bool {
        matches!(self, Self::Decimals(_))
    }

    /// Encodes the scale.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Decimals(decimals) => decimals,
            Self::Bits(shift) => BITS + shift,
        }
    }

    /// Decodes a scale.
    ///
    /// # Errors
    /// [`Unreadable`] if no scale has this byte.
    pub fn of_byte(byte: u8) -> Result<Self, Unreadable> {
        match byte {
            0..=MAX_DECIMALS => Ok(Self::Decimals(byte)),
            BITS..128 => Ok(Self::Bits(byte - BITS)),
            _ => Err(Unreadable::Content("it has an unknown scale")),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "an integer of more than 53 bits was not made by `split`")]
    fn nearest(self, whole: i64) -> f64 {
        match self {
            Self::Decimals(decimals) => whole as f64 / POWERS[usize::from(decimals)],
            Self::Bits(shift) => f64::from_bits((whole << shift).cast_unsigned()),
        }
    }
}

/// Maps numbers to integers so that neighbours are neighbours. -0.0 comes before 0.0.
fn ordered(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

fn unordered(ordered: i64) -> f64 {
    f64::from_bits((ordered ^ ((ordered >> 63).cast_unsigned() >> 1).cast_signed()).cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_number_survives_in_each_scale(value: f64, more in -1e9..1e9_f64, decimals in 0..=MAX_DECIMALS, shift in 0..53_u8) {
            for value in [value, more, -0.0, 0.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, (more * 100.0).round() / 100.0] {
                for scale in [Scale::Decimals(decimals), Scale::Bits(shift)] {
                    prop_assert_eq!(Scale::of_byte(scale.byte()).unwrap(), scale);
                    let (whole, steps) = scale.split(value);
                    prop_assert_eq!(scale.join(whole, steps).to_bits(), value.to_bits(), "{:?} {}", scale, value);
                }
            }
        }

        #[test]
        fn numbers_with_decimals_are_integers(whole in -9_999_999_i64..9_999_999, decimals in 0..=6_u8) {
            let value: f64 = format!("{whole}e-{decimals}").parse().unwrap();
            prop_assert_eq!(Scale::Decimals(decimals).split(value), (whole, 0));
        }
    }
}
