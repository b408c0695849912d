//! Letters, marks and digits of every script, and the normal form C of a text.
//!
//! Outside of browsers, the tables of Unicode crates decide. In a browser they would make the page larger by a tenth, so
//! the browser's own `String.prototype.normalize` is called, and every character beyond ASCII passes: the names that a
//! page receives are valid already, and the server checks those that a user types.

use std::borrow::Cow;

/// Returns the normal form C (NFC) of a text, borrowed where the text already has it.
#[must_use]
pub fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { tables::nfc(text) }
}

/// Returns true for a letter, a mark or a decimal digit (the general categories L, M and Nd).
#[must_use]
pub fn is_letter_mark_or_digit(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_alphanumeric() } else { tables::is_letter_mark_or_digit(character) }
}

#[cfg(not(target_family = "wasm"))]
mod tables {
    use std::borrow::Cow;

    use unicode_normalization::{UnicodeNormalization as _, is_nfc};
    use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};

    pub(super) fn nfc(text: &str) -> Cow<'_, str> {
        if is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
    }

    pub(super) fn is_letter_mark_or_digit(character: char) -> bool {
        matches!(character.general_category_group(), GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark)
            || character.general_category() == GeneralCategory::DecimalNumber
    }
}

#[cfg(target_family = "wasm")]
mod tables {
    use std::borrow::Cow;

    pub(super) fn nfc(text: &str) -> Cow<'_, str> {
        Cow::Owned(js_sys::JsString::from(text).normalize("NFC").into())
    }

    pub(super) fn is_letter_mark_or_digit(_: char) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_marks_and_digits_of_any_script_are_told_from_other_characters() {
        for character in ['a', '7', 'ü', 'ß', '東', 'я', 'ع', '\u{301}', '\u{94d}', '٣', '𝒜', 'ー', '한', '\u{10330}']
        {
            assert!(is_letter_mark_or_digit(character), "{character:?}");
        }
        for character in
            ['_', '/', ' ', '\u{a0}', '\u{3000}', '€', '½', '²', '→', '😀', '\u{200d}', '\u{feff}', '\u{e000}']
        {
            assert!(!is_letter_mark_or_digit(character), "{character:?}");
        }
    }

    #[test]
    fn normal_form_c_composes_and_leaves_composed_text_alone() {
        assert_eq!(nfc("ku\u{308}che"), "küche");
        assert!(matches!(nfc("küche"), Cow::Borrowed(_)));
        assert!(matches!(nfc("kitchen"), Cow::Borrowed(_)));
        assert_eq!(nfc("\u{1112}\u{1161}\u{11ab}"), "한");
        assert_eq!(nfc("\u{212b}"), "å".to_uppercase());
    }
}
