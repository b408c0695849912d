//! The recent past of one series, as it is kept: a track while it changes, packed while it rests.

use std::borrow::Cow;
use std::collections::VecDeque;

use shared::as_of::is_ahead;
use shared::point::Kind;
use shared::{Millis, Track};

use super::packed::Packed;

/// The track of a series.
#[derive(Debug)]
pub(super) enum Past {
    /// As it is worked on.
    Open {
        track: Track,
        /// It changed since [`Past::rest`] came by.
        stirred: bool,
    },
    /// Of numbers, and nothing changed for a while.
    Packed(Packed),
}

impl Past {
    /// One that was just made, of a single point.
    pub(super) fn begin(track: Track) -> Self {
        Self::Open { track, stirred: true }
    }

    /// One that may never change again.
    pub(super) fn at_rest(track: Track) -> Self {
        match track {
            Track::Numbers(buckets) => Self::Packed(Packed::of(&buckets)),
            track @ Track::Texts(_) => Self::Open { track, stirred: false },
        }
    }

    /// What it holds.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Open { track, .. } => track.kind(),
            Self::Packed(_) => Kind::Number,
        }
    }

    /// The whole track.
    pub(super) fn track(&self) -> Cow<'_, Track> {
        match self {
            Self::Open { track, .. } => Cow::Borrowed(track),
            Self::Packed(packed) => Cow::Owned(Track::Numbers(packed.unpack())),
        }
    }

    /// At least its newest entry at `now` and the entries ahead of it.
    pub(super) fn newest(&self, now: Millis) -> Cow<'_, Track> {
        match self {
            Self::Open { track, .. } => Cow::Borrowed(track),
            Self::Packed(packed) => {
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
        }
    }

    /// Keeps only its newest entry at `now`, and a few of those ahead of it.
    pub(super) fn forget(&mut self, now: Millis) {
        match self {
            Self::Open { track, .. } => track.keep_newest_at(now),
            Self::Packed(_) => {
                let mut newest = self.newest(now).into_owned();
                newest.keep_newest_at(now);
                *self = Self::at_rest(newest);
            }
        }
    }

    /// The track, to be changed.
    pub(super) fn open(&mut self) -> &mut Track {
        if let Self::Packed(packed) = self {
            *self = Self::begin(Track::Numbers(packed.unpack()));
        }
        match self {
            Self::Open { track, stirred } => {
                *stirred = true;
                track
            }
            Self::Packed(_) => unreachable!("it was just opened"),
        }
    }

    /// Looks whether it has changed since the last time, and packs it where it has not.
    pub(super) fn rest(&mut self) {
        match self {
            Self::Open { stirred: stirred @ true, .. } => *stirred = false,
            Self::Open { track: Track::Numbers(buckets), .. } => *self = Self::Packed(Packed::of(buckets)),
            Self::Open { .. } | Self::Packed(_) => {}
        }
    }
}
