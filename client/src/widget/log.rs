//! The newest texts.

use leptos::prelude::*;
use shared::board::Source;
use shared::board::log::Log;
use shared::{Millis, SeriesName, Track};

use super::order::order;
use super::past::Tells;
use super::stat::glow;
use super::told::Told;
use crate::board::stage::Stage;
use crate::browser;
use crate::dynamic::{part, text};
use crate::format::number::Style;
use crate::format::unit::Unit;

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
#[component]
pub fn LogWidget(
    /// How they are shown.
    options: Log,
    /// Which series.
    source: Source,
    /// What all widgets share.
    stage: Stage,
) -> impl IntoView {
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
    view! {
        <ol class="lines" tabindex="0">
            {part(move || {
                let glow = glow.get().unwrap_or_default();
                lines().into_iter().enumerate().map(|(i, line)| shown(line, i == 0, &glow, stage)).collect_view().into_any()
            })}
        </ol>
        <p
            class="skipped"
            data-testid="skipped"
            title="Lines that came and went since this page was opened, too fast or too late for it"
        >
            {text(skipped)}
        </p>
    }
}

fn shown(line: Line, newest: bool, glow: &str, stage: Stage) -> AnyView {
    let Line { at, of, text } = line;
    let time = browser::moment(at.0, stage.server_now.get_untracked());
    let class = if newest { format!("line line-newest {glow}") } else { "line".to_owned() };
    view! {
        <li class=class>
            <time class="line-time">{time}</time>
            {of.map(|of| view! { <span class="line-of">{of}</span> })}
            <span class="line-text" data-testid=newest.then_some("value")>{text}</span>
        </li>
    }
    .into_any()
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
