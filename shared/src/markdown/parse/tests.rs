//! Tests of the Markdown parser: ordinary notes, and notes made to slow it down or to escape it.

use std::time::{Duration, Instant};

use super::*;
use proptest::prelude::*;

fn text(text: &str) -> Inline {
    Inline::Text(text.to_owned())
}

fn paragraph(words: &str) -> Block {
    Block::Paragraph(vec![text(words)])
}

fn inlines(note: &str) -> Vec<Inline> {
    match parse(note).pop() {
        Some(Block::Paragraph(words)) => words,
        other => panic!("{note:?} is {other:?}"),
    }
}

#[test]
fn each_kind_of_block_is_made_out() {
    let note = "# Shop\n\nOn call: Ada\nuntil Monday.\n\n---\n\n> careful\n> now\n\n```sh\nmake <all>\n```\n\n- one\n- two\n  - deep\n\n3. three\n4. four\n";
    let item = |words: &str| vec![paragraph(words)];
    let deep = Block::List { start: None, items: vec![item("deep")] };
    assert_eq!(
        parse(note),
        [
            Block::Heading(1, vec![text("Shop")]),
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
    assert_eq!(parse("words\n## then"), [paragraph("words"), Block::Heading(2, vec![text("then")])]);
    assert_eq!(parse("it was\n1999. Then"), [paragraph("it was\n1999. Then")]);
    let list = Block::List { start: None, items: vec![vec![paragraph("a")]] };
    assert_eq!(parse("words\n- a"), [paragraph("words"), list]);
}

#[test]
fn what_only_looks_like_a_block_is_text() {
    for words in ["#hash", "-5 degrees", "2.5 times", "a --- b", "####### seven"] {
        assert_eq!(parse(words), [paragraph(words)]);
    }
    let html = "<h1>no</h1>";
    assert_eq!(parse(html), [Block::Paragraph(vec![Inline::Html(html.into())])]);
}

#[test]
fn code_is_kept_as_it_is_even_where_its_fence_is_not_closed() {
    assert_eq!(parse("```\na\n  b\n"), [Block::Code("a\n  b".into())]);
    assert_eq!(parse("```"), [Block::Code(String::new())]);
    assert_eq!(parse("    set in\n\n    twice\nwords"), [Block::Code("set in\n\ntwice".into()), paragraph("words")]);
    assert_eq!(parse("~~~~\n~~~\n~~~~\nwords"), [Block::Code("~~~".into()), paragraph("words")]);
}

#[test]
fn words_are_stressed_and_linked() {
    let link = |address: &str, words| Inline::Link { address: address.into(), words };
    assert_eq!(
        inlines("a *b* **c _d_** `e*f` [g **h**](https://x.org/?a=1) <mailto:a@b.c> <a@b.c>"),
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
            text(" "),
            link("mailto:a@b.c", vec![text("a@b.c")]),
        ]
    );
    assert_eq!(inlines("***a***"), [Inline::Emphasis(vec![Inline::Strong(vec![text("a")])])]);
    assert_eq!(inlines("a  \nb\\\nc"), [text("a"), Inline::Break, text("b"), Inline::Break, text("c")]);
    assert_eq!(inlines("![a](https://x.org)"), [text("!"), link("https://x.org", vec![text("a")])]);
    assert_eq!(inlines("[a][b]\n\n[b]: https://x.org"), [link("https://x.org", vec![text("a")])]);
}

#[test]
fn what_only_looks_like_an_inline_is_text() {
    for words in ["2 * 3 * 4", "snake_case_name", "a ** b", "[a]", "[a] (b)", "`a", "**", "a & b"] {
        assert_eq!(inlines(words), [text(words)]);
    }
    assert_eq!(inlines(r"\*a\* \[b\] &lt;"), [text("*a* [b] <")]);
    let html = |html: &str| Inline::Html(html.to_owned());
    assert_eq!(inlines("<b>bold</b>"), [html("<b>"), text("bold"), html("</b>")]);
}

fn leads_anywhere(blocks: &[Block]) -> bool {
    format!("{blocks:?}").contains("Link {")
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
        for note in [
            format!("[a]({address})"),
            format!("![a]({address})"),
            format!("<{address}>"),
            format!("[a]\n\n[a]: {address}"),
            format!("[a](&#106;avascript:x)\n[b](java\\script:{address})"),
        ] {
            assert!(!leads_anywhere(&parse(&note)), "{note}");
        }
    }
    assert_eq!(inlines("[b](javascript:x) c"), [text("[b](javascript:x) c")], "it is shown as it is written");
}

/// Returns the greatest depth and the number of blocks and inlines.
fn size(blocks: &[Block]) -> (usize, usize) {
    fn words(inlines: &[Inline]) -> (usize, usize) {
        sum(inlines.iter().map(|inline| match inline {
            Inline::Emphasis(inside) | Inline::Strong(inside) | Inline::Link { words: inside, .. } => words(inside),
            _ => (0, 0),
        }))
    }
    fn sum(sizes: impl Iterator<Item = (usize, usize)>) -> (usize, usize) {
        let (deepest, count) = sizes.fold((0, 0), |sum, size| (sum.0.max(size.0), sum.1 + size.1 + 1));
        (deepest + 1, count)
    }
    sum(blocks.iter().map(|block| match block {
        Block::Heading(_, inside) | Block::Paragraph(inside) => words(inside),
        Block::List { items, .. } => sum(items.iter().map(|item| size(item))),
        Block::Quote(inside) => size(inside),
        Block::Code(_) | Block::Rule => (0, 0),
    }))
}

/// Returns all text that a reader sees.
fn seen(blocks: &[Block]) -> String {
    fn words(inlines: &[Inline]) -> String {
        let one = |inline: &Inline| match inline {
            Inline::Text(text) | Inline::Html(text) | Inline::Code(text) => text.clone(),
            Inline::Emphasis(inside) | Inline::Strong(inside) | Inline::Link { words: inside, .. } => words(inside),
            Inline::Break => "\n".to_owned(),
        };
        inlines.iter().map(one).collect()
    }
    let one = |block: &Block| match block {
        Block::Heading(_, inside) | Block::Paragraph(inside) => words(inside),
        Block::List { items, .. } => items.iter().map(|item| seen(item)).collect(),
        Block::Quote(inside) => seen(inside),
        Block::Code(code) => code.clone(),
        Block::Rule => String::new(),
    };
    blocks.iter().map(one).collect()
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic()).collect()
}

/// Texts that made other parsers of Markdown take quadratic time or nest without an end, of about `len` bytes.
fn adversarial(len: usize) -> Vec<String> {
    let mut notes: Vec<String> = [
        "_a ",
        "*a ",
        "**a ",
        "***a ",
        "*a **a ",
        "*a_ ",
        "[",
        "[[",
        "![",
        "![[",
        "[a](",
        "[a](<",
        "[a]: b\n",
        "[a][b",
        "<",
        "<a ",
        "</",
        "<!--",
        "<?",
        "<![CDATA[",
        "`",
        "` ``",
        "~~~\n",
        "> ",
        ">",
        "- ",
        "* a\n",
        "1) ",
        " - a\n",
        "# ",
        "&",
        "&#",
        "\\",
        "a  \n",
        "|a|\n",
        "---\n",
        "    a\n",
        "\t",
        "*",
        "_",
        "](",
        ")",
        "> a\n\n",
        "- a\n\n",
        "*a* ",
        "`a` ",
        "[a](https://b) ",
        "<https://a> ",
        "<b>",
        "a\n\n",
    ]
    .into_iter()
    .map(|unit| unit.repeat(len / unit.len()))
    .collect();
    // Runs of backticks of different lengths. A later run may close each of them.
    notes.push(
        (1..)
            .map(|n| "`".repeat(n) + " ")
            .scan(0, |sum, run| {
                *sum += run.len();
                (*sum < len).then_some(run)
            })
            .collect(),
    );
    // A list in a list, as deep as it fits.
    notes.push(
        (0..)
            .map(|n| "  ".repeat(n) + "- a\n")
            .scan(0, |sum, line| {
                *sum += line.len();
                (*sum < len).then_some(line)
            })
            .collect(),
    );
    notes.push("[".repeat(len / 2) + &"](https://a)".repeat(len / 22));
    notes.push("*a ".repeat(len / 6) + &" a*".repeat(len / 6));
    // Deep nesting, and then many lines that continue it.
    for marker in [">", "> ", "1) ", "- > ", "+ ", "- 1. "] {
        notes.push(marker.repeat(len / 2 / marker.len()) + "a\n" + &"a\n".repeat(len / 4));
        notes.push(marker.repeat(MOST_MARKERS / 2) + "a\n" + &"a\n".repeat(len / 2));
    }
    // A long address that is referred to often.
    notes.push(format!("[a]: https://{}\n\n", "x".repeat(len / 2)) + &"[a]".repeat(len / 6));
    notes
}

#[test]
fn note_with_very_many_markers_in_a_line_is_shown_as_written() {
    let deep = "1) ".repeat(100) + "a";
    assert_eq!(parse(&deep), [paragraph(&deep)]);
    assert_eq!(parse(&"- ".repeat(100)), [Block::Rule]);
    assert_eq!(parse(&"*\t".repeat(100)), [Block::Rule]);
    assert_eq!(parse(&"-".repeat(100)), [Block::Rule]);
    assert_eq!([markers("> - 1. + a"), markers(">>> a"), markers("-a 1.b"), markers("    * x")], [4, 3, 0, 1]);
}

#[test]
fn depth_and_size_are_bounded_and_no_letter_is_lost() {
    for note in adversarial(64 << 10) {
        let start: String = note.chars().take(20).collect();
        let blocks = parse(&note);
        let (depth, count) = size(&blocks);
        // A list is two levels, its items and their blocks.
        assert!(depth <= 3 * DEEPEST + 2, "{start}: {depth} deep");
        assert!(count <= MOST_NODES + 2 * DEEPEST + 2, "{start}: {count} nodes");
        let shown = seen(&blocks).len();
        assert!(shown <= note.len() + 1_024, "{start}: {shown} bytes of {}", note.len());
    }
    for note in [
        "> ".repeat(100) + "deep",
        "- ".repeat(100) + "deep",
        "*a ".repeat(100) + &" b*".repeat(100),
        "*a* b\n\n".repeat(20_000),
    ] {
        assert_eq!(letters(&seen(&parse(&note))), letters(&note));
    }
}

#[test]
fn long_adversarial_text_is_parsed_quickly() {
    for note in adversarial(256 << 10) {
        let start: String = note.chars().take(20).collect();
        let since = Instant::now();
        assert!(!parse(&note).is_empty() || note.trim().is_empty() || note.contains("]: b"));
        // A parser of quadratic time takes minutes.
        assert!(since.elapsed() < Duration::from_secs(10), "{start:?}: {:?}", since.elapsed());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn whatever_is_written_no_letter_of_it_is_lost(note in "([a-z<&é]|[ \n]|[-*+>#_`~.)(\\[\\]1\\\\!:/]){0,120}") {
        // A link hides its address, a link definition does too, and a fence hides the words after it.
        prop_assume!(!note.contains("](") && !note.contains("]:") && !note.contains("```") && !note.contains("~~~"));
        prop_assert_eq!(letters(&seen(&parse(&note))), letters(&note));
    }

    #[test]
    fn any_text_at_all_is_read(note in any::<String>(), lines in prop::collection::vec("[-*>#` \t1.]{0,12}[a]?", 0..30)) {
        let count = note.split(['\n', '\r']).count();
        prop_assert!(parse(&note).len() <= count);
        prop_assert!(parse(&lines.join("\n")).len() <= lines.len());
    }

    #[test]
    fn no_address_gets_by_that_is_not_allowed(before in "[a-z*\\[(<\\\\ ]{0,6}", scheme in "[a-zA-Z\u{1}\u{a0}\n]{0,12}", after in "[a-z:/)>\\] ]{0,12}") {
        prop_assume!(!["http", "https", "mailto"].iter().any(|allowed| scheme.trim().eq_ignore_ascii_case(allowed)));
        for note in [format!("{before}[a]({scheme}:{after})"), format!("{before}<{scheme}:{after}>")] {
            prop_assert!(!leads_anywhere(&parse(&note)), "{}", note);
        }
    }
}
