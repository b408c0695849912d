//! What the address of a push may say beside its body.

use serde::Deserialize;

use crate::problem::ApiError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    kind: Option<String>,
}

/// The word of `?kind=`, for whoever pushes a number as text. Without a query there is nothing to read.
///
/// # Errors
/// [`ApiError::Invalid`] where there is anything else: a misspelt parameter would otherwise be passed over in silence.
pub fn kind(query: Option<&str>) -> Result<Option<String>, ApiError> {
    let Some(query) = query else { return Ok(None) };
    let expected = "nothing, or kind=gauge or kind=counter";
    let read = serde_html_form::from_str(query).map(|Query { kind }| kind);
    read.map_err(|error| ApiError::field("query", expected, error.to_string()))
}

/// Holds a batch to having none: each of its lines says what it is.
///
/// # Errors
/// [`ApiError::Invalid`] where there is a query.
pub fn none(query: Option<&str>) -> Result<(), ApiError> {
    match query {
        None | Some("") => Ok(()),
        Some(query) => {
            let expected = "nothing; the kind of a series is said in a line, as \"kind\":\"counter\"";
            Err(ApiError::field("query", expected, super::fields::echo(query)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_the_kind_or_nothing() {
        let read = |query| kind(query).map_err(|error| error.to_string());
        assert_eq!((read(None), read(Some(""))), (Ok(None), Ok(None)));
        assert_eq!(read(Some("kind=counter")), Ok(Some("counter".to_owned())));
        for (query, wanted) in [("knd=counter", "knd"), ("kind=counter&kind=gauge", "kind"), ("kind=gauge&ts=1", "ts")]
        {
            let error = read(Some(query)).unwrap_err();
            assert!(error.starts_with("query: expected nothing, or kind=") && error.contains(wanted), "{error}");
        }
        assert_eq!((none(None), none(Some(""))), (Ok(()), Ok(())));
        let error = none(Some("kind=counter")).unwrap_err().to_string();
        assert!(error.contains("said in a line") && error.ends_with("got \"kind=counter\""), "{error}");
    }
}
