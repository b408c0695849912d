//! Fuzz targets for names of series and boards, selectors and cursors.

use shared::{BoardId, Cursor, Selector, SeriesName};

/// Printing a name or a selector undoes parsing, and a selector matches the names that its segments describe. The
/// first line is a selector, the second a name.
pub fn names(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (first, second) = text.split_once('\n').unwrap_or((text, text));
    let name = second.parse::<SeriesName>();
    if let Ok(name) = &name {
        let again: SeriesName = name.as_str().parse().expect("what is printed is a name");
        assert_eq!(&again, name);
        assert!(Selector::from(name).matches(name));
        assert!(name.home_board().selector().matches(name));
    }
    if let Ok(selector) = first.parse::<Selector>() {
        let again: Selector = selector.as_str().parse().expect("what is printed is a selector");
        assert_eq!(again, selector);
        if let Ok(name) = &name {
            let is_selected = selector.matches(name);
            assert_eq!(is_selected, matches(selector.as_str(), name.as_str()));
            let stem = selector.stem();
            let begins = stem.is_empty() || name.as_str() == stem || name.as_str().starts_with(&format!("{stem}/"));
            assert!(!is_selected || begins);
        }
    }
    if let Ok(board) = first.parse::<BoardId>() {
        assert_eq!(board.as_str().parse::<BoardId>().as_ref(), Ok(&board));
    }
    if let Ok(cursor) = first.parse::<Cursor>() {
        assert_eq!(cursor.to_string().parse::<Cursor>().ok(), Some(cursor));
    }
}

/// A simple reference implementation of matching.
fn matches(selector: &str, name: &str) -> bool {
    let name: Vec<&str> = name.split('/').collect();
    let selector: Vec<&str> = selector.split('/').collect();
    let (fixed, rest) = match selector.split_last() {
        Some((&"**", fixed)) => (fixed, true),
        _ => (&*selector, false),
    };
    let length = if rest { name.len() >= fixed.len() } else { name.len() == fixed.len() };
    length && fixed.iter().zip(&name).all(|(wanted, segment)| *wanted == "*" || wanted == segment)
}
