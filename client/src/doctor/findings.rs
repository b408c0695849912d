//! The doctor's findings as the page reads them from the server: only the fields that it shows.

use serde::Deserialize;

/// A [`shared::doctor::Finding`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Finding {
    /// The name of the check in one word.
    pub check: String,
    /// `ok`, `warn` or `fail`.
    pub level: String,
    /// The result in one line.
    pub what: String,
    /// The reason why it matters; absent if all is well.
    pub why: Option<String>,
    /// The configuration to write; absent if there is nothing to configure.
    pub mend: Option<Vec<Mend>>,
}

/// A [`shared::doctor::Mend`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Mend {
    /// The proxy.
    pub proxy: String,
    /// The place in its configuration.
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
