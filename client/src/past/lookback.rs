//! The lookback of a widget as of a past moment: all of it is from history. It has whole buckets, and the last one, which
//! ends with the newest point before the moment, is made of finer ones.

use shared::reading::{Detail, JoinedCells, Lookback, past};
use shared::{Millis, SeriesName, Track};

use crate::history::cell_cache::CellCache;
use crate::history::request::{Margin, VisibleRange};
use crate::history::time_ranges::TimeRanges;
use crate::history::{Parts, SeriesCache};
use crate::widget::lookback::{AT_ONCE, WidgetHistory};

/// The buckets of a lookback that ends with the newest point before a past moment. Times are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastStretch {
    /// The first moment that is needed.
    pub from: u64,
    /// Start of the last bucket.
    pub edge: u64,
    /// Time of the newest point.
    pub newest: u64,
    /// Width of the buckets.
    pub width: u64,
    /// Width of the finer buckets that make up the last one.
    pub cut: u64,
}

/// Missing buckets of one width. Times are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// First moment.
    pub from: u64,
    /// Moment after the last one.
    pub to: u64,
    /// Width of the buckets.
    pub width: u64,
}

impl PastStretch {
    /// The stretch of a lookback from the newest point at `newest`, in milliseconds.
    #[must_use]
    pub fn of(lookback: Lookback, newest: u64) -> Self {
        let width = lookback.width();
        let (from, edge) = (lookback.needed_from(newest), newest - newest % width);
        Self { from, edge, newest, width, cut: past::cut_width(width) }
    }

    /// Returns the buckets; `None` while some are missing.
    pub fn join(self, known: &mut SeriesCache, detail: Detail) -> Option<JoinedCells<'_>> {
        let Self { from, edge, newest, width, cut } = self;
        if self.lacks(known, detail, CellCache::answered).is_some() {
            return None;
        }
        let finer = known.cells(cut, detail).within(edge, newest + 1);
        let last = past::cut_cell(finer, edge, Millis(newest), width, detail);
        let whole = past::cells_at(known.cells(width, detail).within(from, edge), Millis(newest));
        Some(JoinedCells::new(whole, last, &[]))
    }

    /// Returns the missing buckets among the `ranges` of a cache, the whole ones first.
    pub fn lacks(
        self,
        known: &mut SeriesCache,
        detail: Detail,
        ranges: fn(&CellCache) -> &TimeRanges,
    ) -> Option<Lacking> {
        let Self { from, edge, newest, width, cut } = self;
        let mut missing = |width, from, to| {
            let (from, to) = ranges(known.cells(width, detail)).missing(from, to)?;
            Some(Lacking { from, to, width })
        };
        missing(width, from, edge).or_else(|| missing(cut, edge, newest + 1))
    }
}

/// Returns the buckets of a lookback from the newest point at `newest`, in milliseconds; `None` while some are missing.
#[must_use]
pub fn join(known: &mut SeriesCache, lookback: Lookback, newest: u64, detail: Detail) -> Option<JoinedCells<'_>> {
    PastStretch::of(lookback, newest).join(known, detail)
}

/// Requests what is missing as of the moment `to`. Returns true if anything is missing. Series that reported within
/// the lookback share one request for each width of buckets; each other one has its own.
#[must_use]
pub fn ask(history: WidgetHistory, names: &[SeriesName], lookback: Lookback, to: Millis) -> bool {
    let WidgetHistory { context, detail, requester, .. } = history;
    let mut request: Option<(Vec<SeriesName>, Lacking)> = None;
    for name in names {
        let newest = context.view.past.with_track(name, |track| match track {
            Track::Numbers(_) => Some(track.latest_at().ts.0),
            Track::Texts(_) => None,
        });
        let Some(newest) = newest.flatten() else { continue };
        let stretch = PastStretch::of(lookback, newest);
        let lacking = |known: &mut SeriesCache| stretch.lacks(known, detail, CellCache::known);
        let Some(lacks) = context.history.with(name, lacking).flatten() else { continue };
        let reported = newest + lookback.longest() > to.0;
        match &mut request {
            None => request = Some((vec![name.clone()], lacks)),
            Some((names, all)) if reported && all.width == lacks.width && names.len() < AT_ONCE => {
                names.push(name.clone());
                (all.from, all.to) = (all.from.min(lacks.from), all.to.max(lacks.to));
            }
            Some(_) => {}
        }
        if !reported {
            break;
        }
    }
    let Some((names, Lacking { from, to: until, width })) = request else { return false };
    let ahead = context.view.past.ahead(to).min(context.server_now_untracked());
    let until = if until + width > to.0 { until.max(ahead) } else { until };
    let (series, moved) = (names.len() as u64, context.view.moved());
    let shown = VisibleRange { from, to: until, width, series, moved, margin: Margin::None };
    let parts = Parts { width, detail, before: 0 };
    context.history.request(requester, &names, shown, (from, until), parts, context);
    true
}
