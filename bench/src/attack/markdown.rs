//! Item 6: notes for which a naive parser takes quadratic time.

use super::ground::Ground;
use super::outcome::Outcome;
use super::subject::{Setup, storm};

/// The most bytes of a note.
const NOTE: usize = 16 << 10;

/// The pieces that a note repeats: openings that nothing closes, and nested markup.
const PIECES: [&str; 8] = ["_a ", "*a _b ", "[a](", "![", "`` ` ", "> ", "- ", "<b>"];

/// Four clients store boards with as many notes as fit.
pub(crate) fn run(ground: &Ground) -> anyhow::Result<Outcome> {
    let mut server = ground.start(&Setup::default())?;
    let client = server.attacker();
    let measured = server.under(|tally| {
        storm(tally, 4, ground.scale.lasts, |thread, turn| {
            // Every other note uses the first piece, which was the reported one. The remaining pieces take turns.
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
