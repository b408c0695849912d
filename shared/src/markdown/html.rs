//! Whether somebody wrote HTML into a note, who then sees it as it is written and should know why.

use super::{Block, Inline};

/// Most characters of a tag that an error quotes.
const LONGEST: usize = 60;

/// The first tag in any text of these, such as `<b>` or `</div>`; code has none, nor is an address like
/// `<https://example.org>` one.
#[must_use]
pub fn find_html(blocks: &[Block]) -> Option<String> {
    blocks.iter().find_map(|block| match block {
        Block::Heading(_, inside) | Block::Paragraph(inside) => first_tag(inside),
        Block::List { items, .. } => items.iter().find_map(|item| find_html(item)),
        Block::Quote(inside) => find_html(inside),
        Block::Code(_) | Block::Rule => None,
    })
}

fn first_tag(inlines: &[Inline]) -> Option<String> {
    inlines.iter().find_map(|inline| match inline {
        Inline::Html(text) => text.split('<').skip(1).find_map(tag),
        Inline::Emphasis(inside) | Inline::Strong(inside) | Inline::Link { words: inside, .. } => first_tag(inside),
        Inline::Text(_) | Inline::Code(_) | Inline::Break => None,
    })
}

/// The tag that what follows a `<` makes of it.
fn tag(rest: &str) -> Option<String> {
    let (inside, _) = rest.split_once('>')?;
    let name = inside.strip_prefix('/').unwrap_or(inside);
    let is_tag =
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && !inside.contains("://") && !inside.contains('@');
    // Quotes enough of the tag to find it in the note.
    let cut = inside.char_indices().nth(LONGEST).map_or(inside.len(), |(at, _)| at);
    is_tag.then(|| if cut < inside.len() { format!("<{}…>", &inside[..cut]) } else { format!("<{inside}>") })
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn tags_are_noticed_wherever_they_are_text() {
        for (html, tag) in [
            ("<b>up</b>", "<b>"),
            ("- one\n- <img src=x>", "<img src=x>"),
            ("> *so <i>what*", "<i>"),
            ("# a</div>", "</div>"),
        ] {
            assert_eq!(find_html(&parse(html)).as_deref(), Some(tag), "{html}");
        }
        for none in
            ["a < b and c > d", "`<b>`", "```\n<b>\n```", "<https://example.org>", "1 <2> 3", "**bold**", "a <b"]
        {
            assert_eq!(find_html(&parse(none)), None, "{none}");
        }
    }
}
