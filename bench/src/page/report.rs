//! The figures of the page as rows of a table, each with its goal.

use std::fmt::Write as _;

/// The rows of the table so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    rows: String,
}

/// The goal of a figure.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    /// This or more.
    AtLeast(f64),
    /// Less than this.
    Below(f64),
    /// None: the figure is only reported.
    Nothing,
}

impl Report {
    /// Adds a figure, and prints it on standard error as progress.
    pub(super) fn add(&mut self, what: &str, figure: f64, digits: usize, wanted: Wanted) {
        let (bound, reached) = match wanted {
            Wanted::AtLeast(least) => (format!("≥ {least}"), verdict(figure >= least)),
            Wanted::Below(most) => (format!("< {most}"), verdict(figure < most)),
            Wanted::Nothing => (String::new(), ""),
        };
        eprintln!("{what}: {figure:.digits$}");
        // Writing to a string cannot fail.
        let _ = writeln!(self.rows, "| {what} | {figure:.digits$} | {bound} | {reached} |");
    }

    /// The whole table.
    pub(super) fn table(&self) -> String {
        format!("| what | measured | wanted | reached |\n| --- | ---: | ---: | --- |\n{}", self.rows)
    }
}

fn verdict(reached: bool) -> &'static str {
    if reached { "yes" } else { "**no**" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_told_beside_what_is_wanted_and_whether_it_is_reached() {
        let mut report = Report::default();
        report.add("frames a second", 59.96, 1, Wanted::AtLeast(55.0));
        report.add("busy, %", 50.0, 0, Wanted::Below(50.0));
        report.add("aside", 3.0, 0, Wanted::Nothing);
        let rows: Vec<String> = report.table().lines().skip(2).map(str::to_owned).collect();
        assert_eq!(
            rows,
            ["| frames a second | 60.0 | ≥ 55 | yes |", "| busy, % | 50 | < 50 | **no** |", "| aside | 3 |  |  |"]
        );
    }
}
