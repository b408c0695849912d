//! The difference between two documents of a board in a few lines, for the audit log.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::board::BoardFormat;

use super::Document;

/// The most lines.
const MAX_LINES: usize = 30;

/// The most characters of a value.
const MAX_VALUE: usize = 60;

/// Describes the change from one document to another, a line for each option that differs: `title: "a" → "b"`, `+` for a
/// new one, `-` for one that is gone. Widgets are named by their ids.
#[must_use]
pub fn difference(before: Option<&Document>, after: Option<&Document>) -> String {
    let [before, after] = [before, after].map(|document| document.map(options).unwrap_or_default());
    let mut lines: Vec<String> = Vec::new();
    for (path, value) in &before {
        match after.get(path) {
            None => lines.push(format!("- {path} = {}", shown(value))),
            Some(now) if now != value => lines.push(format!("{path}: {} → {}", shown(value), shown(now))),
            Some(_) => {}
        }
    }
    lines.extend(
        after
            .iter()
            .filter(|(path, _)| !before.contains_key(*path))
            .map(|(path, value)| format!("+ {path} = {}", shown(value))),
    );
    if lines.is_empty() {
        return "only the form of the text".to_owned();
    }
    if lines.len() > MAX_LINES {
        let more = lines.len() - MAX_LINES;
        lines.truncate(MAX_LINES);
        lines.push(format!("… and {more} more"));
    }
    lines.join("\n")
}

/// Returns each option of a document with its path.
fn options(document: &Document) -> BTreeMap<String, Value> {
    let (_, text) = document.written_in(BoardFormat::Json);
    let mut options = BTreeMap::new();
    collect(&mut options, "", serde_json::from_str(&text).unwrap_or_default());
    options
}

fn collect(options: &mut BTreeMap<String, Value>, path: &str, value: Value) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(object) if !object.is_empty() => {
            object.into_iter().for_each(|(key, value)| collect(options, &below(&key), value));
        }
        Value::Array(items) if !items.is_empty() && items.iter().all(|item| item["id"].is_string()) => {
            for (at, item) in items.into_iter().enumerate() {
                let id = item["id"].as_str().unwrap_or_default().to_owned();
                options.insert(below(&format!("{id}.#")), at.into());
                collect(options, &below(&id), item);
            }
        }
        value => _ = options.insert(path.to_owned(), value),
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(MAX_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(toml: &str) -> Document {
        Document::read(BoardFormat::Toml, toml.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn difference_names_each_option_that_differs_by_its_widget() {
        let before = document(
            "title = \"A\"\n[[widgets]]\nid = \"x\"\ntype = \"stat\"\nseries = [\"a\"]\n[[widgets]]\nid = \"y\"\ntype = \"line\"\nseries = [\"b\"]\n",
        );
        let after = document(
            "title = \"B\"\n[[widgets]]\nid = \"x\"\ntype = \"stat\"\nseries = [\"a\", \"c\"]\nunit = \"ms\"\n",
        );
        let lines = difference(Some(&before), Some(&after));
        for line in [
            "title: \"A\" → \"B\"",
            "widgets.x.series: [\"a\"] → [\"a\",\"c\"]",
            "+ widgets.x.unit = \"ms\"",
            "- widgets.y.type = \"line\"",
        ] {
            assert!(lines.lines().any(|one| one == line), "{line} is not in\n{lines}");
        }
        assert!(!lines.contains("widgets.x.type") && !lines.contains("widgets.x.id"), "{lines}");
        assert!(difference(None, Some(&after)).contains("+ title = \"B\""));
        assert!(difference(Some(&after), None).contains("- title = \"B\""));
        let commented = document(&format!("# why\n{}", after.source()));
        assert_eq!(difference(Some(&after), Some(&commented)), "only the form of the text");
    }

    #[test]
    fn long_differences_and_values_are_cut() {
        let widgets = (0..99)
            .map(|n| format!("[[widgets]]\nid = \"w{n}\"\ntype = \"text\"\nmarkdown = \"{}\"\n", "x".repeat(200)));
        let lines = difference(None, Some(&document(&widgets.collect::<String>())));
        assert_eq!(lines.lines().count(), MAX_LINES + 1);
        assert!(lines.lines().all(|line| line.chars().count() < 100), "{lines}");
        assert!(lines.contains("… and "));
    }
}
