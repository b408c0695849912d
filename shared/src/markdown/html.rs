//! Finds HTML in a note. The page shows HTML as written, so the author gets a warning that explains it.

use super::{Block, Inline};

/// The most characters of a tag that a warning quotes.
const LONGEST: usize = 60;

/// Returns the first tag in the text of these blocks, such as `<b>` or `</div>`. Ignores code, and addresses such as
/// `<https://example.org>`.
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

/// Returns the tag that `rest`, the text after a `<`, begins with.
fn tag(rest: &str) -> Option<String> {
    let (inside, _) = rest.split_once('>')?;
    let name = inside.strip_prefix('/').unwrap_or(inside);
    let is_tag =
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && !inside.contains("://") && !inside.contains('@');
    // Quotes enough of the tag for the author to find it in the note.
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
