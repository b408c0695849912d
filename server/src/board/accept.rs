//! Chooses the form (JSON or TOML) in which a board is sent, by the header `Accept` (RFC 9110, 12.5.1).

use shared::board::Form;

/// Returns the form with the higher quality, or the stored form where both are equal. `None` if neither is acceptable.
#[must_use]
pub fn choose(accept: Option<&str>, stored: Form) -> Option<Form> {
    let other = match stored {
        Form::Json => Form::Toml,
        Form::Toml => Form::Json,
    };
    let quality = |form| accept.map_or(1.0, |accept| quality(accept, form));
    let (first, second) = (quality(stored), quality(other));
    match (first >= second, first > 0.0, second > 0.0) {
        (true, true, _) => Some(stored),
        (false, _, true) => Some(other),
        _ => None,
    }
}

/// The quality of the form, from 0 to 1, as the most specific range that matches says.
fn quality(accept: &str, form: Form) -> f32 {
    let mut best = (0, 0.0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let specific = match name.as_str() {
            "*/*" => 1,
            "application/*" => 2,
            name if name == form.content_type() => 3,
            _ => continue,
        };
        let wanted = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
        if specific > best.0 {
            best = (specific, wanted);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_that_is_wanted_more_and_else_the_stored_one() {
        for (accept, wanted) in [
            (None, Some(Form::Toml)),
            (Some("*/*"), Some(Form::Toml)),
            (Some("application/*"), Some(Form::Toml)),
            (Some("application/json"), Some(Form::Json)),
            (Some("Application/TOML, application/json;q=0.5"), Some(Form::Toml)),
            (Some("application/toml;q=0.1, */*"), Some(Form::Json)),
            (Some("text/html,application/xhtml+xml,*/*;q=0.8"), Some(Form::Toml)),
            (Some("text/html"), None),
            (Some("application/json;q=0"), None),
        ] {
            assert_eq!(choose(accept, Form::Toml), wanted, "{accept:?}");
        }
    }
}
