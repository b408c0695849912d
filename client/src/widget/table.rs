//! A row for each series.

pub mod rows;

use leptos::prelude::*;
use shared::SeriesName;
use shared::board::Source;
use shared::board::table::{Column, Order, Table};

use super::glance::{Glance, Shown};
use super::past::Tells;
use super::told::{Told, written};
use crate::board::stage::Stage;
use crate::chart::spark::Spark;
use crate::dynamic::{list, part, text};
use crate::format::duration::ago;
use crate::icon::level_mark;
use rows::{Rank, Sorting, sorted};

/// The columns where the document names none.
const COLUMNS: [Column; 4] = [Column::Name, Column::Value, Column::Change, Column::Age];

/// Latest of many series.
#[component]
pub fn TableWidget(
    /// How they are shown.
    options: Table,
    /// Which.
    source: Source,
    /// What all widgets share.
    stage: Stage,
) -> impl IntoView {
    let columns = if options.columns.is_empty() { COLUMNS.to_vec() } else { options.columns };
    let of_newest = |column: &Column| matches!(column, Column::Name | Column::Value | Column::Age);
    let newest = columns.iter().chain(&options.sort).all(of_newest);
    let told = Told::new(source, if newest { Tells::Newest } else { Tells::Range(None) }, stage);
    let sorting = RwSignal::new(Sorting {
        by: options.sort.unwrap_or(Column::Name),
        order: options.order.unwrap_or(Order::Rising),
    });
    let most = options.rows.map_or(usize::MAX, usize::from);
    // Once a second, since rows that change their places as often as values change could not be read.
    let names = Memo::new(move |_| {
        stage.server_now.track();
        let (names, sorting) = (told.names.get(), sorting.get());
        let mut names = untrack(|| sorted(&names, sorting, |name| rank(told, name, sorting.by)));
        names.truncate(most);
        names
    });
    let heads = columns.iter().map(|&column| head(column, sorting, told)).collect_view();
    let row = move |name: String| name.parse().map_or_else(|_| ().into_any(), |name| row(&name, &columns, told));
    let rows = list(move || names.with(|names| written(names)), row);
    view! {
        <div class="rows" tabindex="0">
            <table class="table">
                <thead>
                    <tr>{heads}</tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

/// The head of a column; but for the small line, a click sorts by it, and another turns the order around.
fn head(column: Column, sorting: RwSignal<Sorting>, told: Told) -> AnyView {
    let shown = told.source.with_value(|source| source.show);
    let word = match (column, shown) {
        (Column::Value, Some(show)) => shared::board::word::Word::word(show),
        (Column::Sparkline, _) => "trend",
        _ => shared::board::word::Word::word(column),
    };
    let class = class(column);
    if column == Column::Sparkline {
        return view! { <th scope="col" class=class>{word}</th> }.into_any();
    }
    let state = move || sorting.get().of(column);
    view! {
        <th scope="col" class=class aria-sort=text(move || state().map_or("none", rows::aria).to_owned())>
            <button class="head" type="button" on:click=move |_| sorting.update(|sorting| *sorting = sorting.clicked(column))>
                {word}
                <span class="head-order" aria-hidden="true">
                    {text(move || match state() {
                        None => String::new(),
                        Some(Order::Rising) => "▲".to_owned(),
                        Some(Order::Falling) => "▼".to_owned(),
                    })}
                </span>
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

fn row(name: &SeriesName, columns: &[Column], told: Told) -> AnyView {
    let glance = told.remembered(name.clone());
    let cells = columns.iter().map(|&column| cell(column, name, glance, told)).collect_view();
    view! { <tr data-series=name.to_string() data-stale=told.stale_flag(name)>{cells}</tr> }.into_any()
}

fn cell(column: Column, name: &SeriesName, glance: Memo<Option<Glance>>, told: Told) -> AnyView {
    let class = class(column);
    let show = told.show(name);
    match column {
        Column::Name => {
            let (of, title) = (name.clone(), name.to_string());
            view! {
                <th scope="row" class=class title=title>
                    {text(move || told.name(&of))} " " {told.stale_mark(name)}
                </th>
            }
            .into_any()
        }
        Column::Sparkline => {
            view! { <td class=class><Spark name=name.clone() show past=told.past stage=told.stage/></td> }.into_any()
        }
        Column::Value => {
            let level = Told::level(glance);
            let raw =
                move || glance.with(|glance| Some(glance.as_ref()?.number()?.raw.to_string())).unwrap_or_default();
            view! {
                <td class=class data-level=text(move || level.get())>
                    {part(move || level_mark(&level.get()))}
                    <span data-testid="value" data-value=text(raw)>
                        {text(move || glance.with(|glance| glance.as_ref().map(Glance::text).unwrap_or_default()))}
                    </span>
                </td>
            }
            .into_any()
        }
        _ => {
            let reads = move || glance.with(|glance| written_in(column, glance.as_ref()?, told)).unwrap_or_default();
            view! { <td class=class>{text(reads)}</td> }.into_any()
        }
    }
}

/// What a cell reads; nothing where there is nothing to say.
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

/// By what a row is sorted.
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
