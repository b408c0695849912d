//! A table with a row for each series.

pub mod rows;

use leptos::prelude::untrack;
use shared::SeriesName;
use shared::board::SeriesSource;
use shared::board::table::{Column, Order, TableOptions};

use super::lookback::LookbackKind;
use super::series::{WidgetSeries, written};
use crate::board::context::BoardContext;
use crate::chart::spark::spark;
use crate::dynamic::{Memo, RwSignal};
use crate::icon::level_mark;
use crate::part::Part;
use rows::{Rank, Sorting, sorted};
use shared::format::digits::shortest;
use shared::format::duration::ago;
use shared::reading::{Reading, ReadingValue};

/// Columns where the document names none.
const COLUMNS: [Column; 4] = [Column::Name, Column::Value, Column::Change, Column::Age];

/// Builds the table.
#[must_use]
pub fn table(options: TableOptions, source: SeriesSource, context: BoardContext) -> Part {
    let columns = if options.columns.is_empty() { COLUMNS.to_vec() } else { options.columns };
    let of_newest = |column: &Column| matches!(column, Column::Name | Column::Value | Column::Age);
    let newest = columns.iter().chain(&options.sort).all(of_newest);
    let series =
        WidgetSeries::new(source, if newest { LookbackKind::Newest } else { LookbackKind::Range(None) }, context);
    let sorting = RwSignal::new(Sorting {
        by: options.sort.unwrap_or(Column::Name),
        order: options.order.unwrap_or(Order::Rising),
    });
    let most = options.rows.map_or(usize::MAX, usize::from);
    // Sorts once a second: rows that moved as often as values change could not be read.
    let names = Memo::new(move || {
        context.server_now.track();
        let (names, sorting) = (series.names.get(), sorting.get());
        let mut names = untrack(|| sorted(&names, sorting, |name| rank(series, name, sorting.by)));
        names.truncate(most);
        names
    });
    let heads = Part::new("tr", "").put_all(columns.iter().map(|&column| head(column, sorting, series)));
    let row = move |name: &str| name.parse().map_or_else(|_| Part::nothing(), |name| row(&name, &columns, series));
    let rows = Part::new("tbody", "").live_list(move || names.with(|names| written(names)), row);
    let table = Part::new("table", "table").put(&Part::new("thead", "").put(&heads)).put(&rows);
    Part::new("div", "rows").with("tabindex", "0").put(&table)
}

/// Builds the head of a column. A click sorts by it, another one reverses the order; the sparkline has no order.
fn head(column: Column, sorting: RwSignal<Sorting>, series: WidgetSeries) -> Part {
    let shown = series.source.with_value(|source| source.show);
    let word = match (column, shown) {
        (Column::Value, Some(show)) => shared::board::keyword::Keyword::keyword(show),
        (Column::Sparkline, _) => "trend",
        _ => shared::board::keyword::Keyword::keyword(column),
    };
    let head = Part::new("th", class(column)).with("scope", "col");
    if column == Column::Sparkline {
        return head.text(word);
    }
    let state = move || sorting.get().of(column);
    let order = move || match state() {
        None => String::new(),
        Some(Order::Rising) => "▲".to_owned(),
        Some(Order::Falling) => "▼".to_owned(),
    };
    let button = Part::new("button", "head").with("type", "button").text(word);
    let button = button.put(&Part::new("span", "head-order").with("aria-hidden", "true").live_text(order));
    let button = button.on("click", move |_| sorting.update(|sorting| *sorting = sorting.clicked(column)));
    head.live("aria-sort", move || state().map_or("none", rows::aria).to_owned()).put(&button)
}

fn class(column: Column) -> &'static str {
    match column {
        Column::Name => "name",
        Column::Sparkline => "trend",
        Column::Change => "figure aside",
        Column::Age => "figure age",
        _ => "figure",
    }
}

fn row(name: &SeriesName, columns: &[Column], series: WidgetSeries) -> Part {
    let reading = series.remembered(name.clone());
    let cells = columns.iter().map(|&column| cell(column, name, reading, series));
    let row = Part::new("tr", "").with("data-series", name.as_str());
    row.live("data-stale", series.stale_flag(name)).put_all(cells)
}

fn cell(column: Column, name: &SeriesName, reading: Memo<Option<Reading>>, series: WidgetSeries) -> Part {
    let cell = |tag: &str| Part::new(tag, class(column));
    let show = series.show(name);
    match column {
        Column::Name => {
            let of = name.clone();
            let called = Part::new("span", "").live_text(move || series.name(&of));
            let cell = cell("th").with("scope", "row").with("title", name.as_str());
            cell.put(&called).text(" ").put(&series.stale_mark(name))
        }
        Column::Sparkline => cell("td").put(&spark(name.clone(), show, series.history, series.context)),
        Column::Value => {
            let level = WidgetSeries::level(reading);
            let raw =
                move || reading.with(|reading| Some(shortest(reading.as_ref()?.number()?.raw))).unwrap_or_default();
            let figure = move || reading.with(|reading| reading.as_ref().map(Reading::text).unwrap_or_default());
            let figure = Part::new("span", "").with("data-testid", "value").live("data-value", raw).live_text(figure);
            cell("td")
                .live("data-level", move || level.get())
                .put(&Part::new("span", "host").live_inside(move || level_mark(&level.get())))
                .put(&figure)
        }
        _ => {
            let reads =
                move || reading.with(|reading| written_in(column, reading.as_ref()?, series)).unwrap_or_default();
            cell("td").live_text(reads)
        }
    }
}

/// Returns the text of a cell; `None` where it is empty.
fn written_in(column: Column, reading: &Reading, series: WidgetSeries) -> Option<String> {
    if column == Column::Age {
        return Some(ago(series.context.server_now.get().saturating_sub(reading.at.0)));
    }
    let number = reading.number()?;
    let one = |raw: f64| Some(number.style.text(raw));
    let range = number.range.as_ref();
    if number.awaits && number.change.is_none() | (column != Column::Change) {
        return Some("…".to_owned());
    }
    match column {
        Column::Change => Some(number.change.as_ref()?.by.clone()),
        Column::Min => one(range.map_or(number.raw, |range| range.min)),
        Column::Mean => one(range.map_or(number.raw, |range| range.mean)),
        Column::Max => one(range.map_or(number.raw, |range| range.max)),
        Column::Name | Column::Value | Column::Sparkline | Column::Age => None,
    }
}

/// Returns the key that a row is sorted by.
#[expect(clippy::cast_precision_loss, reason = "times stay below 2^53")]
fn rank(series: WidgetSeries, name: &SeriesName, by: Column) -> Rank {
    let Some(reading) = series.reading(name) else { return Rank::Last };
    let number = match (by, &reading.shown) {
        (Column::Name | Column::Sparkline, _) => return Rank::Text(name.to_string()),
        (Column::Age, _) => return Rank::Number(-(reading.at.0 as f64)),
        (Column::Value, ReadingValue::Text(text)) => return Rank::Text(text.clone()),
        (_, ReadingValue::Number(number)) => number,
        _ => return Rank::Last,
    };
    let range = number.range.as_ref();
    if number.awaits && matches!(by, Column::Min | Column::Mean | Column::Max) {
        return Rank::Last;
    }
    match by {
        Column::Change => number.change.as_ref().map_or(Rank::Last, |change| Rank::Number(change.raw)),
        Column::Min => Rank::Number(range.map_or(number.raw, |range| range.min)),
        Column::Mean => Rank::Number(range.map_or(number.raw, |range| range.mean)),
        Column::Max => Rank::Number(range.map_or(number.raw, |range| range.max)),
        _ => Rank::Number(number.raw),
    }
}
