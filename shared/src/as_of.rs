//! A track as of a given moment. Points ahead of that moment are kept, but are not yet the newest value.
//!
//! A point can be ahead because its sender's clock is ahead, or because the server's clock was. The content of a
//! track does not depend on a clock, but the *shown* newest value does: it is the newest entry whose second has
//! begun. So a point ahead of now neither hides earlier values nor makes its series look fresh, and it becomes the
//! newest value when its time comes. The unit is a second because buckets are a second wide.

use std::borrow::Cow;
use std::collections::VecDeque;

use crate::bucket::SECOND;
use crate::track::{Latest, TextLog};
use crate::{Bucket, Millis, Stamp, Track};

/// The most entries ahead of now that are kept for a series whose newest entry alone is needed.
pub const MAX_AHEAD: usize = 8;

/// Returns true if a point at `ts` is ahead of `now`.
#[must_use]
pub fn is_ahead(ts: Millis, now: Millis) -> bool {
    ts.floor(SECOND) > now
}

impl Track {
    /// Counts the entries ahead of `now`, which are the last ones.
    fn ahead(&self, now: Millis) -> usize {
        match self {
            Self::Numbers(buckets) => buckets.iter().rev().take_while(|bucket| is_ahead(bucket.start, now)).count(),
            Self::Texts(log) => log.lines.iter().rev().take_while(|line| is_ahead(line.at.ts, now)).count(),
        }
    }

    /// Returns true if the newest entry is ahead of `now`.
    #[must_use]
    pub fn is_ahead(&self, now: Millis) -> bool {
        is_ahead(self.latest_at().ts, now)
    }

    /// Returns the track without the entries ahead of `now`; `None` if all are ahead.
    #[must_use]
    pub fn as_of(&self, now: Millis) -> Option<Cow<'_, Self>> {
        if !self.is_ahead(now) {
            return Some(Cow::Borrowed(self));
        }
        let ahead = self.ahead(now);
        match self {
            Self::Numbers(buckets) if ahead < buckets.len() => {
                let kept: VecDeque<Bucket> = buckets.range(..buckets.len() - ahead).cloned().collect();
                Some(Cow::Owned(Self::Numbers(kept)))
            }
            Self::Texts(log) if ahead < log.lines.len() => {
                let lines = log.lines.range(..log.lines.len() - ahead).cloned().collect();
                Some(Cow::Owned(Self::Texts(TextLog { lines, ..*log })))
            }
            Self::Numbers(_) | Self::Texts(_) => None,
        }
    }

    /// Returns the newest value as of `now`, and its stamp. If all entries are ahead, returns the one whose time comes
    /// first.
    #[must_use]
    pub fn newest_at(&self, now: Millis) -> (Stamp, Latest<'_>) {
        let ahead = self.ahead(now);
        let newest = match self {
            Self::Numbers(buckets) => buckets
                .get(buckets.len().saturating_sub(ahead + 1))
                .map(|bucket| (bucket.last.at, Latest::Number(bucket.last.value))),
            Self::Texts(log) => {
                log.lines.get(log.lines.len().saturating_sub(ahead + 1)).map(|line| (line.at, Latest::Text(&line.text)))
            }
        };
        newest.unwrap_or((self.latest_at(), self.latest()))
    }

    /// Drops all entries except the newest as of `now` and those ahead of it. Of the latter keeps at most
    /// [`MAX_AHEAD`], spaced as evenly as possible, including the newest.
    pub fn keep_newest_at(&mut self, now: Millis) {
        if !self.is_ahead(now) {
            return self.keep_newest();
        }
        let keep = self.ahead(now) + 1;
        match self {
            Self::Numbers(buckets) => thin(buckets, keep, |bucket| bucket.start),
            Self::Texts(log) => thin(&mut log.lines, keep, |line| line.at.ts),
        }
    }
}

/// Keeps the last `keep` entries. If more than [`MAX_AHEAD`] follow the first of them, drops those that lie closest
/// between their neighbours.
fn thin<T>(entries: &mut VecDeque<T>, keep: usize, ts: impl Fn(&T) -> Millis) {
    entries.drain(..entries.len().saturating_sub(keep));
    while entries.len() > MAX_AHEAD + 1 {
        let gap = |at: usize| ts(&entries[at + 1]).since(ts(&entries[at - 1]));
        let closest = (1..entries.len() - 1).min_by_key(|&at| gap(at)).unwrap_or(1);
        entries.remove(closest);
    }
    entries.shrink_to_fit();
}

// The random source of proptest does not build for the browser.
#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use crate::{Number, Seq, Text, Value};
    use proptest::prelude::*;

    fn number(value: f64) -> Value {
        Value::Number(Number::new(value).unwrap())
    }

    fn text(value: f64) -> Value {
        Value::Text(Text::new(value.to_string()).unwrap())
    }

    fn track(times: &[u64], value: fn(f64) -> Value) -> Track {
        let mut track: Option<Track> = None;
        for (seq, &ts) in (1_u32..).zip(times) {
            let (at, value) = (Stamp { ts: Millis(ts), seq: Seq(seq.into()) }, value(seq.into()));
            match &mut track {
                Some(track) => track.push(at, value),
                None => track = Some(Track::of(at, value)),
            }
        }
        track.unwrap()
    }

    fn value(latest: Latest<'_>) -> f64 {
        match latest {
            Latest::Number(value) => value,
            Latest::Text(text) => text.parse().unwrap(),
        }
    }

    proptest! {
        #[test]
        fn newest_value_is_the_newest_point_whose_second_has_begun(
            times in prop::collection::vec(0..60_000_u64, 1..90), now in 0..60_000_u64, texts: bool
        ) {
            let track = track(&times, if texts { text } else { number });
            let now = Millis(now);
            let stamps = (1_u64..).zip(&times).map(|(seq, &ts)| Stamp { ts: Millis(ts), seq: Seq(seq) });
            let wanted = stamps.filter(|at| at.ts.0 / 1_000 * 1_000 <= now.0).max();
            let (at, latest) = track.newest_at(now);
            let as_of = track.as_of(now);
            match wanted {
                Some(wanted) => {
                    prop_assert_eq!(at, wanted);
                    prop_assert_eq!(value(latest).to_string(), wanted.seq.0.to_string());
                    let as_of = as_of.unwrap();
                    prop_assert_eq!(as_of.latest_at(), wanted);
                    prop_assert!(!as_of.is_ahead(now));
                }
                None => prop_assert!(as_of.is_none() && track.is_ahead(now)),
            }
            // No entry is lost: each is in the track once its time has come.
            prop_assert_eq!(&*track.as_of(Millis(60_000)).unwrap(), &track);
        }

        #[test]
        fn entries_kept_of_an_unread_series_have_its_newest_value_at_any_time(
            steps in prop::collection::vec((0..3_000_u64, prop_oneof![3 => 0..10_u64, 1 => 0..300_u64]), 1..120), texts: bool
        ) {
            let value_of = if texts { text } else { number };
            let (mut now, mut all, mut kept) = (Millis(1_000_000), None::<Track>, None::<Track>);
            for (seq, (passed, ahead)) in (1_u32..).zip(steps) {
                now = now.plus(passed);
                let at = Stamp { ts: now.plus(ahead * 1_000), seq: Seq(seq.into()) };
                for track in [&mut all, &mut kept] {
                    match track {
                        Some(track) => track.push(at, value_of(seq.into())),
                        None => *track = Some(Track::of(at, value_of(seq.into()))),
                    }
                }
                let (all, kept) = (all.as_ref().unwrap(), kept.as_mut().unwrap());
                kept.keep_newest_at(now);
                let entries = match kept {
                    Track::Numbers(buckets) => buckets.len(),
                    Track::Texts(log) => log.lines.len(),
                };
                prop_assert!(entries <= MAX_AHEAD + 1);
                prop_assert_eq!(kept.latest_at(), all.latest_at(), "the newest of all is kept");
                // Exact if few points are ahead; otherwise behind by at most the time that points may be ahead.
                let (exact, found) = (all.newest_at(now).0, kept.newest_at(now).0);
                prop_assert!(found <= exact || is_ahead(found.ts, now));
                prop_assert!(exact.ts.since(found.ts) <= 310_000);
            }
        }
    }

    #[test]
    fn point_ahead_of_now_hides_nothing_and_is_the_newest_once_its_time_has_come() {
        let track = track(&[10_000, 11_000, 310_000], number);
        let at = |now| value(track.newest_at(Millis(now)).1).to_string();
        assert_eq!([at(11_500), at(309_999), at(310_000)], ["2", "2", "3"]);
        assert_eq!(at(0), "1", "if all are ahead, the first to come");
        assert!(track.as_of(Millis(9_999)).is_none());
    }

    #[test]
    fn sender_whose_clock_is_ahead_does_not_freeze_the_newest_value() {
        // A point a second, each half a minute ahead, of a series that nobody reads.
        let mut kept = Track::of(Stamp { ts: Millis(30_000), seq: Seq(1) }, number(1.0));
        for second in 1..600_u64 {
            let now = Millis(second * 1_000);
            kept.push(Stamp { ts: now.plus(30_000), seq: Seq(second + 1) }, number(1.0));
            kept.keep_newest_at(now);
            let newest = kept.newest_at(now).0.ts;
            assert!(second < 60 || now.since(newest) <= 15_000, "{now:?}: {newest:?}");
        }
    }
}
