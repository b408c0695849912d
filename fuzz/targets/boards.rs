//! Fuzz targets for board documents and the notes in them.

use pulseboard::board::Document;
use shared::board::BoardFormat;
use shared::markdown;

/// A JSON document is equal after it is converted to TOML.
pub fn json(bytes: &[u8]) {
    document(BoardFormat::Json, bytes);
}

/// A TOML document is equal after it is converted to JSON.
pub fn toml(bytes: &[u8]) {
    document(BoardFormat::Toml, bytes);
}

fn document(form: BoardFormat, bytes: &[u8]) {
    if let Ok(text) = String::from_utf8(bytes.to_vec()) {
        // Any text in the database must be restored without a failure.
        let restored = Document::restore(form, text.clone());
        assert_eq!(restored.source(), text);
    }
    let Ok(read) = Document::read(form, bytes.to_vec()) else { return };
    let other = if form == BoardFormat::Json { BoardFormat::Toml } else { BoardFormat::Json };
    let (_, text) = read.written_in(other);
    let again = Document::read(other, text.into_bytes()).expect("what is written is a board");
    assert_eq!(again.board(), read.board());
}

/// The input is a TOML text, a zero byte and a JSON document. The text is edited so that it describes the JSON
/// document.
pub fn rewrite(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |&byte| byte == 0);
    let (Some(old), Some(new)) = (parts.next(), parts.next()) else { return };
    let Ok(kept) = Document::read(BoardFormat::Toml, old.to_vec()) else { return };
    let Ok(new) = Document::read(BoardFormat::Json, new.to_vec()) else { return };
    if let Some(changed) = new.changed_in(&kept) {
        assert_eq!(changed.board(), new.board());
    }
    // Editing to the same content changes nothing, except that mixed line ends become equal.
    let (_, text) = kept.written_in(BoardFormat::Json);
    let same = Document::read(BoardFormat::Json, text.into_bytes()).expect("what is written is a board");
    if let Some(changed) = same.changed_in(&kept) {
        assert_eq!(changed.source().replace("\r\n", "\n"), kept.source().replace("\r\n", "\n"));
    }
}

/// Notes are parsed to bounded depth and size, and the search for HTML accepts the result.
pub fn markdown(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let blocks = markdown::parse(text);
    let _found = markdown::find_html(&blocks);
    assert!(format!("{blocks:?}").len() <= 2_048 + 512 * text.len(), "an answer of unbounded size");
}
