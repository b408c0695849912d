//! A table with a row for each series.

pub mod rows;

use leptos::prelude::untrack;
use shared::SeriesName;
use shared::board::Source;
use shared::board::table::{Column, Order, Table};

use super::glance::{Glance, Shown};
use super::past::Tells;
use super::told::{Told, written};
use crate::board::stage::Stage;
use crate::chart::spark::spark;
use crate::dynamic::{Memo, RwSignal};
use crate::format::duration::ago;
use crate::format::figures::shortest;
use crate::icon::level_mark;
use crate::part::Part;
use rows::{Rank, Sorting, sorted};

/// Columns where the document names none.
const COLUMNS: [Column; 4] = [Column::Name, Column::Value, Column::Change, Column::Age];

/// Builds the table.
#[must_use]
pub fn table(options: Table, source: Source, stage: Stage) -> Part {
    let columns = if options.columns.is_empty() { COLUMNS.to_vec() } else { options.columns };
    let of_newest = |column: &Column| matches!(column, Column::Name | Column::Value | Column::Age);
    let newest = columns.iter().chain(&options.sort).all(of_newest);
    let told = Told::new(source, if newest { Tells::Newest } else { Tells::Range(None) }, stage);
    let sorting = RwSignal::new(Sorting {
        by: options.sort.unwrap_or(Column::Name),
        order: options.order.unwrap_or(Order::Rising),
    });
    let most = options.rows.map_or(usize::MAX, usize::from);
    // Sorts once a second: rows that moved as often as values change could not be read.
    let names = Memo::new(move || {
        stage.server_now.track();
        let (names, sorting) = (told.names.get(), sorting.get());
        let mut names = untrack(|| sorted(&names, sorting, |name| rank(told, name, sorting.by)));
        names.truncate(most);
        names
    });
    let heads = Part::new("tr", "").put_all(columns.iter().map(|&column| head(column, sorting, told)));
    let row = move |name: &str| name.parse().map_or_else(|_| Part::nothing(), |name| row(&name, &columns, told));
    let rows = Part::new("tbody", "").live_list(move || names.with(|names| written(names)), row);
    let table = Part::new("table", "table").put(&Part::new("thead", "").put(&heads)).put(&rows);
    Part::new("div", "rows").with("tabindex", "0").put(&table)
}

/// Builds the head of a column. A click sorts by it, another one reverses the order; the sparkline has no order.
fn head(column: Column, sorting: RwSignal<Sorting>, told: Told) -> Part {
    let shown = told.source.with_value(|source| source.show);
    let word = match (column, shown) {
        (Column::Value, Some(show)) => shared::board::word::Word::word(show),
        (Column::Sparkline, _) => "trend",
        _ => shared::board::word::Word::word(column),
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

fn row(name: &SeriesName, columns: &[Column], told: Told) -> Part {
    let glance = told.remembered(name.clone());
    let cells = columns.iter().map(|&column| cell(column, name, glance, told));
    let row = Part::new("tr", "").with("data-series", name.as_str());
    row.live("data-stale", told.stale_flag(name)).put_all(cells)
}

fn cell(column: Column, name: &SeriesName, glance: Memo<Option<Glance>>, told: Told) -> Part {
    let cell = |tag: &str| Part::new(tag, class(column));
    let show = told.show(name);
    match column {
        Column::Name => {
            let of = name.clone();
            let called = Part::new("span", "").live_text(move || told.name(&of));
            let cell = cell("th").with("scope", "row").with("title", name.as_str());
            cell.put(&called).text(" ").put(&told.stale_mark(name))
        }
        Column::Sparkline => cell("td").put(&spark(name.clone(), show, told.past, told.stage)),
        Column::Value => {
            let level = Told::level(glance);
            let raw = move || glance.with(|glance| Some(shortest(glance.as_ref()?.number()?.raw))).unwrap_or_default();
            let figure = move || glance.with(|glance| glance.as_ref().map(Glance::text).unwrap_or_default());
            let figure = Part::new("span", "").with("data-testid", "value").live("data-value", raw).live_text(figure);
            cell("td")
                .live("data-level", move || level.get())
                .put(&Part::new("span", "host").live_inside(move || level_mark(&level.get())))
                .put(&figure)
        }
        _ => {
            let reads = move || glance.with(|glance| written_in(column, glance.as_ref()?, told)).unwrap_or_default();
            cell("td").live_text(reads)
        }
    }
}

/// Returns the text of a cell; `None` where it is empty.
fn written_in(column: Column, glance: &Glance, told: Told) -> Option<String> {
    if column == Column::Age {
        return Some(ago(told.stage.server_now.get().saturating_sub(glance.at.0)));
    }
    let number = glance.number()?;
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
fn rank(told: Told, name: &SeriesName, by: Column) -> Rank {
    let Some(glance) = told.glance(name) else { return Rank::Last };
    let number = match (by, &glance.shown) {
        (Column::Name | Column::Sparkline, _) => return Rank::Text(name.to_string()),
        (Column::Age, _) => return Rank::Number(-(glance.at.0 as f64)),
        (Column::Value, Shown::Text(text)) => return Rank::Text(text.clone()),
        (_, Shown::Number(number)) => number,
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
