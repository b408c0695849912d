//! `If-Match` and `If-None-Match` (RFC 9110, section 13), and the changes that they permit.
//!
//! Without a condition, a PUT creates a board, and succeeds if the board has this very document already. But it does
//! not replace a different document (428): a client that replaces one must say which. A DELETE needs no condition,
//! since it always means the current document.

use axum::http::HeaderMap;
use headers::{ETag, IfMatch, IfNoneMatch};
use shared::BoardId;
use shared::board::{BoardFormat, Etag};

use super::Refusal;
use crate::http::conditional;

/// The conditions of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conditions {
    if_match: Option<IfMatch>,
    if_none_match: Option<IfNoneMatch>,
}

impl Conditions {
    /// Reads the headers.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        Self { if_match: conditional::if_match(headers), if_none_match: conditional::if_none_match(headers) }
    }

    /// Returns true if the client already has the representation with the tag `etag`. A GET is then answered with 304.
    #[must_use]
    pub fn has_already(&self, etag: Etag) -> bool {
        self.if_none_match.as_ref().is_some_and(|unwanted| !unwanted.precondition_passes(&tag(etag)))
    }

    /// Checks that the board, whose document now has the tag `current`, may be replaced with `new`, or deleted where
    /// `new` is `None`.
    ///
    /// # Errors
    /// [`Refusal::Changed`], [`Refusal::Absent`] or [`Refusal::Unconditional`].
    pub fn check(&self, id: &BoardId, current: Option<Etag>, new: Option<Etag>) -> Result<(), Refusal> {
        let Some(current) = current else {
            return if self.if_match.is_some() { Err(Refusal::Absent(id.clone())) } else { Ok(()) };
        };
        // The form does not matter: a client that read the document as JSON changes the same document, also if it is
        // stored as TOML.
        let forms = [current, current.rewritten(BoardFormat::Json), current.rewritten(BoardFormat::Toml)].map(tag);
        let is_permitted = match (&self.if_match, &self.if_none_match) {
            (Some(wanted), _) => forms.iter().any(|form| wanted.precondition_passes(form)),
            (None, Some(unwanted)) => forms.iter().all(|form| unwanted.precondition_passes(form)),
            (None, None) if new.is_some_and(|new| new != current) => {
                return Err(Refusal::Unconditional { id: id.clone(), current });
            }
            (None, None) => true,
        };
        if is_permitted { Ok(()) } else { Err(Refusal::Changed { id: id.clone(), current }) }
    }
}

fn tag(etag: Etag) -> ETag {
    etag.to_string().parse().expect("the tag of a board is a valid entity tag")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header;

    use crate::http::problem::ApiError;

    const A: u128 = 0x0a;
    const B: u128 = 0x0b;

    fn conditions(if_match: &str, if_none_match: &str) -> Conditions {
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::IF_MATCH, if_match), (header::IF_NONE_MATCH, if_none_match)] {
            if !value.is_empty() {
                headers.insert(name, value.parse().unwrap());
            }
        }
        Conditions::of(&headers)
    }

    fn allowed(if_match: &str, if_none_match: &str, current: Option<u128>, new: Option<u128>) -> Result<(), u16> {
        let (current, new) = (current.map(Etag::stored), new.map(Etag::stored));
        let checked = conditions(if_match, if_none_match).check(&"ops".parse().unwrap(), current, new);
        checked.map_err(|refusal| ApiError::from(refusal).problem().status)
    }

    #[test]
    fn what_is_there_is_replaced_only_by_who_says_what() {
        let a = Etag::stored(A).to_string();
        let a_json = Etag::stored(A).rewritten(BoardFormat::Json).to_string();
        let either = format!("\"foreign\", {a}");
        for (if_match, if_none_match, current, new, wanted) in [
            ("", "", None, Some(A), Ok(())),
            ("", "", Some(A), Some(A), Ok(())),
            ("", "", Some(A), Some(B), Err(428)),
            ("", "", Some(A), None, Ok(())),
            ("*", "", Some(A), Some(B), Ok(())),
            ("*", "", None, Some(B), Err(412)),
            (&*a, "", Some(A), Some(B), Ok(())),
            (&*a_json, "", Some(A), Some(B), Ok(())),
            (&*either, "", Some(A), Some(B), Ok(())),
            (&*format!("W/{a}"), "", Some(A), Some(B), Err(412)),
            (&*a, "", Some(B), Some(B), Err(412)),
            (&*a, "", None, Some(B), Err(412)),
            (&*a, "", Some(B), None, Err(412)),
            ("nonsense", "", Some(A), Some(B), Err(412)),
            ("", "*", None, Some(A), Ok(())),
            ("", "*", Some(A), Some(B), Err(412)),
            ("", &*a, Some(A), Some(B), Err(412)),
            ("", &*a, Some(B), Some(A), Ok(())),
        ] {
            let got = allowed(if_match, if_none_match, current, new);
            assert_eq!(got, wanted, "If-Match: {if_match}, If-None-Match: {if_none_match}, {current:?} to {new:?}");
        }
    }

    #[test]
    fn who_has_these_very_bytes_need_not_get_them_again() {
        let a = Etag::stored(A);
        for (header, wanted) in
            [(a.to_string(), true), (format!("W/{a}"), true), (a.rewritten(BoardFormat::Json).to_string(), false)]
        {
            assert_eq!(conditions("", &header).has_already(a), wanted, "{header}");
        }
        assert!(conditions("", "*").has_already(a) && !conditions("", "").has_already(a));
    }
}
