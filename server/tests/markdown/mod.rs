//! Reads the code blocks, headings and links of a Markdown document.

#![expect(clippy::unwrap_used, reason = "a test's helpers")]

use std::path::{Path, PathBuf};

/// A fenced code block.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// The line of its opening fence, counted from 1.
    pub(crate) line: usize,
    /// The first word after the fence, such as `sh`.
    pub(crate) language: String,
    /// The other words after the fence, such as `no-test: needs root`.
    pub(crate) marks: String,
    pub(crate) text: String,
}

impl Block {
    /// Returns the file that the block is written to: the mark `file=NAME`, or the name in a comment on the first line of TOML,
    /// such as `# shop.toml`.
    pub(crate) fn file_name(&self) -> Option<&str> {
        let comment = || self.text.lines().next()?.strip_prefix("# ").filter(|_| self.language == "toml");
        let name = self.marks.strip_prefix("file=").or_else(comment)?;
        (name.contains('.') && !name.contains([' ', '/'])).then_some(name)
    }
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Returns all documents for users and contributors, relative to [`root`].
pub(crate) fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in [".", "docs", "examples"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = Path::new(folder).join(entry.unwrap().file_name());
            if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path.strip_prefix(".").unwrap_or(&path).to_owned());
            }
        }
    }
    found.sort();
    found
}

/// Returns the text of a document.
pub(crate) fn read(document: &Path) -> String {
    std::fs::read_to_string(root().join(document)).unwrap()
}

/// Returns the code blocks of a text, in order.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(info), None) => {
                let (language, marks) = info.split_once(' ').unwrap_or((info, ""));
                let (language, marks) = (language.to_owned(), marks.trim().to_owned());
                open = Some(Block { line: index + 1, language, marks, text: String::new() });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a code block has no end: {open:?}");
    blocks
}

/// Returns the lines outside of code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        inside ^= is_fence;
        !inside && !is_fence
    })
}

/// Returns the targets of all links and pictures.
pub(crate) fn links(text: &str) -> Vec<String> {
    prose(text)
        .flat_map(|line| line.split("](").skip(1))
        .map(|rest| rest.split_once(')').map_or(rest, |(target, _)| target).to_owned())
        .collect()
}

/// Returns the anchors of all headings, as code hosts derive them.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    let headings =
        prose(text).filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')));
    headings
        .map(|heading| {
            let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.collect::<String>().to_lowercase().replace(' ', "-")
        })
        .collect()
}
