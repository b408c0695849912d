//! Formats floats as digits.
//!
//! In the browser, JavaScript's own formatting is used (ECMA-262, `Number.prototype.toFixed` and the like), since
//! Rust's is a thirtieth of the page that every visitor downloads. Natively, for tests, Rust's formatting gives the
//! same digits, except halfway between two numbers: there the browser takes the greater one.

#[cfg(target_family = "wasm")]
use js_sys::Number;

/// Formats with a fixed number of decimals. The value must be below 10^21.
#[must_use]
pub fn fixed(value: f64, decimals: usize) -> String {
    #[cfg(target_family = "wasm")]
    {
        let decimals = u8::try_from(decimals.min(100)).unwrap_or(100);
        Number::from(value).to_fixed(decimals).map(String::from).unwrap_or_default()
    }
    #[cfg(not(target_family = "wasm"))]
    format!("{value:.decimals$}")
}

/// Formats with two decimals and a power of ten: `1.23e-9`.
#[must_use]
pub fn scientific(value: f64) -> String {
    #[cfg(target_family = "wasm")]
    {
        let figures = Number::from(value).to_exponential(2).map(String::from).unwrap_or_default();
        figures.replace('+', "")
    }
    #[cfg(not(target_family = "wasm"))]
    format!("{value:.2e}")
}

/// Formats with the fewest digits that distinguish the value from every other float.
#[must_use]
pub fn shortest(value: f64) -> String {
    #[cfg(target_family = "wasm")]
    {
        Number::from(value).to_string_with_radix(10).map(String::from).unwrap_or_default()
    }
    #[cfg(not(target_family = "wasm"))]
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_number() {
        assert_eq!((fixed(1.005, 1), fixed(12_345.678, 2)), ("1.0".into(), "12345.68".into()));
        assert_eq!((scientific(1.5e-9), scientific(2e21)), ("1.50e-9".into(), "2.00e21".into()));
        assert_eq!((shortest(0.1), shortest(-0.25), shortest(1e6)), ("0.1".into(), "-0.25".into(), "1000000".into()));
    }
}
