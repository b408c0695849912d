//! A wall screen: one board without controls, or several boards in rotation.
//!
//! [`Kiosk::of`] reads the query string, [`rotation`] decides which board is on, and [`show`] shows it.

pub mod rotation;
pub mod show;

use shared::{BoardId, Duration};

/// Default time for which each board is shown, in seconds.
const EVERY: u64 = 30;

/// Shortest time that a board may be shown, in seconds: it has to load, and be read.
const SHORTEST: u64 = 5;

/// Longest time that a board may be shown, in seconds: a day.
const LONGEST: u64 = 86_400;

/// Keys of the address that are about the board itself.
const OF_BOARD: [&str; 2] = ["from", "to"];

/// The settings of a wall screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kiosk {
    /// The boards in rotation; empty only where the address names none.
    pub boards: Vec<BoardId>,
    /// Time for which each board is shown.
    pub every: Duration,
    /// Messages about parts of the query that are wrong. The rest is shown all the same.
    pub mistakes: Vec<String>,
}

impl Kiosk {
    /// Reads the query string of an address (`?kiosk&boards=ops,shop&every=30s`, escapes resolved). Returns `None`
    /// without the key `kiosk`. `board` is the board of the path, which is shown where the query names none.
    #[must_use]
    pub fn of(query: &str, board: Option<&BoardId>) -> Option<Self> {
        let pairs = || {
            let parts = query.trim_start_matches('?').split('&');
            parts.map(|part| part.split_once('=').unwrap_or((part, "")))
        };
        pairs().find(|(key, _)| *key == "kiosk")?;
        let mut boards: Vec<BoardId> = Vec::new();
        let mut every = EVERY;
        let mut mistakes = Vec::new();
        for (key, value) in pairs() {
            match key {
                "boards" => {
                    for name in value.split(',').filter(|name| !name.is_empty()) {
                        match name.parse() {
                            Ok(id) => boards.push(id),
                            Err(error) => mistakes.push(format!("boards: {name:?} is no name of a board: {error}")),
                        }
                    }
                }
                "every" => every = read_every(value),
                "kiosk" | "" => {}
                known if OF_BOARD.contains(&known) => {}
                other => mistakes.push(format!("{other:?} is no parameter; there are kiosk, boards and every")),
            }
        }
        if boards.is_empty() {
            boards.extend(board.cloned());
        }
        if boards.is_empty() {
            mistakes.push("say which boards: ?kiosk&boards=ops,shop".to_owned());
        }
        Some(Self { boards, every: Duration::from_secs(every), mistakes })
    }
}

/// Reads the time for which each board is shown, in seconds. Nobody at a wall could correct it, so a time that is too
/// short becomes the shortest one, a number is one of seconds, and anything else the default.
fn read_every(value: &str) -> u64 {
    let seconds = value.trim().parse::<u64>().ok();
    let seconds = seconds.or_else(|| value.trim().parse().ok().map(Duration::as_secs));
    seconds.map_or(EVERY, |seconds| seconds.clamp(SHORTEST, LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kiosk(query: &str) -> Option<Kiosk> {
        Kiosk::of(query, Some(&"ops".parse().unwrap()))
    }

    #[test]
    fn a_wall_shows_its_board_or_several_in_turn() {
        assert_eq!(kiosk(""), None);
        assert_eq!(kiosk("?edit"), None);
        let one = kiosk("?kiosk").unwrap();
        assert_eq!((one.boards.len(), one.boards[0].as_str()), (1, "ops"));
        let turns = kiosk("?kiosk&boards=ops,shop&every=1m").unwrap();
        assert_eq!(turns.boards.iter().map(BoardId::as_str).collect::<Vec<_>>(), ["ops", "shop"]);
        assert_eq!((turns.every, turns.mistakes.len()), (Duration::from_secs(60), 0));
    }

    #[test]
    fn time_of_a_turn_is_corrected_instead_of_reported() {
        for (value, seconds) in [
            ("1m", 60),
            ("45", 45),
            ("1s", SHORTEST),
            ("0", SHORTEST),
            ("1", SHORTEST),
            ("9999d", LONGEST),
            ("soon", EVERY),
            ("-5s", EVERY),
            ("", EVERY),
        ] {
            let wall = kiosk(&format!("?kiosk&boards=ops,shop&every={value}")).unwrap();
            assert_eq!((wall.every.as_secs(), wall.mistakes.len()), (seconds, 0), "{value:?}");
        }
    }

    #[test]
    fn what_cannot_be_made_out_is_told_and_the_rest_is_shown() {
        let wrong = kiosk("?kiosk&boards=ops,a%20b,shop&every=soon&speed=2").unwrap();
        assert_eq!((wrong.boards.len(), wrong.every.as_secs(), wrong.mistakes.len()), (2, EVERY, 2));
        assert!(kiosk("?kiosk&from=-2h&to=now").unwrap().mistakes.is_empty());
        assert_eq!(Kiosk::of("?kiosk", None).unwrap().mistakes, ["say which boards: ?kiosk&boards=ops,shop"]);
    }
}
