//! The tables of `docs/clients.md`: each family of programs has a section. A test that ran the programs compares the
//! section with the results, and writes it if `RECORD` is set.

#![expect(clippy::unwrap_used, reason = "a test's helpers")]

use std::fmt::Write as _;
use std::path::Path;

/// One client in the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its name and origin, such as `npm eventsource`.
    pub(crate) client: String,
    /// The version that was run.
    pub(crate) version: String,
    /// The result, in a few words.
    pub(crate) result: String,
}

/// Asserts that the section of `docs/clients.md` under this heading has these rows and no others.
///
/// # Panics
/// If it has others. With `RECORD` set, it is rewritten instead.
pub(crate) fn assert_recorded(heading: &str, rows: &[Row]) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/clients.md");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut table = String::from("| client | version | result |\n| --- | --- | --- |\n");
    for Row { client, version, result } in rows {
        writeln!(table, "| {client} | {version} | {result} |").unwrap();
    }
    let start = text.find(&format!("## {heading}\n")).unwrap_or_else(|| panic!("docs/clients.md has no {heading}"));
    let section = &text[start..];
    let end = section.find("\n## ").map_or(text.len(), |end| start + end + 1);
    let old = text[start..end].find("| client ").map_or(end, |at| start + at);
    let rest = text[old..end].lines().skip_while(|line| line.starts_with('|'));
    let rest: String = rest.map(|line| format!("{line}\n")).collect();
    if std::env::var_os("RECORD").is_some() {
        std::fs::write(&file, format!("{}{table}{rest}{}", &text[..old], &text[end..])).unwrap();
    } else {
        let recorded = text[old..end].starts_with(&table);
        assert!(recorded, "docs/clients.md says otherwise of {heading}; run this test with RECORD=1:\n{table}");
    }
}
