//! What stands within a line.

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    /// As it is.
    Text(String),
    /// `` `code` ``.
    Code(String),
    /// `*stressed*`.
    Emphasis(Vec<Inline>),
    /// `**important**`.
    Strong(Vec<Inline>),
    /// `[words](address)`.
    Link {
        /// Where it leads: http, https or mailto.
        address: String,
        /// What it reads.
        words: Vec<Inline>,
    },
    /// Two spaces or a backslash at the end of a line.
    Break,
}

/// How deep they may be in each other; what is deeper is text.
const DEEPEST: usize = 8;

/// Reads the inside of a paragraph or a heading.
#[must_use]
pub fn inlines(text: &str) -> Vec<Inline> {
    read(text, 0)
}

fn read(text: &str, depth: usize) -> Vec<Inline> {
    let mut line = Line { done: Vec::new(), plain: String::new() };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let before = line.plain.chars().next_back();
        let found = if depth < DEEPEST { special(rest, c, before, depth) } else { None };
        match found {
            Some((inline, taken)) => {
                line.push(inline);
                rest = &rest[taken..];
            }
            None => {
                let (plain, taken) = plain(rest, c);
                line.plain.push_str(plain);
                rest = &rest[taken..];
            }
        }
    }
    line.end()
}

struct Line {
    done: Vec<Inline>,
    /// Not yet among them: text is gathered.
    plain: String,
}

impl Line {
    fn push(&mut self, inline: Inline) {
        if inline == Inline::Break {
            self.plain.truncate(self.plain.trim_end_matches(' ').len());
        }
        if !self.plain.is_empty() {
            self.done.push(Inline::Text(std::mem::take(&mut self.plain)));
        }
        self.done.push(inline);
    }

    fn end(mut self) -> Vec<Inline> {
        if !self.plain.is_empty() {
            self.done.push(Inline::Text(self.plain));
        }
        self.done
    }
}

/// What is read where nothing special is, and how much of the text it takes: a sign behind a backslash is itself, and of
/// a run of signs that open nothing all are, or each of them would search to the end anew.
fn plain(rest: &str, c: char) -> (&str, usize) {
    if c == '\\'
        && let Some(next) = rest[1..].chars().next().filter(char::is_ascii_punctuation)
    {
        return (&rest[1..=next.len_utf8()], 1 + next.len_utf8());
    }
    let len = match c {
        '*' | '_' | '`' => run(rest, c),
        _ => c.len_utf8(),
    };
    (&rest[..len], len)
}

fn run(text: &str, sign: char) -> usize {
    text.len() - text.trim_start_matches(sign).len()
}

/// What begins at `rest` with `c`, and how much of the text it takes.
fn special(rest: &str, c: char, before: Option<char>, depth: usize) -> Option<(Inline, usize)> {
    match c {
        '`' => code(rest),
        '*' | '_' => stressed(rest, c, before, depth),
        '[' => link(rest, depth),
        '<' => address_alone(rest),
        '\\' if rest[1..].starts_with('\n') => Some((Inline::Break, 2)),
        ' ' if rest.starts_with("  ") => {
            let spaces = run(rest, ' ');
            rest[spaces..].starts_with('\n').then_some((Inline::Break, spaces + 1))
        }
        _ => None,
    }
}

fn code(rest: &str) -> Option<(Inline, usize)> {
    let ticks = run(rest, '`');
    let mut at = ticks;
    while let Some(found) = rest[at..].find('`') {
        let start = at + found;
        let count = run(&rest[start..], '`');
        if count == ticks {
            let inside = rest[ticks..start].replace('\n', " ");
            // A space on each side lets code begin with a backtick.
            let cut = inside.strip_prefix(' ').and_then(|cut| cut.strip_suffix(' '));
            let inside = cut.filter(|cut| !cut.trim().is_empty()).map_or(inside.clone(), str::to_owned);
            return Some((Inline::Code(inside), start + ticks));
        }
        at = start + count;
    }
    None
}

/// Emphasis: signs that stand before a word and close behind one. Of underscores only those at the edges of words count,
/// so that `names_with_them` stay as they are.
fn stressed(rest: &str, sign: char, before: Option<char>, depth: usize) -> Option<(Inline, usize)> {
    let count = run(rest, sign);
    let inside = &rest[count..];
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    if count > 3 || inside.chars().next().is_none_or(char::is_whitespace) || (sign == '_' && word(before)) {
        return None;
    }
    let mut at = 0;
    while let Some(found) = inside[at..].find(sign) {
        let start = at + found;
        let length = run(&inside[start..], sign);
        let (last, next) = (inside[..start].chars().next_back(), inside[start + length..].chars().next());
        let closes = last.is_some_and(|c| !c.is_whitespace() && c != '\\') && !(sign == '_' && word(next));
        if closes && length >= count {
            // Of `**a *b***` the last three close both, the inner first.
            let end = start + length - count;
            let words = read(&inside[..end], depth + 1);
            let inline = match count {
                1 => Inline::Emphasis(words),
                2 => Inline::Strong(words),
                _ => Inline::Strong(vec![Inline::Emphasis(words)]),
            };
            return Some((inline, count + end + count));
        }
        at = start + length;
    }
    None
}

/// `[words](address)`; the words of an image stand for it, with the sign before them.
fn link(rest: &str, depth: usize) -> Option<(Inline, usize)> {
    let mut open = 0_usize;
    let mut escaped = false;
    let end = rest.find(|c| {
        let literal = escaped;
        escaped = c == '\\' && !literal;
        match c {
            '[' if !literal => open += 1,
            ']' if !literal => open -= 1,
            _ => {}
        }
        open == 0
    })?;
    let target = rest[end + 1..].strip_prefix('(')?;
    let close = target.find(')')?;
    // A title behind the address is left out.
    let address = target[..close].split_whitespace().next()?;
    let address = address.strip_prefix('<').and_then(|cut| cut.strip_suffix('>')).unwrap_or(address);
    let linked = || Inline::Link { address: address.to_owned(), words: read(&rest[1..end], depth + 1) };
    leads_outside(address).then(|| (linked(), end + 2 + close + 1))
}

/// `<https://…>`.
fn address_alone(rest: &str) -> Option<(Inline, usize)> {
    let end = rest.find('>')?;
    let address = &rest[1..end];
    let words = vec![Inline::Text(address.to_owned())];
    let fits = leads_outside(address) && !address.contains(char::is_whitespace);
    fits.then(|| (Inline::Link { address: address.to_owned(), words }, end + 1))
}

/// Whether a browser that follows the address can do no harm on this page: no script, no data, nothing of ours.
fn leads_outside(address: &str) -> bool {
    let begins = |scheme: &str| address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    ["https://", "http://", "mailto:"].into_iter().any(begins) && !address.contains(|c: char| c.is_control())
}

/// All that a reader would see.
#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
pub(super) fn seen(inlines: &[Inline]) -> String {
    let one = |inline: &Inline| match inline {
        Inline::Text(text) | Inline::Code(text) => text.clone(),
        Inline::Emphasis(words) | Inline::Strong(words) | Inline::Link { words, .. } => seen(words),
        Inline::Break => "\n".to_owned(),
    };
    inlines.iter().map(one).collect()
}

// The source of chance does not build for the browser.
#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> Inline {
        Inline::Text(text.to_owned())
    }

    #[test]
    fn words_are_stressed_and_linked() {
        let link = |address: &str, words| Inline::Link { address: address.into(), words };
        assert_eq!(
            inlines("a *b* **c _d_** `e*f` [g **h**](https://x.org/?a=1) <mailto:a@b.c>"),
            [
                text("a "),
                Inline::Emphasis(vec![text("b")]),
                text(" "),
                Inline::Strong(vec![text("c "), Inline::Emphasis(vec![text("d")])]),
                text(" "),
                Inline::Code("e*f".into()),
                text(" "),
                link("https://x.org/?a=1", vec![text("g "), Inline::Strong(vec![text("h")])]),
                text(" "),
                link("mailto:a@b.c", vec![text("mailto:a@b.c")]),
            ]
        );
        assert_eq!(inlines("***a***"), [Inline::Strong(vec![Inline::Emphasis(vec![text("a")])])]);
        assert_eq!(inlines("a  \nb\\\nc"), [text("a"), Inline::Break, text("b"), Inline::Break, text("c")]);
    }

    #[test]
    fn what_only_looks_like_it_is_text() {
        for words in
            ["2 * 3 * 4", "snake_case_name", "a ** b", "[a]", "[a] (b)", "`a", "<b>bold</b>", "**", "a & b", "&lt;"]
        {
            assert_eq!(inlines(words), [text(words)]);
        }
        assert_eq!(inlines(r"\*a\* \[b\]"), [text("*a* [b]")]);
    }

    #[test]
    fn a_link_leads_only_to_where_it_can_do_no_harm() {
        for address in [
            "javascript:alert(1)",
            "JAVASCRIPT:a",
            "data:text/html,x",
            "/b/ops",
            "//evil.org",
            "vbscript:x",
            "\u{1}https://x",
        ] {
            let note = format!("[a]({address})");
            assert!(!inlines(&note).iter().any(|inline| matches!(inline, Inline::Link { .. })), "{address}");
            let note = format!("<{address}>");
            assert!(!inlines(&note).iter().any(|inline| matches!(inline, Inline::Link { .. })), "{address}");
        }
    }

    fn leads_anywhere(inlines: &[Inline]) -> bool {
        inlines.iter().any(|inline| match inline {
            Inline::Link { .. } => true,
            Inline::Emphasis(words) | Inline::Strong(words) => leads_anywhere(words),
            _ => false,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn no_address_gets_by_that_is_not_allowed(before in "[a-z*\\[(<\\\\ ]{0,6}", scheme in "[a-zA-Z\u{1}\u{a0}\n]{0,12}", after in "[a-z:/)>\\] ]{0,12}") {
            prop_assume!(!scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("mailto") && !scheme.eq_ignore_ascii_case("https"));
            for note in [format!("{before}[a]({scheme}:{after})"), format!("{before}<{scheme}:{after}>")] {
                prop_assert!(!leads_anywhere(&inlines(&note)));
            }
        }

        #[test]
        fn any_text_at_all_is_read_and_soon(note in "[*_`\\[\\](<>a \\\\]{0,2000}") {
            prop_assert!(inlines(&note).len() <= note.len());
        }
    }
}
