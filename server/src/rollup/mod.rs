//! The recent past of every series, in memory: what snapshots and updates are cut from.

use std::collections::HashMap;

use shared::track::revises;
use shared::{Epoch, Selector, Seq, SeriesName, SeriesPart, Stretch, Track};

use crate::store::SeriesId;
use crate::store::commit::Committed;
use crate::store::recover::Recovered;

/// The place of a series in a [`Rollup`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesIndex(usize);

/// All series, each with its [`Track`], up to and with the point [`Rollup::head`].
#[derive(Debug)]
pub struct Rollup {
    epoch: Epoch,
    head: Seq,
    /// Series are never taken out, so that an index stays good.
    series: Vec<Entry>,
    /// By the row in the store, so that a point's name need not be looked up again.
    by_row: HashMap<SeriesId, SeriesIndex>,
}

#[derive(Debug)]
struct Entry {
    name: SeriesName,
    track: Track,
    /// The greatest number in the track, so that asking what changed need not look through it.
    changed: Seq,
    /// The stretch of the past before the track that late points have changed, and the last of those. Few series have one,
    /// so it is not in place.
    revised: Option<Box<(Stretch, Seq)>>,
}

/// What a point did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It was the first of its series.
    Begun(SeriesIndex),
    /// Its series had points before.
    Continued(SeriesIndex),
}

impl Rollup {
    /// Nothing yet; the points up to and with `head` are to be put in with [`Rollup::restore`].
    #[must_use]
    pub fn new(epoch: Epoch, head: Seq) -> Self {
        Self { epoch, head, series: Vec::new(), by_row: HashMap::new() }
    }

    /// Whose numbers the points have.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The number of the last point.
    #[must_use]
    pub fn head(&self) -> Seq {
        self.head
    }

    /// Puts in a series as it was read from the store.
    pub fn restore(&mut self, recovered: Recovered) -> SeriesIndex {
        let Recovered { name, series, track, revised } = recovered;
        let index = SeriesIndex(self.series.len());
        self.by_row.insert(series, index);
        let changed = track.changed().max(revised.map_or(Seq::ZERO, |(_, seq)| seq));
        self.series.push(Entry { name, track, changed, revised: revised.map(Box::new) });
        index
    }

    /// Folds in a point. Points come in the order of their numbers.
    pub fn push(&mut self, committed: Committed) -> Pushed {
        let Committed { seq, series, point } = committed;
        self.head = seq;
        let at = shared::Stamp { ts: point.ts, seq };
        let Some(&index) = self.by_row.get(&series) else {
            let track = Track::of(at, point.value);
            return Pushed::Begun(self.restore(Recovered { name: point.series, series, track, revised: None }));
        };
        let entry = &mut self.series[index.0];
        if matches!(entry.track, Track::Numbers(_))
            && let Some(span) = revises(at.ts, entry.track.latest_at().ts)
        {
            let whole = entry.revised.as_ref().map_or(span, |known| known.0.hull(span));
            entry.revised = Some(Box::new((whole, seq)));
        }
        entry.track.push(at, point.value);
        entry.changed = seq;
        Pushed::Continued(index)
    }

    /// Every series whose name one of the selectors matches.
    #[must_use]
    pub fn select(&self, selectors: &[Selector]) -> Vec<SeriesIndex> {
        let selected = |entry: &Entry| selectors.iter().any(|selector| selector.matches(&entry.name));
        let found = self.series.iter().enumerate().filter(|(_, entry)| selected(entry));
        found.map(|(index, _)| SeriesIndex(index)).collect()
    }

    /// The name of a series.
    #[must_use]
    pub fn name(&self, index: SeriesIndex) -> &SeriesName {
        &self.series[index.0].name
    }

    /// What of a series changed after `seq`; nothing where nothing did.
    #[must_use]
    pub fn since(&self, index: SeriesIndex, seq: Seq) -> Option<SeriesPart> {
        let entry = &self.series[index.0];
        if entry.changed <= seq {
            return None;
        }
        // A reader that starts afresh has nothing from before that could be out of date.
        let revised = entry.revised.as_ref().filter(|revised| seq > Seq::ZERO && revised.1 > seq);
        let revised = revised.map(|revised| revised.0);
        let track = entry.track.since(seq).or_else(|| revised.map(|_| entry.track.newest()))?;
        Some(SeriesPart { name: entry.name.clone(), track, revised })
    }

    /// What of a series' past before its track late points have changed, and the last of those.
    #[cfg(test)]
    pub(crate) fn revised(&self, name: &SeriesName) -> Option<(Stretch, Seq)> {
        let entry = self.series.iter().find(|entry| entry.name == *name)?;
        entry.revised.as_deref().copied()
    }

    /// How many series there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there is no series yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Every series, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&SeriesName, &Track)> {
        self.series.iter().map(|entry| (&entry.name, &entry.track))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shared::{Millis, Number, Point, Value};

    proptest! {
        #[test]
        fn a_reader_hears_of_every_change_of_the_past_after_its_cursor(
            times in prop::collection::vec(0..2_000_000_u64, 1..60), cursor in 1..60_u64
        ) {
            let name: SeriesName = "s".parse().unwrap();
            let mut rollup = Rollup::new(Epoch(1), Seq::ZERO);
            let (mut newest, mut missed) = (0, Vec::new());
            for (seq, ts) in (1..).zip(times) {
                let point = Point { series: name.clone(), ts: Millis(ts), value: Value::Number(Number::new(1.0).unwrap()) };
                rollup.push(Committed { seq: Seq(seq), series: SeriesId(1), point });
                if seq > cursor && ts / 1_000 + 300 <= newest / 1_000 {
                    missed.push(Millis(ts));
                }
                newest = newest.max(ts);
            }
            let heard = rollup.since(SeriesIndex(0), Seq(cursor)).and_then(|part| part.revised);
            for ts in missed {
                let heard = heard.expect("it is told");
                prop_assert!(heard.from <= ts && ts < heard.to);
            }
        }
    }
}
