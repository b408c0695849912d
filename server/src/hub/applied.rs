//! The hub as a subscriber of the log: it receives points, boards and removals in the order of their seqs.

use shared::{BoardId, Seq};

use super::BoardRecord;
use super::driver::HubHandle;
use crate::log::{Applied, LogSubscriber, TrackCache, TrackError, Tracks, WarmSeries};

impl LogSubscriber for HubHandle {
    fn apply(&mut self, applied: &Applied<'_>, tracks: &dyn Tracks) {
        match *applied {
            Applied::Points(points) => self.publish(points),
            Applied::Board { id, selectors, etag, since, position, .. } => {
                // An upload behind a file of `--boards` changes nothing for subscribers.
                if self.etag(id) != etag {
                    self.show(id, BoardRecord { selectors: selectors.to_vec(), etag, since }, position, tracks);
                    // The links of the board may permit other series now.
                    self.access_changed();
                }
            }
            Applied::BoardForgotten { id, since } => self.forget_board(id, since),
            Applied::SeriesRemoved { series, at } => self.remove_series(series, at),
            // The authority has ended leases; it receives the entry first.
            Applied::Token(_) | Applied::User(_) | Applied::Link(_) => self.access_changed(),
        }
    }
}

impl HubHandle {
    /// Replaces the record of a board, once the tracks that its subscribers need are in memory.
    fn show(&self, id: &BoardId, record: BoardRecord, position: Seq, tracks: &dyn Tracks) {
        let series = self.warm_series(id, &record.selectors);
        if let Err(error) = self.load(&series, tracks) {
            tracing::warn!(board = %id, %error, "cannot read what the board shows now; its readers have to come back");
        }
        self.set_board(id.clone(), record, position);
    }
}

impl TrackCache for HubHandle {
    fn load(&self, series: &[WarmSeries], tracks: &dyn Tracks) -> Result<(), TrackError> {
        for &WarmSeries { series, kind } in series {
            // Of many clients that come at once, the first has loaded it for all.
            if !self.is_hot(series) {
                self.rehydrate(series, tracks.track(series, kind)?);
            }
        }
        Ok(())
    }
}
