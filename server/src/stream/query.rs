//! Parses the query of `GET /sse`.

use std::sync::Arc;

use shared::{BoardId, Selector};

use crate::access::ReadScope;
use crate::http::problem::ApiError;
use crate::hub::selection::{DEFAULT_HZ, MAX_HZ};
use crate::hub::{Rate, Subscription};

/// Maximum number of selectors and boards that one stream can name.
const MAX_SELECTORS: usize = 256;

/// A parsed request for a stream.
#[derive(Debug)]
pub struct StreamRequest {
    /// The series, boards and rate.
    pub subscription: Subscription,
    /// A cursor in the address, for clients that cannot send the header. It is the last one if there are several, since
    /// a client that comes back appends the newer one.
    pub last_event_id: Option<String>,
}

/// The parameters as they were written.
#[derive(Default)]
struct Query {
    series: Vec<String>,
    board: Vec<String>,
    last_event_id: Option<String>,
    hz: Option<String>,
}

impl Query {
    /// Sorts the parameters. Ignores unknown ones: clients add some of their own, against caches or to identify
    /// themselves.
    fn of(pairs: Vec<(String, String)>) -> Self {
        let mut query = Self::default();
        for (key, value) in pairs {
            match key.as_str() {
                "series" => query.series.push(value),
                "board" => query.board.push(value),
                // Polyfills of EventSource use the second name.
                "last_event_id" | "lastEventId" if !value.is_empty() => query.last_event_id = Some(value),
                "hz" => query.hz = Some(value),
                _ => {}
            }
        }
        query
    }
}

/// Parses `series=SEL&series=SEL…` or `board=ID`, `last_event_id=` (or `lastEventId=`) and `hz=`; ignores all other
/// parameters. The subscription has `scope`.
///
/// # Errors
/// [`ApiError::Invalid`], which names the parameter.
pub fn parse(query: &str, scope: Arc<ReadScope>) -> Result<StreamRequest, ApiError> {
    let expected = "series=SELECTOR (one or more) or board=ID, and optionally hz= and last_event_id=";
    let query = serde_html_form::from_str(query)
        .map(Query::of)
        .map_err(|error| ApiError::field("query", expected, error.to_string()))?;
    let mut series = Vec::new();
    for text in &query.series {
        let selector: Selector = text
            .parse()
            .map_err(|error| ApiError::field("series", "a selector like ops/**", format!("{text:?}: {error}")))?;
        series.push(selector);
    }
    let mut boards = Vec::new();
    for text in &query.board {
        let board: BoardId =
            text.parse().map_err(|error| ApiError::field("board", "a name like ops", format!("{text:?}: {error}")))?;
        boards.push(board);
    }
    boards.sort();
    boards.dedup();
    let count = series.len() + boards.len();
    if count == 0 {
        return Err(ApiError::field("query", expected, "neither series nor board"));
    }
    if count > MAX_SELECTORS {
        let got = format!("{count} of them");
        return Err(ApiError::field("series", format!("at most {MAX_SELECTORS} selectors"), got));
    }
    let rate = match &query.hz {
        None => Rate::of_hz(DEFAULT_HZ),
        Some(hz) => hz.parse().ok().and_then(Rate::of_hz),
    };
    let rate = rate.ok_or_else(|| {
        let expected = format!("a whole number of updates a second from 0 (every change) to {MAX_HZ}");
        ApiError::field("hz", expected, format!("{:?}", query.hz.unwrap_or_default()))
    })?;
    Ok(StreamRequest { subscription: Subscription { series, boards, rate, scope }, last_event_id: query.last_event_id })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Boards;

    fn parse(query: &str) -> Result<StreamRequest, ApiError> {
        super::parse(query, ReadScope::everything())
    }

    fn error(query: &str) -> String {
        parse(query).unwrap_err().to_string()
    }

    #[test]
    fn series_and_boards_are_selectors_and_their_order_does_not_matter() {
        let selection = |query| Boards::default().selection(&parse(query).unwrap().subscription);
        let a = selection("series=ops/**&series=dev/*&hz=5");
        assert_eq!(a, selection("hz=5&series=dev%2F*&board=ops&board=ops"));
        assert_eq!(a.rate.interval_ms(), 200);
        assert_eq!(selection("board=ops&hz=0").rate, Rate::EveryChange);
        let request = parse("board=ops&last_event_id=0badcafe-7").unwrap();
        assert_eq!(
            (request.subscription.rate.interval_ms(), request.last_event_id.as_deref()),
            (50, Some("0badcafe-7"))
        );
    }

    #[test]
    fn unknown_parameters_are_ignored_and_both_names_of_a_cursor_are_known() {
        for busted in ["series=a&_=1732399200123", "t=1&series=a&r=0.5", "series=a&nocache", "series=a&x=%FF&&=&y=a=b"]
        {
            let request = parse(busted).unwrap();
            assert_eq!((request.subscription.series.len(), request.last_event_id), (1, None), "{busted}");
        }
        for (query, id) in [
            ("series=a&lastEventId=0badcafe-7", Some("0badcafe-7")),
            ("series=a&lastEventId=0badcafe-7&_=1", Some("0badcafe-7")),
            ("series=a&last_event_id=0badcafe-7&lastEventId=0badcafe-9", Some("0badcafe-9")),
            ("lastEventId=0badcafe-7&series=a&lastEventId=0badcafe-9", Some("0badcafe-9")),
            ("series=a&last_event_id=0badcafe-7&lastEventId=", Some("0badcafe-7")),
            ("series=a&lastEventId=", None),
        ] {
            assert_eq!(parse(query).unwrap().last_event_id.as_deref(), id, "{query}");
        }
    }

    #[test]
    fn a_wrong_query_names_the_parameter() {
        assert!(error("").contains("neither series nor board"));
        assert!(error("serie=a").contains("neither series nor board"));
        assert!(error("series=**/a").contains("series: expected a selector"));
        assert!(error("board=a/b").contains("board: expected a name"));
        assert!(error("board=a&hz=fast").contains("hz: expected a whole number"));
        assert!(error("board=a&hz=1001").contains("hz: expected a whole number"));
        assert!(error(&"series=a&".repeat(300)).contains("at most 256 selectors"));
    }
}
