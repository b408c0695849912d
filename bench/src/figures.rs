//! Collects measurements by round, and formats them as tables of medians and spreads.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// The head of the column.
    pub(crate) name: &'static str,
    /// The digits after the decimal point.
    pub(crate) digits: usize,
}

/// A goal for a figure or a ratio of two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal<'a> {
    /// The server of the figure.
    pub(crate) of: &'a str,
    /// The index of the column.
    pub(crate) column: usize,
    /// The server by whose figure it is divided; if `None`, the figure itself is compared.
    pub(crate) over: Option<&'a str>,
    /// The bound.
    pub(crate) bound: Bound,
}

/// The bound of a goal.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

/// The figures of several servers, over several rounds in which they took turns.
#[derive(Debug)]
pub(crate) struct Figures {
    columns: Vec<Column>,
    /// For each server, in the order of arrival: a row of figures for each round.
    rows: Vec<(String, Vec<Vec<f64>>)>,
}

impl Figures {
    /// Makes an empty collection.
    pub(crate) fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds the figures of a server in one round, and prints them on standard error as progress.
    pub(crate) fn add(&mut self, server: &str, figures: Vec<f64>) {
        let shown: Vec<String> = self
            .columns
            .iter()
            .zip(&figures)
            .map(|(column, &figure)| format!("{} {}", write_number(figure, column.digits), column.name))
            .collect();
        eprintln!("{server}: {}", shown.join(", "));
        match self.rows.iter_mut().find(|(name, _)| name == server) {
            Some((_, rounds)) => rounds.push(figures),
            None => self.rows.push((server.to_owned(), vec![figures])),
        }
    }

    /// Formats a row for each server: medians, each followed by the minimum and the maximum if they differ.
    pub(crate) fn table(&self, first: &str) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        let mut table = format!("| {first} | {} |\n| --- |{}\n", names.join(" | "), " ---: |".repeat(names.len()));
        for (server, rounds) in &self.rows {
            let _written = write!(table, "| {server} |");
            for (at, column) in self.columns.iter().enumerate() {
                let _written = write!(table, " {} |", spread(rounds.iter().map(|round| round[at]), column.digits));
            }
            table.push('\n');
        }
        table
    }

    /// Formats a row for each goal whose servers were measured: the ratio of each round, and whether the median is
    /// within the bound.
    pub(crate) fn goals(&self, goals: &[Goal<'_>]) -> String {
        let by_name: BTreeMap<&str, &Vec<Vec<f64>>> =
            self.rows.iter().map(|(name, rows)| (name.as_str(), rows)).collect();
        let mut table = String::from("| goal | bound | measured | reached |\n| --- | ---: | ---: | --- |\n");
        for goal in goals {
            let Some(our) = by_name.get(goal.of) else { continue };
            let ratios: Vec<f64> = match goal.over {
                None => our.iter().map(|round| round[goal.column]).collect(),
                Some(other) => match by_name.get(other) {
                    None => continue,
                    Some(theirs) => {
                        our.iter().zip(*theirs).map(|(our, their)| our[goal.column] / their[goal.column]).collect()
                    }
                },
            };
            let middle = median(&ratios);
            let (sign, bound, reached) = match goal.bound {
                Bound::AtMost(most) => ("≤", most, middle <= most),
                Bound::AtLeast(least) => ("≥", least, middle >= least),
            };
            let bound = if bound.fract() == 0.0 { write_number(bound, 0) } else { bound.to_string() };
            let Column { name: column, digits } = self.columns[goal.column];
            let digits = if goal.over.is_some() { 2 } else { digits };
            let over = goal.over.map_or_else(|| format!(" of {}", goal.of), |other| format!(" ÷ {other}"));
            let reached = if reached { "yes" } else { "**no**" };
            let _written = writeln!(
                table,
                "| {column}{over} | {sign} {bound} | {} | {reached} |",
                spread(ratios.into_iter(), digits)
            );
        }
        table
    }
}

/// Formats the median, and the range if the figures differ.
fn spread(figures: impl Iterator<Item = f64>, digits: usize) -> String {
    let figures: Vec<f64> = figures.collect();
    let (least, most) = figures.iter().fold((f64::MAX, f64::MIN), |(least, most), &it| (least.min(it), most.max(it)));
    let middle = write_number(median(&figures), digits);
    // If a figure is missing, there is no range either.
    if least >= most || figures.iter().any(|figure| figure.is_nan()) {
        middle
    } else {
        format!("{middle} ({}–{})", write_number(least, digits), write_number(most, digits))
    }
}

fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => sorted[len / 2],
        len => f64::midpoint(sorted[len / 2 - 1], sorted[len / 2]),
    }
}

/// The quantile `share` of these latencies in microseconds, returned in milliseconds.
pub(crate) fn quantile_ms(latencies: &mut [u32], share: f64) -> f64 {
    if latencies.is_empty() {
        return f64::NAN;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index"
    )]
    let at = ((latencies.len() as f64 * share) as usize).min(latencies.len() - 1);
    f64::from(*latencies.select_nth_unstable(at).1) / 1e3
}

/// Formats a number with a comma between thousands.
fn write_number(number: f64, digits: usize) -> String {
    if !number.is_finite() {
        return "–".to_owned();
    }
    let plain = format!("{number:.digits$}");
    let whole = plain.find('.').unwrap_or(plain.len());
    let mut written = String::new();
    for (at, digit) in plain.char_indices() {
        if at > 0 && at < whole && (whole - at).is_multiple_of(3) && !written.ends_with('-') {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 2] = [Column { name: "a", digits: 1 }, Column { name: "b", digits: 0 }];

    #[test]
    fn a_row_has_medians_and_the_range_where_there_is_one() {
        let mut figures = Figures::new(&COLUMNS);
        for a in [3.0, 1.0, 2.0] {
            figures.add("x", vec![a, 1_234_567.0]);
        }
        assert_eq!(figures.table("server").lines().last(), Some("| x | 2.0 (1.0–3.0) | 1,234,567 |"));
    }

    #[test]
    fn a_goal_is_the_ratio_within_each_round_and_a_peer_that_is_not_there_is_left_out() {
        let mut figures = Figures::new(&COLUMNS);
        for (ours, theirs) in [(10.0, 100.0), (30.0, 100.0), (20.0, 100.0)] {
            figures.add("ours", vec![ours, 1.0]);
            figures.add("theirs", vec![theirs, 1.0]);
        }
        let goal = |over, bound| Goal { of: "ours", column: 0, over, bound };
        let table = figures.goals(&[
            goal(Some("theirs"), Bound::AtMost(0.5)),
            goal(Some("nobody"), Bound::AtMost(0.5)),
            goal(None, Bound::AtLeast(25.0)),
        ]);
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            ["| a ÷ theirs | ≤ 0.5 | 0.20 (0.10–0.30) | yes |", "| a of ours | ≥ 25 | 20.0 (10.0–30.0) | **no** |"]
        );
    }
}
