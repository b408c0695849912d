//! Finds the series for a new widget, and makes the widget's document from the choice.

use serde_json::Value;
use shared::Selector;
use shared::point::Kind;

use super::draft::Fields;
use crate::home::cards::Listed;

/// The most choices in the list. To find others, the user types more of the name.
const MOST: usize = 200;

/// The most series that become a line by themselves: as many as have colours of their own.
const MOST_LINES: usize = 8;

/// A choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The selector for the document.
    pub selector: String,
    /// The series that the selector matches now.
    pub matches: Matches,
}

/// The number and the kinds of the series that a selector matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// Number of series of numbers.
    pub numbers: usize,
    /// Number of series of texts.
    pub texts: usize,
}

impl Matches {
    fn of<'a>(series: impl Iterator<Item = &'a Listed>) -> Self {
        let mut matches = Self::default();
        series.for_each(|series| match series.kind {
            Kind::Number => matches.numbers += 1,
            Kind::Text => matches.texts += 1,
        });
        matches
    }

    /// Number of series.
    #[must_use]
    pub fn all(self) -> usize {
        self.numbers + self.texts
    }
}

/// The choices for a search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The first choices.
    pub choices: Vec<Choice>,
    /// Number of series that the search matches.
    pub matching: usize,
    /// Number of series among the choices.
    pub listed: usize,
}

/// Finds the series whose names contain all words of `searched`, or which match it as a pattern. The list starts with
/// `searched` itself if it is a pattern, or if it names a series that does not exist yet.
#[must_use]
pub fn choices(listed: &[Listed], searched: &str) -> Found {
    let searched = searched.trim();
    let lower = searched.to_ascii_lowercase();
    let pattern = searched.parse::<Selector>().ok();
    let is_pattern = searched.contains('*');
    let fits = |series: &&Listed| match (&pattern, is_pattern) {
        (Some(pattern), true) => pattern.matches(&series.name),
        _ => {
            let name = series.name.as_str().to_ascii_lowercase();
            lower.split_whitespace().all(|word| name.contains(word))
        }
    };
    let matching = listed.iter().filter(fits).count();
    let first = listed.iter().filter(fits).take(MOST);
    let choice =
        |series: &Listed| Choice { selector: series.name.to_string(), matches: Matches::of([series].into_iter()) };
    let mut choices: Vec<_> = first.map(choice).collect();
    let listed_series = choices.len();
    if let Some(selector) = pattern.filter(|_| is_pattern || matching == 0) {
        let matches = Matches::of(listed.iter().filter(|series| selector.matches(&series.name)));
        choices.insert(0, Choice { selector: searched.to_owned(), matches });
    }
    Found { choices, matching, listed: listed_series }
}

/// Returns the choices to highlight: those of `highlighted` that are still found, or else the first one. With `by`, the
/// one that many rows after the last of them, or before the first where `by` is negative.
#[must_use]
pub fn highlight(found: &Found, highlighted: &[String], by: isize) -> Vec<String> {
    let rows = || found.choices.iter().map(|choice| &choice.selector);
    let at = |selector: &String| rows().position(|row| row == selector);
    let mut kept: Vec<usize> = highlighted.iter().filter_map(at).collect();
    kept.sort_unstable();
    let kept = match (by, kept.first(), kept.last()) {
        (_, None, _) | (_, _, None) => vec![0],
        (0, ..) => kept,
        (by, Some(&first), Some(&last)) => {
            let from = if by < 0 { first } else { last };
            vec![from.saturating_add_signed(by).min(found.choices.len().saturating_sub(1))]
        }
    };
    kept.into_iter().filter_map(|row| Some(found.choices.get(row)?.selector.clone())).collect()
}

/// Returns the document of a widget for the choice, of type `kind`. If `kind` is empty, picks a type that fits.
#[must_use]
pub fn widget(kind: &str, chosen: &[Choice]) -> Fields {
    let all = chosen.iter().fold(Matches::default(), |all, Choice { matches, .. }| Matches {
        numbers: all.numbers + matches.numbers,
        texts: all.texts + matches.texts,
    });
    let kind = match (kind, all) {
        ("", Matches { numbers: 0, texts: 0 }) => "table",
        ("", Matches { numbers: 0, .. }) => "log",
        ("", Matches { numbers: 1, texts: 0 }) => "stat",
        ("", Matches { numbers, texts: 0 }) if numbers <= MOST_LINES => "line",
        // Numbers and texts together, or more series than a chart can show apart.
        ("", _) => "table",
        (kind, _) => kind,
    };
    let mut fields = Fields::new();
    fields.insert("type".into(), kind.into());
    if kind == "text" {
        fields.insert("markdown".into(), "".into());
    } else {
        let series = chosen.iter().map(|choice| Value::from(choice.selector.as_str()));
        fields.insert("series".into(), series.collect());
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    use crate::home::cards::entries;

    fn listed() -> Vec<Listed> {
        let text = r#"[
            {"name":"ops/api/latency_ms","kind":"number","value":2,"ts":5},
            {"name":"ops/api/rate","kind":"number","value":2,"ts":5},
            {"name":"ops/deploy","kind":"text","text":"x","ts":5}
        ]"#;
        entries(&serde_json::from_str(text).unwrap(), Listed::of).unwrap()
    }

    fn names(searched: &str) -> Vec<String> {
        choices(&listed(), searched).choices.into_iter().map(|choice| choice.selector).collect()
    }

    #[test]
    fn all_words_must_be_in_the_name_and_a_pattern_stands_for_itself() {
        assert_eq!(names(""), ["ops/api/latency_ms", "ops/api/rate", "ops/deploy"]);
        assert_eq!(names("LAT api"), ["ops/api/latency_ms"]);
        assert_eq!(names("ops/api/*"), ["ops/api/*", "ops/api/latency_ms", "ops/api/rate"]);
        assert_eq!(names("kitchen/temp"), ["kitchen/temp"], "what is not there yet may come");
        assert_eq!(names("no such thing"), Vec::<String>::new());
    }

    #[test]
    fn counts_are_of_the_series_that_match_and_not_of_the_rows_of_the_list() {
        let many: Vec<Listed> = (0..500)
            .map(|nth| Listed {
                name: format!("ops/n{nth}").parse().unwrap(),
                kind: Kind::Number,
                ts: shared::Millis(5),
            })
            .collect();
        for (searched, matching, rows) in
            [("", 500, MOST), ("n49", 11, 11), ("ops/*", 500, MOST + 1), ("ops/n4", 111, 111), ("ops/zz", 0, 1)]
        {
            let found = choices(&many, searched);
            assert_eq!((found.matching, found.choices.len()), (matching, rows), "{searched}");
        }
    }

    #[test]
    fn highlight_stays_where_it_is_found_and_moves_by_rows() {
        let all = choices(&listed(), "");
        let some = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(highlight(&all, &[], 0), ["ops/api/latency_ms"]);
        assert_eq!(highlight(&all, &some(&["ops/deploy"]), 0), ["ops/deploy"]);
        assert_eq!(highlight(&all, &some(&["ops/api/latency_ms"]), 1), ["ops/api/rate"]);
        assert_eq!(highlight(&all, &some(&["ops/deploy"]), 1), ["ops/deploy"], "it is the last");
        assert_eq!(highlight(&all, &some(&["ops/deploy"]), -1), ["ops/api/rate"]);
        assert_eq!(highlight(&all, &some(&["ops/api/latency_ms"]), -1), ["ops/api/latency_ms"]);
        let rate = choices(&listed(), "api");
        assert_eq!(highlight(&rate, &some(&["ops/api/rate"]), 0), ["ops/api/rate"], "it is still found");
        assert_eq!(highlight(&rate, &some(&["ops/deploy"]), 0), ["ops/api/latency_ms"]);
        assert_eq!(highlight(&Found::default(), &some(&["ops/deploy"]), 1), Vec::<String>::new());
    }

    #[test]
    fn what_is_chosen_is_shown_as_it_fits_unless_someone_says_how() {
        let all = choices(&listed(), "").choices;
        let found = |searched: &str| choices(&listed(), searched).choices;
        let kind = |kind: &str, chosen: &[Choice]| widget(kind, chosen)["type"].as_str().map(str::to_owned);
        assert_eq!(kind("", &all[..1]).as_deref(), Some("stat"));
        assert_eq!(kind("", &all[..2]).as_deref(), Some("line"));
        assert_eq!(kind("", &all[2..]).as_deref(), Some("log"));
        assert_eq!(kind("", &found("ops/**")[..1]).as_deref(), Some("table"), "numbers and texts");
        assert_eq!(kind("", &found("ops/api/*")[..1]).as_deref(), Some("line"), "two numbers");
        assert_eq!(kind("", &found("*/deploy")[..1]).as_deref(), Some("log"));
        assert_eq!(kind("", &found("not/there/yet")).as_deref(), Some("table"));
        assert_eq!(kind("gauge", &all[..1]).as_deref(), Some("gauge"));
        assert_eq!(Value::Object(widget("text", &[])), json!({ "type": "text", "markdown": "" }));
    }
}
