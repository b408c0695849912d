//! What the address of a push may say beside its body: `kind`. All else, like a token for a proxy, is passed over.

use crate::problem::ApiError;

/// The word of `?kind=`, for whoever pushes a number as text. Without one there is nothing to read.
///
/// # Errors
/// [`ApiError::Invalid`] where it is said more than once.
pub fn kind(query: Option<&str>) -> Result<Option<String>, ApiError> {
    let mut kinds = kinds(query)?;
    if kinds.len() > 1 {
        let expected = "gauge, counter or text, and only once";
        return Err(ApiError::field("kind", expected, super::fields::echo(&kinds.join(" and "))));
    }
    Ok(kinds.pop())
}

/// Holds a batch to having none: each of its points says what it is.
///
/// # Errors
/// [`ApiError::Invalid`] where there is one.
pub fn none(query: Option<&str>) -> Result<(), ApiError> {
    let kinds = kinds(query)?;
    if kinds.is_empty() {
        return Ok(());
    }
    let expected = "nothing; it goes with each point of a batch, as \"kind\":\"counter\", or with /in/{series}";
    Err(ApiError::field("kind", expected, super::fields::echo(&kinds.join(" and "))))
}

fn kinds(query: Option<&str>) -> Result<Vec<String>, ApiError> {
    let pairs = serde_html_form::from_str::<Vec<(String, String)>>(query.unwrap_or_default());
    let pairs = pairs.map_err(|error| ApiError::field("query", "NAME=VALUE, joined by &", error.to_string()))?;
    Ok(pairs.into_iter().filter(|(name, _)| name == "kind").map(|(_, word)| word).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_the_kind_once_and_what_else_it_says_is_passed_over() {
        let read = |query| kind(query).map_err(|error| error.to_string());
        for query in [None, Some(""), Some("token=abc"), Some("knd=counter&&x&%ff=%zz")] {
            assert_eq!((read(query), none(query)), (Ok(None), Ok(())), "{query:?}");
        }
        for query in ["kind=counter", "token=abc&kind=counter", "kind=counter&ts=1", "k%69nd=counter&token=a&token=b"] {
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
