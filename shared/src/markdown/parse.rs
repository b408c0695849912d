//! Parses a text into the values of a note.

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Parser, Tag};

use super::tree::{Block, Inline};

/// The deepest nesting of blocks, and of inlines inside a block. Deeper text is added to the deepest element.
const DEEPEST: usize = 8;

/// The most blocks and inlines of a note. Later text is added to the last one.
const MOST_NODES: usize = 10_000;

/// The most quotes and lists that a line may begin. A note with more in a line is shown as written, because the
/// parser's time for each line grows with the number of open ones.
const MOST_MARKERS: usize = 64;

/// Parses a note. Never fails: anything without a meaning in Markdown is text.
#[must_use]
pub fn parse(text: &str) -> Vec<Block> {
    if text.lines().any(|line| markers(line) > MOST_MARKERS) {
        return vec![Block::Paragraph(vec![Inline::Text(text.trim().to_owned())])];
    }
    let mut builder = Builder { text, stack: vec![Frame::Blocks(Vec::new(), Of::Note)], nodes: 0, skipped: 0 };
    for (event, range) in Parser::new(text).into_offset_iter() {
        builder.take(event, range);
    }
    builder.finish()
}

/// Counts the quotes and lists that a line begins. A rule such as `* * *` begins none.
fn markers(line: &str) -> usize {
    let (mut rest, mut count) = (line.as_bytes(), 0);
    loop {
        let digits = rest.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
        rest = match (&rest[digits..], digits) {
            ([b' ' | b'\t', after @ ..], 0) => after,
            ([b'>', after @ ..] | [b'-' | b'+' | b'*', b' ' | b'\t', after @ ..], 0)
            | ([b'.' | b')', b' ' | b'\t', after @ ..], 1..) => {
                count += 1;
                after
            }
            _ => break,
        };
    }
    let is_rule = |sign: char| line.chars().all(|c| c == sign || c == ' ' || c == '\t');
    if is_rule('-') || is_rule('*') { 0 } else { count }
}

/// An open element.
enum Frame {
    /// Blocks below each other.
    Blocks(Vec<Block>, Of),
    /// The items of a list.
    Items { start: Option<u32>, items: Vec<Vec<Block>> },
    /// A block of words.
    Words(Vec<Inline>, Line),
    /// Words inside a line.
    Inlines(Vec<Inline>, Wrap),
    /// The text of a block of code.
    Code(String),
    /// A number of nested starts that get no element, since they are too deep or too many.
    Ignored(usize),
}

/// The owner of a list of blocks.
enum Of {
    Note,
    Quote,
    Item,
}

/// A kind of block of words.
enum Line {
    Heading(u8),
    Paragraph,
    /// Words of an item or a quote without a paragraph. The next block ends it.
    Implied,
}

/// A kind of element inside a line.
enum Wrap {
    Emphasis,
    Strong,
    Link(String),
}

struct Builder<'a> {
    text: &'a str,
    /// The open elements. The first one is the note.
    stack: Vec<Frame>,
    nodes: usize,
    /// The number of open starts inside a link that is shown as written.
    skipped: usize,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        if self.skipped > 0 {
            match event {
                Event::Start(_) => self.skipped += 1,
                Event::End(_) => self.skipped -= 1,
                _ => {}
            }
            return;
        }
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(end) => {
                let end_of_block = !matches!(
                    end,
                    pulldown_cmark::TagEnd::Emphasis
                        | pulldown_cmark::TagEnd::Strong
                        | pulldown_cmark::TagEnd::Link
                        | pulldown_cmark::TagEnd::Image
                );
                if end_of_block {
                    self.end_implied();
                }
                self.end();
            }
            Event::Text(text) => match self.stack.last_mut() {
                Some(Frame::Code(code)) => code.push_str(&text),
                _ => self.words(&text, Inline::Text),
            },
            Event::Html(html) | Event::InlineHtml(html) => self.words(&html, Inline::Html),
            Event::SoftBreak => self.words("\n", Inline::Text),
            Event::Code(code) => self.inline(Inline::Code(code.into_string()), |inline| match inline {
                Inline::Code(code) => code,
                _ => String::new(),
            }),
            Event::HardBreak => self.inline(Inline::Break, |_| "\n".to_owned()),
            Event::Rule => {
                self.end_implied();
                if self.has_room() {
                    self.block(Block::Rule);
                }
            }
            // Events of extensions that are off.
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.words(&text, Inline::Text);
            }
            Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        let frame = match tag {
            Tag::Emphasis => Frame::Inlines(Vec::new(), Wrap::Emphasis),
            Tag::Strong => Frame::Inlines(Vec::new(), Wrap::Strong),
            Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. } => {
                let written = self.text.get(range).unwrap_or_default();
                let address =
                    if link_type == LinkType::Email { format!("mailto:{dest_url}") } else { dest_url.into_string() };
                if !leads_outside(&address) {
                    self.skipped = 1;
                    return self.words(written, Inline::Text);
                }
                // An image is shown as its words, with a `!` before them.
                if written.starts_with('!') {
                    self.words("!", Inline::Text);
                }
                Frame::Inlines(Vec::new(), Wrap::Link(address))
            }
            Tag::Heading { level, .. } => Frame::Words(Vec::new(), Line::Heading(level as u8)),
            Tag::BlockQuote(_) => Frame::Blocks(Vec::new(), Of::Quote),
            Tag::CodeBlock(_) => Frame::Code(String::new()),
            Tag::List(start) => {
                let start = start.map(|start| u32::try_from(start).unwrap_or(u32::MAX));
                Frame::Items { start, items: Vec::new() }
            }
            Tag::Item => Frame::Blocks(Vec::new(), Of::Item),
            // Tables, footnotes and the like are extensions that are off.
            _ => Frame::Words(Vec::new(), Line::Paragraph),
        };
        let is_inline = matches!(frame, Frame::Inlines(..));
        if is_inline {
            self.imply_paragraph();
        } else {
            self.end_implied();
        }
        let nests = !matches!(frame, Frame::Words(..) | Frame::Code(_));
        if self.has_room() && self.is_at_home(&frame) && !(nests && self.depth(is_inline) >= DEEPEST) {
            self.nodes += 1;
            self.stack.push(frame);
        } else if let Some(Frame::Ignored(count)) = self.stack.last_mut() {
            *count += 1;
        } else {
            self.stack.push(Frame::Ignored(1));
        }
    }

    /// Returns true if the frame may be inside the present one. An item of an ignored list may not, nor may a block
    /// inside words.
    fn is_at_home(&self, frame: &Frame) -> bool {
        let inside = self.stack.iter().rev().find(|frame| !matches!(frame, Frame::Ignored(_)));
        match frame {
            Frame::Inlines(..) => matches!(inside, Some(Frame::Words(..) | Frame::Inlines(..))),
            Frame::Blocks(_, Of::Item) => matches!(self.stack.last(), Some(Frame::Items { .. })),
            _ => matches!(inside, Some(Frame::Blocks(..))),
        }
    }

    fn has_room(&self) -> bool {
        self.nodes < MOST_NODES
    }

    /// Counts the open inlines, or the open quotes and lists.
    fn depth(&self, inline: bool) -> usize {
        let counts = |frame: &&Frame| match frame {
            Frame::Inlines(..) => inline,
            Frame::Items { .. } | Frame::Blocks(_, Of::Quote) => !inline,
            _ => false,
        };
        self.stack.iter().filter(counts).count()
    }

    /// Closes the innermost frame.
    fn end(&mut self) {
        // The first frame is the note, which only the end of the text closes.
        if self.stack.len() < 2 {
            return;
        }
        match self.stack.pop() {
            Some(Frame::Words(words, line)) => self.block(match line {
                Line::Heading(level) => Block::Heading(level, trimmed(words)),
                Line::Paragraph | Line::Implied => Block::Paragraph(trimmed(words)),
            }),
            Some(Frame::Code(mut code)) => {
                // The last line end is not part of the code.
                if code.ends_with('\n') {
                    code.pop();
                }
                self.block(Block::Code(code));
            }
            Some(Frame::Items { start, items }) => self.block(Block::List { start, items }),
            Some(Frame::Blocks(blocks, Of::Item)) => {
                if let Some(Frame::Items { items, .. }) = self.stack.last_mut() {
                    items.push(blocks);
                }
            }
            Some(Frame::Blocks(blocks, _)) => self.block(Block::Quote(blocks)),
            Some(Frame::Inlines(words, wrap)) => {
                let inline = match wrap {
                    Wrap::Emphasis => Inline::Emphasis(words),
                    Wrap::Strong => Inline::Strong(words),
                    Wrap::Link(address) => Inline::Link { address, words },
                };
                if let Some(line) = self.line() {
                    line.push(inline);
                }
            }
            Some(Frame::Ignored(count)) if count > 1 => self.stack.push(Frame::Ignored(count - 1)),
            Some(Frame::Ignored(_)) | None => {}
        }
    }

    fn block(&mut self, block: Block) {
        let has_room = self.has_room();
        let inside = self.stack.iter_mut().rev().find_map(|frame| match frame {
            Frame::Blocks(blocks, _) => Some(blocks),
            _ => None,
        });
        let Some(blocks) = inside else { return };
        match (block, blocks.last_mut()) {
            (Block::Paragraph(words), Some(Block::Paragraph(last))) if !has_room => {
                words.into_iter().for_each(|word| append(last, word));
            }
            (block, _) => {
                self.nodes += 1;
                blocks.push(block);
            }
        }
    }

    /// Adds words to the open line; text after text is joined to it.
    fn words(&mut self, text: &str, wrap: impl Fn(String) -> Inline) {
        self.imply_paragraph();
        let has_room = self.has_room();
        let Some(line) = self.line() else { return };
        match (wrap(String::new()), line.last_mut()) {
            (Inline::Text(_), Some(Inline::Text(last))) | (Inline::Html(_), Some(Inline::Html(last))) => {
                last.push_str(text);
            }
            (_, Some(Inline::Text(last) | Inline::Html(last))) if !has_room => last.push_str(text),
            _ => {
                line.push(wrap(text.to_owned()));
                self.nodes += 1;
            }
        }
    }

    /// Adds an inline without words inside; only its text if there is no room for it.
    fn inline(&mut self, inline: Inline, text: impl Fn(Inline) -> String) {
        if !self.has_room() {
            return self.words(&text(inline), Inline::Text);
        }
        self.imply_paragraph();
        if let Some(line) = self.line() {
            line.push(inline);
            self.nodes += 1;
        }
    }

    /// Returns the open line.
    fn line(&mut self) -> Option<&mut Vec<Inline>> {
        self.stack.iter_mut().rev().find_map(|frame| match frame {
            Frame::Words(words, _) | Frame::Inlines(words, _) => Some(Some(words)),
            Frame::Ignored(_) => None,
            _ => Some(None),
        })?
    }

    /// Opens a paragraph for words that have none: those of a short item, or of an ignored block.
    fn imply_paragraph(&mut self) {
        if self.line().is_none() {
            self.stack.push(Frame::Words(Vec::new(), Line::Implied));
        }
    }

    /// Closes an implied paragraph.
    fn end_implied(&mut self) {
        if matches!(self.stack.last(), Some(Frame::Words(_, Line::Implied))) {
            self.end();
        }
    }

    fn finish(mut self) -> Vec<Block> {
        while self.stack.len() > 1 {
            self.end();
        }
        match self.stack.pop() {
            Some(Frame::Blocks(blocks, _)) => blocks,
            _ => Vec::new(),
        }
    }
}

/// Adds words to a paragraph, on a line of their own.
fn append(words: &mut Vec<Inline>, word: Inline) {
    match (words.last_mut(), word) {
        (Some(Inline::Text(last) | Inline::Html(last)), Inline::Text(text) | Inline::Html(text)) => {
            last.push('\n');
            last.push_str(&text);
        }
        (_, word) => words.push(word),
    }
}

/// Removes the line ends after the last word, which HTML has.
fn trimmed(mut words: Vec<Inline>) -> Vec<Inline> {
    if let Some(Inline::Text(last) | Inline::Html(last)) = words.last_mut() {
        last.truncate(last.trim_end_matches('\n').len());
    }
    words
}

/// Returns true if following the address cannot harm this page: it is no script, no data, and nothing of this server.
fn leads_outside(address: &str) -> bool {
    let begins = |scheme: &str| address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    ["https://", "http://", "mailto:"].into_iter().any(begins) && !address.contains(|c: char| c.is_control())
}

// The random source of proptest does not build for the browser.
#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests;
