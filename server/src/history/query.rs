//! Parses the query of `GET /api/history`.

use serde::Deserialize;
use shared::reading::Detail;
use shared::{Millis, Selector, TimeRange};

use super::time;
use crate::http::format::AnswerFormat;
use crate::http::problem::ApiError;

/// Maximum number of selectors in one query.
const MAX_SELECTORS: usize = 256;

/// Default maximum number of buckets per series.
const DEFAULT_POINTS: u64 = 500;

/// Largest value of `points=`.
const MAX_POINTS: u64 = 10_000;

/// Largest value of `before=`: the length of a live track.
const MAX_BEFORE: u64 = shared::track::WINDOW as u64;

/// A parsed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    /// The selected series.
    pub selectors: Vec<Selector>,
    /// The time range; not empty.
    pub span: TimeRange,
    /// Maximum number of buckets per series; at least one.
    pub points: u64,
    /// Number of the newest buckets before the range that the answer has too.
    pub before: u64,
    /// The detail of each bucket.
    pub detail: Detail,
    /// The form that the query names; it overrides `Accept`.
    pub form: Option<AnswerFormat>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    #[serde(default)]
    series: Vec<String>,
    from: Option<String>,
    to: Option<String>,
    points: Option<String>,
    before: Option<String>,
    sketch: Option<String>,
    format: Option<String>,
}

/// Parses `series=SEL&series=SEL…`, `from=`, `to=`, `points=`, `before=`, `sketch=` and `format=`.
///
/// # Errors
/// [`ApiError::Invalid`], which names the parameter.
pub fn parse(query: &str, now: Millis) -> Result<HistoryQuery, ApiError> {
    let expected = "series=SELECTOR (one or more), and optionally from=, to=, points=, before=, sketch= and format=";
    let query: Query =
        serde_html_form::from_str(query).map_err(|error| ApiError::field("query", expected, error.to_string()))?;
    let selectors: Vec<Selector> = query
        .series
        .iter()
        .map(|text| {
            let wrong = |error| ApiError::field("series", "a selector like ops/**", format!("{text:?}: {error}"));
            text.parse().map_err(wrong)
        })
        .collect::<Result<_, _>>()?;
    if selectors.is_empty() {
        return Err(ApiError::field("query", expected, "no series"));
    }
    if selectors.len() > MAX_SELECTORS {
        let got = format!("{} of them", selectors.len());
        return Err(ApiError::field("series", format!("at most {MAX_SELECTORS} selectors"), got));
    }
    let moment = |field, given: Option<String>, otherwise: &str| {
        let text = given.as_deref().unwrap_or(otherwise);
        time::parse(text, now).map_err(|got| ApiError::field(field, time::EXPECTED, got))
    };
    let span = TimeRange { from: moment("from", query.from, "-1h")?, to: moment("to", query.to, "now")? };
    if span.from >= span.to {
        let got = format!("{}, which is not after {}", span.to, span.from);
        return Err(ApiError::field("to", "a time after from", got));
    }
    let whole = |field, given: Option<String>, otherwise: u64, least: u64, most: u64| {
        let Some(text) = given else { return Ok(otherwise) };
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        let expected = || format!("a whole number from {least} to {most}");
        number.ok_or_else(|| ApiError::field(field, expected(), format!("{text:?}")))
    };
    let points = whole("points", query.points, DEFAULT_POINTS, 1, MAX_POINTS)?;
    let before = whole("before", query.before, 0, 0, MAX_BEFORE)?;
    let detail = match query.sketch.as_deref() {
        None | Some("0") => Detail::Figures,
        Some("1") => Detail::Bins,
        Some(other) => return Err(ApiError::field("sketch", "0 or 1", format!("{other:?}"))),
    };
    let form = AnswerFormat::asked(query.format.as_deref())?;
    Ok(HistoryQuery { selectors, span, points, before, detail, form })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_732_399_200_123);

    #[test]
    fn all_but_the_series_has_a_default() {
        let asked = parse("series=ops/**", NOW).unwrap();
        assert_eq!(asked.span, TimeRange { from: Millis(NOW.0 - 3_600_000), to: NOW });
        assert_eq!((asked.points, asked.before, asked.detail), (500, 0, Detail::Figures));
        let asked = parse("series=a&series=b/*&from=-2d&to=-1d&points=10000&sketch=1", NOW).unwrap();
        assert_eq!((asked.selectors.len(), asked.points, asked.detail), (2, 10_000, Detail::Bins));
        assert_eq!(asked.span.to.since(asked.span.from), 86_400_000);
        assert_eq!(parse("series=a&format=csv", NOW).unwrap().form, Some(AnswerFormat::Csv));
    }

    #[test]
    fn a_wrong_query_names_the_parameter() {
        for (query, wanted) in [
            ("", "query: expected series=SELECTOR"),
            ("serie=a", "serie"),
            ("series=a//b", "series: expected a selector like ops/**, got \"a//b\": segment 2 is empty"),
            ("series=**/a", "** stands for all the rest"),
            ("series=a&from=soon", "from: expected a time"),
            ("series=a&from=1732399200", "is this in seconds?"),
            ("series=a&from=now&to=-1h", "to: expected a time after from"),
            ("series=a&from=now", "to: expected a time after from"),
            ("series=a&points=1000000000", "points: expected a whole number from 1 to 10000, got \"1000000000\""),
            ("series=a&points=0", "points"),
            ("series=a&points=-5", "points"),
            ("series=a&before=301", "before: expected a whole number from 0 to 300, got \"301\""),
            ("series=a&before=all", "before"),
            ("series=a&sketch=yes", "sketch: expected 0 or 1"),
            ("series=a&format=xml", "format: expected json or csv"),
        ] {
            let error = parse(query, NOW).unwrap_err().to_string();
            assert!(error.contains(wanted), "{query}: {error}");
        }
        assert!(parse(&"series=a&".repeat(300), NOW).unwrap_err().to_string().contains("at most 256"));
    }
}
