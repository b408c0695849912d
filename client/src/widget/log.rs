//! A log: the newest texts or numbers of its series.

use shared::board::SeriesSource;
use shared::board::log::LogOptions;
use shared::{Millis, SeriesName, Stamp, Track};

use super::lookback::LookbackKind;
use super::order::order;
use super::series::WidgetSeries;
use super::stat::GLOW_MS;
use crate::board::context::BoardContext;
use crate::browser;
use crate::dynamic::{Memo, StoredValue, memo_flag, memo_text};
use crate::part::Part;
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

/// Builds the log: the newest texts of all series, newest first. A series of numbers gives its newest numbers.
#[must_use]
pub fn log(options: LogOptions, source: SeriesSource, context: BoardContext) -> Part {
    let series = WidgetSeries::new(source, LookbackKind::Newest, context);
    let most = options.lines.map_or(LINES, usize::from);
    let lines = Memo::new(move || {
        let mut lines = Vec::new();
        for name in series.names.get() {
            let of = series.label(&name);
            context.track(&name, |track| take(&mut lines, track, &name, of.as_deref(), series, most));
        }
        let newest = order(lines.len(), &|a, b| lines[b].at.cmp(&lines[a].at));
        newest.into_iter().take(most).map(|place| lines[place].clone()).collect::<Vec<_>>()
    });
    let newest = memo_text(move || lines.with(|lines| lines.first().map(|line| line.key.clone()).unwrap_or_default()));
    let glowed_at = StoredValue::new(None);
    let skipped =
        move || match series.names.with(|names| names.iter().map(|name| context.live.skipped(name)).sum::<u64>()) {
            0 => String::new(),
            skipped => format!("{skipped} skipped"),
        };
    let now = Memo::new(move || context.server_now.get() / CLEAR_MS * CLEAR_MS);
    let keys = move || lines.with(|lines| lines.iter().map(|line| line.key.clone()).collect());
    let shown = move |key: &str| {
        let line = lines.with_untracked(|lines| lines.iter().find(|line| line.key == key).cloned());
        line.map_or_else(Part::nothing, |line| shown(line, newest, glowed_at, now))
    };
    let title = "Lines that came and went since this page was opened, too fast or too late for it";
    let skipped = Part::new("p", "skipped").with("data-testid", "skipped").with("title", title).live_text(skipped);
    let list = Part::new("ol", "lines").with("tabindex", "0").live_list(keys, shown);
    Part::new("div", "host").put(&list).put(&skipped)
}

/// Builds a line. It stays the same element as long as it is shown, so that the user's text selection lasts.
fn shown(line: Line, newest: Memo<String>, glowed_at: StoredValue<Option<u64>>, now: Memo<u64>) -> Part {
    let Line { key, at, of, text } = line;
    let is_newest = memo_flag(move || newest.with(|newest| *newest == key));
    let glow = if is_newest.get_untracked() && glows(glowed_at) { " glow-a" } else { "" };
    let class = move || if is_newest.get() { format!("line line-newest{glow}") } else { "line".to_owned() };
    let text = Part::new("span", "line-text").text(&text);
    let testid = move || if is_newest.get() { "value".to_owned() } else { String::new() };
    Part::new("li", "")
        .live("class", class)
        .put(&Part::new("time", "line-time").live_text(move || browser::moment(at.0, now.get())))
        .put_all(of.map(|of| Part::new("span", "line-of").text(&of)))
        .put(&text.live("data-testid", testid))
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
