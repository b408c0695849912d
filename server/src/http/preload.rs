//! Preloads: names what a page will fetch in its `Link` header, so that the browser fetches it early.
//!
//! A board with a document needs modules of the page that other boards do not need. The page itself only knows which
//! ones once it runs and has read the document, but the server has the document. So it sends `Link: …; rel=preload`
//! (RFC 8288, W3C Preload), and the browser fetches the modules beside the page's own code instead of after it. A
//! superfluous preload wastes bandwidth; a missing one adds a round trip. Nothing breaks either way.
//! `e2e/tests/browser/ahead.rs` checks that there is neither.

use std::borrow::Cow;

use shared::BoardId;
use shared::board::document::MAX_WIDGETS;
use shared::board::{Board, DrawModule};

use crate::board::BoardRegistry;
use crate::hub::Tally;
use crate::hub::driver::HubHandle;

/// A module of the page (`client/src/lazy.rs`), named by its file name before the hash.
pub type Module = &'static str;

/// Reads a document.
const MADE: Module = "made";
/// Draws charts over time.
const CHARTS: Module = "charts";
/// Draws gauges, bars, tables and logs.
const ROWS: Module = "rows";
/// Draws notes.
const NOTES: Module = "notes";
/// The editor.
const EDIT: Module = "edit";
/// All pages that are not one board, and the empty state of a board.
const ELSEWHERE: Module = "elsewhere";

/// Code that several modules share. It is fetched with the first of them (`tools/split.sh`).
const PIECES: Module = "pieces";

/// The resources that the page at one address will fetch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preloads {
    /// The board whose document the page will request, if any.
    document: Option<BoardId>,
    modules: Vec<Module>,
}

impl Preloads {
    /// Determines the fetches of the page at `/b/{path}`, or at `/` where there is no `path`.
    #[must_use]
    pub fn of(boards: &BoardRegistry, hub: &HubHandle, path: Option<&str>, query: &str) -> Self {
        let query: Vec<(String, String)> = serde_html_form::from_str(query).unwrap_or_default();
        let has = |key: &str| query.iter().any(|(known, _)| known == key);
        let (kiosk, mut board) = (has("kiosk"), path.and_then(|id| id.parse().ok()));
        if kiosk {
            // The first of several boards is shown at once; the others fetch what they need when their turn comes.
            let named = query.iter().filter(|(key, _)| key == "boards").flat_map(|(_, boards)| boards.split(','));
            board = named.filter_map(|id| id.parse().ok()).next().or(board);
        }
        let Some(id) = board else { return Self { document: None, modules: vec![ELSEWHERE] } };
        let edition = boards.get(&id);
        let mut modules = match &edition {
            Some(edition) => of_made(edition.document.board()),
            None => of_automatic(hub.selecting().tally(&id)),
        };
        if kiosk && !modules.contains(&ELSEWHERE) {
            modules.insert(0, ELSEWHERE);
        } else if !kiosk && has("edit") {
            // A board that is being edited never shows the empty state.
            modules.retain(|module| *module != ELSEWHERE);
            modules.push(EDIT);
        }
        Self { document: edition.map(|_| id), modules }
    }

    /// Returns the header `Link` that preloads these resources. Each entry asks for its resource in exactly the same
    /// way as the page does; otherwise the browser would fetch it twice. `built` has the file names of the page's
    /// build; the result is `None` where the build was not split into modules. `root` leads from the page to the root
    /// of the server, such as `../`: addresses are relative, since a proxy may serve all of this below a path.
    #[must_use]
    pub fn link(&self, root: &str, built: impl Iterator<Item = Cow<'static, str>>) -> Option<String> {
        let built: Vec<_> = built.filter(|name| name.ends_with(".wasm") || name.ends_with(".bin")).collect();
        let file =
            |module: &str| built.iter().find(|name| name.rsplit_once('-').is_some_and(|(name, _)| name == module));
        let modules: Vec<_> = self.modules.iter().filter_map(|module| file(module)).collect();
        if modules.is_empty() {
            return None;
        }
        let mut link: Vec<String> = Vec::new();
        // The same request as in `client/src/board/document.rs`.
        link.extend(self.document.iter().map(|id| {
            let id = crate::board::escaped(id);
            format!("<{root}api/boards/{id}?form=json>; rel=preload; as=fetch; crossorigin")
        }));
        // Low priority: the code of the page itself comes before the modules that it needs once it runs.
        let apart = file(PIECES).into_iter().chain(modules);
        link.extend(apart.map(|file| format!("<{root}{file}>; rel=preload; as=fetch; crossorigin; fetchpriority=low")));
        Some(link.join(", "))
    }
}

/// The modules of a board with a document.
fn of_made(board: &Board) -> Vec<Module> {
    let drawn: Vec<DrawModule> = board.widgets.iter().filter_map(|widget| widget.content.draw_module()).collect();
    let needed = [
        (true, MADE),
        (board.widgets.is_empty(), ELSEWHERE),
        (drawn.contains(&DrawModule::Charts), CHARTS),
        (drawn.contains(&DrawModule::Rows), ROWS),
        (drawn.contains(&DrawModule::Notes), NOTES),
    ];
    needed.into_iter().filter(|(needed, _)| *needed).map(|(_, module)| module).collect()
}

/// The modules of a board without a document. [`Board::automatic`] shows numbers, which every page can draw, texts as a
/// log, and more series than fit as a table.
fn of_automatic(Tally { series, texts }: Tally) -> Vec<Module> {
    match series {
        0 => vec![ELSEWHERE],
        _ if texts > 0 || series > MAX_WIDGETS => vec![ROWS],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_board_needs_what_draws_its_widgets_and_an_empty_one_what_says_so() {
        let of = |kinds: &[&str]| {
            let widget = |(id, kind): (usize, &&str)| match *kind {
                "text" => json!({ "id": id.to_string(), "type": kind, "markdown": "x" }),
                "time" => json!({ "id": id.to_string(), "type": "bar", "across": "time", "series": ["a/b"] }),
                _ => json!({ "id": id.to_string(), "type": kind, "series": ["a/b"] }),
            };
            let widgets: Vec<_> = kinds.iter().enumerate().map(widget).collect();
            of_made(&Board::read(&json!({ "widgets": widgets })).strict().unwrap())
        };
        assert_eq!(of(&["stat"]), [MADE]);
        for kind in ["line", "area", "heatmap", "states", "time"] {
            assert_eq!(of(&["stat", kind]), [MADE, CHARTS], "{kind}");
        }
        for kind in ["gauge", "bar", "table", "log"] {
            assert_eq!(of(&["stat", kind]), [MADE, ROWS], "{kind}");
        }
        assert_eq!(of(&["stat", "text"]), [MADE, NOTES]);
        assert_eq!(of(&["log", "line", "line"]), [MADE, CHARTS, ROWS]);
        assert_eq!(of(&[]), [MADE, ELSEWHERE]);
    }

    #[test]
    fn a_board_that_nobody_made_needs_rows_for_texts_and_for_more_series_than_it_has_widgets() {
        let of = |series, texts| of_automatic(Tally { series, texts });
        assert_eq!(of(0, 0), [ELSEWHERE]);
        assert_eq!(of(MAX_WIDGETS, 0), [""; 0]);
        assert_eq!(of(2, 1), [ROWS]);
        assert_eq!(of(MAX_WIDGETS + 1, 0), [ROWS]);
    }

    #[test]
    fn files_are_found_by_what_they_are_called_before_the_hash_and_pieces_come_with_them() {
        let built = ["rows-1.css", "rows-2.wasm.br", "rows-2.wasm", "made-3.wasm", "pieces-4.bin", "page-5.wasm"];
        let link_from = |root: &str, board: Option<&str>, modules: &[Module], built: &[&'static str]| {
            let preloads = Preloads { document: board.map(|id| id.parse().unwrap()), modules: modules.to_vec() };
            preloads.link(root, built.iter().map(|&name| Cow::Borrowed(name)))
        };
        let link =
            |board: Option<&str>, modules: &[Module], built: &[&'static str]| link_from("../", board, modules, built);
        let low = "rel=preload; as=fetch; crossorigin; fetchpriority=low";
        let rows = format!("<../pieces-4.bin>; {low}, <../rows-2.wasm>; {low}");
        assert_eq!(link(None, &[ROWS], &built), Some(rows.clone()));
        assert_eq!(
            link_from("./", None, &[ROWS], &built),
            Some(rows.replace("<../", "<./")),
            "from the page of all boards"
        );
        let document = "<../api/boards/ops?form=json>; rel=preload; as=fetch; crossorigin";
        let made = format!("{document}, <../pieces-4.bin>; {low}, <../made-3.wasm>; {low}");
        assert_eq!(link(Some("ops"), &[MADE], &built), Some(made));
        assert_eq!(link(None, &[], &built), None);
        assert_eq!(link(Some("ops"), &[MADE], &["index.html", "page-5_bg.wasm"]), None, "it is not cut apart");
    }
}
