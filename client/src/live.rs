//! The picture of the page, and the signals that announce its changes.
//!
//! The fold lives outside the signals: a track of hundreds of buckets that changes twenty times a second is too large
//! to copy into one. Each series has one signal, which holds the number of its changes. A widget tracks the signal of
//! its series and reads the track when it changes, so only widgets of that series are computed again.

pub mod skips;

use std::collections::{BTreeMap, HashMap};

use leptos::prelude::*;
use shared::fold::OutOfStep;
use shared::{Applied, Cursor, Declared, Event, Picture, SeriesName, TimeRange, Track};

use skips::Skips;

/// A handle on the picture.
#[derive(Clone, Copy, Debug)]
pub struct Live {
    inner: StoredValue<Inner, LocalStorage>,
    /// Names of all series, sorted.
    pub names: RwSignal<Vec<SeriesName>>,
    /// True once the first snapshot was applied.
    pub loaded: RwSignal<bool>,
    /// Number of events that changed a series.
    pub changes: RwSignal<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    picture: Picture,
    /// True if the picture is shown but must not be continued: only a snapshot is accepted.
    forgotten: bool,
    shown: HashMap<SeriesName, Shown>,
    /// Number of snapshots. History that was fetched before the last one may be out of date.
    generation: u64,
}

/// State of a series beside its track.
#[derive(Debug)]
struct Shown {
    /// Number of changes.
    version: ArcRwSignal<u64>,
    /// For a log: counts the lines that came and went unseen since the page was opened.
    skips: Skips,
    skipped: u64,
}

impl Live {
    /// An empty picture.
    #[must_use]
    pub fn new() -> Self {
        let inner = StoredValue::new_local(Inner::default());
        Self { inner, names: RwSignal::new(Vec::new()), loaded: RwSignal::new(false), changes: RwSignal::new(0) }
    }

    /// Returns the cursor from which a new connection can continue the picture, if it can be continued.
    #[must_use]
    pub fn cursor(self) -> Option<Cursor> {
        self.inner.try_with_value(|inner| inner.picture.cursor().filter(|_| !inner.forgotten)).flatten()
    }

    /// Returns the picture if it can be continued.
    #[cfg(test)]
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn picture(self) -> Option<Picture> {
        self.cursor()?;
        self.inner.try_with_value(|inner| inner.picture.clone())
    }

    /// Accepts only a snapshot from now on. The picture is shown until then.
    pub fn forget(self) {
        self.inner.try_update_value(|inner| inner.forgotten = true);
    }

    /// Applies the event of the frame `id`, and notifies the series that it changed.
    ///
    /// # Errors
    /// [`OutOfStep`] where the event does not continue the picture.
    pub fn apply(self, id: Cursor, event: Event) -> Result<(), OutOfStep> {
        let Some(applied) = self.inner.try_update_value(|inner| inner.apply(id, event)) else { return Ok(()) };
        let (all, changed) = match applied? {
            Applied::Nothing => return Ok(()),
            Applied::Changed(names) => (false, names),
            Applied::Replaced => {
                self.inner.update_value(Inner::drop_gone);
                (true, self.inner.with_value(|inner| inner.picture.series().keys().cloned().collect()))
            }
        };
        let mut grown = all;
        for name in changed {
            let version = self.inner.try_update_value(|inner| inner.see(&name, &mut grown)).flatten();
            // Outside of `update_value`, since setting a signal may run code that reads the picture.
            if let Some(version) = version {
                version.update(|version| *version += 1);
            }
        }
        if grown {
            let names: Vec<_> = self.inner.with_value(|inner| inner.picture.series().keys().cloned().collect());
            if self.names.with_untracked(|old| *old != names) {
                self.names.set(names);
            }
        }
        if !self.loaded.get_untracked() {
            self.loaded.set(true);
        }
        self.changes.update(|changes| *changes += 1);
        Ok(())
    }

    /// Calls `look` with the track of a series, and tracks its changes.
    pub fn with_track<T>(self, name: &SeriesName, look: impl FnOnce(&Track) -> T) -> Option<T> {
        self.follow(name);
        self.with_track_untracked(name, look)
    }

    /// Returns the number of lines of a log that came and went unseen since the page was opened; tracked.
    #[must_use]
    pub fn skipped(self, name: &SeriesName) -> u64 {
        self.follow(name);
        self.inner.try_with_value(|inner| inner.shown.get(name).map_or(0, |shown| shown.skipped)).unwrap_or_default()
    }

    /// Returns the number of snapshots, and the stretches of history that late points have changed since the last
    /// call. History of these stretches, or from before a snapshot, is out of date.
    #[must_use]
    pub fn take_revised(self) -> (u64, BTreeMap<SeriesName, TimeRange>) {
        let take = |inner: &mut Inner| (inner.generation, inner.picture.take_revised());
        self.inner.try_update_value(take).unwrap_or_default()
    }

    fn follow(self, name: &SeriesName) {
        let version = self.inner.try_with_value(|inner| Some(inner.shown.get(name)?.version.clone())).flatten();
        if let Some(version) = version {
            version.get();
        }
    }

    /// Calls `look` with the track of a series without tracking it: for painters.
    pub fn with_track_untracked<T>(self, name: &SeriesName, look: impl FnOnce(&Track) -> T) -> Option<T> {
        self.inner.try_with_value(|inner| inner.picture.series().get(name).map(look)).flatten()
    }

    /// Returns the metric type that a push declared for a series. Not tracked: a push that declares it changes the
    /// series too.
    #[must_use]
    pub fn declared(self, name: &SeriesName) -> Option<Declared> {
        self.inner.try_with_value(|inner| inner.picture.declared(name)).flatten()
    }

    /// Returns the number of changes of a series, without tracking it.
    #[must_use]
    pub fn version(self, name: &SeriesName) -> u64 {
        let version = |inner: &Inner| Some(inner.shown.get(name)?.version.get_untracked());
        self.inner.try_with_value(version).flatten().unwrap_or_default()
    }
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

impl Inner {
    fn apply(&mut self, id: Cursor, event: Event) -> Result<Applied, OutOfStep> {
        if self.forgotten && matches!(event, Event::Update { .. } | Event::Heartbeat { .. }) {
            return Err(OutOfStep { update: id, picture: None });
        }
        let applied = self.picture.apply(id, event)?;
        if applied == Applied::Replaced {
            self.forgotten = false;
            self.generation += 1;
        }
        Ok(applied)
    }

    /// Records a change of a series and returns the signal to notify. Sets `grown` where the series is new.
    fn see(&mut self, name: &SeriesName, grown: &mut bool) -> Option<ArcRwSignal<u64>> {
        let track = self.picture.series().get(name)?;
        let shown = self.shown.entry(name.clone()).or_insert_with(|| {
            *grown = true;
            Shown { version: ArcRwSignal::new(0), skips: Skips::default(), skipped: 0 }
        });
        if let Track::Texts(log) = track {
            shown.skipped = shown.skips.see(log);
        }
        Some(shown.version.clone())
    }

    fn drop_gone(&mut self) {
        let series = self.picture.series();
        self.shown.retain(|name, _| series.contains_key(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Epoch, Millis, Number, Seq, SeriesPart, Stamp, Value};

    fn id(seq: u64) -> Cursor {
        Cursor { epoch: Epoch(1), seq: Seq(seq) }
    }

    fn part(name: &str, seq: u64, value: f64) -> SeriesPart {
        let at = Stamp { ts: Millis(seq * 1_000), seq: Seq(seq) };
        let track = Track::of(at, Value::Number(Number::new(value).unwrap()));
        SeriesPart { name: name.parse().unwrap(), track, declared: None, revised: None }
    }

    fn snapshot(series: Vec<SeriesPart>) -> Event {
        Event::Snapshot { now: Millis(0), series }
    }

    fn update(series: Vec<SeriesPart>) -> Event {
        Event::Update { now: Millis(0), pushed: Millis(0), series }
    }

    #[test]
    fn a_series_that_first_comes_in_an_update_joins_the_sorted_names() {
        Owner::new().with(|| {
            let live = Live::new();
            live.apply(id(1), snapshot(vec![part("ops/b", 1, 1.0)])).unwrap();
            live.apply(id(2), update(vec![part("ops/a", 2, 2.0)])).unwrap();
            let names: Vec<String> = live.names.get_untracked().iter().map(ToString::to_string).collect();
            assert_eq!(names, ["ops/a", "ops/b"]);
        });
    }

    #[test]
    fn only_the_series_that_changed_is_told_of() {
        Owner::new().with(|| {
            let live = Live::new();
            live.apply(id(2), snapshot(vec![part("ops/a", 1, 1.0), part("ops/b", 2, 1.0)])).unwrap();
            let (a, b) = ("ops/a".parse().unwrap(), "ops/b".parse().unwrap());
            let before = (live.version(&a), live.version(&b));
            live.apply(id(3), update(vec![part("ops/a", 3, 5.0)])).unwrap();
            assert_eq!((live.version(&a), live.version(&b)), (before.0 + 1, before.1));
        });
    }

    #[test]
    fn a_forgotten_picture_is_shown_but_only_a_snapshot_continues_it() {
        Owner::new().with(|| {
            let live = Live::new();
            live.apply(id(1), snapshot(vec![part("ops/a", 1, 1.0)])).unwrap();
            assert_eq!(live.cursor(), Some(id(1)));
            live.forget();
            assert_eq!(live.cursor(), None);
            assert_eq!(live.names.get_untracked().len(), 1);
            assert!(live.apply(id(2), update(vec![part("ops/a", 2, 2.0)])).is_err());
            live.apply(id(3), snapshot(vec![])).unwrap();
            assert_eq!(live.cursor(), Some(id(3)));
            assert!(live.names.get_untracked().is_empty());
        });
    }
}
