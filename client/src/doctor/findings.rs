//! What the server found, as far as the page shows it.

use serde::Deserialize;

/// One of [`shared::doctor::Finding`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Finding {
    /// What was looked at, in a word.
    pub check: String,
    /// `ok`, `warn` or `fail`.
    pub level: String,
    /// How it is.
    pub what: String,
    /// Why it matters; absent where all is well.
    pub why: Option<String>,
    /// What to write where; absent where there is nothing to configure.
    pub mend: Option<Vec<Mend>>,
}

/// One of [`shared::doctor::Mend`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Mend {
    /// Whose configuration.
    pub proxy: String,
    /// Where in it.
    pub place: String,
    /// The lines.
    pub lines: Vec<String>,
}

#[cfg(test)]
mod tests {
    use shared::doctor::mend::Proxy;
    use shared::doctor::{Check, Level, Mend};

    #[test]
    fn a_finding_is_read_as_the_server_writes_it() {
        let mend = Mend { proxy: Proxy::Nginx, place: "location".into(), lines: vec!["proxy_buffering off;".into()] };
        let mut finding = shared::doctor::Finding {
            check: Check::Buffering,
            level: Level::Fail,
            what: "held back".into(),
            why: "old numbers".into(),
            mend: vec![mend],
        };
        let read = |finding: &shared::doctor::Finding| -> super::Finding {
            crate::json::read(&serde_json::to_string(finding).unwrap()).unwrap()
        };
        let whole = read(&finding);
        assert_eq!((whole.check.as_str(), whole.level.as_str()), ("buffering", "fail"));
        assert_eq!(whole.mend.unwrap()[0].lines, ["proxy_buffering off;"]);
        (finding.why, finding.mend) = (String::new(), Vec::new());
        assert_eq!(read(&finding).mend, None);
    }
}
