//! A note: Markdown shown as elements.

use leptos::prelude::document;
use shared::board::text::NoteOptions;
use shared::markdown::{Block, Inline, find_html, parse};
use web_sys::Element;

use super::frame::mistake;
use crate::part::Part;

/// Builds a note. It is made of elements one by one, so no text of it is parsed as markup.
#[must_use]
pub fn note(text: &NoteOptions) -> Part {
    let note = Part::new("div", "note").with("tabindex", "0");
    let blocks = parse(&text.markdown);
    blocks.iter().for_each(|block| put(note.element(), block));
    let told = find_html(&blocks)
        .map(|tag| mistake(&format!("markdown: HTML is no part of it, so {tag} is shown as it is written")));
    Part::new("div", "host").put_all(told).put(&note)
}

/// Appends a new element.
fn add(to: &Element, tag: &str) -> Option<Element> {
    let element = document().create_element(tag).ok()?;
    to.append_child(&element).ok()?;
    Some(element)
}

fn put(to: &Element, block: &Block) {
    // The board and each widget have headings, so those of a note start below them.
    let tag = match block {
        Block::Heading(level, _) => ["h3", "h4", "h5"][usize::from((*level).clamp(1, 3)) - 1],
        Block::Paragraph(_) => "p",
        Block::List { start: Some(_), .. } => "ol",
        Block::List { start: None, .. } => "ul",
        Block::Quote(_) => "blockquote",
        Block::Code(_) => "pre",
        Block::Rule => "hr",
    };
    let Some(element) = add(to, tag) else { return };
    match block {
        Block::Heading(_, inside) | Block::Paragraph(inside) => fill(&element, inside),
        Block::Quote(inside) => inside.iter().for_each(|block| put(&element, block)),
        Block::Code(code) => {
            if let Some(inside) = add(&element, "code") {
                inside.set_text_content(Some(code));
            }
        }
        Block::List { start, items } => {
            if let Some(start) = start {
                _ = element.set_attribute("start", &start.to_string());
            }
            for item in items {
                let Some(place) = add(&element, "li") else { continue };
                match &item[..] {
                    // A single paragraph of an item is not wrapped in `p`.
                    [Block::Paragraph(inside), rest @ ..] => {
                        fill(&place, inside);
                        rest.iter().for_each(|block| put(&place, block));
                    }
                    blocks => blocks.iter().for_each(|block| put(&place, block)),
                }
            }
        }
        Block::Rule => {}
    }
}

fn fill(to: &Element, inlines: &[Inline]) {
    for inline in inlines {
        let (tag, words) = match inline {
            // HTML is shown as text, not as markup.
            Inline::Text(text) | Inline::Html(text) => {
                _ = to.append_child(&document().create_text_node(text));
                continue;
            }
            Inline::Code(_) => ("code", &[][..]),
            Inline::Emphasis(words) => ("em", &words[..]),
            Inline::Strong(words) => ("strong", &words[..]),
            Inline::Link { words, .. } => ("a", &words[..]),
            Inline::Break => ("br", &[][..]),
        };
        let Some(element) = add(to, tag) else { continue };
        match inline {
            Inline::Code(code) => element.set_text_content(Some(code)),
            Inline::Link { address, .. } => {
                _ = element.set_attribute("href", address);
                _ = element.set_attribute("rel", "noopener noreferrer");
                _ = element.set_attribute("target", "_blank");
            }
            _ => {}
        }
        fill(&element, words);
    }
}
