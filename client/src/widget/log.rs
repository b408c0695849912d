//! The newest texts.

use shared::board::Source;
use shared::board::log::Log;
use shared::{Millis, SeriesName, Track};

use super::order::order;
use super::past::Tells;
use super::stat::glow;
use super::told::Told;
use crate::board::stage::Stage;
use crate::browser;
use crate::format::number::Style;
use crate::format::unit::Unit;
use crate::part::Part;

/// How many lines there are at most where the document does not say: what a tile has no room for is scrolled to.
const LINES: usize = 50;

/// A line as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    at: Millis,
    /// What its series is called beside the others.
    of: Option<String>,
    text: String,
}

/// The newest texts of all series, the newest first. Of a series of numbers, its newest numbers.
#[must_use]
pub fn log(options: Log, source: Source, stage: Stage) -> Part {
    let told = Told::new(source, Tells::Newest, stage);
    let most = options.lines.map_or(LINES, usize::from);
    let lines = move || {
        let mut lines = Vec::new();
        for name in told.names.get() {
            let of = told.label(&name);
            stage.live.track(&name, |track| take(&mut lines, track, &name, of.as_deref(), told, most));
        }
        let newest = order(lines.len(), &|a, b| lines[b].at.cmp(&lines[a].at));
        newest.into_iter().take(most).map(|place| lines[place].clone()).collect::<Vec<_>>()
    };
    let latest = move || lines().first().map(|line| line.text.clone()).unwrap_or_default();
    let glow = glow(latest);
    let skipped = move || match told.names.with(|names| names.iter().map(|name| stage.live.skipped(name)).sum::<u64>())
    {
        0 => String::new(),
        skipped => format!("{skipped} skipped"),
    };
    let all = move || {
        let glow = glow.get().unwrap_or_default();
        lines().into_iter().enumerate().map(|(i, line)| shown(&line, i == 0, &glow, stage)).collect()
    };
    let told = "Lines that came and went since this page was opened, too fast or too late for it";
    let skipped = Part::new("p", "skipped").with("data-testid", "skipped").with("title", told).live_text(skipped);
    Part::new("div", "host").put(&Part::new("ol", "lines").with("tabindex", "0").live_inside(all)).put(&skipped)
}

fn shown(line: &Line, newest: bool, glow: &str, stage: Stage) -> Part {
    let Line { at, of, text } = line;
    let time = browser::moment(at.0, stage.server_now.get_untracked());
    let class = if newest { format!("line line-newest {glow}") } else { "line".to_owned() };
    let text = Part::new("span", "line-text").text(text);
    Part::new("li", &class)
        .put(&Part::new("time", "line-time").text(&time))
        .put_all(of.as_ref().map(|of| Part::new("span", "line-of").text(of)))
        .put(&if newest { text.with("data-testid", "value") } else { text })
}

fn take(lines: &mut Vec<Line>, track: &Track, name: &SeriesName, of: Option<&str>, told: Told, most: usize) {
    let mut add = |at, text| lines.push(Line { at, of: of.map(str::to_owned), text });
    match track {
        Track::Texts(log) => log.lines.iter().rev().take(most).for_each(|line| add(line.at.ts, line.text.clone())),
        Track::Numbers(buckets) => {
            let newest = || buckets.iter().rev().take(most).map(|bucket| bucket.last);
            let Some(latest) = newest().next() else { return };
            let (unit, decimals) =
                told.source.with_value(|source| (Unit::of(source.unit.as_ref(), name), source.decimals));
            let style = Style::of(unit, latest.value, newest().map(|sample| sample.value)).with_decimals(decimals);
            newest().for_each(|sample| add(sample.at.ts, style.text(sample.value)));
        }
    }
}
