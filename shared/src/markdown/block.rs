//! What stands below each other.

use super::inline::{Inline, inlines};

/// How deep lists and quotes may be in each other; what is deeper is text.
const DEEPEST: usize = 8;

/// A part of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// `# Heading`, of level 1 to 6.
    Heading(u8, Vec<Inline>),
    /// Lines of text.
    Paragraph(Vec<Inline>),
    /// `- item` or `1. item`.
    List {
        /// The number of the first item; nothing where items have none.
        start: Option<u32>,
        /// What is in each.
        items: Vec<Vec<Block>>,
    },
    /// `> quote`.
    Quote(Vec<Block>),
    /// A fence of three backticks and more, or lines set in by four spaces.
    Code(String),
    /// `---`.
    Rule,
}

/// Reads a note. Never fails: what means nothing is text.
#[must_use]
pub fn parse(text: &str) -> Vec<Block> {
    let lines: Vec<String> = text.lines().map(|line| line.replace('\t', "    ")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    blocks(&lines, 0)
}

fn blocks(lines: &[&str], depth: usize) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut rest = lines;
    while let Some((&line, after)) = rest.split_first() {
        if line.trim().is_empty() {
            rest = after;
            continue;
        }
        let (block, taken) = block(rest, depth);
        blocks.push(block);
        // Each takes at least the line that it was made out by.
        rest = &rest[taken.max(1)..];
    }
    blocks
}

/// The block at the first line, which is not empty, and how many lines it takes.
fn block(lines: &[&str], depth: usize) -> (Block, usize) {
    let line = lines[0];
    if indent(line) >= 4 {
        let taken = lines.iter().take_while(|line| indent(line) >= 4 || line.trim().is_empty()).count();
        let code: Vec<_> = lines[..taken].iter().map(|line| line.get(4..).unwrap_or_default()).collect();
        return (Block::Code(code.join("\n").trim_end().to_owned()), taken);
    }
    if let Some(fence) = fence(line) {
        let inside = lines[1..].iter().take_while(|line| !closes(line, fence)).count();
        let code: Vec<_> = lines[1..=inside].iter().map(|line| without_indent(line, indent(lines[0]))).collect();
        return (Block::Code(code.join("\n")), inside + 2.min(lines.len() - inside));
    }
    if is_rule(line) {
        return (Block::Rule, 1);
    }
    if let Some((level, text)) = heading(line) {
        return (Block::Heading(level, inlines(text)), 1);
    }
    if depth < DEEPEST {
        if line.trim_start().starts_with('>') {
            return quote(lines, depth);
        }
        if let Some(marker) = Marker::of(line) {
            return list(lines, marker, depth);
        }
    }
    let more = lines[1..].iter().take_while(|line| !line.trim().is_empty() && !begins(line, depth)).count();
    let text: Vec<_> = lines[..=more].iter().map(|line| line.trim_start()).collect();
    (Block::Paragraph(inlines(text.join("\n").trim_end())), more + 1)
}

/// Whether a line begins something else than a paragraph, even right below one. A number other than 1 does not begin a
/// list there: it more likely ends a sentence.
fn begins(line: &str, depth: usize) -> bool {
    let quote_or_list = depth < DEEPEST
        && (line.trim_start().starts_with('>')
            || Marker::of(line).is_some_and(|marker| marker.number.is_none_or(|number| number == 1)));
    indent(line) < 4 && (fence(line).is_some() || is_rule(line) || heading(line).is_some() || quote_or_list)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn without_indent(line: &str, most: usize) -> &str {
    &line[indent(line).min(most)..]
}

/// The sign of a fence and how many of it there are.
fn fence(line: &str) -> Option<(char, usize)> {
    let line = line.trim();
    let sign = line.chars().next().filter(|sign| matches!(sign, '`' | '~'))?;
    let count = line.chars().take_while(|&c| c == sign).count();
    // A backtick behind it makes it code within a line.
    (count >= 3 && (sign == '~' || !line[count..].contains('`'))).then_some((sign, count))
}

fn closes(line: &str, (sign, count): (char, usize)) -> bool {
    let line = line.trim();
    line.len() >= count && line.chars().all(|c| c == sign)
}

fn is_rule(line: &str) -> bool {
    let mut signs = line.chars().filter(|c| *c != ' ');
    let Some(sign @ ('-' | '*' | '_')) = signs.next() else { return false };
    let (mut count, mut same) = (1, true);
    for other in signs {
        count += 1;
        same &= other == sign;
    }
    same && count >= 3
}

fn heading(line: &str) -> Option<(u8, &str)> {
    let line = line.trim();
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    if !(1..=6).contains(&level) || !(text.is_empty() || text.starts_with(' ')) {
        return None;
    }
    let cut = text.trim_end_matches('#');
    let text = if cut.is_empty() || cut.ends_with(' ') { cut } else { text };
    Some((u8::try_from(level).unwrap_or(6), text.trim()))
}

fn quote(lines: &[&str], depth: usize) -> (Block, usize) {
    let mut inside: Vec<&str> = Vec::new();
    for line in lines {
        let line = line.trim_start();
        match line.strip_prefix('>') {
            Some(rest) => inside.push(rest.strip_prefix(' ').unwrap_or(rest)),
            // A paragraph may go on without the sign.
            None if !line.is_empty()
                && inside.last().is_some_and(|last| !last.trim().is_empty())
                && !begins(line, depth) =>
            {
                inside.push(line);
            }
            None => break,
        }
    }
    (Block::Quote(blocks(&inside, depth + 1)), inside.len())
}

/// The sign of an item.
#[derive(Clone, Copy, PartialEq)]
struct Marker {
    /// What ends it; all items of a list have the same.
    sign: char,
    number: Option<u32>,
    /// Where its text begins.
    width: usize,
}

impl Marker {
    fn of(line: &str) -> Option<Self> {
        let start = indent(line);
        let text = &line[start..];
        let digits = text.chars().take_while(char::is_ascii_digit).count();
        let sign = text[digits..].chars().next()?;
        let fits = if digits == 0 { matches!(sign, '-' | '*' | '+') } else { digits <= 9 && matches!(sign, '.' | ')') };
        let after = &text[digits + sign.len_utf8().min(text.len() - digits)..];
        if start >= 4 || !fits || !(after.is_empty() || after.starts_with(' ')) || is_rule(line) {
            return None;
        }
        // Of many spaces one belongs to the sign: the others set in code.
        let spaces = match indent(after) {
            spaces @ 1..=4 if !after.trim().is_empty() => spaces,
            _ => 1,
        };
        Some(Self { sign, number: text[..digits].parse().ok(), width: start + digits + 1 + spaces })
    }
}

fn list(lines: &[&str], first: Marker, depth: usize) -> (Block, usize) {
    let mut items: Vec<Vec<&str>> = Vec::new();
    let mut width = first.width;
    let mut taken = 0;
    for &line in lines {
        let blank = line.trim().is_empty();
        let marker =
            Marker::of(line).filter(|marker| marker.sign == first.sign && (items.is_empty() || indent(line) < width));
        if let Some(marker) = marker {
            width = marker.width;
            items.push(vec![line.get(width..).unwrap_or_default()]);
        } else if let Some(item) = items.last_mut() {
            let lazy = !begins(line, depth) && item.last().is_some_and(|last| !last.trim().is_empty());
            if !blank && indent(line) < width && !lazy {
                break;
            }
            item.push(without_indent(line, width));
        }
        taken += 1;
    }
    let items = items.iter().map(|item| blocks(item, depth + 1)).collect();
    (Block::List { start: first.number, items }, taken)
}

// The source of chance does not build for the browser.
#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> Vec<Inline> {
        vec![Inline::Text(text.to_owned())]
    }

    fn paragraph(words: &str) -> Block {
        Block::Paragraph(text(words))
    }

    #[test]
    fn each_kind_of_block_is_made_out() {
        let note = "# Shop\n\nOn call: Ada\nuntil Monday.\n\n---\n\n> careful\n> now\n\n```sh\nmake <all>\n```\n\n- one\n- two\n  - deep\n\n3. three\n4. four\n";
        let item = |words: &str| vec![paragraph(words)];
        let deep = Block::List { start: None, items: vec![item("deep")] };
        assert_eq!(
            parse(note),
            [
                Block::Heading(1, text("Shop")),
                paragraph("On call: Ada\nuntil Monday."),
                Block::Rule,
                Block::Quote(vec![paragraph("careful\nnow")]),
                Block::Code("make <all>".into()),
                Block::List { start: None, items: vec![item("one"), vec![paragraph("two"), deep]] },
                Block::List { start: Some(3), items: vec![item("three"), item("four")] },
            ]
        );
    }

    #[test]
    fn a_block_may_begin_right_below_a_paragraph_and_a_year_begins_no_list() {
        assert_eq!(parse("words\n## then"), [paragraph("words"), Block::Heading(2, text("then"))]);
        assert_eq!(parse("it was\n1999. Then"), [paragraph("it was\n1999. Then")]);
        let list = Block::List { start: None, items: vec![vec![paragraph("a")]] };
        assert_eq!(parse("words\n- a"), [paragraph("words"), list]);
    }

    #[test]
    fn what_only_looks_like_a_block_is_text() {
        for words in ["#hash", "-5 degrees", "2.5 times", "a --- b", "<h1>no</h1>", "####### seven"] {
            assert_eq!(parse(words), [paragraph(words)]);
        }
    }

    #[test]
    fn code_is_kept_as_it_is_even_where_its_fence_is_not_closed() {
        assert_eq!(parse("```\na\n  b\n"), [Block::Code("a\n  b".into())]);
        assert_eq!(parse("```"), [Block::Code(String::new())]);
        assert_eq!(
            parse("    set in\n\n    twice\nwords"),
            [Block::Code("set in\n\ntwice".into()), paragraph("words")]
        );
        assert_eq!(parse("~~~~\n~~~\n~~~~\nwords"), [Block::Code("~~~".into()), paragraph("words")]);
    }

    #[test]
    fn nothing_is_nested_deeper_than_a_page_can_bear() {
        fn depth(blocks: &[Block]) -> usize {
            let below = |block: &Block| match block {
                Block::Quote(inside) => depth(inside),
                Block::List { items, .. } => items.iter().map(|item| depth(item)).max().unwrap_or(0),
                _ => 0,
            };
            1 + blocks.iter().map(below).max().unwrap_or(0)
        }
        assert!(depth(&parse(&">".repeat(16_000))) <= DEEPEST + 1);
        assert!(depth(&parse(&"- ".repeat(8_000))) <= DEEPEST + 1);
    }

    /// All that a reader would see.
    fn seen(blocks: &[Block]) -> String {
        let one = |block: &Block| match block {
            Block::Heading(_, inside) | Block::Paragraph(inside) => super::super::inline::seen(inside),
            Block::List { items, .. } => items.iter().map(|item| seen(item)).collect(),
            Block::Quote(inside) => seen(inside),
            Block::Code(code) => code.clone(),
            Block::Rule => String::new(),
        };
        blocks.iter().map(one).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn whatever_is_written_no_letter_of_it_is_lost(note in "([a-z<&é]|[ \n]|[-*+>#_`~.)(\\[\\]1\\\\!:/]){0,120}") {
            let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
            // A link hides its address, and a fence the words behind it.
            prop_assume!(!note.contains("](") && !note.contains("```") && !note.contains("~~~"));
            prop_assert_eq!(letters(&seen(&parse(&note))), letters(&note));
        }

        #[test]
        fn any_text_at_all_is_read(note in any::<String>(), lines in prop::collection::vec("[-*>#` \t1.]{0,12}[a]?", 0..30)) {
            prop_assert!(parse(&note).len() <= note.lines().count());
            prop_assert!(parse(&lines.join("\n")).len() <= lines.len());
        }
    }
}
