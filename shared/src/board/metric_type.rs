//! The metric type of a series: gauge, counter, state or text. It is guessed if no push declares it.

use std::collections::VecDeque;

use crate::point::Kind;
use crate::track::TextLog;
use crate::{Bucket, Declared, SeriesName, Track};

/// Common endings of counter names. `_total` is the rule of `OpenMetrics`; the others are widespread.
const ENDINGS: [&str; 4] = ["_total", "_counter", "_count", "_sum"];

/// The least number of times that a counter without a declaration must have grown. A name alone is no evidence: a
/// `node_count` is a gauge.
const LEAST_RISES: usize = 5;

/// The most bytes of a text that is a state.
const MAX_STATE: usize = 24;
/// The most kinds of states of a series.
const MAX_STATES: usize = 8;
/// The least number of texts that show that they are states.
const LEAST_REPORTS: usize = 4;

/// A counter that restarts falls below this share of its earlier value, since it cannot have counted much yet.
const RESTART: f64 = 0.1;

/// The metric type of a series, which decides how it is best shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricType {
    /// Numbers that rise and fall. Their value matters.
    Gauge,
    /// Numbers that only rise, and restart from zero when their program restarts. Their rate matters.
    Counter,
    /// A few texts that come again and again, such as `up` and `down`. Their duration matters.
    State,
    /// Texts that are read, such as the lines of a log.
    Text,
}

impl MetricType {
    /// Returns the declared type, or a guess if none is declared.
    #[must_use]
    pub fn of(declared: Option<Declared>, name: &SeriesName, track: &Track) -> Self {
        match (track, declared) {
            (Track::Numbers(_), Some(Declared::Gauge)) => Self::Gauge,
            (Track::Numbers(_), Some(Declared::Counter)) => Self::Counter,
            _ => Self::guess(name, track),
        }
    }

    /// Guesses the type of a series. A counter has the name of one, has grown several times, *and* has never been seen
    /// to fall, except to near zero. The name alone may mislead, and the numbers alone cannot distinguish a counter
    /// from a disk that fills up. A push ([`Declared`]) or a document (`show = "rate"` or `show = "value"`) overrides
    /// the guess.
    #[must_use]
    pub fn guess(name: &SeriesName, track: &Track) -> Self {
        match track {
            Track::Texts(log) if are_states(log) => Self::State,
            Track::Texts(_) => Self::Text,
            Track::Numbers(buckets) if is_called_counter(name) && grows(buckets) && only_rises(buckets) => {
                Self::Counter
            }
            Track::Numbers(_) => Self::Gauge,
        }
    }
}

impl From<Kind> for MetricType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Number => Self::Gauge,
            Kind::Text => Self::Text,
        }
    }
}

fn is_called_counter(name: &SeriesName) -> bool {
    let last = name.segments().last().unwrap_or_default();
    ENDINGS.iter().any(|ending| last.strip_suffix(ending).is_some_and(|rest| !rest.is_empty()))
}

/// Returns true if the values grew in several buckets.
fn grows(buckets: &VecDeque<Bucket>) -> bool {
    let rises =
        buckets.iter().zip(buckets.iter().skip(1)).filter(|(before, bucket)| bucket.last.value > before.last.value);
    rises.take(LEAST_RISES).count() == LEAST_RISES
}

fn only_rises(buckets: &VecDeque<Bucket>) -> bool {
    let continues = |from: f64, to: f64| to >= from || to <= from * RESTART;
    let inside = |bucket: &Bucket| {
        // Only four values of a second are known. A counter that was not reset within it begins with the minimum and
        // ends with the maximum.
        let rises = bucket.first.value <= bucket.min && bucket.last.value >= bucket.max;
        bucket.min >= 0.0 && (rises || continues(bucket.max, bucket.min))
    };
    let between = buckets.iter().zip(buckets.iter().skip(1));
    buckets.iter().all(inside) && between.into_iter().all(|(a, b)| continues(a.last.value, b.first.value))
}

/// Returns true if the texts are states: short, of few kinds, and each has come more than once on average.
fn are_states(log: &TextLog) -> bool {
    let mut kinds: Vec<&str> = Vec::new();
    for line in &log.lines {
        let text = line.text.as_str();
        if text.len() > MAX_STATE || text.contains('\n') {
            return false;
        }
        if !kinds.contains(&text) {
            kinds.push(text);
        }
        if kinds.len() > MAX_STATES {
            return false;
        }
    }
    log.lines.len() >= LEAST_REPORTS && log.lines.len() >= 2 * kinds.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Millis, Number, Seq, Stamp, Value};

    fn guess(name: &str, values: &[f64]) -> MetricType {
        let at = |i: u64| Stamp { ts: Millis(i * 1_000), seq: Seq(i + 1) };
        let value = |value: f64| Value::Number(Number::new(value).unwrap());
        let mut track = Track::of(at(0), value(values[0]));
        (1..).zip(&values[1..]).for_each(|(i, &v)| track.push(at(i), value(v)));
        MetricType::guess(&name.parse().unwrap(), &track)
    }

    #[test]
    fn a_counter_is_called_one_and_never_falls_but_to_near_zero() {
        let rising = [10.0, 12.0, 12.0, 30.0, 50.0, 60.0, 90.0];
        let then = |more: &[f64]| rising.iter().chain(more).copied().collect::<Vec<_>>();
        assert_eq!(guess("ops/requests_total", &rising), MetricType::Counter);
        assert_eq!(guess("ops/requests_total", &then(&[2.0, 5.0])), MetricType::Counter, "it was restarted");
        assert_eq!(guess("ops/requests_total", &then(&[60.0])), MetricType::Gauge, "it fell");
        assert_eq!(guess("ops/debts_total", &[-3.0]), MetricType::Gauge, "nothing was counted less than never");
        assert_eq!(guess("ops/disk_bytes", &rising), MetricType::Gauge, "that it rises does not make it one");
        assert_eq!(guess("ops/_total", &rising), MetricType::Gauge);
    }

    #[test]
    fn name_alone_makes_no_counter() {
        for name in ["g/node_count", "g/requests_total", "g/a_sum", "g/a_counter"] {
            for values in [vec![3.0], vec![3.0; 300], vec![3.0, 4.0, 5.0]] {
                assert_eq!(guess(name, &values), MetricType::Gauge, "{name} with {values:?}");
            }
        }
    }

    #[test]
    fn what_is_declared_counts_whatever_it_looks_like() {
        let (name, at) = ("ops/requests_total".parse().unwrap(), Stamp { ts: Millis(0), seq: Seq(1) });
        let track = Track::of(at, Value::Number(Number::new(1.0).unwrap()));
        assert_eq!(MetricType::of(None, &name, &track), MetricType::Gauge);
        assert_eq!(MetricType::of(Some(Declared::Gauge), &name, &track), MetricType::Gauge);
        let plain = "ops/hits".parse().unwrap();
        assert_eq!(MetricType::of(Some(Declared::Counter), &plain, &track), MetricType::Counter);
    }

    #[test]
    fn within_a_second_too() {
        let bucket = |values: &[f64]| {
            let point = |(seq, &v): (u64, &f64)| {
                Bucket::of(Stamp { ts: Millis(0), seq: Seq(seq) }, Number::new(v).unwrap(), 1_000)
            };
            (1..).zip(values).map(point).reduce(|mut all, next| {
                all.merge(&next);
                all
            })
        };
        let rises = |values: &[f64]| only_rises(&bucket(values).into_iter().collect());
        assert!(rises(&[5.0, 7.0, 9.0]) && rises(&[50.0, 99.0, 1.0, 2.0]));
        assert!(!rises(&[5.0, 9.0, 7.0]));
    }

    #[test]
    fn texts_that_come_again_are_states() {
        let of = |texts: &[&str]| {
            let at = |i: u64| Stamp { ts: Millis(i * 1_000), seq: Seq(i + 1) };
            let value = |text: &str| Value::Text(crate::Text::new(text.to_owned()).unwrap());
            let mut track = Track::of(at(0), value(texts[0]));
            (1..).zip(&texts[1..]).for_each(|(i, text)| track.push(at(i), value(text)));
            MetricType::guess(&"ops/api".parse().unwrap(), &track)
        };
        assert_eq!(of(&["up", "up", "down", "up"]), MetricType::State);
        assert_eq!(of(&["up", "up", "up"]), MetricType::Text, "too few to know");
        assert_eq!(of(&["1.2.0", "1.2.1", "1.3.0", "1.3.1", "1.4.0"]), MetricType::Text, "each is another");
        let line = "GET /cart took 40 ms, again";
        assert_eq!(of(&[line, line, line, line]), MetricType::Text, "too long for a state");
        assert_eq!(of(&["a\nb", "a\nb", "a\nb", "a\nb"]), MetricType::Text);
    }
}
