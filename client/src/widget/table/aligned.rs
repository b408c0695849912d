//! Aligns the numbers of a column at their decimal signs, although each has a unit of its own.
//!
//! A number is written as its whole part, its decimals and its unit. The last two are as wide as the longest of the
//! column, so the decimal signs stand below each other.

use leptos::prelude::*;
use shared::format::number::Figures;

/// The numbers of characters of the longest decimals and the longest unit of a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ColumnWidths {
    /// The decimals, with their sign.
    pub decimals: usize,
    /// The unit, with the space before it.
    pub unit: usize,
}

impl ColumnWidths {
    /// Returns the widths that also hold this number.
    #[must_use]
    pub fn with(self, figures: &Figures) -> Self {
        let unit = figures.unit.chars().count();
        let unit = if unit > 0 { unit + 1 } else { 0 };
        Self { decimals: self.decimals.max(figures.halves().1.chars().count()), unit: self.unit.max(unit) }
    }
}

/// A number in its column.
#[component]
pub fn AlignedNumber(
    /// The number.
    figures: Signal<Figures>,
    /// The widths of its column.
    widths: Signal<ColumnWidths>,
) -> impl IntoView {
    let half = move |of: fn(&Figures) -> String| move || figures.with(of);
    let unit = |figures: &Figures| match figures.unit.as_str() {
        "" => String::new(),
        unit => format!("\u{a0}{unit}"),
    };
    view! {
        <span>{half(|figures| figures.halves().0.to_owned())}</span>
        <span class="figure-part" style=("--characters", move || widths.get().decimals.to_string())>
            {half(|figures| figures.halves().1.to_owned())}
        </span>
        <span class="figure-part" style=("--characters", move || widths.get().unit.to_string())>
            {half(unit)}
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_wide_as_its_longest_decimals_and_units() {
        let figures = |number: &str, unit: &str| Figures { number: number.to_owned(), unit: unit.to_owned() };
        let column = [figures("790", "B/s"), figures("79.5", "MB/s"), figures("−1.25", "")];
        let widths = column.iter().fold(ColumnWidths::default(), ColumnWidths::with);
        assert_eq!(widths, ColumnWidths { decimals: 3, unit: 5 });
    }
}
