//! Stacks areas on each other.

use super::trace::{Dot, Trace};

/// The scaling of stacked areas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upon {
    /// The values themselves.
    Sum,
    /// The shares of the sum of all magnitudes, in percent.
    Share,
}

/// Stacks each line on those before it: positive values upwards from zero, negative ones downwards. A line without a
/// point at a moment keeps its earlier value. If that is too old, the line has a gap there, and the others stand
/// without it. The outermost line has the band of the sum: its extremes are not beyond the sums of all extremes.
pub fn stack(traces: &mut [Trace], upon: Upon) {
    let mut moments: Vec<u64> = traces.iter().flat_map(|trace| trace.dots.iter().map(|dot| dot.at)).collect();
    moments.sort_unstable();
    moments.dedup();
    let mut stacked: Vec<Vec<Dot>> = vec![Vec::with_capacity(moments.len()); traces.len()];
    let mut before = vec![false; traces.len()];
    for &at in &moments {
        let held: Vec<Option<Dot>> = traces.iter().map(|trace| trace.holds(at).copied()).collect();
        let scale = match upon {
            Upon::Sum => 1.0,
            Upon::Share => match held.iter().flatten().map(|dot| dot.value.abs()).sum::<f64>() {
                0.0 => 0.0,
                sum => 100.0 / sum,
            },
        };
        let (mut above, mut below) = (Side::default(), Side::default());
        for (i, dot) in held.into_iter().enumerate() {
            let was_there = std::mem::replace(&mut before[i], dot.is_some());
            let Some(dot) = dot else { continue };
            let value = dot.value * scale;
            let side = if value < 0.0 { &mut below } else { &mut above };
            let base = side.top;
            side.top += value;
            side.outermost = Some(i);
            above.extreme += dot.high.max(0.0);
            below.extreme += dot.low.min(0.0);
            let top = base + value;
            let is_held = dot.at < at;
            let joined = was_there && (dot.joined || is_held);
            let (from, to) = if is_held { (at, at) } else { (dot.from, dot.to) };
            stacked[i].push(Dot { at, from, to, value, low: top, high: top, base, top, joined });
        }
        if upon == Upon::Sum {
            for side in [above, below] {
                let Some(dot) = side.outermost.and_then(|i| stacked[i].last_mut()) else { continue };
                (dot.low, dot.high) = (dot.low.min(side.extreme), dot.high.max(side.extreme));
            }
        }
    }
    for (trace, dots) in traces.iter_mut().zip(stacked) {
        trace.dots = dots;
    }
}

/// The areas on one side of zero.
#[derive(Clone, Copy, Debug, Default)]
struct Side {
    /// The sum of the values.
    top: f64,
    /// The sum of the extremes.
    extreme: f64,
    /// The index of the outermost line.
    outermost: Option<usize>,
}

/// Lets each area stand on zero.
pub fn separate(traces: &mut [Trace]) {
    traces.iter_mut().flat_map(|trace| &mut trace.dots).for_each(|dot| dot.base = 0.0);
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trace(dots: &[(u64, f64)]) -> Trace {
        let dots = dots.iter().map(|&(at, value)| Dot::new(at, value)).collect();
        Trace { dots, ..Trace::default() }.broken_at(5)
    }

    fn edges(trace: &Trace) -> Vec<(u64, f64, f64)> {
        trace.dots.iter().map(|dot| (dot.at, dot.base, dot.top)).collect()
    }

    #[test]
    fn areas_stand_on_each_other_and_shares_add_up_to_a_hundred() {
        let mut traces = [trace(&[(0, 1.0), (4, 3.0)]), trace(&[(0, 3.0), (2, 1.0)])];
        let mut shares = traces.clone();
        stack(&mut traces, Upon::Sum);
        assert_eq!(edges(&traces[1]), [(0, 1.0, 4.0), (2, 1.0, 2.0), (4, 3.0, 4.0)]);
        stack(&mut shares, Upon::Share);
        assert!(shares[1].dots.iter().all(|dot| (dot.top - 100.0).abs() < 1e-9));
    }

    #[test]
    fn silent_series_has_a_gap_and_others_stand_without_it() {
        let often: Vec<(u64, f64)> = (0..12).map(|i| (i * 2, 1.0)).collect();
        let mut traces = [trace(&[(0, 90.0), (2, 94.5), (20, 95.0)]), trace(&often)];
        stack(&mut traces, Upon::Sum);
        let there: Vec<u64> = traces[0].dots.iter().map(|dot| dot.at).collect();
        assert_eq!(there, [0, 2, 4, 6, 20, 22], "it keeps its value for as long as a line bridges a gap");
        assert_eq!(traces[0].runs().len(), 2);
        assert_eq!(traces[1].near(12).map(|dot| (dot.base, dot.top)), Some((0.0, 1.0)));
        assert_eq!(traces[0].near(13), None);
    }

    #[test]
    fn negative_values_stack_downwards_and_read_as_themselves() {
        let mut traces = [trace(&[(0, -5.0)]), trace(&[(0, 3.0)]), trace(&[(0, -2.0)])];
        stack(&mut traces, Upon::Sum);
        let dots: Vec<_> = traces.iter().map(|trace| trace.dots[0]).collect();
        assert_eq!(
            dots.iter().map(|dot| (dot.base, dot.top)).collect::<Vec<_>>(),
            [(0.0, -5.0), (0.0, 3.0), (-5.0, -7.0)]
        );
        assert_eq!(dots.iter().map(|dot| dot.value).collect::<Vec<_>>(), [-5.0, 3.0, -2.0]);
    }

    proptest! {
        #[test]
        fn no_sum_of_values_is_outside_of_the_stack(
            series in prop::collection::vec(prop::collection::vec((-50.0..50.0_f64, 0.0..20.0_f64), 1..20), 1..6)
        ) {
            let dot = |(at, &(value, more)): (u64, &(f64, f64))| {
                Dot { low: value - more, high: value + more, ..Dot::new(at, value) }
            };
            let trace = |values: &Vec<(f64, f64)>| {
                Trace { dots: (0..).zip(values).map(dot).collect(), ..Trace::default() }.broken_at(0)
            };
            let mut traces: Vec<Trace> = series.iter().map(trace).collect();
            stack(&mut traces, Upon::Sum);
            for at in 0..20_u64 {
                let there = || traces.iter().flat_map(|trace| &trace.dots).filter(|dot| dot.at == at);
                let at = usize::try_from(at).unwrap();
                let values = || series.iter().filter_map(|values| values.get(at));
                for (sum, sign) in [
                    (values().map(|(value, more)| (value + more).max(0.0)).sum::<f64>(), 1.0),
                    (values().map(|(value, more)| (value - more).min(0.0)).sum::<f64>(), -1.0),
                ] {
                    let reach = there().map(|dot| sign * if sign > 0.0 { dot.high } else { dot.low });
                    let reach = reach.fold(0.0, f64::max);
                    let outermost = there().any(|dot| dot.value * sign > 0.0);
                    prop_assert!(!outermost || reach >= sign * sum - 1e-9, "{} for {}", reach, sum);
                }
                for dot in there() {
                    prop_assert!(dot.low <= dot.top && dot.top <= dot.high);
                }
            }
        }
    }
}
