//! Tracks that frames share with the rollup until they are encoded.
//!
//! Collecting a snapshot holds the hub's lock; encoding it does not. So a frame borrows the tracks, at the cost of a
//! reference count for each. A point that comes meanwhile copies the track first, so that the frame keeps the state
//! at its cursor.

use std::borrow::Cow;
use std::sync::Arc;

use shared::point::Kind;
use shared::{Declared, Seq, SeriesName, SeriesPart, TimeRange, Track};

use super::packed::Packed;

/// Estimated bytes of a bucket in a frame: most buckets have one point.
const BUCKET_BYTES: usize = 48;

/// Estimated bytes of a part in a frame, besides its buckets or lines.
const PART_BYTES: usize = 96;

/// A track that is shared with frames.
#[derive(Debug)]
pub(super) enum BorrowedTrack {
    /// A track that changed recently.
    Track(Track),
    /// A packed track, which had not changed for a while.
    Packed(Packed),
}

impl BorrowedTrack {
    /// Returns the kind of its values.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Track(track) => track.kind(),
            Self::Packed(_) => Kind::Number,
        }
    }

    /// Returns the whole track.
    pub(super) fn track(&self) -> Cow<'_, Track> {
        match self {
            Self::Track(track) => Cow::Borrowed(track),
            Self::Packed(packed) => Cow::Owned(Track::Numbers(packed.unpack())),
        }
    }

    /// Estimates the bytes that the track takes in a frame.
    fn frame_bytes(&self) -> usize {
        match self {
            Self::Track(Track::Numbers(buckets)) => buckets.len() * BUCKET_BYTES,
            Self::Track(Track::Texts(log)) => log.lines.iter().map(|line| line.text.len() + BUCKET_BYTES).sum(),
            // A packed bucket with one point takes about 15 bytes.
            Self::Packed(packed) => packed.len() * BUCKET_BYTES / 15,
        }
    }
}

/// The changes of a series after a cursor, together with the track that they are still to be cut from.
#[derive(Debug)]
pub struct BorrowedPart {
    pub(super) name: SeriesName,
    pub(super) declared: Option<Declared>,
    pub(super) changes: Changes,
    pub(super) track: Arc<BorrowedTrack>,
}

/// Describes which changes to cut from a track.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changes {
    /// The seq of the cursor.
    pub(super) after: Seq,
    /// True if no point after the cursor came late, so that the changes are at the end of the track.
    pub(super) in_order: bool,
    /// The stretch before the track that changed as well.
    pub(super) revised: Option<TimeRange>,
}

impl Changes {
    /// Cuts the changes from `track`; `None` if there are none.
    pub(super) fn of(self, track: &Track) -> Option<Track> {
        let changed = if self.in_order { track.since_in_order(self.after) } else { track.since(self.after) };
        changed.or_else(|| self.revised.map(|_| track.newest()))
    }
}

impl BorrowedPart {
    /// Returns the changes as a frame holds them; `None` if there are none.
    #[must_use]
    pub fn part(&self) -> Option<SeriesPart> {
        let Self { name, declared, changes, track } = self;
        let track = changes.of(&track.track())?;
        Some(SeriesPart { name: name.clone(), track, declared: *declared, revised: changes.revised })
    }

    /// Estimates the bytes that the part takes in a frame. Changes after a cursor may take much less.
    #[must_use]
    pub fn frame_bytes(&self) -> usize {
        PART_BYTES + self.name.as_str().len() + self.track.frame_bytes()
    }
}
