//! The fold: applies events to a picture of the selected series.

use std::collections::BTreeMap;

use crate::{Cursor, Declared, Event, SeriesName, SeriesPart, TimeRange, Track};

/// A reader's state: `fold(snapshot, updates)`. The law on which the whole project rests: after the frame with cursor
/// *n* is applied, by whatever path it came, the picture equals the server's state at *n*.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    cursor: Option<Cursor>,
    series: BTreeMap<SeriesName, Track>,
    /// The declared metric types.
    declared: BTreeMap<SeriesName, Declared>,
    /// The stretches that [`Picture::take_revised`] returns next. They are kept until then, so that a reader that
    /// rarely takes them misses nothing.
    revised: BTreeMap<SeriesName, TimeRange>,
}

/// The effect of an applied event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The whole picture was replaced.
    Replaced,
    /// These series changed.
    Changed(Vec<SeriesName>),
    /// The picture is unchanged.
    Nothing,
}

/// The event does not continue this picture. The reader must start again from a snapshot: reconnect without a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an update of {update} does not continue {picture:?}; a snapshot is needed")]
pub struct OutOfStep {
    /// The cursor of the event.
    pub update: Cursor,
    /// The cursor of the picture.
    pub picture: Option<Cursor>,
}

impl Picture {
    /// The cursor up to which the picture is complete; `None` before the first snapshot.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// Every series of the picture, by name.
    #[must_use]
    pub fn series(&self) -> &BTreeMap<SeriesName, Track> {
        &self.series
    }

    /// The declared metric type of a series, if a push declared one.
    #[must_use]
    pub fn declared(&self, name: &SeriesName) -> Option<Declared> {
        self.declared.get(name).copied()
    }

    /// Takes the stretches of history that late points changed beyond the reach of the tracks since the last call.
    /// History that was fetched for them is out of date.
    pub fn take_revised(&mut self) -> BTreeMap<SeriesName, TimeRange> {
        std::mem::take(&mut self.revised)
    }

    /// Applies the event of the frame `id`.
    ///
    /// # Errors
    /// [`OutOfStep`] if an update comes before any snapshot or from another epoch. The picture stays unchanged.
    pub fn apply(&mut self, id: Cursor, event: Event) -> Result<Applied, OutOfStep> {
        match event {
            Event::Snapshot { series, .. } => {
                self.cursor = Some(id);
                self.declared.clear();
                series.iter().for_each(|part| self.declare(part));
                self.series = series.into_iter().map(|part| (part.name, part.track)).collect();
                Ok(Applied::Replaced)
            }
            Event::Update { series, .. } => {
                let known = self.in_step(id)?;
                // An update older than the picture would revert newer state.
                if id.seq <= known.seq {
                    return Ok(Applied::Nothing);
                }
                self.cursor = Some(id);
                let mut changed = Vec::with_capacity(series.len());
                for part in series {
                    changed.push(part.name.clone());
                    self.declare(&part);
                    if let Some(span) = part.revised {
                        let known = self.revised.entry(part.name.clone()).or_insert(span);
                        *known = known.hull(span);
                    }
                    match self.series.get_mut(&part.name) {
                        Some(track) => track.absorb(part.track),
                        None => {
                            self.series.insert(part.name, part.track);
                        }
                    }
                }
                Ok(Applied::Changed(changed))
            }
            Event::Heartbeat { .. } => {
                let known = self.in_step(id)?;
                self.cursor = Some(Cursor { seq: known.seq.max(id.seq), ..known });
                Ok(Applied::Nothing)
            }
            Event::Hello { .. } => {
                self.cursor = self.cursor.map(|known| known.continued_by(id));
                Ok(Applied::Nothing)
            }
            Event::Board(_) | Event::Warnings { .. } | Event::Gap { .. } | Event::Bye { .. } | Event::Unknown => {
                Ok(Applied::Nothing)
            }
        }
    }

    /// Records the declaration of a part. A declaration is never withdrawn.
    fn declare(&mut self, part: &SeriesPart) {
        if let Some(declared) = part.declared
            && self.declared(&part.name) != Some(declared)
        {
            self.declared.insert(part.name.clone(), declared);
        }
    }

    fn in_step(&self, id: Cursor) -> Result<Cursor, OutOfStep> {
        self.cursor.filter(|known| known.epoch == id.epoch).ok_or(OutOfStep { update: id, picture: self.cursor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Epoch, Millis, Number, Seq, Stamp, Value};
    use proptest::prelude::*;

    const EPOCH: Epoch = Epoch(0x0bad_cafe);

    fn id(seq: u64) -> Cursor {
        Cursor { epoch: EPOCH, seq: Seq(seq) }
    }

    /// A minimal server: all tracks, and the parts that a reader at a cursor needs.
    #[derive(Clone, Default)]
    struct Server(BTreeMap<SeriesName, Track>);

    fn hello(epoch: Epoch) -> Event {
        Event::Hello { contract: String::new(), epoch, heartbeat_ms: 1, now: Millis(0), boards: Vec::new() }
    }

    impl Server {
        fn push(&mut self, series: u8, ts: u64, seq: u64) {
            let name: SeriesName = format!("ops/{series}").parse().unwrap();
            let at = Stamp { ts: Millis(ts), seq: Seq(seq) };
            let value = Value::Number(Number::new(f64::from(series) / 3.0).unwrap());
            match self.0.get_mut(&name) {
                Some(track) => track.push(at, value),
                None => {
                    self.0.insert(name, Track::of(at, value));
                }
            }
        }

        fn parts(&self, after: Seq) -> Vec<SeriesPart> {
            let part = |(name, track): (&SeriesName, &Track)| {
                Some(SeriesPart { name: name.clone(), track: track.since(after)?, declared: None, revised: None })
            };
            self.0.iter().filter_map(part).collect()
        }

        fn snapshot(&self) -> Event {
            Event::Snapshot { now: Millis(0), series: self.parts(Seq::ZERO) }
        }

        fn update(&self, after: Seq) -> Event {
            Event::Update { now: Millis(0), pushed: Millis(0), series: self.parts(after) }
        }
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Push {
            series: u8,
            ts: u64,
        },
        Deliver,
        DeliverTwice,
        Reconnect,
        Forget,
        /// The server restarts in another epoch.
        Restart,
        /// The server restarts from the last copy of its data.
        Restore,
        /// The server's data is copied.
        Copy,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (0..4u8, 0..700_000u64).prop_map(|(series, ts)| Step::Push { series, ts }),
            2 => Just(Step::Deliver),
            1 => Just(Step::DeliverTwice),
            1 => Just(Step::Reconnect),
            1 => Just(Step::Forget),
            1 => Just(Step::Restart),
            1 => Just(Step::Restore),
            1 => Just(Step::Copy),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn by_whatever_path_the_picture_equals_the_server(steps in prop::collection::vec(step(), 1..200)) {
            let mut server = Server::default();
            let mut reader = Picture::default();
            let (mut seq, mut epoch) = (0, EPOCH);
            let mut copy = (server.clone(), seq);
            reader.apply(id(0), server.snapshot()).unwrap();
            for step in steps {
                let after = reader.cursor().unwrap().seq;
                let id = |seq| Cursor { epoch, seq: Seq(seq) };
                match step {
                    Step::Push { series, ts } => {
                        seq += 1;
                        server.push(series, ts, seq);
                        continue;
                    }
                    Step::Deliver | Step::Reconnect => {
                        reader.apply(id(seq), server.update(after)).unwrap();
                    }
                    // Delivers a frame that overlaps the reader's picture, as a ring of frames may hold, and then a
                    // frame twice.
                    Step::DeliverTwice => {
                        reader.apply(id(seq), server.update(Seq(after.0 / 2))).unwrap();
                        prop_assert_eq!(reader.apply(id(seq), server.update(after)).unwrap(), Applied::Nothing);
                    }
                    Step::Forget => {
                        reader = Picture::default();
                        reader.apply(id(seq), server.snapshot()).unwrap();
                    }
                    Step::Restart => {
                        epoch = Epoch(epoch.0 + 1);
                        let id = |seq| Cursor { epoch, seq: Seq(seq) };
                        reader.apply(id(after.0), hello(epoch)).unwrap();
                        reader.apply(id(seq), server.update(after)).unwrap();
                    }
                    Step::Restore => {
                        (server, seq) = copy.clone();
                        epoch = Epoch(epoch.0 + 1);
                        // The restored server may have lost the reader's last points, so the picture does not
                        // continue.
                        let id = |seq| Cursor { epoch, seq: Seq(seq) };
                        reader.apply(id(0), hello(epoch)).unwrap();
                        reader.apply(id(seq), server.snapshot()).unwrap();
                    }
                    Step::Copy => {
                        copy = (server.clone(), seq);
                        continue;
                    }
                }
                prop_assert_eq!(reader.cursor(), Some(Cursor { epoch, seq: Seq(seq) }));
                prop_assert_eq!(reader.series(), &server.0);
            }
        }
    }

    #[test]
    fn an_update_without_a_snapshot_or_of_another_epoch_is_not_applied() {
        let mut server = Server::default();
        server.push(1, 1, 1);
        let mut reader = Picture::default();
        assert!(reader.apply(id(1), server.update(Seq::ZERO)).is_err());
        reader.apply(id(1), server.snapshot()).unwrap();
        let other = Cursor { epoch: Epoch(1), seq: Seq(2) };
        assert!(reader.apply(other, server.update(Seq::ZERO)).is_err());
        assert_eq!(reader.cursor(), Some(id(1)));
    }

    #[test]
    fn hello_of_another_epoch_continues_the_picture_only_at_the_same_number() {
        let mut server = Server::default();
        server.push(1, 1, 1);
        server.push(1, 1, 2);
        let mut reader = Picture::default();
        reader.apply(id(2), server.snapshot()).unwrap();
        let other = |seq| Cursor { epoch: Epoch(7), seq: Seq(seq) };
        for seq in [0, 1, 3] {
            reader.apply(other(seq), hello(Epoch(7))).unwrap();
            assert_eq!(reader.cursor(), Some(id(2)));
            assert!(reader.apply(other(3), server.update(Seq(2))).is_err());
        }
        reader.apply(other(2), hello(Epoch(7))).unwrap();
        assert_eq!(reader.cursor(), Some(other(2)));
    }

    #[test]
    fn what_was_revised_is_kept_until_it_is_taken() {
        let mut server = Server::default();
        server.push(1, 1, 1);
        let mut reader = Picture::default();
        reader.apply(id(1), server.snapshot()).unwrap();
        for (seq, from) in [(2, 5_000), (3, 2_000)] {
            server.push(1, 1, seq);
            let Event::Update { now, pushed, mut series } = server.update(Seq(seq - 1)) else { panic!("an update") };
            series[0].revised = Some(TimeRange { from: Millis(from), to: Millis(from + 1_000) });
            reader.apply(id(seq), Event::Update { now, pushed, series }).unwrap();
        }
        let whole = TimeRange { from: Millis(2_000), to: Millis(6_000) };
        assert_eq!(reader.take_revised().into_values().collect::<Vec<_>>(), [whole]);
        assert!(reader.take_revised().is_empty());
    }

    #[test]
    fn a_heartbeat_moves_the_cursor_on_and_never_back() {
        let mut reader = Picture::default();
        reader.apply(id(5), Server::default().snapshot()).unwrap();
        reader.apply(id(9), Event::Heartbeat { now: Millis(0) }).unwrap();
        assert_eq!(reader.cursor(), Some(id(9)));
        reader.apply(id(7), Event::Heartbeat { now: Millis(0) }).unwrap();
        assert_eq!(reader.cursor(), Some(id(9)));
    }
}
