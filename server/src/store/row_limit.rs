//! Counts the database rows that a push reads or writes, and refuses a push with too many.
//!
//! Numbers of known series are packed, thousands to a row, so they cost next to nothing. A new series, a text and a
//! changed minute of the past cost one row each, which takes some microseconds. If every point of a large push were
//! such a row, all other pushes would wait for seconds.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use shared::{Millis, SeriesName, Tier, Value};

use super::CommitError;
use super::block_id::BlockId;
use crate::limits::Limit;
use crate::log::{Pushed, SeriesId, push::Target};

/// The rows that a push reads or writes, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RowCount {
    /// New series.
    pub(super) series: usize,
    /// Texts.
    pub(super) texts: usize,
    /// Minutes of the past that change, plus series whose newest point must be looked up.
    pub(super) past: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key<'a> {
    Row(SeriesId),
    Name(&'a SeriesName),
}

impl RowCount {
    /// Counts the rows of resolved points that start `series` new series. `newest` holds the newest time of each
    /// known series.
    pub(super) fn of(points: &[Pushed], series: usize, newest: &[Option<Millis>]) -> Self {
        let mut count = Self { series, ..Self::default() };
        let mut latest: HashMap<Key<'_>, Millis, RandomState> = HashMap::default();
        let mut past: HashSet<(Key<'_>, BlockId), RandomState> = HashSet::default();
        let minute = |ts| BlockId::holding(Tier::Second, SeriesId(0), ts);
        for point in points {
            if matches!(point.value, Value::Text(_)) {
                count.texts += 1;
                continue;
            }
            let (key, known) = match &point.target {
                Target::Row(id) => (Key::Row(*id), newest.get(id.index()).copied().flatten()),
                Target::New(new) => (Key::Name(&new.name), Some(Millis(0))),
            };
            let before = latest.entry(key).or_insert_with(|| {
                count.past += usize::from(known.is_none());
                known.unwrap_or_default()
            });
            if minute(point.ts) < minute(*before) {
                past.insert((key, minute(point.ts)));
            }
            *before = point.ts.max(*before);
        }
        count.past += past.len();
        count
    }

    /// Refuses a push that needs more than `most` rows.
    pub(super) fn check(self, most: usize) -> Result<(), CommitError> {
        let Self { series, texts, past } = self;
        let rows = series + texts + past;
        if rows <= most {
            return Ok(());
        }
        Err(CommitError::LimitReached {
            limit: Limit::Rows,
            detail: format!(
                "the push starts {series} series, has {texts} texts and changes {past} minutes of the past: {rows} database rows; one push may have at most {most} (--max-rows); send it in several pushes; nothing of this was stored"
            ),
            retry_after: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Number, Point, Text};

    const MINUTE: u64 = 60_000;

    fn point(row: u32, minute: u64) -> Pushed {
        let value = Value::Number(Number::new(1.0).unwrap());
        let point = Point { series: "a".parse().unwrap(), ts: Millis(minute * MINUTE), value };
        Pushed { target: Target::Row(SeriesId(row)), ..point.into() }
    }

    #[test]
    fn only_points_that_need_a_row_of_their_own_count() {
        let newest = [Some(Millis(10 * MINUTE)), None];
        let rows = |points: &[Pushed]| {
            let RowCount { series: 3, texts, past } = RowCount::of(points, 3, &newest) else { panic!("3 begin") };
            (texts, past)
        };
        let forth: Vec<_> = (10..100).map(|minute| point(1, minute)).collect();
        assert_eq!(rows(&forth), (0, 0), "newer numbers");
        let back: Vec<_> = forth.iter().rev().cloned().collect();
        assert_eq!(rows(&back), (0, 89), "each minute before the newest");
        assert_eq!(rows(&[point(1, 9), point(1, 9), point(1, 10)]), (0, 1), "a minute once");
        assert_eq!(rows(&[point(2, 9), point(2, 10)]), (0, 1), "the newest point has to be looked up");
        let text = Value::Text(Text::new("up".into()).unwrap());
        let text: Pushed = Point { series: "b".parse().unwrap(), ts: Millis(1), value: text }.into();
        assert_eq!(rows(&[text.clone(), text]), (2, 0));
        let named = |minute| Pushed { target: Target::named("c".parse().unwrap()), ..point(1, minute) };
        assert_eq!(rows(&[named(5), named(6), named(4)]), (0, 1));
    }

    #[test]
    fn refusal_says_which_rows_there_are() {
        let count = RowCount { series: 1, texts: 2, past: 3 };
        assert_eq!(count.check(6), Ok(()));
        let error = count.check(5).unwrap_err().to_string();
        assert!(error.contains("starts 1 series, has 2 texts and changes 3 minutes of the past"), "{error}");
        assert!(error.contains("at most 5") && error.contains("--max-rows"), "{error}");
    }
}
