//! The recent past of every series, in memory. Snapshots and updates are cut from it.
//!
//! [`track_slot`] holds the track of one series, which [`packed`] stores compactly while it does not change. [`borrowed`]
//! shares tracks with frames that are still to be encoded.

mod borrowed;
pub(crate) mod packed;
mod track_slot;

use std::borrow::{Borrow, Cow};
use std::collections::VecDeque;

use shared::bucket::SECOND;
use shared::point::Kind;
use shared::track::revises;
use shared::{Cursor, Declared, Epoch, GapReason, Millis, Seq, SeriesName, SeriesPart, TimeRange, Track};

use crate::log::{Committed, Epochs, SeriesId, SeriesState, WarmSeries};
use crate::names::Names;
pub use crate::names::SeriesIndex;
pub use borrowed::BorrowedPart;
use borrowed::Changes;
use track_slot::TrackSlot;

/// All series, each with its [`Track`], up to and including the point [`Rollup::head`].
#[derive(Debug)]
pub struct Rollup {
    epochs: Epochs,
    head: Seq,
    /// The series, by [`SeriesIndex`]. A removed series leaves an empty entry, so that indexes stay valid.
    series: Vec<SeriesEntry>,
    /// The number of series that were removed.
    removed: usize,
    /// The index of the series in each row of the store, or [`NO_SERIES`]. Saves looking up the name of each point.
    /// Rows have no holes.
    by_row: Vec<u32>,
    names: Names,
    /// The current time. It separates the newest entry of a series from entries that lie in the future.
    now: Millis,
    /// The position at which [`Rollup::evict_idle`] continues.
    evict_from: usize,
    /// The sum of [`SeriesEntry::hot_units`].
    hot_units: usize,
}

/// The unit of [`SeriesEntry::hot_units`], in bytes.
const HOT_UNIT: usize = 64;

/// Marks a row that has no series yet.
const NO_SERIES: u32 = u32::MAX;

#[derive(Debug)]
struct SeriesEntry {
    name: SeriesName,
    row: SeriesId,
    residency: Residency,
    slot: TrackSlot,
    /// The declared metric type.
    declared: Option<Declared>,
    /// The size of the track if it is complete in memory, in units of [`HOT_UNIT`] bytes, as last measured.
    hot_units: u16,
    /// The greatest seq in the track, so that checking for changes need not read it.
    changed: Seq,
    /// The seq of the last point that went into another bucket than the newest. After this seq, all changes are at
    /// the end of the track.
    late: Seq,
    /// The stretch of the past before the track that late points changed, and the seq of the last of those. Boxed,
    /// since few series have one.
    revised: Option<Box<(TimeRange, Seq)>>,
}

/// Says how much of a series is in memory. A series that a subscriber reads is always hot: its whole track is in
/// memory. Of the others, the store has the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Residency {
    /// At least the newest entry, and some of those in the future.
    Warm,
    /// The whole track. The next [`Rollup::evict_idle`] that finds no subscriber drops all but the newest entry.
    Cooling,
    /// The whole track. The next [`Rollup::evict_idle`] that finds no subscriber still keeps it, since a subscriber that
    /// left may come back in a moment.
    Hot,
    /// Nothing, since the series was removed.
    Removed,
}

/// The effect of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointEffect {
    /// The point was the first of its series.
    Begun(SeriesIndex),
    /// The series had points before; has the seq of the point before this one.
    Continued(SeriesIndex, Seq),
}

impl Rollup {
    /// Creates an empty rollup. The caller adds the points up to and including `head` with [`Rollup::restore`].
    #[must_use]
    pub fn new(epochs: impl Into<Epochs>, head: Seq) -> Self {
        Self {
            epochs: epochs.into(),
            head,
            series: Vec::new(),
            removed: 0,
            by_row: Vec::new(),
            names: Names::default(),
            now: Millis(u64::MAX),
            evict_from: 0,
            hot_units: 0,
        }
    }

    /// Sets the current time: points after it lie in the future. Before the first call, no point does.
    pub fn set_now(&mut self, now: Millis) {
        self.now = now;
    }

    /// Returns the epoch of the cursors that this run gives out.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epochs.current()
    }

    /// Checks that a picture at `cursor` can be continued.
    ///
    /// # Errors
    /// The reason why it cannot.
    pub fn check(&self, cursor: Cursor) -> Result<(), GapReason> {
        self.epochs.check(cursor, self.head)
    }

    /// Raises the head to `head`, for a seq that was given to something other than a point.
    pub fn reach(&mut self, head: Seq) {
        self.head = self.head.max(head);
    }

    /// Returns the seq of the last point.
    #[must_use]
    pub fn head(&self) -> Seq {
        self.head
    }

    /// Adds a series that was read from the store. It has no subscriber yet, so only its newest entry stays in
    /// memory.
    pub fn restore(&mut self, recovered: SeriesState) -> SeriesIndex {
        let SeriesState { name, series, mut track, declared, revised } = recovered;
        let changed = track.changed().max(revised.map_or(Seq::ZERO, |(_, seq)| seq));
        // The order in which its points came is unknown, so any of them may have been late.
        let (late, revised) = (changed, revised.map(Box::new));
        self.head = self.head.max(changed);
        track.keep_newest_at(self.now);
        let slot = TrackSlot::packed(track);
        self.insert(SeriesEntry {
            name,
            row: series,
            residency: Residency::Warm,
            slot,
            declared,
            hot_units: 0,
            changed,
            late,
            revised,
        })
    }

    /// Returns those of these series that must be [rehydrated](Rollup::rehydrate) before a subscriber can read them.
    #[must_use]
    pub fn warm_series(&self, series: &[SeriesIndex]) -> Vec<WarmSeries> {
        let entries = series.iter().map(|index| &self.series[index.0 as usize]);
        entries
            .filter(|entry| entry.residency == Residency::Warm)
            .map(|entry| WarmSeries { series: entry.row, kind: entry.slot.kind() })
            .collect()
    }

    /// Returns true if the whole track of a series is in memory, or if there is no such series.
    #[must_use]
    pub fn is_hot(&self, series: SeriesId) -> bool {
        let entry = self.by_row.get(series.0 as usize).and_then(|&index| self.series.get(index as usize));
        entry.is_none_or(|entry| entry.residency != Residency::Warm)
    }

    /// Returns the index of the series in this row of the store, if it has begun.
    #[must_use]
    pub fn index(&self, series: SeriesId) -> Option<SeriesIndex> {
        let index = self.by_row.get(series.0 as usize).copied()?;
        (index != NO_SERIES).then_some(SeriesIndex(index))
    }

    /// Rehydrates a series: puts in the track as the store has it, if only the newest entry is in memory. `None`
    /// means that the store could not read it. The track's last point must be the last that was pushed.
    pub fn rehydrate(&mut self, series: SeriesId, track: Option<Track>) {
        let index = self.by_row.get(series.0 as usize).copied().unwrap_or(NO_SERIES);
        let Some(entry) = self.series.get_mut(index as usize).filter(|entry| entry.residency == Residency::Warm) else {
            return;
        };
        if let Some(track) = track {
            // Packed, since most rehydrated tracks do not change.
            entry.slot = TrackSlot::packed(track);
        }
        entry.residency = Residency::Hot;
        entry.measure(&mut self.hot_units);
    }

    /// Estimates the bytes of all complete tracks, that is, of those with subscribers. Tracks that grow are measured
    /// again by [`Rollup::evict_idle`].
    #[must_use]
    pub fn hot_bytes(&self) -> usize {
        self.hot_units * HOT_UNIT
    }

    /// Removes a series: its row is unknown afterwards, and no selection finds its name. Returns the index that it
    /// had.
    pub fn remove(&mut self, series: SeriesId) -> Option<SeriesIndex> {
        let row = self.by_row.get_mut(series.0 as usize).filter(|index| **index != NO_SERIES)?;
        let index = std::mem::replace(row, NO_SERIES);
        let entry = self.series.get_mut(index as usize)?;
        entry.residency = Residency::Removed;
        entry.slot = TrackSlot::packed(Track::Numbers(VecDeque::new()));
        entry.revised = None;
        entry.measure(&mut self.hot_units);
        self.removed += 1;
        self.names.remove(SeriesIndex(index));
        Some(SeriesIndex(index))
    }

    /// Returns true if the series was removed.
    #[must_use]
    pub fn is_removed(&self, index: SeriesIndex) -> bool {
        self.series[index.0 as usize].residency == Residency::Removed
    }

    /// Marks the track of a series as complete. Used for a series that has just begun and has subscribers already.
    pub fn mark_hot(&mut self, index: SeriesIndex) {
        self.series[index.0 as usize].residency = Residency::Hot;
    }

    fn insert(&mut self, entry: SeriesEntry) -> SeriesIndex {
        let index = u32::try_from(self.series.len()).unwrap_or(NO_SERIES);
        let row = entry.row.0 as usize;
        if self.by_row.len() <= row {
            self.by_row.resize(row + 1, NO_SERIES);
        }
        self.by_row[row] = index;
        let at = self.names.insert(&entry.name, entry.row, entry.slot.kind());
        debug_assert_eq!(at, SeriesIndex(index), "both count the same series");
        self.series.push(entry);
        SeriesIndex(index)
    }

    /// Adds a point. Points must come in the order of their seqs. The first point of a series must name it; without a
    /// name it is ignored.
    pub fn push(&mut self, committed: impl Borrow<Committed>) -> Option<PointEffect> {
        let Committed { at, series, value, begins, declares } = committed.borrow();
        let (at, series, declares) = (*at, *series, *declares);
        self.head = at.seq;
        let known =
            self.by_row.get(series.0 as usize).and_then(|&index| Some((index, self.series.get_mut(index as usize)?)));
        let Some((index, entry)) = known else {
            let slot = TrackSlot::begin(Track::of(at, value.clone()));
            let (changed, late) = (at.seq, at.seq);
            let entry = SeriesEntry {
                name: begins.clone()?,
                row: series,
                residency: Residency::Warm,
                slot,
                declared: declares,
                hot_units: 0,
                changed,
                late,
                revised: None,
            };
            return Some(PointEffect::Begun(self.insert(entry)));
        };
        entry.declared = declares.or(entry.declared);
        let track = entry.slot.open();
        let newest = track.latest_at().ts;
        if at.ts.floor(SECOND) < newest.floor(SECOND) {
            entry.late = at.seq;
            if let Some(span) = revises(at.ts, newest).filter(|_| matches!(track, Track::Numbers(_))) {
                let whole = entry.revised.as_ref().map_or(span, |known| known.0.hull(span));
                entry.revised = Some(Box::new((whole, at.seq)));
            }
        }
        track.push(at, value.clone());
        if entry.residency == Residency::Warm {
            track.keep_newest_at(self.now);
        }
        let before = std::mem::replace(&mut entry.changed, at.seq);
        Some(PointEffect::Continued(SeriesIndex(index), before))
    }

    /// Returns the index of the names of all series, which has a lock of its own.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Ends restoring: frees spare memory now rather than when the first subscriber comes.
    pub fn make_ready(&mut self) {
        self.names.shrink_to_fit();
        self.series.shrink_to_fit();
        self.by_row.shrink_to_fit();
    }

    /// Returns the name of a series.
    #[must_use]
    pub fn name(&self, index: SeriesIndex) -> &SeriesName {
        &self.series[index.0 as usize].name
    }

    /// Returns the kind of a series' values.
    #[must_use]
    pub fn kind(&self, index: SeriesIndex) -> Kind {
        self.series[index.0 as usize].slot.kind()
    }

    /// Returns the changes of a series after `seq`; `None` if there are none. The whole track must be in memory.
    #[must_use]
    pub fn since(&self, index: SeriesIndex, seq: Seq) -> Option<SeriesPart> {
        let entry = &self.series[index.0 as usize];
        let changes = entry.changes(seq)?;
        let track = changes.of(&entry.slot.track())?;
        Some(SeriesPart { name: entry.name.clone(), track, declared: entry.declared, revised: changes.revised })
    }

    /// Lends the changes of a series after `seq` to a frame that is encoded later. May lend a part without changes,
    /// but misses none. The whole track must be in memory.
    #[must_use]
    pub fn lend(&mut self, index: SeriesIndex, seq: Seq) -> Option<BorrowedPart> {
        let entry = &mut self.series[index.0 as usize];
        let changes = entry.changes(seq)?;
        let (name, declared) = (entry.name.clone(), entry.declared);
        Some(BorrowedPart { name, declared, changes, track: entry.slot.lend() })
    }

    /// Returns true if a series changed after `seq`.
    #[must_use]
    pub fn has_changed(&self, index: SeriesIndex, seq: Seq) -> bool {
        self.series[index.0 as usize].changed > seq
    }

    /// Returns the stretch of a series' past before its track that late points changed, and the seq of the last of
    /// those.
    #[cfg(test)]
    pub(crate) fn revised(&self, name: &SeriesName) -> Option<(TimeRange, Seq)> {
        let entry = self.series.iter().find(|entry| entry.name == *name)?;
        entry.revised.as_deref().copied()
    }

    /// Returns the number of series since the start, including removed ones: one more than the greatest index.
    #[must_use]
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Returns the number of series without removed ones.
    #[must_use]
    pub fn live(&self) -> usize {
        self.series.len() - self.removed
    }

    /// Returns true if there was no series yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Returns the indexes from `from` on, each with the name of its series; `None` if that was removed.
    pub fn names_from(&self, from: usize) -> impl Iterator<Item = (SeriesIndex, Option<&SeriesName>)> {
        let from = from.min(self.series.len());
        let indexes = (u32::try_from(from).unwrap_or(NO_SERIES)..).map(SeriesIndex);
        let entries = indexes.zip(&self.series[from..]);
        entries.map(|(index, entry)| (index, (entry.residency != Residency::Removed).then_some(&entry.name)))
    }

    /// Returns the name, the declared metric type and at least the newest entry of a series; `None` if it was
    /// removed.
    #[must_use]
    pub fn newest(&self, index: SeriesIndex) -> Option<(&SeriesName, Option<Declared>, Cow<'_, Track>)> {
        let entry = &self.series[index.0 as usize];
        (entry.residency != Residency::Removed).then(|| (&entry.name, entry.declared, entry.slot.newest(self.now)))
    }

    /// Returns the declared metric type of a series and what is in memory of its track, all of it if the series has
    /// subscribers; `None` if it was removed.
    #[must_use]
    pub fn track(&self, index: SeriesIndex) -> Option<(Option<Declared>, Cow<'_, Track>)> {
        let entry = &self.series[index.0 as usize];
        (entry.residency != Residency::Removed).then(|| (entry.declared, entry.slot.track()))
    }

    /// Returns every series with its whole track, in no particular order.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&SeriesName, Cow<'_, Track>)> {
        let live = self.series.iter().filter(|entry| entry.residency != Residency::Removed);
        live.map(|entry| (&entry.name, entry.slot.track()))
    }

    /// Visits the next `most` series. Packs the tracks that have not changed since the last visit, and drops all but
    /// the newest entry of series without subscribers. `is_read` returns true for a series that has subscribers.
    pub fn evict_idle(&mut self, most: usize, is_read: impl Fn(SeriesIndex) -> bool) {
        let (from, upto) = (self.evict_from, self.series.len().min(self.evict_from + most));
        for (index, entry) in (0..).zip(&mut self.series).skip(from).take(upto - from) {
            entry.residency = match entry.residency {
                Residency::Removed => continue,
                Residency::Warm => Residency::Warm,
                _ if is_read(SeriesIndex(index)) => Residency::Hot,
                Residency::Hot => Residency::Cooling,
                Residency::Cooling => {
                    entry.slot.evict(self.now);
                    Residency::Warm
                }
            };
            entry.slot.pack_if_idle();
            entry.measure(&mut self.hot_units);
        }
        self.evict_from = if upto == self.series.len() { 0 } else { upto };
    }
}

impl SeriesEntry {
    /// Measures the track and corrects `sum` by the difference.
    fn measure(&mut self, sum: &mut usize) {
        let size = if matches!(self.residency, Residency::Warm | Residency::Removed) {
            0
        } else {
            self.slot.bytes().div_ceil(HOT_UNIT)
        };
        let size = u16::try_from(size).unwrap_or(u16::MAX);
        *sum = *sum + usize::from(size) - usize::from(self.hot_units);
        self.hot_units = size;
    }

    /// Describes how to cut the changes after `seq` from the track; `None` if there are none.
    fn changes(&self, seq: Seq) -> Option<Changes> {
        if self.changed <= seq {
            return None;
        }
        debug_assert_ne!(self.residency, Residency::Warm, "{} is read", self.name);
        // A subscriber that starts from nothing has no past that could be out of date.
        let revised = self.revised.as_ref().filter(|revised| seq > Seq::ZERO && revised.1 > seq);
        Some(Changes { after: seq, in_order: seq >= self.late, revised: revised.map(|revised| revised.0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shared::{Number, Stamp, Value};

    #[test]
    fn tracks_count_as_long_as_they_are_whole() {
        let number = |seq| {
            let at = Stamp { ts: Millis(seq * 1_000), seq: Seq(seq) };
            let (value, begins) = (Value::Number(Number::new(1.0).unwrap()), "s".parse().ok());
            Committed { at, series: SeriesId(1), value, begins, declares: None }
        };
        let mut rollup = Rollup::new(Epoch(1), Seq::ZERO);
        let mut track = Track::of(number(1).at, number(1).value);
        (2..=300).for_each(|seq| track.push(number(seq).at, number(seq).value));
        rollup.push(number(300));
        assert_eq!(rollup.hot_bytes(), 0);
        rollup.rehydrate(SeriesId(1), Some(track));
        let packed = rollup.hot_bytes();
        assert!((1_000..10_000).contains(&packed), "{packed}");
        rollup.push(number(301));
        rollup.evict_idle(1, |_| true);
        assert!(rollup.hot_bytes() > 3 * packed, "it changes, so it is not packed");
        (0..4).for_each(|_| rollup.evict_idle(1, |_| false));
        assert_eq!(rollup.hot_bytes(), 0);
    }

    proptest! {
        #[test]
        fn a_reader_hears_of_every_change_of_the_past_after_its_cursor(
            times in prop::collection::vec(0..2_000_000_u64, 1..60), cursor in 1..60_u64
        ) {
            let name: SeriesName = "s".parse().unwrap();
            let mut rollup = Rollup::new(Epoch(1), Seq::ZERO);
            let (mut newest, mut missed) = (0, Vec::new());
            for (seq, ts) in (1..).zip(times) {
                let (at, value) = (Stamp { ts: Millis(ts), seq: Seq(seq) }, Value::Number(Number::new(1.0).unwrap()));
                rollup.push(Committed { at, series: SeriesId(1), value, begins: Some(name.clone()), declares: None });
                rollup.mark_hot(SeriesIndex(0));
                if seq > cursor && ts / 1_000 + 300 <= newest / 1_000 {
                    missed.push(Millis(ts));
                }
                newest = newest.max(ts);
            }
            let revised = rollup.since(SeriesIndex(0), Seq(cursor)).and_then(|part| part.revised);
            for ts in missed {
                let revised = revised.expect("the change of the past is reported");
                prop_assert!(revised.from <= ts && ts < revised.to);
            }
        }
    }
}
