//! Item 6: notes that a parser takes quadratic time for.

use super::ground::Ground;
use super::outcome::Outcome;
use super::subject::{Setup, storm};

/// Most bytes of one note.
const NOTE: usize = 16 << 10;

/// Pieces that a note repeats: openings that nothing closes, and markup that nests.
const PIECES: [&str; 8] = ["_a ", "*a _b ", "[a](", "![", "`` ` ", "> ", "- ", "<b>"];

/// Boards of as many notes as fit, put by four clients at once.
pub(crate) fn run(ground: &Ground) -> anyhow::Result<Outcome> {
    let mut server = ground.start(&Setup::default())?;
    let client = server.attacker();
    let measured = server.under(|tally| {
        storm(tally, 4, ground.scale.lasts, |thread, turn| {
            // The first is the one that was reported; of the others each has a turn.
            let piece = if turn % 2 == 0 { PIECES[0] } else { PIECES[(turn / 2 + thread) % PIECES.len()] };
            let markdown = piece.repeat(NOTE / piece.len());
            let note = |n: usize| serde_json::json!({"id": format!("n{n}"), "type": "text", "markdown": markdown});
            let document = serde_json::json!({"widgets": (0..15).map(note).collect::<Vec<_>>()}).to_string();
            let replacing = [("Content-Type", "application/json"), ("If-Match", "*")];
            let headers = if turn == 0 { &replacing[..1] } else { &replacing };
            let path = format!("/api/boards/note{thread}");
            tally.note(&client.send("PUT", &path, headers, document.as_bytes()));
        });
        Ok(())
    })?;
    Ok(Outcome::of(measured))
}
