//! Preloads: names what a page will fetch in its `Link` header, so that the browser fetches it early.
//!
//! A board with a document needs modules of the page that other boards do not need. The page itself only knows which
//! ones once it runs and has read the document, but the server has the document. So it sends `Link: …; rel=preload`
//! (RFC 8288, W3C Preload), and the browser fetches the modules beside the page's own code instead of after it. A
//! superfluous preload wastes bandwidth; a missing one adds a round trip. Nothing breaks either way.
//! `e2e/tests/browser/ahead.rs` checks that there is neither.

use std::collections::{BTreeMap, BTreeSet};

use shared::board::automatic::PLAIN;
use shared::board::{Board, DrawModule};
use shared::point::Kind;
use shared::{BoardId, SeriesName};

use crate::access::ReadAccess;
use crate::board::BoardRegistry;
use crate::hub::driver::HubHandle;

/// A module of the page (`client/src/lazy.rs`), by its name in the manifest.
pub type Module = &'static str;

/// Reads the document of a board, and draws all widgets but stats and notes.
const BOARD: Module = "board";
/// Draws notes.
const NOTES: Module = "notes";
/// The editor.
const EDIT: Module = "edit";
/// All pages that are not one board, and the empty state of a board.
const PAGES: Module = "pages";

/// The files of each module, as the build writes them to `modules.json` (`tools/split.sh`).
pub type Manifest = BTreeMap<String, Vec<String>>;

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
    pub fn of(boards: &BoardRegistry, hub: &HubHandle, access: &ReadAccess, path: Option<&str>, query: &str) -> Self {
        let query: Vec<(String, String)> = serde_html_form::from_str(query).unwrap_or_default();
        let has = |key: &str| query.iter().any(|(known, _)| known == key);
        let (kiosk, mut board) = (has("kiosk"), path.and_then(|id| id.parse().ok()));
        if kiosk {
            // The first of several boards is shown at once; the others fetch what they need when their turn comes.
            let named = query.iter().filter(|(key, _)| key == "boards").flat_map(|(_, boards)| boards.split(','));
            board = named.filter_map(|id| id.parse().ok()).next().or(board);
        }
        let Some(id) = board else { return Self { document: None, modules: vec![PAGES] } };
        let edition = boards.get(&id).filter(|_| access.sees_board(&id));
        let mut modules = match &edition {
            Some(edition) => of_made(edition.document.board()),
            None => of_automatic(hub.selecting().series_of(&id, access.scope().series()).as_deref()),
        };
        if kiosk && !modules.contains(&PAGES) {
            modules.insert(0, PAGES);
        } else if !kiosk && has("edit") {
            // A board that is being edited never shows the empty state.
            modules.retain(|module| *module != PAGES);
            modules.push(EDIT);
        }
        Self { document: edition.map(|_| id), modules }
    }

    /// Returns the header `Link` that preloads these resources. Each entry asks for its resource in exactly the same
    /// way as the page does; otherwise the browser would fetch it twice. The result is `None` where the build was not
    /// split into modules. `root` leads from the page to the root of the server, such as `../`: addresses are relative,
    /// since a proxy may serve all of this below a path.
    #[must_use]
    pub fn link(&self, root: &str, manifest: &Manifest) -> Option<String> {
        let files: BTreeSet<_> = self.modules.iter().filter_map(|module| manifest.get(*module)).flatten().collect();
        if files.is_empty() {
            return None;
        }
        let mut link: Vec<String> = Vec::new();
        // The same request as in `client/src/board/document.rs`.
        link.extend(self.document.iter().map(|id| {
            let id = crate::board::escaped(id);
            format!("<{root}api/boards/{id}?form=json>; rel=preload; as=fetch; crossorigin")
        }));
        // Low priority: the code of the page itself comes before the modules that it needs once it runs.
        let file = |file| format!("<{root}{file}>; rel=preload; as=fetch; crossorigin; fetchpriority=low");
        link.extend(files.into_iter().map(file));
        Some(link.join(", "))
    }
}

/// The modules of a board with a document.
fn of_made(board: &Board) -> Vec<Module> {
    let has_notes = board.widgets.iter().any(|widget| widget.content.draw_module() == Some(DrawModule::Notes));
    let needed = [(true, BOARD), (board.widgets.is_empty(), PAGES), (has_notes, NOTES)];
    needed.into_iter().filter(|(needed, _)| *needed).map(|(_, module)| module).collect()
}

/// The modules of a board without a document. Few numbers are plain stats, which every page can draw
/// ([`Board::automatic_plain`]). `None` stands for more series than a board may have widgets.
fn of_automatic(series: Option<&[(SeriesName, Kind)]>) -> Vec<Module> {
    match series {
        Some([]) => vec![PAGES],
        Some(few) if few.len() <= PLAIN && few.iter().all(|(_, kind)| *kind == Kind::Number) => Vec::new(),
        _ => vec![BOARD],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn board_with_document_needs_its_module_and_that_of_notes() {
        let of = |kinds: &[&str]| {
            let widget = |(id, kind): (usize, &&str)| match *kind {
                "text" => json!({ "id": id.to_string(), "type": kind, "markdown": "x" }),
                _ => json!({ "id": id.to_string(), "type": kind, "series": ["a/b"] }),
            };
            let widgets: Vec<_> = kinds.iter().enumerate().map(widget).collect();
            of_made(&Board::read(&json!({ "widgets": widgets })).strict().unwrap())
        };
        for kind in ["stat", "line", "gauge", "table"] {
            assert_eq!(of(&[kind]), [BOARD], "{kind}");
        }
        assert_eq!(of(&["stat", "text"]), [BOARD, NOTES]);
        assert_eq!(of(&[]), [BOARD, PAGES]);
    }

    #[test]
    fn automatic_board_needs_a_module_for_texts_charts_and_tables() {
        let of = |names: &[&str], kind| {
            let series: Vec<_> = names.iter().map(|name| (name.parse().unwrap(), kind)).collect();
            of_automatic(Some(&series))
        };
        assert_eq!(of(&[], Kind::Number), [PAGES]);
        assert_eq!(of(&["ops/temp", "ops/load"], Kind::Number), [""; 0]);
        assert_eq!(of(&["ops/deploy"], Kind::Text), [BOARD]);
        assert_eq!(of(&["ops/core1_pct", "ops/core2_pct", "ops/core3_pct"], Kind::Number), [BOARD]);
        assert_eq!(of_automatic(None), [BOARD]);
    }

    #[test]
    fn each_file_of_the_modules_is_preloaded_once() {
        let files = |files: &[&str]| files.iter().map(|&file| file.to_owned()).collect();
        let manifest = Manifest::from([
            ("board".to_owned(), files(&["page-1/split_board.wasm", "page-1/chunk_1.wasm"])),
            ("notes".to_owned(), files(&["page-1/split_notes.wasm", "page-1/chunk_1.wasm"])),
        ]);
        let link = |root: &str, board: Option<&str>, modules: &[Module], manifest: &Manifest| {
            let preloads = Preloads { document: board.map(|id| id.parse().unwrap()), modules: modules.to_vec() };
            preloads.link(root, manifest)
        };
        let low = "rel=preload; as=fetch; crossorigin; fetchpriority=low";
        let board = format!("<../page-1/chunk_1.wasm>; {low}, <../page-1/split_board.wasm>; {low}");
        assert_eq!(link("../", None, &[BOARD], &manifest), Some(board.clone()));
        assert_eq!(link("./", None, &[BOARD], &manifest), Some(board.replace("<../", "<./")));
        let document = "<../api/boards/ops?form=json>; rel=preload; as=fetch; crossorigin";
        let both = format!("{document}, {board}, <../page-1/split_notes.wasm>; {low}");
        assert_eq!(link("../", Some("ops"), &[BOARD, NOTES], &manifest), Some(both));
        assert_eq!(link("../", None, &[], &manifest), None);
        assert_eq!(link("../", Some("ops"), &[BOARD], &Manifest::new()), None, "it is not split");
    }
}
