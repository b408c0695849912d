//! A log: the newest texts or numbers of its series.

use leptos::prelude::*;
use shared::board::SeriesSource;
use shared::board::log::LogOptions;
use shared::{Millis, SeriesName, Stamp, Track};

use super::glow::{GLOW_MS, glow_once};
use super::lookback::LookbackKind;
use super::order::order;
use super::series::WidgetSeries;
use crate::board::context::BoardContext;
use crate::browser;
use crate::past::Past;
use shared::format::number::NumberFormat;
use shared::format::unit::UnitFormat;

/// Most lines where the document does not say; a tile scrolls.
const LINES: usize = 50;
/// Interval at which times of lines are formatted again, in milliseconds: a time of day becomes unclear on another
/// day.
const CLEAR_MS: u64 = 60_000;

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    /// Key of its element: the seq of its point, the label of its series, and for a number its text, which may
    /// change.
    key: String,
    at: Millis,
    /// Label of its series; `None` where the widget has only one.
    of: Option<String>,
    text: String,
}

/// The newest texts of all series, newest first. A series of numbers gives its newest numbers.
#[component]
pub fn LogWidget(
    /// The options of the document.
    options: LogOptions,
    /// The series and how to read them.
    source: SeriesSource,
    /// The shared context of the board's widgets.
    context: BoardContext,
) -> impl IntoView {
    let series = WidgetSeries::new(source, LookbackKind::Newest, context);
    let most = options.lines.map_or(LINES, usize::from);
    let lines = Memo::new(move |_| {
        let mut lines = Vec::new();
        for name in series.names.get() {
            let of = series.label(&name);
            context.with_track(&name, |track| take(&mut lines, track, &name, of.as_deref(), series, most));
        }
        let newest = order(lines.len(), &|a, b| lines[b].at.cmp(&lines[a].at));
        newest.into_iter().take(most).map(|place| lines[place].clone()).collect::<Vec<_>>()
    });
    let newest = Memo::new(move |_| lines.with(|lines| lines.first().map(|line| line.key.clone()).unwrap_or_default()));
    let glowed_at = StoredValue::new(None);
    let skipped = move || {
        // The past has all lines.
        if context.view.past.at.with(Option::is_some) {
            return String::new();
        }
        match series.names.with(|names| names.iter().map(|name| context.live.skipped(name)).sum::<u64>()) {
            0 => String::new(),
            skipped => format!("{skipped} skipped"),
        }
    };
    let now = Memo::new(move |_| context.server_now.get() / CLEAR_MS * CLEAR_MS);
    view! {
        <ol class="lines" tabindex="0">
            <For each=move || lines.get() key=|line| line.key.clone() let(line)>
                <LogLine line newest glowed_at now past=context.view.past/>
            </For>
        </ol>
        <p
            class="skipped"
            data-testid="skipped"
            title="Lines that came and went since this page was opened, too fast or too late for it"
        >
            {move || skipped()}
        </p>
    }
}

/// A line. It stays the same element as long as it is shown, so that the user's text selection lasts.
#[component]
fn LogLine(
    line: Line,
    newest: Memo<String>,
    glowed_at: StoredValue<Option<u64>>,
    now: Memo<u64>,
    past: Past,
) -> impl IntoView {
    let Line { key, at, of, text } = line;
    let is_newest = Memo::new(move |_| newest.with(|newest| *newest == key));
    let glow = RwSignal::new(false);
    if is_newest.get_untracked() && !past.is_shown() && glows(glowed_at) {
        glow_once(glow);
    }
    view! {
        <li class="line" class:line-newest=move || is_newest.get() class:glow=move || glow.get()>
            <time class="line-time">{move || browser::moment(at.0, now.get())}</time>
            {of.map(|of| view! { <span class="line-of">{of}</span> }.into_any())}
            <span class="line-text" data-testid=move || is_newest.get().then_some("value")>{text}</span>
        </li>
    }
}

/// Decides if a new line glows. The first lines of a page do not, nor do lines that come faster than [`GLOW_MS`].
fn glows(glowed_at: StoredValue<Option<u64>>) -> bool {
    let now = browser::now();
    let glows = glowed_at.get_value().map(|at| now.saturating_sub(at) >= GLOW_MS);
    if glows != Some(false) {
        glowed_at.set_value(Some(if glows.is_some() { now } else { 0 }));
    }
    glows == Some(true)
}

fn take(lines: &mut Vec<Line>, track: &Track, name: &SeriesName, of: Option<&str>, series: WidgetSeries, most: usize) {
    let mut add = |at: Stamp, text: String, may_change: &str| {
        let key = format!("{} {} {may_change}", at.seq.0, of.unwrap_or_default());
        lines.push(Line { key, at: at.ts, of: of.map(str::to_owned), text });
    };
    match track {
        Track::Texts(log) => log.lines.iter().rev().take(most).for_each(|line| add(line.at, line.text.clone(), "")),
        Track::Numbers(buckets) => {
            let newest = || buckets.iter().rev().take(most).map(|bucket| bucket.last);
            let Some(latest) = newest().next() else { return };
            let (unit, decimals) =
                series.source.with_value(|source| (UnitFormat::of(source.unit.as_ref(), name), source.decimals));
            let style =
                NumberFormat::of(unit, latest.value, newest().map(|sample| sample.value)).with_decimals(decimals);
            newest().for_each(|sample| {
                let text = style.text(sample.value);
                add(sample.at, text.clone(), &text);
            });
        }
    }
}
