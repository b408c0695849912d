//! Cuts the wrong line from the body of a refused push.

use serde::de::IgnoredAny;

/// The most characters of an excerpt.
const MAX_EXCERPT: usize = 240;

/// Returns the beginning of a line of `body`, counted from 1; in a JSON array, of an element. Without a line, returns
/// the beginning of the body.
#[must_use]
pub fn excerpt(body: &[u8], line: Option<usize>) -> String {
    let Some(line) = line.and_then(|line| line.checked_sub(1)) else { return beginning(body.trim_ascii()) };
    match body.trim_ascii_start().strip_prefix(b"[") {
        Some(elements) => element(elements, line).map(beginning).unwrap_or_default(),
        None => body.split(|&byte| byte == b'\n').nth(line).map(beginning).unwrap_or_default(),
    }
}

/// Returns the element of a JSON array at `index`; `elements` begins after the bracket.
fn element(mut elements: &[u8], index: usize) -> Option<&[u8]> {
    for _ in 0..index {
        let len = value_len(elements)?;
        elements = elements[len..].trim_ascii_start().strip_prefix(b",")?;
    }
    let len = value_len(elements)?;
    Some(elements[..len].trim_ascii())
}

/// Returns the length of the JSON value at the start of the text, including the white space before it.
fn value_len(text: &[u8]) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}

fn beginning(text: &[u8]) -> String {
    // A character has at most four bytes; the rest is not decoded.
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * MAX_EXCERPT + 4)]);
    cut(text.trim_end_matches('\r'), MAX_EXCERPT)
}

/// Returns the beginning of a text, with a mark if there is more.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_of_a_body_or_element_of_an_array_is_found() {
        for (body, line, wanted) in [
            ("a\nb\r\nc", Some(2), "b"),
            ("a\nb", Some(3), ""),
            (" hot \n", None, "hot"),
            ("[{\"a\":[1,\"]\"]}, 7 ,{\"b\":2}]", Some(1), "{\"a\":[1,\"]\"]}"),
            ("[{\"a\":[1,\"]\"]}, 7 ,{\"b\":2}]", Some(2), "7"),
            (" [{\"a\":[1,\"]\"]}, 7 ,{\"b\":2}]", Some(3), "{\"b\":2}"),
            ("[1,2", Some(3), ""),
            ("[", Some(1), ""),
            ("x", Some(0), "x"),
        ] {
            assert_eq!(excerpt(body.as_bytes(), line), wanted, "{body} {line:?}");
        }
    }

    #[test]
    fn excerpt_is_bounded_and_always_text() {
        let long = excerpt("ä".repeat(10_000).as_bytes(), None);
        assert_eq!((long.chars().count(), long.ends_with('…')), (MAX_EXCERPT + 1, true));
        assert_eq!(excerpt(b"\xff\xfea", Some(1)), "\u{fffd}\u{fffd}a");
    }
}
