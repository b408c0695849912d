//! The recent past of one series in memory: a track while it changes, packed while it does not.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use shared::as_of::is_ahead;
use shared::point::Kind;
use shared::{Bucket, Millis, Track};

use super::borrowed::BorrowedTrack;
use super::packed::Packed;

/// The track of a series, in one of three forms.
#[derive(Debug)]
pub(super) enum TrackSlot {
    /// A track that changed recently.
    Open {
        track: Track,
        /// True if the track changed since the last [`TrackSlot::pack_if_idle`].
        changed: bool,
    },
    /// A track of numbers that has not changed for a while.
    Packed(Packed),
    /// A track that is shared with frames that are not encoded yet, until its next change.
    Borrowed {
        track: Arc<BorrowedTrack>,
        /// True if the track changed since the last [`TrackSlot::pack_if_idle`].
        changed: bool,
    },
}

impl TrackSlot {
    /// Creates a slot with a new track of a single point.
    pub(super) fn begin(track: Track) -> Self {
        Self::Open { track, changed: true }
    }

    /// Creates a slot whose track is not expected to change soon.
    pub(super) fn packed(track: Track) -> Self {
        match track {
            Track::Numbers(buckets) => Self::Packed(Packed::of(&buckets)),
            track @ Track::Texts(_) => Self::Open { track, changed: false },
        }
    }

    /// Returns the kind of its values.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Open { track, .. } => track.kind(),
            Self::Packed(_) => Kind::Number,
            Self::Borrowed { track, .. } => track.kind(),
        }
    }

    /// Returns the whole track.
    pub(super) fn track(&self) -> Cow<'_, Track> {
        match self {
            Self::Open { track, .. } => Cow::Borrowed(track),
            Self::Packed(packed) => Cow::Owned(Track::Numbers(packed.unpack())),
            Self::Borrowed { track, .. } => track.track(),
        }
    }

    /// Estimates the bytes of memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Open { track, .. } => track_bytes(track),
            Self::Packed(packed) => packed.len(),
            Self::Borrowed { track, .. } => match &**track {
                BorrowedTrack::Track(track) => track_bytes(track),
                BorrowedTrack::Packed(packed) => packed.len(),
            },
        }
    }

    /// Shares the whole track with a frame, without a copy.
    pub(super) fn lend(&mut self) -> Arc<BorrowedTrack> {
        let (borrowed, changed) = match std::mem::replace(self, Self::Packed(Packed::default())) {
            Self::Open { track, changed } => (Arc::new(BorrowedTrack::Track(track)), changed),
            Self::Packed(packed) => (Arc::new(BorrowedTrack::Packed(packed)), false),
            Self::Borrowed { track, changed } => (track, changed),
        };
        *self = Self::Borrowed { track: borrowed.clone(), changed };
        borrowed
    }

    /// Ends the sharing: takes the track back, or copies it if a frame still needs it.
    fn take_back(&mut self) {
        if !matches!(self, Self::Borrowed { .. }) {
            return;
        }
        *self = match std::mem::replace(self, Self::Packed(Packed::default())) {
            Self::Borrowed { track, changed } => match Arc::try_unwrap(track) {
                Ok(BorrowedTrack::Track(track)) => Self::Open { track, changed },
                Ok(BorrowedTrack::Packed(packed)) => Self::Packed(packed),
                Err(shared) => Self::Open { track: shared.track().into_owned(), changed },
            },
            owned => owned,
        };
    }

    /// Returns at least the newest entry at `now` and the entries in the future.
    pub(super) fn newest(&self, now: Millis) -> Cow<'_, Track> {
        let packed = match self {
            Self::Open { track, .. } => return Cow::Borrowed(track),
            Self::Packed(packed) => packed,
            Self::Borrowed { track, .. } => match &**track {
                BorrowedTrack::Track(track) => return Cow::Borrowed(track),
                BorrowedTrack::Packed(packed) => packed,
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
    pub(super) fn evict(&mut self, now: Millis) {
        self.take_back();
        if let Self::Open { track, .. } = self {
            return track.keep_newest_at(now);
        }
        let mut newest = self.newest(now).into_owned();
        newest.keep_newest_at(now);
        *self = Self::packed(newest);
    }

    /// Returns the track for a change.
    pub(super) fn open(&mut self) -> &mut Track {
        self.take_back();
        if let Self::Packed(packed) = self {
            *self = Self::begin(Track::Numbers(packed.unpack()));
        }
        match self {
            Self::Open { track, changed } => {
                *changed = true;
                track
            }
            Self::Packed(_) | Self::Borrowed { .. } => unreachable!("it was just opened"),
        }
    }

    /// Packs the track if it has not changed since the last call.
    pub(super) fn pack_if_idle(&mut self) {
        if matches!(self, Self::Borrowed { track, changed: false } if Arc::strong_count(track) == 1) {
            self.take_back();
        }
        match self {
            Self::Open { changed: changed @ true, .. } | Self::Borrowed { changed: changed @ true, .. } => {
                *changed = false;
            }
            Self::Open { track: Track::Numbers(buckets), .. } => *self = Self::Packed(Packed::of(buckets)),
            Self::Open { .. } | Self::Packed(_) | Self::Borrowed { .. } => {}
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

    fn push(slot: &mut TrackSlot, seq: u64) {
        let at = Stamp { ts: Millis(1_732_399_200_000 + seq * 1_000), seq: Seq(seq) };
        slot.open().push(at, Value::Number(Number::new(1.5).unwrap()));
    }

    fn track() -> Track {
        let at = Stamp { ts: Millis(1_732_399_200_000), seq: Seq(1) };
        Track::of(at, Value::Number(Number::new(1.5).unwrap()))
    }

    #[test]
    fn lent_track_stays_as_it_was_lent_and_is_copied_only_where_a_frame_still_has_it() {
        for mut slot in [TrackSlot::begin(track()), TrackSlot::packed(track())] {
            let borrowed = slot.lend();
            assert!(Arc::ptr_eq(&borrowed, &slot.lend()), "frames share it");
            let before = borrowed.track().into_owned();
            push(&mut slot, 2);
            assert_eq!(*borrowed.track(), before);
            assert_eq!(slot.track().changed(), Seq(2));
            drop(slot.lend());
            push(&mut slot, 3);
            assert_eq!(slot.track().changed(), Seq(3));
        }
    }

    #[test]
    fn lent_track_is_packed_and_forgotten_like_any_other() {
        let mut slot = TrackSlot::begin(track());
        (2..9).for_each(|seq| push(&mut slot, seq));
        let borrowed = slot.lend();
        (0..3).for_each(|_| slot.pack_if_idle());
        assert!(matches!(slot, TrackSlot::Borrowed { .. }), "a frame still needs it");
        drop(borrowed);
        slot.pack_if_idle();
        assert!(matches!(slot, TrackSlot::Packed(_)));
        let borrowed = slot.lend();
        slot.evict(Millis(u64::MAX));
        assert_eq!((borrowed.track().changed(), slot.track().changed()), (Seq(8), Seq(8)));
        let Track::Numbers(buckets) = slot.track().into_owned() else { panic!("they are numbers") };
        assert_eq!(buckets.len(), 1);
    }
}
