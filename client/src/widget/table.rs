//! A table with a row for each series. [`rows`] sorts them, [`aligned`] writes numbers below each other.

pub mod aligned;
pub mod rows;

use leptos::prelude::*;
use shared::SeriesName;
use shared::board::SeriesSource;
use shared::board::table::{Column, Order, TableOptions};

use super::head::StaleMark;
use super::lookback::LookbackKind;
use super::series::WidgetSeries;
use super::unfit::Unfit;
use crate::board::context::BoardContext;
use crate::chart::spark::Spark;
use crate::icon::{LevelMark, level_word};
use aligned::{AlignedNumber, ColumnWidths};
use rows::{Rank, Sorting, sorted};
use shared::format::digits::shortest;
use shared::format::duration::ago;
use shared::format::number::Figures;
use shared::reading::{Reading, ReadingValue};

/// Columns where the document names none.
const COLUMNS: [Column; 4] = [Column::Name, Column::Value, Column::Change, Column::Age];

/// A table with a row for each series.
#[component]
pub fn TableWidget(
    /// The options of the document.
    options: TableOptions,
    /// The series and how to read them.
    source: SeriesSource,
    /// The shared context of the board's widgets.
    context: BoardContext,
) -> impl IntoView {
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
    let names = Memo::new(move |_| {
        _ = context.shown_moment();
        let (names, sorting) = (series.names.get(), sorting.get());
        let mut names = untrack(|| sorted(&names, sorting, |name| rank(series, name, sorting.by)));
        names.truncate(most);
        names
    });
    let heads = columns.iter().map(|&column| view! { <ColumnHead column sorting series/> }).collect_view();
    let columns: Vec<(Column, Memo<ColumnWidths>)> = columns
        .into_iter()
        .map(|column| {
            // Follows the values once a second, as the order of the rows does.
            let widths = Memo::new(move |_| {
                let of_row = |name: &SeriesName| figures_in(column, &series.reading(name)?);
                _ = context.shown_moment();
                names.with(|names| {
                    untrack(|| names.iter().filter_map(of_row).fold(ColumnWidths::default(), |w, f| w.with(&f)))
                })
            });
            (column, widths)
        })
        .collect();
    let columns = StoredValue::new(columns);
    view! {
        <div class="rows" tabindex="0">
            <table class="table">
                <thead>
                    <tr>{heads}</tr>
                </thead>
                <tbody>
                    <For each=move || names.get() key=SeriesName::clone let(name)>
                        <Row name columns series/>
                    </For>
                </tbody>
            </table>
        </div>
        <Unfit rows="tbody tr" context/>
    }
}

/// The head of a column. A click sorts by it, another one reverses the order; the sparkline has no order.
#[component]
fn ColumnHead(column: Column, sorting: RwSignal<Sorting>, series: WidgetSeries) -> impl IntoView {
    let shown = series.source.with_value(|source| source.show);
    let word = match (column, shown) {
        (Column::Value, Some(show)) => shared::board::keyword::Keyword::keyword(show),
        (Column::Sparkline, _) => "trend",
        _ => shared::board::keyword::Keyword::keyword(column),
    };
    if column == Column::Sparkline {
        return view! { <th class=class(column) scope="col">{word}</th> }.into_any();
    }
    let state = move || sorting.get().of(column);
    let order = move || match state() {
        None => "",
        Some(Order::Rising) => "▲",
        Some(Order::Falling) => "▼",
    };
    view! {
        <th class=class(column) scope="col" aria-sort=move || state().map_or("none", rows::aria)>
            <button
                class="head"
                type="button"
                on:click=move |_| sorting.update(|sorting| *sorting = sorting.clicked(column))
            >
                {word}
                <span class="head-order" aria-hidden="true">{move || order()}</span>
            </button>
        </th>
    }
    .into_any()
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

#[component]
fn Row(
    name: SeriesName,
    columns: StoredValue<Vec<(Column, Memo<ColumnWidths>)>>,
    series: WidgetSeries,
) -> impl IntoView {
    let reading = series.reading_memo(name.clone());
    let cell = |&(column, widths): &(Column, Memo<ColumnWidths>)| {
        view! { <Cell column widths=widths.into() name=name.clone() reading series/> }
    };
    let cells = columns.with_value(|columns| columns.iter().map(cell).collect_view());
    view! {
        <tr data-series=name.to_string() data-stale=move || series.stale_flag(&name)>{cells}</tr>
    }
}

#[component]
fn Cell(
    column: Column,
    widths: Signal<ColumnWidths>,
    name: SeriesName,
    reading: Memo<Option<Reading>>,
    series: WidgetSeries,
) -> impl IntoView {
    let class = class(column);
    match column {
        Column::Name => {
            let (of, title) = (name.clone(), name.to_string());
            view! {
                <th class=class scope="row" title=title>
                    <bdi class="name-text">{move || series.name(&of)}</bdi>
                    " "
                    <StaleMark name series/>
                </th>
            }
            .into_any()
        }
        Column::Sparkline => {
            let show = series.show(&name);
            view! { <td class=class><Spark name show history=series.history context=series.context/></td> }.into_any()
        }
        Column::Age => {
            let age = move || {
                let at = reading.with(|reading| reading.as_ref().map(|reading| reading.at));
                at.map(|at| ago(series.context.shown_moment().since(at))).unwrap_or_default()
            };
            view! { <td class=class>{move || age()}</td> }.into_any()
        }
        Column::Value => {
            let level = WidgetSeries::level(reading);
            let raw =
                move || reading.with(|reading| Some(shortest(reading.as_ref()?.number()?.raw))).unwrap_or_default();
            let text = Memo::new(move |_| {
                reading.with(|reading| match reading {
                    Some(reading) => text_of(reading),
                    None => Some(series.absent(&name).to_owned()),
                })
            });
            let value = move |text: Option<String>| match text {
                Some(text) => view! { <bdi class="cell-text">{text}</bdi> }.into_any(),
                None => view! { <CellNumber column widths reading/> }.into_any(),
            };
            view! {
                <td class=class data-level=move || level_word(level.get())>
                    <LevelMark level/>
                    <span data-testid="value" data-value=raw>{move || value(text.get())}</span>
                </td>
            }
            .into_any()
        }
        _ => view! { <td class=class><CellNumber column widths reading/></td> }.into_any(),
    }
}

/// The number of a cell; nothing where the series has none.
#[component]
fn CellNumber(column: Column, widths: Signal<ColumnWidths>, reading: Memo<Option<Reading>>) -> impl IntoView {
    let figures = Memo::new(move |_| reading.with(|reading| figures_in(column, reading.as_ref()?)).unwrap_or_default());
    view! { <AlignedNumber figures=figures.into() widths/> }
}

/// Returns the text of a series of texts.
fn text_of(reading: &Reading) -> Option<String> {
    match &reading.shown {
        ReadingValue::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// Returns the number of a cell; `None` where the cell is empty or has a text.
fn figures_in(column: Column, reading: &Reading) -> Option<Figures> {
    let number = match &reading.shown {
        ReadingValue::Text(_) => return None,
        ReadingValue::TooFew => return (column == Column::Value).then(|| word(&reading.value())),
        ReadingValue::Number(number) => number,
    };
    if column == Column::Value {
        return Some(Figures { number: number.value.clone(), unit: number.unit.clone() });
    }
    let one = |raw: f64| Some(number.style.figures(raw));
    let range = number.range.as_ref();
    if number.awaits && number.change.is_none() | (column != Column::Change) {
        return Some(word("…"));
    }
    match column {
        Column::Change => Some(number.style.difference(number.change.as_ref()?.raw)),
        Column::Min => one(range.map_or(number.raw, |range| range.min)),
        Column::Mean => one(range.map_or(number.raw, |range| range.mean)),
        Column::Max => one(range.map_or(number.raw, |range| range.max)),
        Column::Name | Column::Value | Column::Sparkline | Column::Age => None,
    }
}

fn word(word: &str) -> Figures {
    Figures { number: word.to_owned(), unit: String::new() }
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
