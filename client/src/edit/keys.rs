//! The keyboard commands of editing.

use super::arrange::Direction;

/// An action on the focused widget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Moves it by a step.
    Move(Direction),
    /// Resizes it by a cell.
    Resize(Direction),
    /// Removes it.
    Remove,
    /// Duplicates it.
    Duplicate,
    /// Opens its form.
    Open,
}

/// A command on the board or the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Opens the dialog for a new widget.
    Add,
    /// Undoes the last edit.
    Undo,
    /// Redoes the last undone edit.
    Redo,
    /// Saves the board.
    Save,
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// The key's name in browsers.
    pub name: &'a str,
    /// True if Ctrl, or the Command key of a Mac, is held down.
    pub ctrl: bool,
    /// True if Alt is held down.
    pub alt: bool,
    /// True if Shift is held down.
    pub shift: bool,
}

/// The action of a key on the focused widget.
#[must_use]
pub fn deed(key: Key<'_>) -> Option<Deed> {
    if key.ctrl || key.alt {
        return None;
    }
    let direction = match key.name {
        "ArrowLeft" => Direction::Left,
        "ArrowRight" => Direction::Right,
        "ArrowUp" => Direction::Up,
        "ArrowDown" => Direction::Down,
        "Delete" | "Backspace" => return Some(Deed::Remove),
        "Enter" => return Some(Deed::Open),
        "d" => return Some(Deed::Duplicate),
        _ => return None,
    };
    Some(if key.shift { Deed::Resize(direction) } else { Deed::Move(direction) })
}

/// The command of a key anywhere on a board's page, except in inputs.
#[must_use]
pub fn command(key: Key<'_>, editing: bool) -> Option<Command> {
    match (key.name, key.ctrl, editing) {
        ("a", false, true) => Some(Command::Add),
        ("z" | "Z", true, true) => Some(if key.shift { Command::Redo } else { Command::Undo }),
        ("y", true, true) => Some(Command::Redo),
        ("s", true, true) => Some(Command::Save),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key<'_> {
        let mut key = Key { name: text, ctrl: false, alt: false, shift: false };
        while let Some((held, name)) = key.name.split_once(' ') {
            key = Key {
                name,
                ctrl: key.ctrl || held == "Ctrl",
                alt: key.alt || held == "Alt",
                shift: key.shift || held == "Shift",
            };
        }
        key
    }

    #[test]
    fn arrows_move_and_with_shift_they_resize() {
        assert_eq!(deed(key("ArrowLeft")), Some(Deed::Move(Direction::Left)));
        assert_eq!(deed(key("Shift ArrowDown")), Some(Deed::Resize(Direction::Down)));
        assert_eq!(deed(key("Delete")), Some(Deed::Remove));
        assert_eq!(deed(key("Ctrl d")), None, "that is the browser's");
        assert_eq!(deed(key("Alt ArrowLeft")), None, "the browser goes back");
    }

    #[test]
    fn what_was_edited_is_undone_by_the_keys_that_everyone_knows_and_only_while_editing() {
        for (pressed, wanted) in [
            ("Ctrl z", Command::Undo),
            ("Ctrl Shift Z", Command::Redo),
            ("Ctrl y", Command::Redo),
            ("Ctrl s", Command::Save),
            ("a", Command::Add),
        ] {
            assert_eq!(command(key(pressed), true), Some(wanted), "{pressed}");
            assert_eq!(command(key(pressed), false), None, "{pressed}");
        }
        assert_eq!(command(key("e"), true), None);
    }
}
