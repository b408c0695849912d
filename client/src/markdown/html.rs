//! Whether somebody wrote HTML into a note, who then sees it as it is written and should know why.

use super::{Block, Inline};

/// Whether any text of these has a tag in it, such as `<b>` or `</div>`; code has not, nor has an address like
/// `<https://example.org>`.
#[must_use]
pub fn has_html(blocks: &[Block]) -> bool {
    blocks.iter().any(|block| match block {
        Block::Heading(_, inside) | Block::Paragraph(inside) => any_tag(inside),
        Block::List { items, .. } => items.iter().any(|item| has_html(item)),
        Block::Quote(inside) => has_html(inside),
        Block::Code(_) | Block::Rule => false,
    })
}

fn any_tag(inlines: &[Inline]) -> bool {
    inlines.iter().any(|inline| match inline {
        Inline::Text(text) => text.split('<').skip(1).any(is_tag),
        Inline::Emphasis(inside) | Inline::Strong(inside) | Inline::Link { words: inside, .. } => any_tag(inside),
        Inline::Code(_) | Inline::Break => false,
    })
}

/// Whether what follows a `<` makes a tag of it.
fn is_tag(rest: &str) -> bool {
    let name = rest.strip_prefix('/').unwrap_or(rest);
    let inside = rest.split_once('>').map(|(inside, _)| inside);
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && inside.is_some_and(|inside| !inside.contains("://") && !inside.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn tags_are_noticed_wherever_they_are_text() {
        for html in ["<b>up</b>", "- one\n- <img src=x>", "> *so <i>what*", "# a</div>"] {
            assert!(has_html(&parse(html)), "{html}");
        }
        for none in ["a < b and c > d", "`<b>`", "```\n<b>\n```", "<https://example.org>", "1 <2> 3", "**bold**"] {
            assert!(!has_html(&parse(none)), "{none}");
        }
    }
}
