//! A quantile sketch: counts of values in bins of relative width 2 %.
//!
//! This is `DDSketch` (Masson, Rim, Lee, «`DDSketch`: a fast and fully-mergeable quantile sketch with relative-error
//! guarantees», VLDB 2019, <https://arxiv.org/abs/1908.10693>). It is our own implementation, because the server and
//! the browser must agree to the last bit. The bins are sparse and sorted, so that equal sets of values make equal
//! sketches. The bin of a value is computed with sums and products alone, which give the same result natively and in
//! wasm, while logarithms may not. The logarithm is approximated by the cubic interpolation of the authors'
//! `CubicallyInterpolatedMapping` (<https://github.com/DataDog/sketches-java>), which costs 1 % more bins.

use std::cmp::Ordering;
use std::ops::ControlFlow;

/// The most bins of a sketch, enough for values over 50 decades of magnitude. Values beyond go into the bins of the
/// least values, so that only low quantiles lose accuracy. The kept bins depend on the values alone, not on their
/// order.
pub const MAX_BINS: usize = 4_096;

/// The bins for each doubling of a value, divided by the least slope of the interpolation: 7/10 of this is the
/// reciprocal of ln γ. So γ = e^0.02, and the relative error of a bin's middle is (γ - 1) / (γ + 1) = 0.99997 %.
const UNIT: i32 = 35;

/// Makes the keys of all positive values positive: the least normal number has the exponent -1022.
const OFFSET: i32 = UNIT * 1_022 + 1;

/// The coefficients of the interpolation of log2(1 + s). It agrees with the logarithm at 0 and 1, and so do its
/// slopes.
const CUBIC: [f64; 3] = [6.0 / 35.0, -3.0 / 5.0, 10.0 / 7.0];

/// The key of a bin; greater values have greater keys. Key 0 holds 0 and the values too small to distinguish from it
/// (below 2.3e-308). A negative value has the negated key of its magnitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub i32);

impl Key {
    /// The key of the bin that contains a finite value.
    #[must_use]
    pub fn of(value: f64) -> Self {
        let bits = value.abs().to_bits();
        let exponent = i32::try_from(bits >> 52).unwrap_or_default() - 1_023;
        if exponent < -1_022 {
            return Self(0);
        }
        let s = f64::from_bits((bits & ((1 << 52) - 1)) | 1.0_f64.to_bits()) - 1.0;
        let [a, b, c] = CUBIC;
        let log = f64::from(exponent) + ((a * s + b) * s + c) * s;
        let key = floor(log * f64::from(UNIT)) + OFFSET;
        Self(if value < 0.0 { -key } else { key })
    }

    /// A value within 1 % of all values of this bin.
    #[must_use]
    pub fn value(self) -> f64 {
        if self.0 == 0 {
            return 0.0;
        }
        let place = self.0.saturating_abs() - OFFSET;
        // Computes great values at a quarter of their size, since the upper edge of the greatest bin is not a finite
        // number.
        let (place, scale) = if place > 0 { (place - 2 * UNIT, 4.0) } else { (place, 1.0) };
        let (low, high) = (edge(place), edge(place + 1));
        // The harmonic mean has the same relative distance to both edges.
        let value = (scale * 2.0 / (1.0 / low + 1.0 / high)).clamp(f64::MIN_POSITIVE, f64::MAX);
        if self.0 < 0 { -value } else { value }
    }
}

/// Rounds down. `f64::floor` is a call on processors before SSE 4.1, and each point is rounded twice.
#[expect(clippy::cast_possible_truncation, reason = "a double has at most 2^11 exponents")]
fn floor(place: f64) -> i32 {
    let towards_zero = place as i32;
    towards_zero - i32::from(f64::from(towards_zero) > place)
}

/// The least value of the bin at `place`: inverts the interpolation by Newton's method.
fn edge(place: i32) -> f64 {
    let log = f64::from(place) / f64::from(UNIT);
    let (exponent, fraction) = (log.floor(), log - log.floor());
    let [a, b, c] = CUBIC;
    let mut s = fraction;
    for _ in 0..6 {
        s -= (((a * s + b) * s + c) * s - fraction) / ((3.0 * a * s + 2.0 * b) * s + c);
    }
    (1.0 + s) * exponent.exp2()
}

/// A bin and the number of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bin {
    /// The key of the bin.
    pub key: Key,
    /// The number of values; at least one.
    pub count: u64,
}

/// Non-empty bins, sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch(Vec<Bin>);

impl Sketch {
    /// Makes a sketch from bins in any order.
    #[must_use]
    pub fn new(bins: impl IntoIterator<Item = Bin>) -> Self {
        let mut sketch = Self::default();
        bins.into_iter().for_each(|bin| sketch.add(bin));
        sketch
    }

    /// The bins, the least values first.
    #[must_use]
    pub fn bins(&self) -> &[Bin] {
        &self.0
    }

    /// Returns true if the sketch holds no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a bin.
    pub fn add(&mut self, bin: Bin) {
        match self.0.binary_search_by_key(&bin.key, |b| b.key) {
            Ok(at) => self.0[at].count = self.0[at].count.saturating_add(bin.count),
            Err(at) => {
                self.0.insert(at, bin);
                self.collapse();
            }
        }
    }

    /// Adds the values of another sketch. Associative and commutative.
    pub fn merge(&mut self, other: &[Bin]) {
        if let [one] = other {
            return self.add(*one);
        }
        let mut merged = Vec::with_capacity(self.0.len() + other.len());
        let (mut a, mut b) = (self.0.iter().copied().peekable(), other.iter().copied().peekable());
        loop {
            let order = match (a.peek(), b.peek()) {
                (Some(x), Some(y)) => x.key.cmp(&y.key),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            let from_a = if order.is_le() { a.next() } else { None };
            let from_b = if order.is_ge() { b.next() } else { None };
            let count = from_a.map_or(0, |bin| bin.count).saturating_add(from_b.map_or(0, |bin| bin.count));
            merged.extend(from_a.or(from_b).map(|bin| Bin { count, ..bin }));
        }
        self.0 = merged;
        self.collapse();
    }

    /// The quantile `q`, from 0 to 1: the value that a share `q` of all values does not exceed, to within 1 %. For n
    /// sorted values it is the ⌈qn⌉th, by the method of the nearest rank. `None` if there are no values.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let count = total(&self.0);
        let wanted = rank(q, count)?;
        let found = self.0.iter().try_fold(0, |below, bin| {
            let upto = u64::saturating_add(below, bin.count);
            if upto > wanted { ControlFlow::Break(bin.key) } else { ControlFlow::Continue(upto) }
        });
        found.break_value().map(Key::value)
    }

    fn collapse(&mut self) {
        let beyond = self.0.len().saturating_sub(MAX_BINS);
        if beyond > 0 {
            let lowest = total(&self.0[..beyond]);
            self.0.drain(..beyond);
            self.0[0].count = self.0[0].count.saturating_add(lowest);
        }
    }
}

/// Counts the values of all bins.
fn total(bins: &[Bin]) -> u64 {
    bins.iter().fold(0, |total, bin| total.saturating_add(bin.count))
}

/// The index of a quantile among `count` sorted values, from 0.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts stay far below 2^53, and q is held within 0 to 1"
)]
fn rank(q: f64, count: u64) -> Option<u64> {
    let last = count.checked_sub(1)?;
    Some(((q.clamp(0.0, 1.0) * count as f64).ceil() as u64).saturating_sub(1).min(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Generates values of all magnitudes, and values of similar magnitude: measured values rarely spread over all
    /// doubles.
    fn values() -> impl Strategy<Value = Vec<f64>> {
        let value = prop_oneof![any::<f64>(), -1e3..1e3, 0.9..1.1, Just(0.0), 1e-9..1e-3, 1e6..1e12];
        prop::collection::vec(value.prop_filter("finite", |v| v.is_finite()), 1..200)
    }

    fn sketch(values: &[f64]) -> Sketch {
        Sketch::new(values.iter().map(|&value| Bin { key: Key::of(value), count: 1 }))
    }

    fn merged(a: &Sketch, b: &Sketch) -> Sketch {
        let mut all = a.clone();
        all.merge(b.bins());
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn a_quantile_is_within_one_percent_of_the_exact_one(values in values(), q in 0.0..=1.0) {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let exact = sorted[usize::try_from(rank(q, sorted.len() as u64).unwrap()).unwrap()];
            let found = sketch(&values).quantile(q).unwrap();
            prop_assert!((found - exact).abs() <= exact.abs() * 0.01 + f64::MIN_POSITIVE, "{} for {}", found, exact);
        }

        #[test]
        fn merging_is_associative_and_commutative_and_equals_adding_one_by_one(
            a in values(), b in values(), c in values()
        ) {
            let all = sketch(&[a.clone(), b.clone(), c.clone()].concat());
            let (a, b, c) = (sketch(&a), sketch(&b), sketch(&c));
            prop_assert_eq!(&merged(&merged(&a, &b), &c), &all);
            prop_assert_eq!(&merged(&a, &merged(&b, &c)), &all);
            prop_assert_eq!(&merged(&merged(&c, &b), &a), &all);
        }

        #[test]
        fn greater_values_never_have_lesser_keys(a: f64, b: f64) {
            prop_assume!(a.is_finite() && b.is_finite());
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            prop_assert!(Key::of(low) <= Key::of(high));
        }
    }

    #[test]
    fn every_bin_holds_its_own_value_and_the_extremes_have_one() {
        for key in [1, 2, 1_000, OFFSET - 1, OFFSET, OFFSET + 1, 71_000, Key::of(f64::MAX).0 - 1] {
            assert_eq!(Key::of(Key(key).value()), Key(key));
            assert_eq!(Key::of(Key(-key).value()), Key(-key));
        }
        for value in [f64::MAX, f64::MIN, f64::MIN_POSITIVE, 1.0, -1.0] {
            let middle = Key::of(value).value();
            assert!((middle / value - 1.0).abs() <= 0.01, "{middle} for {value}");
        }
        assert_eq!((Key::of(0.0), Key::of(-0.0), Key::of(1e-310)), (Key(0), Key(0), Key(0)));
    }

    #[test]
    fn beyond_the_most_bins_the_least_values_share_one_whatever_the_order() {
        let bins = |range: std::ops::Range<i32>| Sketch::new(range.map(|key| Bin { key: Key(key), count: 1 }));
        let (low, high) = (bins(0..3_000), bins(2_000..6_000));
        let all = merged(&low, &high);
        assert_eq!(all, merged(&high, &low));
        assert_eq!((all.bins().len(), all.bins()[0]), (MAX_BINS, Bin { key: Key(1_904), count: 1_905 }));
        assert_eq!(all.bins().iter().map(|bin| bin.count).sum::<u64>(), 7_000);
    }
}
