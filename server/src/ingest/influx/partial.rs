//! Builds the answer to a write that is only partly stored: `partial write: … dropped=N`, as InfluxDB writes it.

use shared::problem::FieldError;

use crate::http::problem::ApiError;
use crate::ingest::batch_builder::WrongLines;
use crate::store::commit::{Unfit, UnfitReason};

/// The most lines that an answer lists.
const MAX_LISTED: usize = 1_000;

/// Says what happened to the other lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// They are stored.
    Stored,
    /// There are no others, or they were refused too.
    Lost,
}

/// Describes the lines that were not stored: wrong lines, and lines with a point that cannot be added to its series.
/// Returns `None` if there are none.
pub(super) fn error(wrong: WrongLines, left_out: Unfit, rest: Rest) -> Option<ApiError> {
    let total = wrong.count + left_out.count();
    if total == 0 {
        return None;
    }
    // Several points of one line count as one line.
    let mut lines: Vec<usize> = left_out.listed.iter().map(|point| point.at).chain(left_out.others).collect();
    lines.sort_unstable();
    lines.dedup();
    let dropped = wrong.count + lines.len();
    let (wrong_count, forbidden, left_out_lines) = (wrong.count, wrong.forbidden, lines.len());
    let class_of_wrong = match forbidden {
        0 => "unable to parse ",
        count if count == wrong_count => "not permitted: ",
        _ => "unable to parse, or not permitted: ",
    };
    let parsed = wrong.listed.into_iter().map(|error| (error, class_of_wrong));
    let unfit = left_out.listed.into_iter().map(|point| {
        let class = class(&point.why);
        (FieldError::from(point), class)
    });
    let mut listed: Vec<(FieldError, &str)> = parsed.chain(unfit).collect();
    listed.sort_by_key(|(error, _)| error.line);
    let known = listed.len().min(MAX_LISTED);
    let all_forbidden = rest == Rest::Lost && wrong_count == forbidden && left_out_lines == 0;
    listed.truncate(MAX_LISTED);
    let mut detail = "partial write: ".to_owned();
    if let Some((error, class)) = listed.first() {
        detail.extend([class, error.to_string().as_str()]);
    }
    if total > known {
        detail += &format!("; errors lists the first {known} of {total}");
    } else if total > 1 {
        detail += &format!("; errors lists all {total}");
    }
    detail += match rest {
        Rest::Stored => "; the other lines are stored",
        Rest::Lost => "; nothing is stored",
    };
    detail += &format!(" dropped={dropped}");
    let errors = listed.into_iter().map(|(error, _)| error).collect();
    // For want of permission alone: another status, so that a client does not drop lines that it could send elsewhere.
    Some(if all_forbidden { ApiError::Forbidden { detail, errors } } else { ApiError::PartialWrite { detail, errors } })
}

/// Returns the words that InfluxDB uses for the reason.
fn class(why: &UnfitReason) -> &'static str {
    match why {
        UnfitReason::OtherKind { .. } => "field type conflict: ",
        UnfitReason::Compacted => "points beyond retention policy: ",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::commit::UnfitPoint;
    use shared::point::Kind;

    fn wrong(lines: &[usize], count: usize) -> WrongLines {
        let error =
            |&line| FieldError { line: Some(line), field: "field".into(), expected: "a".into(), got: "b".into() };
        WrongLines { count, forbidden: 0, listed: lines.iter().map(error).collect() }
    }

    fn left_out(lines: &[usize]) -> Unfit {
        let why = UnfitReason::OtherKind { series: "a/x".parse().unwrap(), holds: Kind::Number };
        let listed = lines.iter().map(|&at| UnfitPoint { at, why: why.clone() });
        Unfit { listed: listed.collect(), others: Vec::new() }
    }

    #[test]
    fn lines_that_were_not_stored_are_counted_once_and_listed_in_order() {
        let detail = |wrong, left_out, rest| error(wrong, left_out, rest).map(|error| error.to_string());
        assert_eq!(detail(WrongLines::default(), Unfit::default(), Rest::Stored), None);
        assert_eq!(
            detail(wrong(&[2], 1), Unfit::default(), Rest::Stored).unwrap(),
            "partial write: unable to parse line 2: field: expected a, got b; the other lines are stored dropped=1"
        );
        assert_eq!(
            detail(wrong(&[7], 1), left_out(&[3, 3, 5]), Rest::Stored).unwrap(),
            "partial write: field type conflict: line 3: text: expected a number, which is what a/x holds since its first point, got a text; errors lists all 4; the other lines are stored dropped=3"
        );
        let others = Unfit { others: vec![5, 6, 6, 6, 7], ..left_out(&[3, 3, 5]) };
        let text = detail(wrong(&[1], 2), others, Rest::Stored).unwrap();
        assert!(text.ends_with("; errors lists the first 4 of 10; the other lines are stored dropped=6"), "{text}");
        let many: Vec<_> = (1..=1_000).collect();
        let Some(ApiError::PartialWrite { detail, errors }) = error(wrong(&many, 5_000), left_out(&[1]), Rest::Lost)
        else {
            panic!("some are wrong")
        };
        assert_eq!(errors.len(), 1_000);
        assert!(detail.ends_with("; errors lists the first 1000 of 5001; nothing is stored dropped=5001"), "{detail}");
    }
}
