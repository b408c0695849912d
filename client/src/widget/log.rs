//! The newest texts.

use leptos::prelude::*;
use shared::board::Source;
use shared::board::log::Log;
use shared::{Millis, Track};

use super::names::names;
use super::stat::glow;
use crate::board::stage::Stage;
use crate::format::duration::ago;

/// How many lines there are at most where the document does not say: what a tile has no room for is cut off.
const LINES: usize = 20;

/// The newest texts of all series, the newest first and larger.
#[expect(clippy::needless_pass_by_value, reason = "a component owns its properties")]
#[component]
pub fn LogWidget(
    /// How they are shown.
    options: Log,
    /// Which series.
    source: Source,
    /// What all widgets share.
    stage: Stage,
) -> impl IntoView {
    let names = names(&source, stage);
    let most = options.lines.map_or(LINES, usize::from);
    let lines = Memo::new(move |_| {
        let mut lines: Vec<(Millis, String)> = Vec::new();
        for name in names.get() {
            stage.live.track(&name, |track| {
                if let Track::Texts(log) = track {
                    lines.extend(log.lines.iter().rev().take(most).map(|line| (line.at.ts, line.text.clone())));
                }
            });
        }
        lines.sort_by_key(|line| std::cmp::Reverse(line.0));
        lines.truncate(most);
        lines
    });
    let latest = move || lines.with(|lines| lines.first().map(|line| line.1.clone()).unwrap_or_default());
    let glow = glow(latest);
    let line = move |(at, text): (Millis, String)| {
        let age = move || ago(stage.server_now.get().saturating_sub(at.0));
        view! {
            <li class="line">
                <span class="line-text">{text}</span>
                <span class="line-age">{age}</span>
            </li>
        }
    };
    let skipped = move || match names.with(|names| names.iter().map(|name| stage.live.skipped(name)).sum::<u64>()) {
        0 => String::new(),
        skipped => format!("{skipped} skipped"),
    };
    view! {
        <p class=move || format!("reading reading-text {}", glow.get())>
            <span class="value value-text" data-testid="value">
                {latest}
            </span>
        </p>
        <ol class="lines">{move || lines.get().into_iter().skip(1).map(line).collect_view()}</ol>
        <p class="range">
            <span
                data-testid="skipped"
                title="Lines that came and went since this page was opened, too fast or too late for it"
            >
                {skipped}
            </span>
        </p>
    }
}
