//! What was measured, round by round, as tables of medians and spreads.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// What it says above it.
    pub(crate) name: &'static str,
    /// Digits after the point.
    pub(crate) digits: usize,
}

/// A ratio that is to be reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal<'a> {
    /// Whose figure.
    pub(crate) of: &'a str,
    /// Which column.
    pub(crate) column: usize,
    /// Whose figure that is divided by; where there is none, the figure itself is meant.
    pub(crate) over: Option<&'a str>,
    /// How it is bounded.
    pub(crate) bound: Bound,
}

/// A bound of a ratio.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// It is this or less.
    AtMost(f64),
    /// It is this or more.
    AtLeast(f64),
}

/// Figures of several servers, of several rounds in which they took turns.
#[derive(Debug)]
pub(crate) struct Figures {
    columns: Vec<Column>,
    /// For each server, in the order in which they came: a row of figures for each round.
    rows: Vec<(String, Vec<Vec<f64>>)>,
}

impl Figures {
    /// None yet.
    pub(crate) fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds what one server showed in one round, and says it on standard error, for who waits.
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

    /// A row for each server: medians, and the least and the greatest behind them where they differ.
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

    /// A row for each goal that can be told: the ratio of each round, and whether its median is within bounds.
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

/// The median, and the range where it is one.
fn spread(figures: impl Iterator<Item = f64>, digits: usize) -> String {
    let figures: Vec<f64> = figures.collect();
    let (least, most) = figures.iter().fold((f64::MAX, f64::MIN), |(least, most), &it| (least.min(it), most.max(it)));
    let middle = write_number(median(&figures), digits);
    // Where there is nothing to measure, neither is there a range.
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

/// The value below which `share` of these latencies in microseconds are, in milliseconds.
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

/// With a comma between thousands.
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
