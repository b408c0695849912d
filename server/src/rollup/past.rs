//! The recent past of one series, as it is kept: a track while it changes, packed while it rests.

use std::borrow::Cow;

use shared::Track;
use shared::point::Kind;

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

    /// Its newest entry at least.
    pub(super) fn newest(&self) -> Cow<'_, Track> {
        match self {
            Self::Open { track, .. } => Cow::Borrowed(track),
            Self::Packed(packed) => Cow::Owned(Track::Numbers(packed.newest_first().take(1).collect())),
        }
    }

    /// Lets go of all but its newest entry.
    pub(super) fn forget(&mut self) {
        match self {
            Self::Open { track, .. } => track.keep_newest(),
            Self::Packed(_) => *self = Self::at_rest(self.newest().into_owned()),
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
