//! From where on a number is worth a second look.

use serde::Serialize;

use super::read::Table;
use super::word::words;

/// Most thresholds of a widget.
const MAX_THRESHOLDS: usize = 16;

words! {
    /// How good a number is.
    Level {
        /// As it should be.
        Ok = "ok",
        /// Worth a look.
        Warn = "warn",
        /// Someone should do something.
        Bad = "bad",
    }
}

/// Beyond its limit a number has this level: `{ above = 250, level = "warn" }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Threshold {
    /// Where it begins, in the unit of the series.
    #[serde(flatten)]
    pub limit: Limit,
    /// What a number beyond is.
    pub level: Level,
}

/// A side of a number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Limit {
    /// This number and all above it.
    Above(f64),
    /// This number and all below it.
    Below(f64),
}

impl Limit {
    /// Whether `value` is the limit, or beyond it.
    #[must_use]
    pub fn reached(self, value: f64) -> bool {
        match self {
            Self::Above(limit) => value >= limit,
            Self::Below(limit) => value <= limit,
        }
    }
}

/// The level of `value`: the worst of all that it reaches, so their order does not matter. Nothing where it reaches
/// none of them.
#[must_use]
pub fn level(thresholds: &[Threshold], value: f64) -> Option<Level> {
    thresholds.iter().filter(|threshold| threshold.limit.reached(value)).map(|threshold| threshold.level).max()
}

impl Threshold {
    /// Reads `thresholds`.
    pub(super) fn read_all(widget: &Table<'_>) -> Vec<Self> {
        let expected = r#"a list like [{ above = 250, level = "warn" }]"#;
        let list = widget.list("thresholds", MAX_THRESHOLDS, expected);
        list.into_iter()
            .filter_map(|(at, value)| {
                let table = Table::of(value, at, widget.mistakes())?;
                let threshold = Self::read(&table);
                table.finish();
                threshold
            })
            .collect()
    }

    fn read(table: &Table<'_>) -> Option<Self> {
        let sides = (table.get("above").is_some(), table.get("below").is_some());
        let limit = match sides {
            (true, false) => table.number("above").map(Limit::Above),
            (false, true) => table.number("below").map(Limit::Below),
            (both, _) => {
                let got = if both { "both" } else { "neither" };
                table.mistakes().add(table.at(), "either above or below", got);
                None
            }
        };
        if table.get("level").is_none() {
            table.wrong("level", <Level as super::word::Word>::offer(), "nothing");
        }
        let level = table.word("level");
        Some(Self { limit: limit?, level: level? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_level_that_is_reached_counts_whatever_the_order() {
        let threshold = |limit, level| Threshold { limit, level };
        let mut thresholds = vec![
            threshold(Limit::Above(90.0), Level::Bad),
            threshold(Limit::Above(80.0), Level::Warn),
            threshold(Limit::Below(5.0), Level::Bad),
        ];
        for _ in 0..2 {
            for (value, wanted) in
                [(50.0, None), (80.0, Some(Level::Warn)), (99.0, Some(Level::Bad)), (5.0, Some(Level::Bad))]
            {
                assert_eq!(level(&thresholds, value), wanted, "{value}");
            }
            thresholds.reverse();
        }
    }
}
