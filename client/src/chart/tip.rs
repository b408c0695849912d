//! The tooltip of a chart: a moment, and the values of all lines at it, the greatest first.

use leptos::prelude::*;
use std::cmp::Ordering;

use super::legend::{Entry, LegendValue, Line};
use super::lines::dash;
use super::palette::SERIES;
use crate::icon::LevelMark;
use crate::widget::order::order;

/// The most values of a tooltip.
const MOST: usize = 16;
/// The distance from the pointer in pixels.
const APART: f64 = 12.0;

/// A value of a tooltip.
#[derive(Clone, Debug, PartialEq)]
pub struct TipRow {
    /// The label of the line or of the row of states.
    pub label: String,
    /// The style of the line.
    pub line: Option<Line>,
    /// The value.
    pub value: LegendValue,
}

/// The content of a tooltip.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tip {
    /// The moment.
    pub time: String,
    /// The texts of markers near the moment.
    pub markers: Vec<String>,
    /// The values, the greatest first.
    pub rows: Vec<TipRow>,
    /// The number of values that are left out.
    pub more: usize,
    /// The position of the moment, in pixels from the left.
    pub x: f64,
    /// The width of the chart in pixels.
    pub width: f64,
    /// True if a click pinned the tooltip.
    pub is_pinned: bool,
}

/// Sorts the values of a moment, the greatest first, and states behind them. Lines without a value at the moment are
/// left out. Also returns the number of values beyond [`MOST`].
#[must_use]
pub fn rows(entries: Vec<Entry>, values: Vec<LegendValue>) -> (Vec<TipRow>, usize) {
    let there = entries.into_iter().zip(values).filter(|(_, value)| value.text != "–");
    let mut rows: Vec<Option<TipRow>> =
        there.map(|(Entry { label, line, .. }, value)| Some(TipRow { label, line, value })).collect();
    let raw = |at: usize| rows.get(at).and_then(|row| row.as_ref()?.value.raw);
    let greatest_first = |a: usize, b: usize| match (raw(a), raw(b)) {
        (Some(a), Some(b)) => b.total_cmp(&a),
        (a, b) => b.is_some().cmp(&a.is_some()),
    };
    let sorted: Vec<usize> = order(rows.len(), &greatest_first as &dyn Fn(usize, usize) -> Ordering);
    let more = sorted.len().saturating_sub(MOST);
    let sorted = sorted.into_iter().take(MOST).filter_map(|at| rows.get_mut(at)?.take()).collect();
    (sorted, more)
}

/// The tooltip.
#[component]
pub fn ChartTip(
    /// The content; `None` while no moment is pointed at.
    tip: RwSignal<Option<Tip>>,
) -> impl IntoView {
    let of = move |read: fn(&Tip) -> String| tip.with(|tip| tip.as_ref().map(read).unwrap_or_default());
    // It stands on that side of the pointer that has more room.
    let is_left = |tip: &Tip| tip.x > tip.width / 2.0;
    let left = move || tip.with(|tip| tip.as_ref().filter(|tip| !is_left(tip)).map(|tip| px(tip.x + APART)));
    let right =
        move || tip.with(|tip| tip.as_ref().filter(|tip| is_left(tip)).map(|tip| px(tip.width - tip.x + APART)));
    let rows = Memo::new(move |_| tip.with(|tip| tip.as_ref().map(|tip| tip.rows.clone()).unwrap_or_default()));
    let markers = Memo::new(move |_| tip.with(|tip| tip.as_ref().map(|tip| tip.markers.clone()).unwrap_or_default()));
    let marker = |text: String| view! { <p class="chart-tip-marker">{text}</p> }.into_any();
    let more = |tip: &Tip| if tip.more > 0 { format!("and {} more", tip.more) } else { String::new() };
    let hint = |tip: &Tip| if tip.is_pinned { "pinned; click to release" } else { "" }.to_owned();
    view! {
        <div
            class="chart-tip"
            data-testid="chart-tip"
            data-pinned=move || tip.with(|tip| tip.as_ref().is_some_and(|tip| tip.is_pinned)).to_string()
            hidden=move || tip.with(Option::is_none)
            style:left=move || left().unwrap_or_else(auto)
            style:right=move || right().unwrap_or_else(auto)
        >
            <p class="chart-tip-time">{move || of(|tip| tip.time.clone())}</p>
            {move || markers.get().into_iter().map(marker).collect_view()}
            <table>
                <tbody>{move || rows.get().into_iter().map(|row| view! { <Row row/> }).collect_view()}</tbody>
            </table>
            <p class="chart-tip-more">{move || of(more)}</p>
            <p class="chart-tip-more">{move || of(hint)}</p>
        </div>
    }
}

#[component]
fn Row(row: TipRow) -> impl IntoView {
    let TipRow { label, line, value: LegendValue { text, level, range, .. } } = row;
    let level = Memo::new(move |_| level);
    let swatch = line.map(|line| {
        let pattern = if line.is_earlier { "earlier".to_owned() } else { dash(line.colour, line.dash).to_string() };
        let colour = format!("var(--series-{})", line.colour % SERIES + 1);
        view! { <span class="legend-swatch" style=("--swatch", colour) data-dash=pattern></span> }.into_any()
    });
    view! {
        <tr data-testid="chart-tip-row">
            <th scope="row">{swatch} <span class="chart-tip-name">{label}</span></th>
            <td><LevelMark level/> <b>{text}</b></td>
            <td class="chart-tip-range">{range}</td>
        </tr>
    }
    .into_any()
}

fn px(pixels: f64) -> String {
    format!("{}px", shared::format::digits::fixed(pixels, 0))
}

fn auto() -> String {
    "auto".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_sorted_and_lines_without_one_are_left_out() {
        let entry = |label: &str| Entry { label: label.to_owned(), series: "ops/a".parse().unwrap(), line: None };
        let value = |text: &str, raw| LegendValue { text: text.to_owned(), raw, ..LegendValue::default() };
        let entries = ["a", "b", "c", "d", "e"].map(entry).to_vec();
        let values = vec![
            value("2", Some(2.0)),
            value("–", None),
            value("up", None),
            value("70", Some(70.0)),
            value("-3", Some(-3.0)),
        ];
        let (sorted, more) = rows(entries, values);
        assert_eq!(sorted.iter().map(|row| row.label.as_str()).collect::<Vec<_>>(), ["d", "a", "e", "c"]);
        assert_eq!(more, 0);
        let many = 40;
        let (sorted, more) = rows(vec![entry("a"); many], vec![value("2", Some(2.0)); many]);
        assert_eq!((sorted.len(), more), (MOST, many - MOST));
    }
}
