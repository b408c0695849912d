//! Entity tags of board documents, which identify the edition of a board.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::keyword::{Keyword as _, keywords};

keywords! {
    /// The format of a document.
    BoardFormat {
        /// `application/json`.
        Json = "json",
        /// `application/toml`.
        Toml = "toml",
    }
}

impl BoardFormat {
    /// The content type of the format.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Toml => "application/toml",
        }
    }
}

/// The entity tag of a board, strong (RFC 9110, 8.8.3): `"0123456789abcdef0123456789abcdef"`, quotes included. If the
/// server sends a document in another format than the stored one, the tag names that format, as in
/// `"0123…cdef-json"`, since the bytes differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Etag {
    hash: u128,
    form: Option<BoardFormat>,
}

impl Etag {
    /// The tag of the document with this hash, in its stored format.
    #[must_use]
    pub fn stored(hash: u128) -> Self {
        Self { hash, form: None }
    }

    /// The tag of the same document, converted to `form`.
    #[must_use]
    pub fn rewritten(self, form: BoardFormat) -> Self {
        Self { form: Some(form), ..self }
    }

    /// Returns the stored format of a document that was sent in `form` with this tag. A tag that names a format
    /// belongs to a converted document, so the stored format is the other one.
    #[must_use]
    pub fn kept_in(&self, form: BoardFormat) -> BoardFormat {
        match (self.form, form) {
            (None, form) => form,
            (Some(_), BoardFormat::Json) => BoardFormat::Toml,
            (Some(_), BoardFormat::Toml) => BoardFormat::Json,
        }
    }

    /// Returns true if both tags are of the same edition, in any format. The page uses this to compare its document
    /// with an announced tag, and the server uses it to check `If-Match`.
    #[must_use]
    pub fn same_edition(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.form {
            None => write!(f, "\"{:032x}\"", self.hash),
            Some(form) => write!(f, "\"{:032x}-{}\"", self.hash, form.keyword()),
        }
    }
}

/// The text is not the [`Etag`] of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a board's tag is 32 lower-case hex digits in quotes, as in the header ETag")]
pub struct EtagError;

impl FromStr for Etag {
    type Err = EtagError;

    fn from_str(text: &str) -> Result<Self, EtagError> {
        // A proxy that compresses an answer weakens its tag. The tag is of the document, not of its bytes on the way.
        let text = text.strip_prefix("W/").unwrap_or(text);
        let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).ok_or(EtagError)?;
        let (hash, form) = match inner.split_once('-') {
            Some((hash, form)) => (hash, Some(BoardFormat::of(form).ok_or(EtagError)?)),
            None => (inner, None),
        };
        let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if hash.len() != 32 || !hash.bytes().all(lower_hex) {
            return Err(EtagError);
        }
        Ok(Self { hash: u128::from_str_radix(hash, 16).map_err(|_| EtagError)?, form })
    }
}

impl TryFrom<String> for Etag {
    type Error = EtagError;

    fn try_from(text: String) -> Result<Self, EtagError> {
        text.parse()
    }
}

impl From<Etag> for String {
    fn from(etag: Etag) -> Self {
        etag.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_survives_being_written_and_read_and_knows_its_edition_in_any_form() {
        let tag = Etag::stored(0x00ab);
        assert_eq!(tag.to_string(), "\"000000000000000000000000000000ab\"");
        for other in [tag, tag.rewritten(BoardFormat::Json), tag.rewritten(BoardFormat::Toml)] {
            assert_eq!(other.to_string().parse(), Ok(other));
            assert!(other.same_edition(&tag));
        }
        assert!(!Etag::stored(1).same_edition(&tag));
        assert_eq!(
            (tag.kept_in(BoardFormat::Json), tag.rewritten(BoardFormat::Json).kept_in(BoardFormat::Json)),
            (BoardFormat::Json, BoardFormat::Toml)
        );
        assert_eq!(format!("W/{tag}").parse(), Ok(tag), "weakened by a proxy");
        for text in ["", "\"", "W/", "\"ab\"", "\"000000000000000000000000000000ab-xml\""] {
            assert_eq!(text.parse::<Etag>(), Err(EtagError), "{text}");
        }
    }
}
