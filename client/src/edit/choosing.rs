//! Finds the series for a new widget, and makes the widget's document from the choice.

use serde_json::Value;
use shared::Selector;
use shared::point::Kind;

use super::draft::Fields;
use crate::home::cards::Listed;

/// The most choices in the list. To find others, the user types more of the name.
const MOST: usize = 200;

/// A choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The selector for the document.
    pub selector: String,
    /// The kind of the series; `None` if the selector may match several series.
    pub kind: Option<Kind>,
}

/// Returns the first series whose names contain all words of `searched`. The list starts with `searched` itself if it
/// is a pattern, or if it names a series that does not exist yet.
#[must_use]
pub fn choices(listed: &[Listed], searched: &str) -> Vec<Choice> {
    let searched = searched.trim();
    let lower = searched.to_ascii_lowercase();
    let fits = |series: &&Listed| {
        let name = series.name.as_str().to_ascii_lowercase();
        lower.split_whitespace().all(|word| name.contains(word))
    };
    let series = listed.iter().filter(fits).take(MOST);
    let mut found: Vec<_> =
        series.map(|series| Choice { selector: series.name.to_string(), kind: Some(series.kind) }).collect();
    let is_pattern = searched.contains('*') || found.is_empty();
    if is_pattern && let Ok(selector) = searched.parse::<Selector>() {
        let mut matching = listed.iter().filter(|series| selector.matches(&series.name));
        let first = matching.next();
        let kind = first.filter(|_| matching.next().is_none()).map(|series| series.kind);
        found.insert(0, Choice { selector: searched.to_owned(), kind });
    }
    found
}

/// Returns the document of a widget for the choice, of type `kind`. If `kind` is empty, picks a type that fits.
#[must_use]
pub fn widget(kind: &str, chosen: &[Choice]) -> Fields {
    let kind = match (kind, chosen) {
        ("", [Choice { kind: Some(Kind::Number), .. }]) => "stat",
        ("", [Choice { kind: None, .. }]) => "table",
        ("", chosen) if chosen.iter().any(|choice| choice.kind == Some(Kind::Text)) => "log",
        ("", _) => "line",
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
        choices(&listed(), searched).into_iter().map(|choice| choice.selector).collect()
    }

    #[test]
    fn all_words_must_be_in_the_name_and_a_pattern_stands_for_itself() {
        assert_eq!(names(""), ["ops/api/latency_ms", "ops/api/rate", "ops/deploy"]);
        assert_eq!(names("LAT api"), ["ops/api/latency_ms"]);
        assert_eq!(names("ops/api/*"), ["ops/api/*"]);
        assert_eq!(names("kitchen/temp"), ["kitchen/temp"], "what is not there yet may come");
        assert_eq!(names("no such thing"), Vec::<String>::new());
    }

    #[test]
    fn what_is_chosen_is_shown_as_it_fits_unless_someone_says_how() {
        let all = choices(&listed(), "");
        let kind = |kind: &str, chosen: &[Choice]| widget(kind, chosen)["type"].as_str().map(str::to_owned);
        assert_eq!(kind("", &all[..1]).as_deref(), Some("stat"));
        assert_eq!(kind("", &all[..2]).as_deref(), Some("line"));
        assert_eq!(kind("", &all[2..]).as_deref(), Some("log"));
        assert_eq!(kind("", &choices(&listed(), "ops/**")).as_deref(), Some("table"));
        assert_eq!(kind("gauge", &all[..1]).as_deref(), Some("gauge"));
        assert_eq!(Value::Object(widget("text", &[])), json!({ "type": "text", "markdown": "" }));
    }
}
