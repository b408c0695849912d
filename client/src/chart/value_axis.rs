//! The vertical axis: its range, the positions of values, and its ticks.

use shared::board::axis::{Axis, Scale};

/// The margin above and below the content, as a share of its height.
const AIR: f64 = 0.08;

/// A vertical axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Upright {
    /// The lower end.
    pub low: f64,
    /// The upper end, above the lower one.
    pub high: f64,
    /// The scale.
    pub scale: Scale,
}

/// The value that an axis must include besides the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// None: the axis may begin anywhere.
    Free,
    /// Zero, on which bars and areas stand.
    Zero,
}

impl Upright {
    /// Makes the axis for data from a minimum to a maximum. Ends that the document sets take precedence.
    #[must_use]
    pub fn new(axis: Axis, shown: Option<(f64, f64)>, ground: Ground) -> Self {
        let scale = axis.scale.unwrap_or(Scale::Linear);
        let (low, high) = shown.unwrap_or(match scale {
            Scale::Linear => (0.0, 1.0),
            Scale::Log => (1.0, 10.0),
        });
        let (low, high) = match scale {
            Scale::Linear => linear(low, high, ground),
            Scale::Log => {
                let high = if high > 0.0 { high } else { 10.0 };
                let low = if low > 0.0 { low } else { high / 1e3 };
                (low / 1.2, high * 1.2)
            }
        };
        let (low, high) = (axis.min.unwrap_or(low), axis.max.unwrap_or(high));
        if low < high {
            return Self { low, high, scale };
        }
        // Only one end is set, and all values are beyond it.
        match axis.min {
            Some(low) => Self { low, high: low + low.abs().max(1.0), scale },
            None => {
                Self { low: if scale == Scale::Log { high / 1e3 } else { high - high.abs().max(1.0) }, high, scale }
            }
        }
    }

    /// The position of a value from top (0) to bottom (1); beyond these if it is outside, `None` if the scale cannot
    /// show it.
    #[must_use]
    pub fn y(&self, value: f64) -> Option<f64> {
        match self.scale {
            // Halves before subtracting, since the distance of the greatest floats exceeds a float.
            Scale::Linear => Some((self.high / 2.0 - value / 2.0) / (self.high / 2.0 - self.low / 2.0)),
            Scale::Log if value > 0.0 => Some((self.high / value).ln() / (self.high / self.low).ln()),
            Scale::Log => None,
        }
    }

    /// The values of at most `most` ticks, from the lowest.
    #[must_use]
    pub fn ticks(&self, most: u32) -> Vec<f64> {
        let most = f64::from(most.max(1));
        match self.scale {
            Scale::Linear => {
                let step = nice((self.high / 2.0 - self.low / 2.0) / most * 2.0);
                if !step.is_finite() || step <= 0.0 {
                    return Vec::new();
                }
                let first = (self.low / step).ceil();
                let count = ((self.high / step).floor() - first).clamp(0.0, 100.0);
                let values = (0..=100).map(f64::from).take_while(|&i| i <= count).map(|i| (first + i) * step);
                values.filter(|value| value.is_finite() && (self.low..=self.high).contains(value)).collect()
            }
            Scale::Log => {
                let (low, high) = (self.low.log10().ceil(), self.high.log10().floor());
                let step = ((high - low + 1.0) / most).ceil().max(1.0);
                let powers = (0..100).map(|i| low + f64::from(i) * step).take_while(|&power| power <= high);
                powers.map(|power| 10.0_f64.powf(power)).collect()
            }
        }
    }
}

fn linear(low: f64, high: f64, ground: Ground) -> (f64, f64) {
    let (low, high) = match ground {
        Ground::Free => (low, high),
        Ground::Zero => (low.min(0.0), high.max(0.0)),
    };
    // Covers at least 2 % of the greatest value, so that noise does not look like a mountain.
    let least = low.abs().max(high.abs()) / 50.0;
    let half = (high / 2.0 - low / 2.0).max(least / 2.0);
    let half = if half < f64::MIN_POSITIVE { 0.5 } else { half };
    let (middle, air) = (high / 2.0 + low / 2.0, half * (2.0 * AIR));
    let (mut bottom, mut top) = (middle - half - air, middle + half + air);
    // An area that stands on zero gets no margin below. Data that was never negative gets no margin below zero
    // either.
    if low >= 0.0 && bottom < 0.0 || ground == Ground::Zero && low == 0.0 {
        bottom = 0.0;
    }
    if ground == Ground::Zero && high == 0.0 && low < 0.0 {
        top = 0.0;
    }
    if bottom < top { (bottom.max(f64::MIN), top.min(f64::MAX)) } else { (0.0, 1.0) }
}

/// The least of 1, 2, 5 and 10 times a power of ten that is not below `step`.
fn nice(step: f64) -> f64 {
    let power = 10.0_f64.powf(step.log10().floor());
    let times = step / power;
    let nice = [1.0, 2.0, 5.0].into_iter().find(|nice| times <= nice * (1.0 + 1e-9)).unwrap_or(10.0);
    nice * power
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn axis(low: f64, high: f64, ground: Ground) -> Upright {
        Upright::new(Axis::default(), Some((low, high)), ground)
    }

    #[test]
    fn marks_are_round_and_few() {
        assert_eq!(axis(38.2, 46.1, Ground::Free).ticks(5), [38.0, 40.0, 42.0, 44.0, 46.0]);
        assert_eq!(axis(0.0, 97.0, Ground::Zero).ticks(3), [0.0, 50.0, 100.0]);
        let log = Upright::new(Axis { scale: Some(Scale::Log), ..Axis::default() }, Some((3.0, 4_000.0)), Ground::Free);
        assert_eq!(log.ticks(4), [10.0, 100.0, 1_000.0]);
        assert!(log.y(0.0).is_none() && log.y(4_000.0).unwrap() > 0.0);
    }

    #[test]
    fn what_never_was_below_zero_is_not_drawn_as_if_it_could_be() {
        assert!(axis(0.1, 10.0, Ground::Free).low >= 0.0);
        assert_eq!(axis(5.0, 10.0, Ground::Zero).low, 0.0);
        assert!(axis(-5.0, 10.0, Ground::Zero).low < -5.0);
    }

    #[test]
    fn what_the_document_says_holds() {
        let declared = Axis { min: Some(0.0), max: Some(100.0), scale: None };
        assert_eq!(Upright::new(declared, Some((40.0, 400.0)), Ground::Free).high, 100.0);
        let low = Axis { min: Some(500.0), ..Axis::default() };
        assert!(Upright::new(low, Some((1.0, 2.0)), Ground::Free).high > 500.0);
    }

    proptest! {
        #[test]
        fn every_axis_has_its_values_within_and_few_marks(a in any::<f64>(), b in any::<f64>(), most in 1..10_u32) {
            prop_assume!(a.is_finite() && b.is_finite());
            let (low, high) = (a.min(b), a.max(b));
            let axis = axis(low, high, Ground::Free);
            prop_assert!(axis.low < axis.high && axis.low.is_finite() && axis.high.is_finite());
            for value in [low, high] {
                prop_assert!((-0.01..=1.01).contains(&axis.y(value).unwrap()), "{:?}", axis);
            }
            prop_assert!(axis.ticks(most).len() <= most as usize + 2);
        }
    }
}
