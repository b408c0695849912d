//! Sorts the rows of a table.

use std::cmp::Ordering;

use shared::SeriesName;
use shared::board::table::{Column, Order};

use crate::widget::order::order;

/// Column and direction by which rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sorting {
    /// The column.
    pub by: Column,
    /// The direction.
    pub order: Order,
}

/// Sort key of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Rank {
    /// Sorted by size.
    Number(f64),
    /// Sorted by letters.
    Text(String),
    /// No key: after all others, in either direction.
    Last,
}

impl Sorting {
    /// Returns the direction of a column; `None` where rows are sorted by another column.
    #[must_use]
    pub fn of(self, column: Column) -> Option<Order> {
        (self.by == column).then_some(self.order)
    }

    /// Returns the sorting after a click on the head of a column. Names start at A, ages at the newest point, and all
    /// others at the greatest number. A second click reverses the order.
    #[must_use]
    pub fn clicked(self, column: Column) -> Self {
        let order = match self.of(column) {
            None if matches!(column, Column::Name | Column::Age) => Order::Rising,
            None | Some(Order::Rising) => Order::Falling,
            Some(Order::Falling) => Order::Rising,
        };
        Self { by: column, order }
    }
}

/// Returns the value of `aria-sort`.
#[must_use]
pub fn aria(order: Order) -> &'static str {
    match order {
        Order::Rising => "ascending",
        Order::Falling => "descending",
    }
}

/// Returns the sorted names; equal ones keep their order.
#[must_use]
pub fn sorted(names: &[SeriesName], sorting: Sorting, rank: impl Fn(&SeriesName) -> Rank) -> Vec<SeriesName> {
    let ranks: Vec<Rank> = names.iter().map(rank).collect();
    let places = order(names.len(), &|a, b| compare(&ranks[a], &ranks[b], sorting.order));
    places.into_iter().map(|place| names[place].clone()).collect()
}

fn compare(a: &Rank, b: &Rank, order: Order) -> Ordering {
    let rising = match (a, b) {
        (Rank::Last, Rank::Last) => Ordering::Equal,
        (Rank::Last, _) => return Ordering::Greater,
        (_, Rank::Last) => return Ordering::Less,
        (Rank::Number(a), Rank::Number(b)) => a.total_cmp(b),
        (Rank::Text(a), Rank::Text(b)) => a.cmp(b),
        (Rank::Number(_), Rank::Text(_)) => Ordering::Less,
        (Rank::Text(_), Rank::Number(_)) => Ordering::Greater,
    };
    match order {
        Order::Rising => rising,
        Order::Falling => rising.reverse(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_number(order: Order) -> Vec<String> {
        let names = ["x/b", "x/a", "x/none", "x/c"].map(|name| name.parse().unwrap());
        let rank = |name: &SeriesName| match name.within_board() {
            "a" => Rank::Number(-3.0),
            "b" | "c" => Rank::Number(20.0),
            _ => Rank::Last,
        };
        let names = sorted(&names, Sorting { by: Column::Value, order }, rank);
        names.iter().map(|name| name.within_board().to_owned()).collect()
    }

    #[test]
    fn rows_are_sorted_either_way_and_those_without_a_number_come_last() {
        assert_eq!(by_number(Order::Rising), ["a", "b", "c", "none"]);
        assert_eq!(by_number(Order::Falling), ["b", "c", "a", "none"]);
    }

    #[test]
    fn a_click_sorts_and_another_turns_it_around() {
        let by_name = Sorting { by: Column::Name, order: Order::Rising };
        let by_value = by_name.clicked(Column::Value);
        assert_eq!(by_value, Sorting { by: Column::Value, order: Order::Falling });
        assert_eq!(by_value.clicked(Column::Value).order, Order::Rising);
        assert_eq!(by_name.clicked(Column::Name).order, Order::Falling);
        assert_eq!((by_value.of(Column::Name), by_value.of(Column::Value)), (None, Some(Order::Falling)));
    }
}
