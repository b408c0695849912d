//! Series names, the selectors that match them, and board ids.
//!
//! All three are parsed where they enter the program and are valid from then on. Parsing also converts them to normal
//! form C (NFC), so that a name is the same however its sender composes its letters.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::unicode::{is_letter_mark_or_digit, nfc};

/// The most segments of a name.
pub const MAX_SEGMENTS: usize = 8;
/// The most characters of a segment.
pub const MAX_SEGMENT_LEN: usize = 64;
/// The most bytes of a segment: a character has at most four.
pub const MAX_SEGMENT_BYTES: usize = 4 * MAX_SEGMENT_LEN;

/// The reason why a text is not a [`SeriesName`], [`Selector`] or [`BoardId`]. Each message says what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty, or there is nothing between two slashes.
    #[error("segment {0} is empty; write segments joined by single slashes, like ops/api/latency_ms")]
    EmptySegment(usize),
    /// More than [`MAX_SEGMENTS`] segments.
    #[error("it has {0} segments; at most {MAX_SEGMENTS} are allowed")]
    TooManySegments(usize),
    /// A segment of more than [`MAX_SEGMENT_LEN`] characters.
    #[error("segment {at} is {len} characters long; at most {MAX_SEGMENT_LEN} are allowed")]
    SegmentTooLong {
        /// The number of the segment, from 1.
        at: usize,
        /// Its length in characters.
        len: usize,
    },
    /// A character that is not a letter, mark or digit of any script, nor one of `_.:-`.
    #[error(
        "segment {at} has the character {found:?}; allowed are letters, marks and digits of any script and _ . : -"
    )]
    BadCharacter {
        /// The number of the segment, from 1.
        at: usize,
        /// The first character that is not allowed.
        found: char,
    },
    /// A segment `.` or `..`, which browsers and proxies would resolve as a path.
    #[error("segment {0} is . or .., which browsers and proxies would drop from the address; use another word")]
    DotSegment(usize),
    /// `**` before the last segment of a selector.
    #[error("** stands for all the rest, so it can only be the last segment")]
    RestNotLast,
    /// A slash in a board id.
    #[error("the name of a board is a single segment, without slashes")]
    NotOneSegment,
}

/// Returns true if a name can have the character: a letter, a mark or a digit of any script, or one of `_.:-`.
#[must_use]
pub fn is_allowed(character: char) -> bool {
    matches!(character, '_' | '.' | ':' | '-') || is_letter_mark_or_digit(character)
}

/// Checks a segment that is in normal form C.
pub(crate) fn check_segment(at: usize, segment: &str) -> Result<(), NameError> {
    if segment.is_empty() {
        return Err(NameError::EmptySegment(at));
    }
    if let Some(found) = segment.chars().find(|&c| !is_allowed(c)) {
        return Err(NameError::BadCharacter { at, found });
    }
    if segment.len() > MAX_SEGMENT_LEN {
        let len = segment.chars().count();
        if len > MAX_SEGMENT_LEN {
            return Err(NameError::SegmentTooLong { at, len });
        }
    }
    if segment == "." || segment == ".." {
        return Err(NameError::DotSegment(at));
    }
    Ok(())
}

/// Checks the beginning of a segment, which may be empty.
pub(crate) fn check_prefix(prefix: &str) -> Result<(), NameError> {
    if let Some(found) = prefix.chars().find(|&c| !is_allowed(c)) {
        return Err(NameError::BadCharacter { at: 1, found });
    }
    let len = prefix.chars().count();
    if len > MAX_SEGMENT_LEN { Err(NameError::SegmentTooLong { at: 1, len }) } else { Ok(()) }
}

fn check_count(count: usize) -> Result<(), NameError> {
    if count > MAX_SEGMENTS { Err(NameError::TooManySegments(count)) } else { Ok(()) }
}

/// The name of a series: 1 to 8 segments joined by `/`, each of 1 to 64 letters, marks and digits of any script or
/// `_.:-`, in normal form C, such as `ops/api/latency_ms` or `haus/küche/temp`.
///
/// Cloning is cheap: the text is shared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct SeriesName(Arc<str>);

impl SeriesName {
    /// The name in normal form C.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments, first to last.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The automatic board that shows this series: its id is the first segment.
    #[must_use]
    pub fn home_board(&self) -> BoardId {
        BoardId(self.segments().next().unwrap_or_default().into())
    }

    /// The name without its first segment, which is the board's id; the whole name if it has one segment only.
    #[must_use]
    pub fn within_board(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(_, rest)| rest)
    }
}

impl Borrow<str> for SeriesName {
    /// Allows lookups by `&str` in maps of names, without allocating a name.
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for SeriesName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        check_count(text.split('/').count())?;
        let text = nfc(text);
        for (at, segment) in (1..).zip(text.split('/')) {
            check_segment(at, segment)?;
        }
        Ok(Self(text.into()))
    }
}

/// A pattern of series names, in which `*` stands for one segment and a final `**` for any number of segments,
/// including none.
///
/// So `ops/**` selects `ops`, `ops/temp` and `ops/api/latency_ms`, while `ops/*` selects only the second.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Selector(Arc<str>);

impl Selector {
    /// The selector in normal form C.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments before the first star, without a slash at the end; without stars, the whole selector. Every
    /// selected name equals the stem, or continues it with a slash.
    #[must_use]
    pub fn stem(&self) -> &str {
        let stem = self.0.split('*').next().unwrap_or_default();
        stem.strip_suffix('/').unwrap_or(stem)
    }

    /// Iterates over the segments from first to last, including `*` and `**`.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// Joins segments of valid selectors.
    pub(crate) fn of_segments(segments: &[&str]) -> Self {
        Self(segments.join("/").into())
    }

    /// Returns true if the selector matches `name`.
    #[must_use]
    pub fn matches(&self, name: &SeriesName) -> bool {
        self.matches_text(name.as_str())
    }

    /// Returns true if the selector matches `name`, a valid name in normal form C.
    pub(crate) fn matches_text(&self, name: &str) -> bool {
        let mut names = name.split('/');
        for wanted in self.0.split('/') {
            if wanted == "**" {
                return true;
            }
            match names.next() {
                Some(segment) if wanted == "*" || wanted == segment => {}
                _ => return false,
            }
        }
        names.next().is_none()
    }
}

impl FromStr for Selector {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let count = text.split('/').count();
        check_count(count)?;
        let text = nfc(text);
        for (at, segment) in (1..).zip(text.split('/')) {
            match segment {
                "*" => {}
                "**" if at == count => {}
                "**" => return Err(NameError::RestNotLast),
                _ => check_segment(at, segment)?,
            }
        }
        Ok(Self(text.into()))
    }
}

/// The id of a board: one segment of a [`SeriesName`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct BoardId(Arc<str>);

impl BoardId {
    /// The id in normal form C.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The selector of the automatic board: all series under its id.
    #[must_use]
    pub fn selector(&self) -> Selector {
        Selector(format!("{}/**", self.0).into())
    }
}

impl FromStr for BoardId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.contains('/') {
            return Err(NameError::NotOneSegment);
        }
        let text = nfc(text);
        check_segment(1, &text)?;
        Ok(Self(text.into()))
    }
}

macro_rules! text_like {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }
    )*};
}
text_like!(SeriesName, Selector, BoardId);

impl From<&SeriesName> for Selector {
    /// The selector that matches exactly this series.
    fn from(name: &SeriesName) -> Self {
        Self(Arc::clone(&name.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> SeriesName {
        text.parse().unwrap()
    }

    fn selector(text: &str) -> Selector {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_says_which_segment_is_wrong_and_why() {
        let error = |text: &str| text.parse::<SeriesName>().unwrap_err();
        assert_eq!(error(""), NameError::EmptySegment(1));
        assert_eq!(error("ops//temp"), NameError::EmptySegment(2));
        assert_eq!(error("ops/"), NameError::EmptySegment(2));
        assert_eq!(error("ops/t→mp"), NameError::BadCharacter { at: 2, found: '→' });
        assert_eq!(error("ops/ta\u{308} mp"), NameError::BadCharacter { at: 2, found: ' ' });
        assert_eq!(error("ops/*"), NameError::BadCharacter { at: 2, found: '*' });
        assert_eq!(error("ops/.."), NameError::DotSegment(2));
        assert_eq!(error("1/2/3/4/5/6/7/8/9"), NameError::TooManySegments(9));
        assert_eq!(error(&"x".repeat(65)), NameError::SegmentTooLong { at: 1, len: 65 });
        assert!("1/2/3/4/5/6/7/8".parse::<SeriesName>().is_ok());
        assert!("x".repeat(64).parse::<SeriesName>().is_ok());
        assert!("東".repeat(64).parse::<SeriesName>().is_ok(), "characters count, not bytes");
        assert_eq!(error(&"東".repeat(65)), NameError::SegmentTooLong { at: 1, len: 65 });
        assert!("u\u{308}".repeat(64).parse::<SeriesName>().is_ok(), "characters count as they are kept");
    }

    #[test]
    fn letters_of_every_script_make_a_name_and_its_composition_does_not_matter() {
        for text in ["haus/küche/temp", "weather/東京/t", "погода/москва", "मौसम/दिल्ली", "طقس/٣", "날씨/서울"]
        {
            assert_eq!(name(text).as_str(), text);
            assert!(selector(text).matches(&name(text)));
        }
        let (composed, apart) = ("haus/küche/*", "haus/ku\u{308}che/*");
        assert_eq!(selector(composed), selector(apart));
        assert!(selector(apart).matches(&name("haus/ku\u{308}che/temp")));
        assert_eq!("ku\u{308}che".parse::<BoardId>().unwrap().as_str(), "küche");
    }

    #[test]
    fn a_star_stands_for_one_segment_and_two_for_any_rest() {
        for (wanted, hit, miss) in [
            ("ops/temp", &["ops/temp"][..], &["ops", "ops/temp/a", "ops/tem"][..]),
            ("ops/*", &["ops/temp"], &["ops", "ops/a/b", "dev/temp"]),
            ("*/temp", &["ops/temp"], &["temp", "ops/temp/x"]),
            ("ops/**", &["ops", "ops/a", "ops/a/b"], &["opsy", "dev/ops"]),
            ("**", &["a", "a/b/c"], &[]),
        ] {
            for n in hit {
                assert!(selector(wanted).matches(&name(n)), "{wanted} should select {n}");
            }
            for n in miss {
                assert!(!selector(wanted).matches(&name(n)), "{wanted} should not select {n}");
            }
        }
        assert_eq!("**/temp".parse::<Selector>().unwrap_err(), NameError::RestNotLast);
    }

    #[test]
    fn the_stem_of_a_selector_is_what_all_that_it_selects_begin_with() {
        for (text, stem) in [("a/b", "a/b"), ("a/b/**", "a/b"), ("a/*/c", "a"), ("*/b", ""), ("**", ""), ("a", "a")] {
            assert_eq!(selector(text).stem(), stem);
        }
    }

    #[test]
    fn a_name_read_from_json_is_checked_too() {
        assert!(serde_json::from_str::<SeriesName>("\"ops/temp\"").is_ok());
        let error = serde_json::from_str::<SeriesName>("\"ops/te mp\"").unwrap_err();
        assert!(error.to_string().contains("segment 2 has the character ' '"), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_either_refused_or_kept_in_normal_form_c(text in "\\PC{0,80}|[a\\p{L}\\p{M}\\p{Nd}/]{0,80}") {
            if let Ok(name) = text.parse::<SeriesName>() {
                prop_assert_eq!(name.as_str(), &*nfc(&text));
                prop_assert_eq!(&name, &name.as_str().parse::<SeriesName>().unwrap());
                prop_assert!(name.segments().all(|segment| segment.len() <= MAX_SEGMENT_BYTES));
                prop_assert!(selector(&text).matches(&name));
                prop_assert!(name.home_board().selector().matches(&name));
            }
        }
    }
}
