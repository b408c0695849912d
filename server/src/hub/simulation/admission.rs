//! The way of a subscriber into the simulated hub, and the selections of the board's editions.

use shared::board::Etag;
use shared::{Selector, Track};

use crate::clock::Now;
use crate::hub::topic::TopicId;
use crate::hub::{Hub, Reader, Resume, Selection, Subscription};
use crate::log::Committed;
use crate::log::WarmSeries;

#[derive(Default)]
pub(super) struct Editions(pub(super) Vec<Vec<Selector>>);

impl Editions {
    /// Returns the selection of a subscriber if the board has this edition.
    pub(super) fn selection(&self, subscription: &Subscription, etag: Option<Etag>) -> Selection {
        let mut selectors = subscription.series.clone();
        if !subscription.boards.is_empty() {
            let edition =
                etag.map(|etag| (0..).zip(&self.0).find(|&(n, _)| Etag::stored(n) == etag).unwrap().1.clone());
            selectors.extend(edition.unwrap_or_else(|| vec!["s/**".parse().unwrap()]));
        }
        Selection::new(selectors, subscription.rate)
    }
}

/// Admits a subscriber, once all series that it selects are in memory.
pub(in crate::hub) fn subscribe(
    hub: &mut Hub,
    points: &[Committed],
    subscription: &Subscription,
    resume: &Resume,
    now: Now,
) -> (TopicId, Reader) {
    loop {
        match hub.subscribe(subscription, resume, now) {
            Ok(taken_in) => return taken_in,
            Err(missing) => rehydrate(hub, points, missing),
        }
    }
}

/// Rehydrates tracks as the store does.
pub(super) fn rehydrate(hub: &mut Hub, points: &[Committed], absent: Vec<WarmSeries>) {
    for WarmSeries { series, .. } in absent {
        let mut track: Option<Track> = None;
        let head = hub.rollup.head();
        let published = points.iter().filter(|point| point.series == series && point.at.seq <= head);
        for Committed { at, value, .. } in published.cloned() {
            match &mut track {
                Some(track) => track.push(at, value),
                None => track = Some(Track::of(at, value)),
            }
        }
        hub.rehydrate(series, track);
    }
}
