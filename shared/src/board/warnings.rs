//! Warnings about a board: parts that are valid, but may not show what their author meant.

use super::Board;
use super::read::Mistakes;
use super::widget::Content;
use crate::Selector;
use crate::markdown::{find_html, parse};
use crate::problem::FieldError;

/// Lists the warnings of a board with their places, such as `widgets[3].series[0]`, in document order: selectors that
/// match no series (`is_there` returns true for those that match one), and HTML in a note, which the page shows as
/// written.
#[must_use]
pub fn warnings(board: &Board, is_there: &dyn Fn(&Selector) -> bool) -> Vec<FieldError> {
    let warnings = Mistakes::default();
    let unmatched = |at: String, selectors: &[Selector]| {
        for (index, selector) in selectors.iter().enumerate().filter(|(_, selector)| !is_there(selector)) {
            let got = format!("{selector}, which none does; it shows series as soon as they are pushed");
            warnings.add(&format!("{at}[{index}]"), "a selector that some series matches", got);
        }
    };
    unmatched("markers".to_owned(), &board.markers);
    for (at, widget) in board.widgets.iter().enumerate() {
        if let Content::Text(text) = &widget.content
            && let Some(tag) = find_html(&parse(&text.markdown))
        {
            let got = format!("{tag}, which is shown as it is written");
            warnings.add(&format!("widgets[{at}].markdown"), "Markdown without HTML", got);
        }
        unmatched(format!("widgets[{at}].series"), widget.series());
        unmatched(format!("widgets[{at}].markers"), widget.markers());
    }
    warnings.into_list()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_shown_as_it_is_written_and_what_matches_nothing_is_told_at_its_place() {
        let board = Board::read(&json!({"markers": ["ops/*", "no/deploy"], "widgets": [
            {"id": "a", "type": "line", "series": ["ops/*", "nope/**"], "markers": ["never"]},
            {"id": "b", "type": "text", "markdown": "Call <b>Ada</b>, `<i>` is code"},
            {"id": "c", "type": "text", "markdown": "Call **Ada**"},
        ]}));
        let warnings = warnings(&board.strict().unwrap(), &|selector| selector.as_str() == "ops/*");
        let found: Vec<_> = warnings.iter().map(|warning| (warning.field.as_str(), warning.got.as_str())).collect();
        assert_eq!(
            found,
            [
                ("markers[1]", "no/deploy, which none does; it shows series as soon as they are pushed"),
                ("widgets[0].series[1]", "nope/**, which none does; it shows series as soon as they are pushed"),
                ("widgets[0].markers[0]", "never, which none does; it shows series as soon as they are pushed"),
                ("widgets[1].markdown", "<b>, which is shown as it is written"),
            ]
        );
    }
}
