//! Writes CSV cells (RFC 4180) that no spreadsheet runs as a formula.

/// Writes a text as a cell in quotes.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("\"{}{}\"", guard(text), text.replace('"', "\"\""))
}

/// Writes a text as a cell, in quotes only if it needs them.
#[must_use]
pub fn cell(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) { quoted(text) } else { format!("{}{text}", guard(text)) }
}

/// Returns an apostrophe for a text that a spreadsheet would run as a formula (OWASP, "CSV injection"). Numbers do not
/// pass through here, so a negative number gets none.
fn guard(text: &str) -> &'static str {
    // Some spreadsheets also accept the full-width forms of East Asian keyboards.
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) { "'" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_begins_like_a_formula_gets_an_apostrophe() {
        for (text, wanted) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("＝1", "'＝1"),
            ("\r=1", "\"'\r=1\""),
            ("=\"a\",b", "\"'=\"\"a\"\",b\""),
            ("ok", "ok"),
            ("a=b", "a=b"),
            ("a,b", "\"a,b\""),
            ("", ""),
        ] {
            assert_eq!(cell(text), wanted, "{text:?}");
        }
        assert_eq!(quoted("say \"no\""), "\"say \"\"no\"\"\"");
        assert_eq!(quoted("=1"), "\"'=1\"");
    }
}
