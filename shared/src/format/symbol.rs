//! The symbol of a unit, stored inline.

use crate::board::unit::MAX_SYMBOL;

/// A symbol of at most [`MAX_SYMBOL`] bytes. It is stored inline, so that styles and units are `Copy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Symbol {
    bytes: [u8; MAX_SYMBOL],
    len: usize,
}

impl Symbol {
    /// Makes a symbol from a text. Cuts a text that is too long.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let len = (0..=MAX_SYMBOL.min(text.len())).rev().find(|&len| text.is_char_boundary(len)).unwrap_or(0);
        let mut bytes = [0; MAX_SYMBOL];
        bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
        Self { bytes, len }
    }

    /// The symbol as text; empty if there is none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_is_kept_as_it_is_and_cut_between_letters() {
        assert_eq!(Symbol::new("°C").as_str(), "°C");
        assert_eq!(Symbol::new("").as_str(), "");
        assert_eq!(Symbol::new("fifteen letters€").as_str(), "fifteen letters");
    }
}
