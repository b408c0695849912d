//! The recent past of one series in memory: a track while it changes, packed while it does not.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use shared::as_of::is_ahead;
use shared::point::Kind;
use shared::{Bucket, Millis, Track};

use super::lent::Lent;
use super::packed::Packed;

/// The track of a series, in one of three forms.
#[derive(Debug)]
pub(super) enum Past {
    /// A track that changed recently.
    Open {
        track: Track,
        /// True if the track changed since the last [`Past::rest`].
        stirred: bool,
    },
    /// A track of numbers that has not changed for a while.
    Packed(Packed),
    /// A track that is shared with frames that are not encoded yet, until its next change.
    Lent {
        track: Arc<Lent>,
        /// True if the track changed since the last [`Past::rest`].
        stirred: bool,
    },
}

impl Past {
    /// Creates a past from a new track of a single point.
    pub(super) fn begin(track: Track) -> Self {
        Self::Open { track, stirred: true }
    }

    /// Creates a past that is not expected to change soon.
    pub(super) fn at_rest(track: Track) -> Self {
        match track {
            Track::Numbers(buckets) => Self::Packed(Packed::of(&buckets)),
            track @ Track::Texts(_) => Self::Open { track, stirred: false },
        }
    }

    /// Returns the kind of its values.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Open { track, .. } => track.kind(),
            Self::Packed(_) => Kind::Number,
            Self::Lent { track, .. } => track.kind(),
        }
    }

    /// Returns the whole track.
    pub(super) fn track(&self) -> Cow<'_, Track> {
        match self {
            Self::Open { track, .. } => Cow::Borrowed(track),
            Self::Packed(packed) => Cow::Owned(Track::Numbers(packed.unpack())),
            Self::Lent { track, .. } => track.track(),
        }
    }

    /// Estimates the bytes of memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Open { track, .. } => track_bytes(track),
            Self::Packed(packed) => packed.len(),
            Self::Lent { track, .. } => match &**track {
                Lent::Track(track) => track_bytes(track),
                Lent::Packed(packed) => packed.len(),
            },
        }
    }

    /// Shares the whole track with a frame, without a copy.
    pub(super) fn lend(&mut self) -> Arc<Lent> {
        let (lent, stirred) = match std::mem::replace(self, Self::Packed(Packed::default())) {
            Self::Open { track, stirred } => (Arc::new(Lent::Track(track)), stirred),
            Self::Packed(packed) => (Arc::new(Lent::Packed(packed)), false),
            Self::Lent { track, stirred } => (track, stirred),
        };
        *self = Self::Lent { track: lent.clone(), stirred };
        lent
    }

    /// Ends the sharing: takes the track back, or copies it if a frame still needs it.
    fn take_back(&mut self) {
        if !matches!(self, Self::Lent { .. }) {
            return;
        }
        *self = match std::mem::replace(self, Self::Packed(Packed::default())) {
            Self::Lent { track, stirred } => match Arc::try_unwrap(track) {
                Ok(Lent::Track(track)) => Self::Open { track, stirred },
                Ok(Lent::Packed(packed)) => Self::Packed(packed),
                Err(shared) => Self::Open { track: shared.track().into_owned(), stirred },
            },
            owned => owned,
        };
    }

    /// Returns at least the newest entry at `now` and the entries in the future.
    pub(super) fn newest(&self, now: Millis) -> Cow<'_, Track> {
        let packed = match self {
            Self::Open { track, .. } => return Cow::Borrowed(track),
            Self::Packed(packed) => packed,
            Self::Lent { track, .. } => match &**track {
                Lent::Track(track) => return Cow::Borrowed(track),
                Lent::Packed(packed) => packed,
            },
        };
        let mut newest = VecDeque::new();
        for bucket in packed.newest_first() {
            let ahead = is_ahead(bucket.start, now);
            newest.push_front(bucket);
            if !ahead {
                break;
            }
        }
        Cow::Owned(Track::Numbers(newest))
    }

    /// Keeps only the newest entry at `now` and a few of those in the future.
    pub(super) fn forget(&mut self, now: Millis) {
        self.take_back();
        if let Self::Open { track, .. } = self {
            return track.keep_newest_at(now);
        }
        let mut newest = self.newest(now).into_owned();
        newest.keep_newest_at(now);
        *self = Self::at_rest(newest);
    }

    /// Returns the track for a change.
    pub(super) fn open(&mut self) -> &mut Track {
        self.take_back();
        if let Self::Packed(packed) = self {
            *self = Self::begin(Track::Numbers(packed.unpack()));
        }
        match self {
            Self::Open { track, stirred } => {
                *stirred = true;
                track
            }
            Self::Packed(_) | Self::Lent { .. } => unreachable!("it was just opened"),
        }
    }

    /// Packs the track if it has not changed since the last call.
    pub(super) fn rest(&mut self) {
        if matches!(self, Self::Lent { track, stirred: false } if Arc::strong_count(track) == 1) {
            self.take_back();
        }
        match self {
            Self::Open { stirred: stirred @ true, .. } | Self::Lent { stirred: stirred @ true, .. } => *stirred = false,
            Self::Open { track: Track::Numbers(buckets), .. } => *self = Self::Packed(Packed::of(buckets)),
            Self::Open { .. } | Self::Packed(_) | Self::Lent { .. } => {}
        }
    }
}

fn track_bytes(track: &Track) -> usize {
    match track {
        Track::Numbers(buckets) => buckets.len() * size_of::<Bucket>(),
        Track::Texts(log) => log.lines.iter().map(|line| size_of_val(line) + line.text.len()).sum(),
    }
}

#[cfg(test)]
mod tests {
    use shared::{Number, Seq, Stamp, Value};

    use super::*;

    fn push(past: &mut Past, seq: u64) {
        let at = Stamp { ts: Millis(1_732_399_200_000 + seq * 1_000), seq: Seq(seq) };
        past.open().push(at, Value::Number(Number::new(1.5).unwrap()));
    }

    fn track() -> Track {
        let at = Stamp { ts: Millis(1_732_399_200_000), seq: Seq(1) };
        Track::of(at, Value::Number(Number::new(1.5).unwrap()))
    }

    #[test]
    fn lent_track_stays_as_it_was_lent_and_is_copied_only_where_a_frame_still_has_it() {
        for mut past in [Past::begin(track()), Past::at_rest(track())] {
            let lent = past.lend();
            assert!(Arc::ptr_eq(&lent, &past.lend()), "frames share it");
            let before = lent.track().into_owned();
            push(&mut past, 2);
            assert_eq!(*lent.track(), before);
            assert_eq!(past.track().changed(), Seq(2));
            drop(past.lend());
            push(&mut past, 3);
            assert_eq!(past.track().changed(), Seq(3));
        }
    }

    #[test]
    fn lent_track_is_packed_and_forgotten_like_any_other() {
        let mut past = Past::begin(track());
        (2..9).for_each(|seq| push(&mut past, seq));
        let lent = past.lend();
        (0..3).for_each(|_| past.rest());
        assert!(matches!(past, Past::Lent { .. }), "a frame still needs it");
        drop(lent);
        past.rest();
        assert!(matches!(past, Past::Packed(_)));
        let lent = past.lend();
        past.forget(Millis(u64::MAX));
        assert_eq!((lent.track().changed(), past.track().changed()), (Seq(8), Seq(8)));
        let Track::Numbers(buckets) = past.track().into_owned() else { panic!("they are numbers") };
        assert_eq!(buckets.len(), 1);
    }
}
