//! A note: Markdown shown as elements.

use leptos::prelude::*;
use shared::board::text::NoteOptions;
use shared::markdown::{Block, Inline, find_html, parse};

use super::frame::MistakeNote;

/// A note. It is made of elements, so no text of it is parsed as markup.
#[expect(clippy::needless_pass_by_value, reason = "a component owns its properties")]
#[component]
pub fn NoteWidget(
    /// The document of the note.
    text: NoteOptions,
) -> impl IntoView {
    let blocks = parse(&text.markdown);
    let mistake = find_html(&blocks).map(|tag| {
        let text = format!("markdown: HTML is no part of it, so {tag} is shown as it is written");
        view! { <MistakeNote text/> }
    });
    view! {
        {mistake}
        <div class="note" tabindex="0">{all(without_gaps(blocks))}</div>
    }
}

/// Closes the gaps between the levels of headings, which a screen reader takes for missing headings: a note that begins
/// with `###` has a heading of level 1 there.
fn without_gaps(blocks: Vec<Block>) -> Vec<Block> {
    let mut above: Vec<u8> = Vec::new();
    let close = |block| match block {
        Block::Heading(level, words) => {
            above.retain(|higher| *higher < level);
            above.push(level);
            Block::Heading(u8::try_from(above.len()).unwrap_or(u8::MAX), words)
        }
        other => other,
    };
    blocks.into_iter().map(close).collect()
}

fn all(blocks: Vec<Block>) -> Vec<AnyView> {
    blocks.into_iter().map(block).collect()
}

fn block(block: Block) -> AnyView {
    match block {
        // The board and each widget have headings, so those of a note start below them.
        Block::Heading(level, words) => match level {
            0 | 1 => view! { <h3>{line(words)}</h3> }.into_any(),
            2 => view! { <h4>{line(words)}</h4> }.into_any(),
            3 => view! { <h5>{line(words)}</h5> }.into_any(),
            _ => view! { <h6>{line(words)}</h6> }.into_any(),
        },
        Block::Paragraph(words) => view! { <p>{line(words)}</p> }.into_any(),
        Block::List { start: Some(start), items } => {
            view! { <ol start=start.to_string()>{items.into_iter().map(item).collect_view()}</ol> }.into_any()
        }
        Block::List { start: None, items } => {
            view! { <ul>{items.into_iter().map(item).collect_view()}</ul> }.into_any()
        }
        Block::Quote(blocks) => view! { <blockquote>{all(blocks)}</blockquote> }.into_any(),
        Block::Code(code) => view! { <pre><code>{code}</code></pre> }.into_any(),
        Block::Rule => view! { <hr/> }.into_any(),
    }
}

/// An item of a list. Its first paragraph is not wrapped in `p`.
fn item(mut blocks: Vec<Block>) -> AnyView {
    let first = match blocks.first_mut() {
        Some(Block::Paragraph(words)) => line(std::mem::take(words)),
        _ => return view! { <li>{all(blocks)}</li> }.into_any(),
    };
    view! { <li>{first} {all(blocks.split_off(1))}</li> }.into_any()
}

fn line(words: Vec<Inline>) -> Vec<AnyView> {
    words.into_iter().map(inline).collect()
}

fn inline(inline: Inline) -> AnyView {
    match inline {
        // HTML is shown as text, not as markup.
        Inline::Text(text) | Inline::Html(text) => text.into_any(),
        Inline::Code(code) => view! { <code>{code}</code> }.into_any(),
        Inline::Emphasis(words) => view! { <em>{line(words)}</em> }.into_any(),
        Inline::Strong(words) => view! { <strong>{line(words)}</strong> }.into_any(),
        Inline::Link { words, address } => {
            view! { <a href=address rel="noopener noreferrer" target="_blank">{line(words)}</a> }.into_any()
        }
        Inline::Break => view! { <br/> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_no_gaps_between_their_levels() {
        let levels = |markdown: &str| {
            let blocks = without_gaps(parse(markdown)).into_iter();
            blocks
                .filter_map(|block| if let Block::Heading(level, _) = block { Some(level) } else { None })
                .collect::<Vec<_>>()
        };
        assert_eq!(levels("### a"), [1]);
        assert_eq!(levels("# a\n### b\n## c\n### d\n# e"), [1, 2, 2, 3, 1]);
        assert!(levels("words").is_empty());
    }
}
