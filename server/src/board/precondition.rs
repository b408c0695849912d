//! `If-Match` and `If-None-Match` (RFC 9110, section 13), and the changes that they permit.
//!
//! Without a condition, a PUT creates a board, and succeeds if the board has this very document already. But it does
//! not replace a different document (428): a client that replaces one must say which. A DELETE needs no condition,
//! since it always means the current document.

use axum::http::{HeaderMap, HeaderName, header};
use shared::BoardId;
use shared::board::Etag;

use super::Refusal;

/// The conditions of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

/// The tags in a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    /// `*`: any document.
    Any,
    /// A list of tags. Tags that no board ever has are left out.
    These(Vec<Tag>),
}

/// A tag, which a compressing proxy may have made a weak one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tag {
    etag: Etag,
    weak: bool,
}

impl Conditions {
    /// Reads the headers.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        Self { if_match: tags(headers, &header::IF_MATCH), if_none_match: tags(headers, &header::IF_NONE_MATCH) }
    }

    /// Returns true if the client already has the representation with the tag `etag`. A GET is then answered with 304.
    #[must_use]
    pub fn has_already(&self, etag: Etag) -> bool {
        match &self.if_none_match {
            None => false,
            Some(Tags::Any) => true,
            // The weak comparison of RFC 9110, 8.8.3.2.
            Some(Tags::These(tags)) => tags.iter().any(|tag| tag.etag == etag),
        }
    }

    /// Checks that the board, whose document now has the tag `current`, may be replaced with `new`, or deleted where
    /// `new` is `None`.
    ///
    /// # Errors
    /// [`Refusal::Changed`], [`Refusal::Absent`] or [`Refusal::Unconditional`].
    pub fn check(&self, id: &BoardId, current: Option<Etag>, new: Option<Etag>) -> Result<(), Refusal> {
        let changed = || {
            Err(current
                .map_or_else(|| Refusal::Absent(id.clone()), |current| Refusal::Changed { id: id.clone(), current }))
        };
        // The strong comparison: a weak tag matches nothing. The form does not matter: a client that read the document
        // as JSON changes the same document, also if it is stored as TOML.
        let is_current = |tag: &Tag| !tag.weak && current.is_some_and(|etag| etag.same_edition(&tag.etag));
        match (&self.if_match, &self.if_none_match, current) {
            (Some(Tags::Any), _, None) | (None, Some(Tags::Any), Some(_)) => changed(),
            (Some(Tags::These(tags)), _, _) if !tags.iter().any(is_current) => changed(),
            (None, Some(Tags::These(tags)), Some(etag)) if tags.iter().any(|tag| tag.etag.same_edition(&etag)) => {
                changed()
            }
            (None, None, Some(etag)) if new.is_some_and(|new| new != etag) => {
                Err(Refusal::Unconditional { id: id.clone(), current: etag })
            }
            _ => Ok(()),
        }
    }
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Tags> {
    let mut values = headers.get_all(name).iter().peekable();
    values.peek()?;
    let mut tags = Vec::new();
    for text in values.flat_map(|value| value.to_str().unwrap_or_default().split(',')) {
        let text = text.trim();
        if text == "*" {
            return Some(Tags::Any);
        }
        let (weak, opaque) = text.strip_prefix("W/").map_or((false, text), |opaque| (true, opaque));
        tags.extend(opaque.parse().ok().map(|etag| Tag { etag, weak }));
    }
    Some(Tags::These(tags))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::board::Form;

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
        checked.map_err(|refusal| refusal.status().as_u16())
    }

    #[test]
    fn what_is_there_is_replaced_only_by_who_says_what() {
        let a = Etag::stored(A).to_string();
        let a_json = Etag::stored(A).rewritten(Form::Json).to_string();
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
            [(a.to_string(), true), (format!("W/{a}"), true), (a.rewritten(Form::Json).to_string(), false)]
        {
            assert_eq!(conditions("", &header).has_already(a), wanted, "{header}");
        }
        assert!(conditions("", "*").has_already(a) && !conditions("", "").has_already(a));
    }
}
