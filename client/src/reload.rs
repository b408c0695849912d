//! A page that is older than its server.
//!
//! Reloading gets the new page. But where a proxy or a cache keeps giving out the old one, reloading again and again
//! would help nobody: so it is done once for each new version, and after that the reader is told.

use leptos::prelude::window;
use web_sys::Storage;

/// Under which name the tab remembers for which contract it was reloaded.
const KEY: &str = "pulseboard.reloaded-for";

/// Under which name the tab remembers how far it was scrolled, in whole CSS pixels: to read a fraction takes a table
/// that is a fifteenth of the page.
const PLACE: &str = "pulseboard.place";

/// What to do about the server's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is ours.
    Same,
    /// Reload, and remember that.
    Reload,
    /// Reloading did not help: tell the reader.
    Tell,
}

/// What to do where the server speaks `theirs`, this page `ours`, and the tab was last reloaded for `reloaded_for`.
#[must_use]
pub fn verdict(ours: &str, theirs: &str, reloaded_for: Option<&str>) -> Verdict {
    if ours == theirs {
        Verdict::Same
    } else if reloaded_for == Some(theirs) {
        Verdict::Tell
    } else {
        Verdict::Reload
    }
}

/// Reloads once where the server's contract is not ours; whether the reader must be told instead.
#[must_use]
pub fn is_due(theirs: &str) -> bool {
    let storage = storage();
    let remembered = storage.as_ref().and_then(|storage| storage.get_item(KEY).ok().flatten());
    match verdict(&shared::contract::hash(), theirs, remembered.as_deref()) {
        Verdict::Same => false,
        Verdict::Tell => true,
        // Without a memory there is no telling the first time from the hundredth.
        Verdict::Reload => {
            let kept = storage.as_ref().is_some_and(|storage| storage.set_item(KEY, theirs).is_ok());
            if let (Some(storage), Ok(place)) = (&storage, window().scroll_y()) {
                // Without it the page is at its top again, which is no reason not to reload.
                _ = storage.set_item(PLACE, &whole(place).to_string());
            }
            !(kept && window().location().reload().is_ok())
        }
    }
}

/// Scrolls to where the page was when it reloaded itself, once its tiles are there: before that it is too short for
/// the browser to do so.
pub fn return_to_place() {
    let Some(storage) = storage() else { return };
    let place = storage.get_item(PLACE).ok().flatten().and_then(|place| place.parse::<u32>().ok());
    if let Some(place) = place {
        _ = storage.remove_item(PLACE);
        window().scroll_to_with_x_and_y(0.0, place.into());
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn whole(pixels: f64) -> u32 {
    pixels as u32
}

fn storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_version_is_loaded_once_and_then_told_of() {
        assert_eq!(verdict("a", "a", None), Verdict::Same);
        assert_eq!(verdict("a", "b", None), Verdict::Reload);
        assert_eq!(verdict("a", "b", Some("b")), Verdict::Tell);
        assert_eq!(verdict("a", "c", Some("b")), Verdict::Reload, "another new version is another matter");
    }
}
