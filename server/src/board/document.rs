//! A board's document: its text, kept byte for byte, and the board that was read from it.

use serde_json::Value;
use shared::board::document::MAX_DOCUMENT;
use shared::board::{BoardFormat, Etag};
use shared::problem::FieldError;
use shared::{Board, BoardId, Selector};

use super::rewrite::rewrite;
use crate::log::entry::tag_of;

/// A valid document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    form: BoardFormat,
    source: String,
    board: Board,
    etag: Etag,
}

/// Reason why a text is not a valid document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is too long.
    #[error("the document has over {MAX_DOCUMENT} bytes")]
    TooLarge,
    /// It is not valid JSON or TOML.
    #[error("{0}")]
    Broken(String),
    /// It is valid JSON or TOML, but not a valid board.
    #[error("{} mistakes", .0.len())]
    Mistakes(Vec<FieldError>),
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// [`DocumentError`], with all mistakes.
    pub fn read(form: BoardFormat, source: Vec<u8>) -> Result<Self, DocumentError> {
        if source.len() > MAX_DOCUMENT {
            return Err(DocumentError::TooLarge);
        }
        let source = String::from_utf8(source).map_err(|error| DocumentError::Broken(format!("no UTF-8: {error}")))?;
        let board = Board::read(&parse(form, &source)?).strict().map_err(DocumentError::Mistakes)?;
        Ok(Self { etag: tag_of(form, &source), form, source, board })
    }

    /// Reads a document that was valid when it was stored, perhaps by another version of the program. Parts that this
    /// version does not understand are left out.
    #[must_use]
    pub fn restore(form: BoardFormat, source: String) -> Self {
        let board = parse(form, &source).map(|value| Board::read(&value).board).unwrap_or_default();
        Self { etag: tag_of(form, &source), form, source, board }
    }

    /// The form in which it is written.
    #[must_use]
    pub fn form(&self) -> BoardFormat {
        self.form
    }

    /// Its text.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The board that was read from it.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Its tag, in its own form.
    #[must_use]
    pub fn etag(&self) -> Etag {
        self.etag
    }

    /// Converts it to another form; returns it unchanged where that is already its own form.
    ///
    /// # Errors
    /// [`DocumentError::TooLarge`] where it is too long in that form.
    pub fn stored_in(self, form: BoardFormat) -> Result<Self, DocumentError> {
        if form == self.form { Ok(self) } else { Self::read(form, self.written_in(form).1.into_bytes()) }
    }

    /// Writes this board into the text of `kept`, changing it only where the content differs, so that the author of
    /// `kept` keeps their comments. `None` where `kept` is not TOML, or where [`rewrite`] does not support the change.
    ///
    /// # Panics
    /// Never: a board is always JSON.
    #[must_use]
    pub fn changed_in(&self, kept: &Self) -> Option<Self> {
        if kept.form != BoardFormat::Toml {
            return None;
        }
        let [old, new] = [kept, self].map(|document| serde_json::to_value(&document.board).expect("a board is JSON"));
        let text = rewrite(&kept.source, &old, &new)?;
        Self::read(BoardFormat::Toml, text.into()).ok().filter(|changed| changed.board == self.board)
    }

    /// Returns its text in `form` and the tag of that text. In its own form, these are the original bytes.
    ///
    /// # Panics
    /// Never: all keys of a board are texts, and its numbers are finite.
    #[must_use]
    pub fn written_in(&self, form: BoardFormat) -> (Etag, String) {
        if form == self.form {
            return (self.etag, self.source.clone());
        }
        let text = match form {
            BoardFormat::Json => serde_json::to_string_pretty(&self.board).expect("a board is always JSON") + "\n",
            BoardFormat::Toml => toml::to_string_pretty(&self.board).expect("a board is always TOML"),
        };
        (self.etag.rewritten(form), text)
    }
}

/// Returns the selectors of a board: those in its document, or all series under its name where it has none.
#[must_use]
pub fn selectors(id: &BoardId, document: Option<&Document>) -> Vec<Selector> {
    document.map_or_else(|| vec![id.selector()], |document| document.board.selectors())
}

fn parse(form: BoardFormat, source: &str) -> Result<Value, DocumentError> {
    match form {
        BoardFormat::Json => {
            serde_json::from_str(source).map_err(|error| DocumentError::Broken(format!("broken JSON: {error}")))
        }
        BoardFormat::Toml => {
            toml::from_str::<toml::Table>(source).map(|table| json(toml::Value::Table(table))).map_err(|error| {
                let start = error.span().map_or(0, |span| span.start.min(source.len()));
                let line = 1 + source.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count();
                DocumentError::Broken(format!("broken TOML: {} at line {line}", error.message().replace('\n', ", ")))
            })
        }
    }
}

/// Converts TOML to JSON. Values that JSON does not have (dates, infinity) become texts, which are never valid as a
/// number of a board.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) if number.is_finite() => number.into(),
        toml::Value::Float(number) => number.to_string().into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(list) => list.into_iter().map(json).collect(),
        toml::Value::Table(table) => Value::Object(table.into_iter().map(|(key, value)| (key, json(value))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str = r#"
        # A comment that must not be lost.
        title = "Shop"
        range = "6h"

        [[widgets]]
        id = "latency"
        type = "line"
        series = ["shop/*/latency_ms"]
        thresholds = [{ above = 250, level = "warn" }]
        place = { x = 0, y = 0, w = 8, h = 4 }

        [[widgets]]
        id = "up"
        type = "states"
        series = ["shop/up"]
        colours = { up = "green", "going down" = "red" }
    "#;

    fn read(form: BoardFormat, source: &str) -> Result<Document, DocumentError> {
        Document::read(form, source.as_bytes().to_vec())
    }

    #[test]
    fn a_document_is_given_out_as_it_was_written_and_means_the_same_in_the_other_form() {
        let document = read(BoardFormat::Toml, TOML).unwrap();
        assert_eq!(document.written_in(BoardFormat::Toml), (document.etag(), TOML.to_owned()));
        let (tag, json) = document.written_in(BoardFormat::Json);
        assert_ne!(tag, document.etag());
        assert!(tag.same_edition(&document.etag()));
        let again = read(BoardFormat::Json, &json).unwrap();
        assert_eq!(again.board(), document.board());
        let (_, toml) = again.written_in(BoardFormat::Toml);
        assert_eq!(read(BoardFormat::Toml, &toml).unwrap().board(), document.board());
    }

    #[test]
    fn a_document_that_comes_in_one_form_can_be_stored_in_the_other() {
        let json = read(BoardFormat::Toml, TOML).unwrap().written_in(BoardFormat::Json).1;
        let stored = read(BoardFormat::Json, &json).unwrap().stored_in(BoardFormat::Toml).unwrap();
        assert_eq!(
            (stored.form(), stored.board()),
            (BoardFormat::Toml, read(BoardFormat::Toml, TOML).unwrap().board())
        );
        assert!(stored.source().contains("[[widgets]]"), "{}", stored.source());
        let same = read(BoardFormat::Toml, TOML).unwrap().stored_in(BoardFormat::Toml).unwrap();
        assert_eq!(same.source(), TOML, "not a byte of its own form is touched");
    }

    #[test]
    fn another_text_or_another_form_is_another_edition() {
        let a = read(BoardFormat::Toml, "").unwrap().etag();
        assert_eq!(read(BoardFormat::Toml, "").unwrap().etag(), a);
        assert!(!read(BoardFormat::Toml, " ").unwrap().etag().same_edition(&a));
    }

    #[test]
    fn what_is_broken_is_told_with_its_line_and_what_is_wrong_with_its_place() {
        let broken = |form, source: &str| match read(form, source) {
            Err(DocumentError::Broken(message)) => message,
            other => panic!("{other:?}"),
        };
        assert!(broken(BoardFormat::Toml, "title = \"a\"\nrange = ").contains("at line 2"));
        assert!(broken(BoardFormat::Json, "{\n\"title\":}").contains("at line 2"));
        assert!(broken(BoardFormat::Json, &"[".repeat(10_000)).contains("recursion limit"));
        assert!(broken(BoardFormat::Toml, &format!("a = {}", "[".repeat(10_000))).contains("line 1"));
        let Err(DocumentError::Mistakes(mistakes)) = read(BoardFormat::Toml, "columns = inf\nrange = 2026-01-01")
        else {
            panic!("neither is valid")
        };
        assert_eq!(mistakes.len(), 2);
        assert_eq!(mistakes[0].got, "\"inf\"");
        assert_eq!(read(BoardFormat::Toml, &" ".repeat(MAX_DOCUMENT + 1)), Err(DocumentError::TooLarge));
    }

    #[test]
    fn what_a_later_version_stored_is_shown_as_far_as_it_is_known() {
        let source = TOML.replace("\"line\"", "\"hologram\"");
        let document = Document::restore(BoardFormat::Toml, source.clone());
        assert_eq!((document.board().widgets.len(), document.source()), (1, source.as_str()));
    }
}
