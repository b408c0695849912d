//! Whether a document has words that only people read.

/// What a text of TOML is within.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Nothing: a `#` begins a comment.
    Plain,
    /// A text between these.
    Text(&'static str),
}

/// The marks between which a text can be, the longer ones first, and whether a backslash escapes what follows.
const MARKS: [(&str, bool); 4] = [("\"\"\"", true), ("'''", false), ("\"", true), ("'", false)];

/// Whether a document in TOML has comments. Of one that is broken it does not matter what is told.
#[must_use]
pub fn has_comments(toml: &str) -> bool {
    let (mut within, mut rest) = (Within::Plain, toml);
    while let Some(first) = rest.chars().next() {
        let mut taken = first.len_utf8();
        let mark = MARKS.into_iter().find(|(mark, _)| rest.starts_with(mark));
        match (within, mark) {
            (Within::Plain, _) if first == '#' => return true,
            (Within::Plain, Some((mark, _))) => (within, taken) = (Within::Text(mark), mark.len()),
            (Within::Text(mark), _) if rest.starts_with(mark) => (within, taken) = (Within::Plain, mark.len()),
            (Within::Text(mark), _) if first == '\\' && MARKS.contains(&(mark, true)) => {
                taken += rest[taken..].chars().next().map_or(0, char::len_utf8);
            }
            _ => {}
        }
        rest = &rest[taken..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_found_and_what_only_looks_like_one_is_not() {
        for commented in
            ["# Ours.\ntitle = 'a'", "series = [\"a\"] # warm", "a = '''x''' #", "a = \"\\\\\" # b", "a = '\\' # b"]
        {
            assert!(has_comments(commented), "{commented}");
        }
        for plain in [
            "",
            "title = \"Board #1\"",
            "title = 'Board #1'",
            "title = \"a \\\" # b\"",
            "markdown = \"\"\"\n# A head, \"so\" it is\n\"\"\"",
            "markdown = '''\n# A head, 'so' it is \\\n'''",
            "\"a#b\" = 1",
        ] {
            assert!(!has_comments(plain), "{plain}");
        }
    }
}
