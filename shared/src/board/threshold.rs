//! Thresholds: limits that give a number the level ok, warn or bad.

use serde::Serialize;

use super::keyword::keywords;
use super::read::Fields;

/// The most thresholds of a widget.
const MAX_THRESHOLDS: usize = 16;

keywords! {
    /// The level of a number.
    Level {
        /// As it should be.
        Ok = "ok",
        /// Worth a look.
        Warn = "warn",
        /// Needs action.
        Bad = "bad",
    }
}

/// A limit, and the level of the numbers beyond it: `{ above = 250, level = "warn" }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Threshold {
    /// The limit, in the unit of the series.
    #[serde(flatten)]
    pub limit: Limit,
    /// The level of a number beyond the limit.
    pub level: Level,
}

/// A limit and its direction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Limit {
    /// This number and all above it.
    Above(f64),
    /// This number and all below it.
    Below(f64),
}

impl Limit {
    /// Returns true if `value` is the limit or beyond it.
    #[must_use]
    pub fn reached(self, value: f64) -> bool {
        match self {
            Self::Above(limit) => value >= limit,
            Self::Below(limit) => value <= limit,
        }
    }
}

/// Returns the level of `value`: the worst of all thresholds that it reaches, so their order does not matter. `None`
/// if it reaches none.
#[must_use]
pub fn level(thresholds: &[Threshold], value: f64) -> Option<Level> {
    thresholds.iter().filter(|threshold| threshold.limit.reached(value)).map(|threshold| threshold.level).max()
}

impl Threshold {
    /// Reads `thresholds`.
    pub(super) fn read_all(widget: &Fields<'_>) -> Vec<Self> {
        let expected = r#"a list like [{ above = 250, level = "warn" }]"#;
        let list = widget.list("thresholds", MAX_THRESHOLDS, expected);
        list.into_iter()
            .filter_map(|(at, value)| {
                let table = Fields::of(value, at, widget.mistakes())?;
                let threshold = Self::read(&table);
                table.finish();
                threshold
            })
            .collect()
    }

    fn read(table: &Fields<'_>) -> Option<Self> {
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
            table.wrong("level", <Level as super::keyword::Keyword>::offer(), "nothing");
        }
        let level = table.keyword("level");
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
