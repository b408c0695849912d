//! Requests the history of the series on a board that shows the past, and rebuilds their tracks.

use std::collections::HashMap;
use std::time::Duration;

use leptos::prelude::*;
use leptos::reactive::traits::Track as _;
use shared::point::Kind;
use shared::reading::Detail;
use shared::track::LOG;
use shared::{Millis, SeriesName, Track};

use super::PastTrack;
use super::needed::{self, NeededCells, Reports, WIDTH};
use crate::board::context::BoardContext;
use crate::history::request::{Margin, VisibleRange};
use crate::history::{Parts, Requester};

/// Delay before history is checked again where a request had to wait.
const AGAIN: Duration = Duration::from_millis(150);
/// Most series of one request.
const AT_ONCE: usize = 100;

/// Keeps the tracks of the board's series as of the past moment up to date, until the reactive owner is disposed of.
pub fn follow(context: BoardContext) {
    let past = context.view.past;
    Effect::new(move |_| {
        let Some(to) = past.at.get() else { return };
        context.history.arrivals.track();
        let names = context.live.names.get();
        let track = |name: &SeriesName| Some((name.clone(), rebuilt(context, name, to)?));
        past.set(names.iter().filter_map(track).collect());
    });
    on_cleanup(move || past.set(HashMap::new()));
    let (numbers, texts) = (Requester::new(), Requester::new());
    let (again, waits) = (RwSignal::new(0_u8), StoredValue::new(false));
    Effect::new(move |_| {
        context.server_now.track();
        context.history.arrivals.track();
        again.track();
        let Some(to) = past.at.get() else { return };
        let ahead = past.ahead(to).min(context.server_now_untracked() / 1_000 * 1_000);
        let names = context.live.names.get();
        let lacks_numbers = ask_numbers(context, numbers, &names, to, ahead);
        let lacks_texts = ask_texts(context, texts, &names, to, ahead);
        if (lacks_numbers || lacks_texts)
            && waits.try_update_value(|waits| std::mem::replace(waits, true)) == Some(false)
        {
            set_timeout(
                move || {
                    waits.try_set_value(false);
                    again.try_update(|again| *again = again.wrapping_add(1));
                },
                AGAIN,
            );
        }
    });
}

/// Rebuilds the track of a series; `None` while its history has not arrived.
fn rebuilt(context: BoardContext, name: &SeriesName, to: Millis) -> Option<PastTrack> {
    let kind = context.live.with_track_untracked(name, Track::kind)?;
    let rebuilt = context.history.with(name, |known| match kind {
        Kind::Number => needed::numbers(known.cells(WIDTH, Detail::Figures), to),
        Kind::Text => needed::texts(known.texts(), to),
    });
    rebuilt.flatten()
}

/// Requests the missing buckets of all series of numbers in one request. Returns true if any are missing.
fn ask_numbers(context: BoardContext, requester: Requester, names: &[SeriesName], to: Millis, ahead: u64) -> bool {
    let (mut lacking, mut needed) = (Vec::new(), None::<NeededCells>);
    for name in names {
        let guess = |track: &Track| (track.kind() == Kind::Number).then(|| Reports::of(track));
        let Some(reports) = context.live.with_track_untracked(name, guess).flatten() else { continue };
        let lacks = context
            .history
            .with(name, |known| needed::of_numbers(known.cells(WIDTH, Detail::Figures), to, ahead, reports));
        let Some(lacks) = lacks.flatten() else { continue };
        needed = Some(needed.map_or(lacks, |all| all.with(lacks)));
        lacking.push(name.clone());
        if lacking.len() == AT_ONCE {
            break;
        }
    }
    let Some(NeededCells { from, to, before }) = needed else { return false };
    let parts = Parts { width: WIDTH, detail: Detail::Figures, before };
    let shown = shown(context, &lacking, from, to);
    context.history.request(requester, &lacking, shown, (from, to), parts, context);
    true
}

/// Requests the missing lines of all series of texts in one request. Returns true if any are missing.
fn ask_texts(context: BoardContext, requester: Requester, names: &[SeriesName], to: Millis, ahead: u64) -> bool {
    let (mut lacking, mut needed) = (Vec::new(), None::<(u64, u64)>);
    for name in names.iter().filter(|name| context.live.with_track_untracked(name, Track::kind) == Some(Kind::Text)) {
        let lacks = context.history.with(name, |known| needed::of_texts(known.texts(), to, ahead));
        let Some((from, to)) = lacks.flatten() else { continue };
        needed = Some(needed.map_or((from, to), |all| (all.0.min(from), all.1.max(to))));
        lacking.push(name.clone());
        if lacking.len() == AT_ONCE {
            break;
        }
    }
    let Some((from, to)) = needed else { return false };
    let shown = shown(context, &lacking, from, to);
    context.history.request_lines(requester, &lacking, shown, 2 * LOG as u64, context);
    true
}

fn shown(context: BoardContext, names: &[SeriesName], from: u64, to: u64) -> VisibleRange {
    let moved = context.view.moved();
    VisibleRange { from, to, width: WIDTH, series: names.len() as u64, moved, margin: Margin::None }
}
