//! Parses the query string of a push: `kind`, `ts` and `import` beside a body, or the fields of a point in place of a body.
//! Ignores everything else, like a token for a proxy.

use serde_json::{Map, Value as Json};

use super::fields;
use crate::http::problem::ApiError;

/// The fields of a point.
const FIELDS: [&str; 4] = ["value", "text", "ts", "kind"];

/// Reads a point from a query string: `?value=42.5&ts=…`. Returns `None` if there is neither a value nor a text.
///
/// # Errors
/// [`ApiError::Invalid`] if a field occurs more than once.
pub fn point(query: Option<&str>) -> Result<Option<Map<String, Json>>, ApiError> {
    let mut pairs = pairs(query)?;
    pairs.retain(|(name, _)| FIELDS.contains(&name.as_str()));
    object(pairs)
}

/// Reads a form with the fields of a point. Returns `None` if it has neither a value nor a text.
///
/// # Errors
/// [`ApiError::Invalid`] if a field occurs more than once.
pub fn form(text: &str) -> Result<Option<Map<String, Json>>, ApiError> {
    match text.contains('=').then(|| serde_html_form::from_str(text)) {
        Some(Ok(pairs)) => object(pairs),
        Some(Err(_)) | None => Ok(None),
    }
}

/// Converts the fields to a JSON object; `None` if there is neither a value nor a text.
fn object(pairs: Vec<(String, String)>) -> Result<Option<Map<String, Json>>, ApiError> {
    if !pairs.iter().any(|(name, _)| name == "value" || name == "text") {
        return Ok(None);
    }
    let mut object = Map::new();
    for (name, text) in pairs {
        let value = if name == "ts" { whole(text) } else { Json::String(text) };
        if object.contains_key(&name) {
            return Err(ApiError::field(&fields::cut(&name), "it once", "it twice"));
        }
        object.insert(name, value);
    }
    Ok(Some(object))
}

/// Converts a text to a whole number, if it is one.
fn whole(text: String) -> Json {
    text.trim().parse::<u64>().map_or(Json::String(text), Json::from)
}

fn pairs(query: Option<&str>) -> Result<Vec<(String, String)>, ApiError> {
    let Some(query) = query else { return Ok(Vec::new()) };
    serde_html_form::from_str(query)
        .map_err(|error| ApiError::field("query", "NAME=VALUE, joined by &", error.to_string()))
}

/// Returns the word of `?kind=`, for senders that push a number as plain text; `None` if there is none.
///
/// # Errors
/// [`ApiError::Invalid`] if it occurs more than once.
pub fn kind(query: Option<&str>) -> Result<Option<String>, ApiError> {
    let mut kinds = values(query, "kind")?;
    if kinds.len() > 1 {
        let expected = "gauge, counter or text, and only once";
        return Err(ApiError::field("kind", expected, fields::echo(&kinds.join(" and "))));
    }
    Ok(kinds.pop())
}

/// Returns the time of `?ts=`, as the field of an object, for senders that push a number as plain text; `None` if there
/// is none.
///
/// # Errors
/// [`ApiError::Invalid`] if it occurs more than once.
pub fn ts(query: Option<&str>) -> Result<Option<Json>, ApiError> {
    let mut times = values(query, "ts")?;
    if times.len() > 1 {
        return Err(ApiError::field("ts", "it once", "it twice"));
    }
    Ok(times.pop().map(whole))
}

/// Refuses `?kind=` and `?ts=` for a batch, in which each point has its own.
///
/// # Errors
/// [`ApiError::Invalid`] if there is one.
pub fn none(query: Option<&str>) -> Result<(), ApiError> {
    for (name, example) in [("kind", "\"kind\":\"counter\""), ("ts", "\"ts\":1732399200123")] {
        let found = values(query, name)?;
        if !found.is_empty() {
            let expected = format!("nothing; it goes with each point of a batch, as {example}, or with /in/{{series}}");
            return Err(ApiError::field(name, &expected, fields::echo(&found.join(" and "))));
        }
    }
    Ok(())
}

/// The age that points of a push may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// At most the age of `--late`.
    Recent,
    /// Any age since 2000: the push imports the past.
    Any,
}

/// Reads `?import=`: `true` accepts points of any age.
///
/// # Errors
/// [`ApiError::Invalid`] for any word but true and false.
pub fn age(query: Option<&str>) -> Result<Age, ApiError> {
    match pairs(query)?.into_iter().rev().find(|(name, _)| name == "import") {
        None => Ok(Age::Recent),
        Some((_, word)) => match word.as_str() {
            "true" | "1" => Ok(Age::Any),
            "false" | "0" => Ok(Age::Recent),
            other => Err(ApiError::field("import", "true or false", super::fields::echo(other))),
        },
    }
}

fn values(query: Option<&str>, wanted: &str) -> Result<Vec<String>, ApiError> {
    Ok(pairs(query)?.into_iter().filter(|(name, _)| name == wanted).map(|(_, value)| value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_says_whether_a_push_imports_the_past() {
        for (query, wanted) in [
            (None, Age::Recent),
            (Some("kind=counter"), Age::Recent),
            (Some("import=true"), Age::Any),
            (Some("db=x&import=1"), Age::Any),
            (Some("import=true&import=false"), Age::Recent),
        ] {
            assert_eq!(age(query).ok(), Some(wanted), "{query:?}");
        }
        let error = age(Some("import=yes")).unwrap_err().to_string();
        assert_eq!(error, "import: expected true or false, got \"yes\"");
    }

    #[test]
    fn a_query_says_the_kind_once_and_what_else_it_says_is_passed_over() {
        let read = |query| kind(query).map_err(|error| error.to_string());
        for query in [None, Some(""), Some("token=abc"), Some("knd=counter&&x&%ff=%zz")] {
            assert_eq!((read(query), none(query)), (Ok(None), Ok(())), "{query:?}");
        }
        for query in ["kind=counter", "token=abc&kind=counter", "ts=1&kind=counter", "k%69nd=counter&token=a&token=b"] {
            assert_eq!(read(Some(query)), Ok(Some("counter".to_owned())), "{query}");
            let error = none(Some(query)).unwrap_err().to_string();
            assert!(error.starts_with("kind: expected nothing; it goes with each point"), "{error}");
            assert!(error.ends_with("with /in/{series}, got \"counter\""), "{error}");
        }
        assert_eq!(read(Some("kind")), Ok(Some(String::new())), "which is no kind");
        for query in ["kind=counter&kind=gauge", "kind=counter&token=abc&kind=gauge"] {
            let error = read(Some(query)).unwrap_err();
            assert_eq!(error, "kind: expected gauge, counter or text, and only once, got \"counter and gauge\"");
        }
        assert!(read(Some("kind=counter&kind=counter")).is_err());
    }
}
