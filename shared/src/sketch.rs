//! A quantile sketch: how many values fell into which bin of relative width 2 %.
//!
//! This is `DDSketch` (Masson, Rim, Lee, «`DDSketch`: a fast and fully-mergeable quantile sketch with relative-error
//! guarantees», VLDB 2019, <https://arxiv.org/abs/1908.10693>). It is our own since two sides must agree to the last bit: the
//! bins are sparse and sorted, so that equal sets of values make equal sketches, and a value's bin is found with sums
//! and products alone, which natively and in wasm come out the same, while logarithms need not. The logarithm is the cubic
//! interpolation of the authors' `CubicallyInterpolatedMapping` (<https://github.com/DataDog/sketches-java>), which
//! costs 1 % more bins.

use std::cmp::Ordering;
use std::ops::ControlFlow;

/// Most bins of a sketch. Values over 50 decades of magnitude need as many; what is beyond goes into the bins of the
/// least values, so that only low quantiles lose accuracy. Which bins stay depends on the values alone, not on their order.
pub const MAX_BINS: usize = 4_096;

/// Bins for each doubling of a value, over the slope of the interpolation where it is least: 7/10 of this is the reciprocal
/// of ln γ. So γ = e^0.02, and the relative error of a bin's middle is (γ - 1) / (γ + 1) = 0.99997 %.
const UNIT: i32 = 35;

/// What makes the bins of all positive values positive: the least normal number has the exponent -1022.
const OFFSET: i32 = UNIT * 1_022 + 1;

/// The coefficients of the interpolation of log2(1 + s): it agrees at 0 and 1, and so do its slopes.
const CUBIC: [f64; 3] = [6.0 / 35.0, -3.0 / 5.0, 10.0 / 7.0];

/// The place of a bin: greater values have greater keys. 0 has the values that are 0 or too small to tell from it
/// (below 2.3e-308); a negative value has the negative of the key of its magnitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub i32);

impl Key {
    /// The bin that a finite value falls into.
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
        #[expect(clippy::cast_possible_truncation, reason = "a double has at most 2^11 exponents")]
        let key = (log * f64::from(UNIT)).floor() as i32 + OFFSET;
        Self(if value < 0.0 { -key } else { key })
    }

    /// A value that is within 1 % of all that fall into this bin.
    #[must_use]
    pub fn value(self) -> f64 {
        if self.0 == 0 {
            return 0.0;
        }
        let place = self.0.saturating_abs() - OFFSET;
        // Great values at a quarter, since the edge above the greatest is no number.
        let (place, scale) = if place > 0 { (place - 2 * UNIT, 4.0) } else { (place, 1.0) };
        let (low, high) = (edge(place), edge(place + 1));
        // The harmonic mean: just as far from both edges, relative to them.
        let value = (scale * 2.0 / (1.0 / low + 1.0 / high)).clamp(f64::MIN_POSITIVE, f64::MAX);
        if self.0 < 0 { -value } else { value }
    }
}

/// The least value of the bin at `place`: the inverse of the interpolation, by Newton's method.
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

/// How many values fell into a bin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bin {
    /// Which bin.
    pub key: Key,
    /// How many; at least one.
    pub count: u64,
}

/// Bins, sorted by key, none of them empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch(Vec<Bin>);

impl Sketch {
    /// The sketch with these bins, in any order.
    #[must_use]
    pub fn new(bins: impl IntoIterator<Item = Bin>) -> Self {
        let mut sketch = Self::default();
        bins.into_iter().for_each(|bin| sketch.add(bin));
        sketch
    }

    /// The bins, least values first.
    #[must_use]
    pub fn bins(&self) -> &[Bin] {
        &self.0
    }

    /// Whether nothing is in it.
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

    /// The value that a share `q` of all values is not above, from 0 to 1, to within 1 %: of n sorted values the ⌈qn⌉th, by the
    /// method of the nearest rank. Nothing where there are no values.
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

/// The place of a quantile among `count` sorted values, from 0.
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

    /// Values of all magnitudes, also of one: what is measured is seldom spread over all doubles.
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
