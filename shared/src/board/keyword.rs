//! Keywords: enum options that a document names by a keyword.

/// An enum whose values are keywords of a document.
pub trait Keyword: Copy + PartialEq + 'static {
    /// Every value with its keyword, in the order in which messages list them.
    const ALL: &'static [(&'static str, Self)];

    /// The value of a keyword.
    #[must_use]
    fn of(keyword: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == keyword).map(|&(_, value)| value)
    }

    /// The keyword of the value.
    #[must_use]
    fn keyword(self) -> &'static str {
        Self::ALL.iter().find(|&&(_, value)| value == self).map_or("", |(keyword, _)| keyword)
    }

    /// Lists all keywords for a message: `value, rate or mean`.
    #[must_use]
    fn offer() -> String {
        let keywords: Vec<_> = Self::ALL.iter().map(|(keyword, _)| *keyword).collect();
        match keywords.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => keywords.concat(),
        }
    }
}

/// Defines an enum that is a [`Keyword`] and serialises as its keyword. A value may have a second keyword after `|`.
macro_rules! keywords {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $value:ident = $keyword:literal $(| $other:literal)?),* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $value),* }

        impl $crate::board::keyword::Keyword for $name {
            const ALL: &'static [(&'static str, Self)] = &[$(($keyword, Self::$value), $(($other, Self::$value),)?)*];
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str($crate::board::keyword::Keyword::keyword(*self))
            }
        }
    };
}
pub(super) use keywords;
