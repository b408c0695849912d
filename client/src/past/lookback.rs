//! The lookback of a widget as of a past moment: all of it is from history. It has whole buckets, and the last one, which
//! ends with the newest point before the moment, is made of finer and finer ones ([`past::parts`]).

use shared::reading::past::{self, CellRange, CutBucket};
use shared::reading::{Detail, JoinedCells, Lookback};
use shared::{Millis, SeriesName, Track};

use crate::history::cell_cache::CellCache;
use crate::history::request::{Margin, VisibleRange};
use crate::history::time_ranges::TimeRanges;
use crate::history::{Parts, SeriesCache};
use crate::widget::lookback::{AT_ONCE, WidgetHistory};

/// Returns the buckets of a lookback from the newest point at `newest`, in milliseconds; `None` while some are missing.
#[must_use]
pub fn join(known: &mut SeriesCache, lookback: Lookback, newest: u64, detail: Detail) -> Option<JoinedCells<'_>> {
    if lacks(known, lookback, newest, detail, CellCache::answered).is_some() {
        return None;
    }
    let mut parts = past::parts(lookback, newest);
    let CellRange { from, to: edge, width } = parts.next()?;
    let mut last = CutBucket::new(Millis(newest));
    parts.for_each(|part| last.add(known.cells(part.width, detail).within(part.from, part.to), part.from));
    let last = last.cell(edge, width, detail);
    let whole = past::cells_at(known.cells(width, detail).within(from, edge), Millis(newest));
    Some(JoinedCells::new(whole, last, &[]))
}

/// Returns the first missing buckets of a lookback among the `ranges` of a cache, the widest ones first.
pub fn lacks(
    known: &mut SeriesCache,
    lookback: Lookback,
    newest: u64,
    detail: Detail,
    ranges: fn(&CellCache) -> &TimeRanges,
) -> Option<CellRange> {
    past::parts(lookback, newest).find_map(|CellRange { from, to, width }| {
        let (from, to) = ranges(known.cells(width, detail)).missing(from, to)?;
        Some(CellRange { from, to, width })
    })
}

/// Requests what is missing as of the moment `to`. Returns true if anything is missing. Series that reported within
/// the lookback share one request for each width of buckets; each other one has its own.
#[must_use]
pub fn ask(history: WidgetHistory, names: &[SeriesName], lookback: Lookback, to: Millis) -> bool {
    let WidgetHistory { context, detail, requester, .. } = history;
    let mut request: Option<(Vec<SeriesName>, CellRange)> = None;
    for name in names {
        let newest = context.view.past.with_track(name, |track| match track {
            Track::Numbers(_) => Some(track.latest_at().ts.0),
            Track::Texts(_) => None,
        });
        let Some(newest) = newest.flatten() else { continue };
        let lacking = |known: &mut SeriesCache| lacks(known, lookback, newest, detail, CellCache::known);
        let Some(missing) = context.history.with(name, lacking).flatten() else { continue };
        let reported = newest + lookback.longest() > to.0;
        match &mut request {
            None => request = Some((vec![name.clone()], missing)),
            Some((names, all)) if reported && all.width == missing.width && names.len() < AT_ONCE => {
                names.push(name.clone());
                (all.from, all.to) = (all.from.min(missing.from), all.to.max(missing.to));
            }
            Some(_) => {}
        }
        if !reported {
            break;
        }
    }
    let Some((names, CellRange { from, to: until, width })) = request else { return false };
    let ahead = context.view.past.ahead(to).min(context.server_now_untracked());
    let until = if until + width > to.0 { until.max(ahead) } else { until };
    let (series, moved) = (names.len() as u64, context.view.moved());
    let shown = VisibleRange { from, to: until, width, series, moved, margin: Margin::None };
    let parts = Parts { width, detail, before: 0 };
    context.history.request(requester, &names, shown, (from, until), parts, context);
    true
}
