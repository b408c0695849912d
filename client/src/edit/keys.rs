//! The keyboard commands of editing.

use super::arrange::Direction;

/// An action on the focused widget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WidgetAction {
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
pub enum BoardCommand {
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
pub fn widget_action(key: Key<'_>) -> Option<WidgetAction> {
    if key.ctrl || key.alt {
        return None;
    }
    let direction = match key.name {
        "ArrowLeft" => Direction::Left,
        "ArrowRight" => Direction::Right,
        "ArrowUp" => Direction::Up,
        "ArrowDown" => Direction::Down,
        "Delete" | "Backspace" => return Some(WidgetAction::Remove),
        "Enter" => return Some(WidgetAction::Open),
        "d" => return Some(WidgetAction::Duplicate),
        _ => return None,
    };
    Some(if key.shift { WidgetAction::Resize(direction) } else { WidgetAction::Move(direction) })
}

/// The command of a key anywhere on a board's page, except in inputs.
#[must_use]
pub fn board_command(key: Key<'_>, editing: bool) -> Option<BoardCommand> {
    match (key.name, key.ctrl, editing) {
        ("a", false, true) => Some(BoardCommand::Add),
        ("z" | "Z", true, true) => Some(if key.shift { BoardCommand::Redo } else { BoardCommand::Undo }),
        ("y", true, true) => Some(BoardCommand::Redo),
        ("s", true, true) => Some(BoardCommand::Save),
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
        assert_eq!(widget_action(key("ArrowLeft")), Some(WidgetAction::Move(Direction::Left)));
        assert_eq!(widget_action(key("Shift ArrowDown")), Some(WidgetAction::Resize(Direction::Down)));
        assert_eq!(widget_action(key("Delete")), Some(WidgetAction::Remove));
        assert_eq!(widget_action(key("Ctrl d")), None, "that is the browser's");
        assert_eq!(widget_action(key("Alt ArrowLeft")), None, "the browser goes back");
    }

    #[test]
    fn what_was_edited_is_undone_by_the_keys_that_everyone_knows_and_only_while_editing() {
        for (pressed, wanted) in [
            ("Ctrl z", BoardCommand::Undo),
            ("Ctrl Shift Z", BoardCommand::Redo),
            ("Ctrl y", BoardCommand::Redo),
            ("Ctrl s", BoardCommand::Save),
            ("a", BoardCommand::Add),
        ] {
            assert_eq!(board_command(key(pressed), true), Some(wanted), "{pressed}");
            assert_eq!(board_command(key(pressed), false), None, "{pressed}");
        }
        assert_eq!(board_command(key("e"), true), None);
    }
}
