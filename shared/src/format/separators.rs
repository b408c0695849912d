//! The separators of a locale: the decimal sign, and the sign between groups of digits.
//!
//! In the browser they are those of its locale. Natively they are the English ones.

/// The separators of a locale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Separators {
    /// The sign between the whole number and its decimals.
    pub decimal: String,
    /// The sign between groups; empty if there are no groups.
    pub group: String,
    /// The number of digits of the last group.
    pub last_group: usize,
    /// The number of digits of the other groups.
    pub other_groups: usize,
    /// The least number of digits before the last group, below which a number is not grouped.
    pub least_before: usize,
}

impl Separators {
    /// The English separators: `1,234.5`.
    #[must_use]
    pub fn english() -> Self {
        Self { decimal: ".".to_owned(), group: ",".to_owned(), last_group: 3, other_groups: 3, least_before: 1 }
    }

    /// Reads the separators from how a locale writes 123456789.5 and 1234, in the digits 0 to 9. Returns the English
    /// ones where that cannot be read.
    #[must_use]
    pub fn from_examples(long: &str, short: &str) -> Self {
        Self::read(long, short).unwrap_or_else(Self::english)
    }

    fn read(long: &str, short: &str) -> Option<Self> {
        let is_digit = |c: char| c.is_ascii_digit();
        let whole = long.strip_suffix('5')?;
        let decimal = whole.get(whole.rfind(is_digit)? + 1..)?;
        let whole = whole.strip_suffix(decimal)?;
        let group: String = whole.chars().skip_while(|&c| is_digit(c)).take_while(|&c| !is_digit(c)).collect();
        if decimal.is_empty() {
            return None;
        }
        let mut groups = whole.rsplit(|c| !is_digit(c)).filter(|digits| !digits.is_empty()).map(str::len);
        let (last_group, other_groups) = match (group.as_str(), groups.next(), groups.next()) {
            ("", ..) => (usize::MAX, usize::MAX),
            (_, Some(last), Some(other)) => (last, other),
            _ => return None,
        };
        let grouped = short.chars().any(|c| !is_digit(c));
        Some(Self {
            decimal: decimal.to_owned(),
            group,
            last_group,
            other_groups,
            least_before: if grouped { 1 } else { 2 },
        })
    }

    /// Writes figures, which have a point and no groups, with these separators.
    #[must_use]
    pub fn written(&self, figures: &str) -> String {
        let (whole, rest) = match figures.find(|c: char| !c.is_ascii_digit()) {
            Some(end) => figures.split_at_checked(end).unwrap_or((figures, "")),
            None => (figures, ""),
        };
        let mut text = String::with_capacity(figures.len() + 8);
        let ungrouped = whole.len() < self.last_group.saturating_add(self.least_before);
        for (i, digit) in whole.chars().enumerate() {
            let left = whole.len() - i;
            let at_group = left == self.last_group
                || left > self.last_group && (left - self.last_group).is_multiple_of(self.other_groups);
            if i > 0 && at_group && !ungrouped {
                text.push_str(&self.group);
            }
            text.push(digit);
        }
        match rest.strip_prefix('.') {
            Some(decimals) => {
                text.push_str(&self.decimal);
                text.push_str(decimals);
            }
            None => text.push_str(rest),
        }
        text
    }
}

/// Calls `look` with the separators of the browser's locale.
#[cfg(target_family = "wasm")]
pub fn with<T>(look: impl FnOnce(&Separators) -> T) -> T {
    thread_local! {
        static OF_BROWSER: Separators = of_browser().unwrap_or_else(Separators::english);
    }
    OF_BROWSER.with(look)
}

/// Calls `look` with the English separators.
#[cfg(not(target_family = "wasm"))]
pub fn with<T>(look: impl FnOnce(&Separators) -> T) -> T {
    static ENGLISH: std::sync::LazyLock<Separators> = std::sync::LazyLock::new(Separators::english);
    look(&ENGLISH)
}

/// Lets the browser write two numbers in its locale, but in the digits 0 to 9, which the layout of the page needs.
#[cfg(target_family = "wasm")]
fn of_browser() -> Option<Separators> {
    use js_sys::{Array, Object, Reflect};
    let options = Object::new();
    Reflect::set(&options, &"numberingSystem".into(), &"latn".into()).ok()?;
    let format = js_sys::Intl::NumberFormat::new(&Array::new(), &options).format();
    let write = |number: f64| format.call1(&js_sys::global(), &number.into()).ok()?.as_string();
    Some(Separators::from_examples(&write(123_456_789.5)?, &write(1_234.0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_their_locale_does() {
        for (long, short, texts) in [
            ("123,456,789.5", "1,234", ["7", "1,234.50", "1,234,567", "12,345.6", "1.00e21"]),
            ("123.456.789,5", "1.234", ["7", "1.234,50", "1.234.567", "12.345,6", "1,00e21"]),
            (
                "123\u{202f}456\u{202f}789,5",
                "1\u{202f}234",
                ["7", "1\u{202f}234,50", "1\u{202f}234\u{202f}567", "12\u{202f}345,6", "1,00e21"],
            ),
            // Spanish: four digits are not grouped.
            ("123.456.789,5", "1234", ["7", "1234,50", "1.234.567", "12.345,6", "1,00e21"]),
            // India: groups of two before the last three digits.
            ("12,34,56,789.5", "1,234", ["7", "1,234.50", "12,34,567", "12,345.6", "1.00e21"]),
            ("123’456’789.5", "1’234", ["7", "1’234.50", "1’234’567", "12’345.6", "1.00e21"]),
            ("123456789.5", "1234", ["7", "1234.50", "1234567", "12345.6", "1.00e21"]),
            // Unreadable examples.
            ("", "", ["7", "1,234.50", "1,234,567", "12,345.6", "1.00e21"]),
        ] {
            let separators = Separators::from_examples(long, short);
            let written = ["7", "1234.50", "1234567", "12345.6", "1.00e21"].map(|text| separators.written(text));
            assert_eq!(written, texts, "{long}");
        }
    }
}
