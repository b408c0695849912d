//! The vertical axis: its range, the positions of values, and its ticks.

use shared::board::axis::{Axis, Scale};

/// The margin above and below the content, as a share of its height.
const AIR: f64 = 0.08;

/// The share of a logarithmic axis below the least value, if there are values that it cannot show.
const FLOOR: f64 = 0.08;

/// A vertical axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueAxis {
    /// The lower end.
    pub low: f64,
    /// The upper end, above the lower one.
    pub high: f64,
    /// The scale.
    pub scale: Scale,
    /// True if there are values that the scale cannot show. They are drawn at the lower end.
    pub has_floor: bool,
}

/// The extent of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// The minimum.
    pub low: f64,
    /// The maximum.
    pub high: f64,
    /// The least value above zero, if there is any.
    pub positive: Option<f64>,
}

impl Extent {
    /// Returns the extent of these values; `None` if there are none.
    #[must_use]
    pub fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let one = |value: f64| Self { low: value, high: value, positive: (value > 0.0).then_some(value) };
        values.filter(|value| value.is_finite()).map(one).reduce(Self::with)
    }

    /// Returns the extent of both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        let positive = match (self.positive, other.positive) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self { low: self.low.min(other.low), high: self.high.max(other.high), positive }
    }
}

/// The value that an axis must include besides the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// None: the axis may begin anywhere.
    Free,
    /// Zero, on which bars and areas stand.
    Zero,
}

impl ValueAxis {
    /// Makes the axis for data of this extent. Ends that the document sets take precedence.
    #[must_use]
    pub fn new(axis: Axis, shown: Option<Extent>, ground: Baseline) -> Self {
        let scale = axis.scale.unwrap_or(Scale::Linear);
        let has_floor = scale == Scale::Log && shown.is_some_and(|shown| shown.low <= 0.0);
        let ((low, high), (min, max)) = match scale {
            Scale::Linear => {
                (linear(shown.map_or((0.0, 1.0), |shown| (shown.low, shown.high)), ground), (axis.min, axis.max))
            }
            Scale::Log => {
                let above_zero = |end: Option<f64>| end.filter(|end| *end > 0.0);
                (logarithmic(shown, has_floor), (above_zero(axis.min), above_zero(axis.max)))
            }
        };
        let (low, high) = (min.unwrap_or(low), max.unwrap_or(high));
        if low < high {
            return Self { low, high, scale, has_floor };
        }
        // Only one end is set, and all values are beyond it.
        let (low, high) = match (min, scale) {
            (Some(low), Scale::Linear) => (low, low + low.abs().max(1.0)),
            (Some(low), Scale::Log) => (low, (low * 10.0).min(f64::MAX)),
            (None, Scale::Linear) => (high - high.abs().max(1.0), high),
            (None, Scale::Log) => (high / 1e3, high),
        };
        Self { low, high, scale, has_floor }
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
            Scale::Log => self.log_ticks(most),
        }
    }

    /// Powers of ten; where there are fewer than two, also their multiples by two and five, or else equal steps.
    fn log_ticks(&self, most: f64) -> Vec<f64> {
        let (low, high) = (self.low.log10().ceil(), self.high.log10().floor());
        let step = ((high - low + 1.0) / most).ceil().max(1.0);
        let powers = (0..100).map(|i| low + f64::from(i) * step).take_while(|&power| power <= high);
        let ticks: Vec<f64> = powers.map(|power| 10.0_f64.powf(power)).collect();
        if ticks.len() > 1 {
            return ticks;
        }
        let tens = [low - 1.0, low].map(|power| 10.0_f64.powf(power));
        let multiples = tens.into_iter().flat_map(|ten| [1.0, 2.0, 5.0].map(|times| ten * times));
        let ticks: Vec<f64> = multiples.filter(|tick| (self.low..=self.high).contains(tick)).collect();
        if ticks.len() > 1 { ticks } else { Self { scale: Scale::Linear, ..*self }.ticks(3) }
    }
}

/// The ends of a logarithmic axis.
fn logarithmic(shown: Option<Extent>, has_floor: bool) -> (f64, f64) {
    let Some((low, high)) = shown.and_then(|shown| Some((shown.positive?, shown.high))) else { return (1.0, 10.0) };
    let (low, high) = (low / 1.2, (high * 1.2).min(f64::MAX));
    let low = if has_floor { low / (high / low).min(f64::MAX).powf(FLOOR) } else { low };
    (low.max(f64::MIN_POSITIVE), high)
}

fn linear((low, high): (f64, f64), ground: Baseline) -> (f64, f64) {
    let (low, high) = match ground {
        Baseline::Free => (low, high),
        Baseline::Zero => (low.min(0.0), high.max(0.0)),
    };
    // Covers at least 2 % of the greatest value, so that noise does not look like a mountain.
    let least = low.abs().max(high.abs()) / 50.0;
    let half = (high / 2.0 - low / 2.0).max(least / 2.0);
    let half = if half < f64::MIN_POSITIVE { 0.5 } else { half };
    let (middle, air) = (high / 2.0 + low / 2.0, half * (2.0 * AIR));
    let (mut bottom, mut top) = (middle - half - air, middle + half + air);
    // An area that stands on zero gets no margin below. Data that was never negative gets no margin below zero
    // either.
    if low >= 0.0 && bottom < 0.0 || ground == Baseline::Zero && low == 0.0 {
        bottom = 0.0;
    }
    if ground == Baseline::Zero && high == 0.0 && low < 0.0 {
        top = 0.0;
    }
    if bottom < top { (bottom.max(f64::MIN), top.min(f64::MAX)) } else { (0.0, 1.0) }
}

/// The least of 1, 2, 5 and 10 times a power of ten that is not below `step`.
#[must_use]
pub fn nice(step: f64) -> f64 {
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

    fn extent(low: f64, high: f64) -> Option<Extent> {
        Extent::of([low, high].into_iter())
    }

    fn log(values: &[f64]) -> ValueAxis {
        let axis = Axis { scale: Some(Scale::Log), ..Axis::default() };
        ValueAxis::new(axis, Extent::of(values.iter().copied()), Baseline::Free)
    }

    fn axis(low: f64, high: f64, ground: Baseline) -> ValueAxis {
        ValueAxis::new(Axis::default(), extent(low, high), ground)
    }

    #[test]
    fn marks_are_round_and_few() {
        assert_eq!(axis(38.2, 46.1, Baseline::Free).ticks(5), [38.0, 40.0, 42.0, 44.0, 46.0]);
        assert_eq!(axis(0.0, 97.0, Baseline::Zero).ticks(3), [0.0, 50.0, 100.0]);
        let log = log(&[3.0, 4_000.0]);
        assert_eq!(log.ticks(4), [10.0, 100.0, 1_000.0]);
        assert!(log.y(0.0).is_none() && log.y(4_000.0).unwrap() > 0.0);
    }

    #[test]
    fn logarithmic_axis_has_ticks_within_a_decade() {
        assert_eq!(log(&[3.0, 40.0]).ticks(4), [5.0, 10.0, 20.0]);
        assert_eq!(log(&[2.0, 9.0]).ticks(4), [2.0, 5.0, 10.0]);
        assert!(log(&[41.0, 44.0]).ticks(4).len() > 1);
    }

    #[test]
    fn zero_hides_nothing_on_a_logarithmic_axis() {
        let axis = log(&[0.0, 0.002, 90.0]);
        assert!(axis.has_floor && axis.low > 0.0);
        let least = axis.y(0.002).unwrap();
        assert!((0.85..0.97).contains(&least), "{least}: there is room below for the zero");
        assert!(!log(&[0.002, 90.0]).has_floor);
        assert_eq!((log(&[0.0, -5.0]).low, log(&[]).high), (1.0, 10.0), "without a value above zero it has some ends");
    }

    #[test]
    fn what_never_was_below_zero_is_not_drawn_as_if_it_could_be() {
        assert!(axis(0.1, 10.0, Baseline::Free).low >= 0.0);
        assert_eq!(axis(5.0, 10.0, Baseline::Zero).low, 0.0);
        assert!(axis(-5.0, 10.0, Baseline::Zero).low < -5.0);
    }

    #[test]
    fn what_the_document_says_holds() {
        let declared = Axis { min: Some(0.0), max: Some(100.0), scale: None };
        assert_eq!(ValueAxis::new(declared, extent(40.0, 400.0), Baseline::Free).high, 100.0);
        let low = Axis { min: Some(500.0), ..Axis::default() };
        assert!(ValueAxis::new(low, extent(1.0, 2.0), Baseline::Free).high > 500.0);
    }

    proptest! {
        #[test]
        fn every_axis_has_its_values_within_and_few_marks(a in any::<f64>(), b in any::<f64>(), most in 1..10_u32) {
            prop_assume!(a.is_finite() && b.is_finite());
            let (low, high) = (a.min(b), a.max(b));
            let axis = axis(low, high, Baseline::Free);
            prop_assert!(axis.low < axis.high && axis.low.is_finite() && axis.high.is_finite());
            for value in [low, high] {
                prop_assert!((-0.01..=1.01).contains(&axis.y(value).unwrap()), "{:?}", axis);
            }
            prop_assert!(axis.ticks(most).len() <= most as usize + 2);
        }

        #[test]
        fn every_logarithmic_axis_has_its_positive_values_within_and_labels(
            values in prop::collection::vec(-1e3..1e9_f64, 1..20), powers in -9..9_i32, most in 2..10_u32
        ) {
            let values: Vec<f64> = values.into_iter().map(|value| value * 10.0_f64.powi(powers)).collect();
            let axis = log(&values);
            prop_assert!(axis.low < axis.high && axis.low > 0.0);
            for value in values.iter().filter(|value| **value > 0.0) {
                prop_assert!((-0.01..=1.01).contains(&axis.y(*value).unwrap()), "{:?}", axis);
            }
            let ticks = axis.ticks(most);
            prop_assert!(!ticks.is_empty() && ticks.len() <= most as usize + 4, "{ticks:?}");
            prop_assert_eq!(axis.has_floor, values.iter().any(|value| *value <= 0.0));
        }
    }
}
