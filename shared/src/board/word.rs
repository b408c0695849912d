//! Keywords: enum options that a document names by a word.

/// An enum whose values are keywords of a document.
pub trait Word: Copy + PartialEq + 'static {
    /// Every value with its keyword, in the order in which messages list them.
    const ALL: &'static [(&'static str, Self)];

    /// The value of a keyword.
    #[must_use]
    fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|&(_, value)| value)
    }

    /// The keyword of the value.
    #[must_use]
    fn word(self) -> &'static str {
        Self::ALL.iter().find(|&&(_, value)| value == self).map_or("", |(word, _)| word)
    }

    /// Lists all keywords for a message: `value, rate or mean`.
    #[must_use]
    fn offer() -> String {
        let words: Vec<_> = Self::ALL.iter().map(|(word, _)| *word).collect();
        match words.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => words.concat(),
        }
    }
}

/// Defines an enum that is a [`Word`] and serialises as its keyword.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $value:ident = $word:literal),* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $value),* }

        impl $crate::board::word::Word for $name {
            const ALL: &'static [(&'static str, Self)] = &[$(($word, Self::$value)),*];
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str($crate::board::word::Word::word(*self))
            }
        }
    };
}
pub(super) use words;
