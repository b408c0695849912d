//! Markers: texts of series such as deployments, drawn as labelled vertical lines over a chart.

use leptos::prelude::*;
use shared::{Selector, SeriesName, Track};

use super::content::Span;
use super::look::Look;
use super::palette::Palette;
use super::pen::Pen;
use super::plot::Plot;
use crate::board::context::BoardContext;
use crate::widget::names::select;

/// The most characters of a label on the chart.
const LONGEST: usize = 24;
/// The most markers of a chart; the newest are drawn.
const MOST: usize = 500;
/// The dash pattern of the lines.
const DASHES: &[f64] = &[4.0, 3.0];
/// The distance in pixels between two labels.
const APART: f64 = 8.0;

/// A marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The moment in milliseconds.
    pub at: u64,
    /// The text.
    pub text: String,
}

/// The markers of the board, provided to its charts as context.
#[derive(Clone, Copy, Debug)]
pub struct BoardMarkers(pub Memo<Vec<Selector>>);

/// Returns the series of the markers of a chart: those of the board, then its own.
#[must_use]
pub fn marker_names(look: &Look, context: BoardContext) -> Memo<Vec<SeriesName>> {
    let (own, board) = (look.markers.clone(), use_context::<BoardMarkers>());
    Memo::new(move |_| {
        let mut selectors = board.map(|BoardMarkers(markers)| markers.get()).unwrap_or_default();
        selectors.extend_from_slice(&own);
        if selectors.is_empty() { Vec::new() } else { context.live.names.with(|all| select(&selectors, all)) }
    })
}

/// Takes the markers of these series within a time range, the oldest first.
#[must_use]
pub fn take(names: &[SeriesName], span: Span, context: BoardContext) -> Vec<Marker> {
    let mut markers: Vec<Marker> = Vec::new();
    for name in names {
        _ = context.live.with_track_untracked(name, |track| {
            let Track::Texts(log) = track else { return };
            context.history.with(name, |known| {
                let lines = known.texts().join(log, span.from, span.end.saturating_add(1));
                let inside = lines.into_iter().filter(|line| line.0 >= span.from);
                markers.extend(inside.map(|(at, text)| Marker { at, text: text.to_owned() }));
            });
        });
    }
    markers.sort_by_key(|marker| marker.at);
    markers.drain(..markers.len().saturating_sub(MOST));
    markers
}

/// The label of a marker on the chart: its first line, cut if it is long.
#[must_use]
pub fn label(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// Draws the lines, and the labels that do not overlap.
pub fn draw(pen: &Pen, plot: &Plot, palette: &Palette, markers: &[Marker]) {
    let context = &pen.context;
    pen.quiet(palette);
    context.set_line_width(1.0);
    pen.dashes(DASHES);
    for marker in markers {
        let x = plot.x(marker.at).floor() + 0.5;
        pen.line((x, plot.top), (x, plot.bottom()));
    }
    pen.dashes(&[]);
    // The newest label is the most important one, so labels are placed from the right.
    let mut free = plot.right();
    let y = plot.top + pen.label * 0.6;
    for marker in markers.iter().rev() {
        let label = label(&marker.text);
        let (x, width) = (plot.x(marker.at), pen.width_of(&label));
        // A label that does not fit at the right of its line stands at its left.
        let left = if x + 4.0 + width <= plot.right() { x + 4.0 } else { x - 4.0 - width };
        if left + width <= free && left >= plot.left {
            pen.words_above(&label, (left, y), palette);
            free = left.min(x) - APART;
        }
    }
}

/// The markers near a position: those within `reach` milliseconds of a moment.
pub fn near(markers: &[Marker], at: u64, reach: u64) -> impl Iterator<Item = &Marker> {
    markers.iter().filter(move |marker| marker.at.abs_diff(at) <= reach)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_is_the_first_line_of_the_text() {
        assert_eq!(label("v1.2.3"), "v1.2.3");
        assert_eq!(label("\n  deploy 7 \nby Ada"), "deploy 7");
        assert_eq!(label("ä".repeat(30).as_str()).chars().count(), LONGEST + 1);
    }
}
