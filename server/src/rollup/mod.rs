//! The recent past of every series, in memory: what snapshots and updates are cut from.

use std::collections::HashMap;

use shared::{Epoch, Point, Selector, Seq, SeriesName, SeriesPart, Track};

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
    by_name: HashMap<SeriesName, SeriesIndex>,
}

#[derive(Debug)]
struct Entry {
    name: SeriesName,
    track: Track,
    /// The greatest number in the track, so that asking what changed need not look through it.
    changed: Seq,
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
        Self { epoch, head, series: Vec::new(), by_name: HashMap::new() }
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
    pub fn restore(&mut self, name: SeriesName, track: Track) -> SeriesIndex {
        let index = SeriesIndex(self.series.len());
        self.by_name.insert(name.clone(), index);
        let changed = track.changed();
        self.series.push(Entry { name, track, changed });
        index
    }

    /// Folds in the point that was committed as `seq`. Points come in the order of their numbers.
    pub fn push(&mut self, seq: Seq, point: Point) -> Pushed {
        self.head = seq;
        let at = shared::Stamp { ts: point.ts, seq };
        if let Some(&index) = self.by_name.get(&point.series) {
            let entry = &mut self.series[index.0];
            entry.track.push(at, point.value);
            entry.changed = seq;
            return Pushed::Continued(index);
        }
        Pushed::Begun(self.restore(point.series, Track::of(at, point.value)))
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
        Some(SeriesPart { name: entry.name.clone(), track: entry.track.since(seq)?, revised: None })
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
