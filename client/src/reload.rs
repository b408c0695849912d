//! Replaces a page that is older than its server.
//!
//! Reloading gets the new page. But where a proxy or a cache keeps serving the old one, reloading again and again
//! would not help. So the page reloads once for each new version, and after that shows a message. A user who edits a
//! board gets the message at once: they decide when to reload.

use std::sync::atomic::{AtomicBool, Ordering};

use js_sys::RegExp;
use leptos::prelude::{document, window};
use web_sys::Storage;

use crate::fetch;

/// Prefix of the key in the session storage under which the tab remembers a reload. The version follows it: the hash
/// of a contract, or the name of a page's script.
const KEY: &str = "pulseboard.reloaded-for.";

/// True while a reload would lose something, such as edits.
static HELD: AtomicBool = AtomicBool::new(false);

/// Key in the session storage of the scroll position, in whole CSS pixels: parsing a fraction takes a table that is a
/// fifteenth of the page.
const PLACE: &str = "pulseboard.place";

/// The decision about a version of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the version of this page.
    Same,
    /// Reload, and remember it.
    Reload,
    /// Reloading did not help, so show a message.
    Tell,
}

/// Sets if a reload would lose something.
pub fn hold(held: bool) {
    HELD.store(held, Ordering::Relaxed);
}

/// Decides where the server has version `theirs` and this page `ours`. `reloaded` is true if the tab has reloaded for
/// `theirs` before. One reload for each version also ends where two servers of different versions take turns.
#[must_use]
pub fn verdict(ours: &str, theirs: &str, reloaded: bool) -> Verdict {
    if ours == theirs {
        Verdict::Same
    } else if reloaded {
        Verdict::Tell
    } else {
        Verdict::Reload
    }
}

/// Reloads once if the contract of the server differs from this page's. Returns true if the user must see a message
/// instead.
#[must_use]
pub fn is_due(theirs: &str) -> bool {
    once(&shared::contract::hash(), theirs)
}

/// Checks if the server has another version of this page, which has other modules, and reloads once if so. Returns
/// true if the user must see a message instead.
pub async fn is_replaced() -> bool {
    let head = document().query_selector("head").ok().flatten();
    let Some(ours) = head.and_then(|head| script(&head.inner_html())) else { return false };
    let Ok(answer) = fetch::get("").await else { return false };
    // An answer without such a script is not this page: a proxy may say that the server is away.
    script(&answer.body).is_some_and(|theirs| once(&ours, &theirs))
}

/// Finds the folder of a page's scripts, whose name has a hash of them. A browser's regular expression needs no code in the page.
fn script(page: &str) -> Option<String> {
    RegExp::new("page-\\w+/pulseboard-client", "").exec(page)?.get(0).as_string()
}

fn once(ours: &str, theirs: &str) -> bool {
    let (storage, key) = (storage(), format!("{KEY}{theirs}"));
    let remembered = storage.as_ref().and_then(|storage| storage.get_item(&key).ok().flatten());
    match verdict(ours, theirs, remembered.is_some()) {
        Verdict::Same => false,
        Verdict::Tell => true,
        Verdict::Reload if HELD.load(Ordering::Relaxed) => true,
        // Reloads only if the storage remembers it: otherwise nothing would end a loop of reloads.
        Verdict::Reload => {
            let kept = storage.as_ref().is_some_and(|storage| storage.set_item(&key, "").is_ok());
            if let (Some(storage), Ok(place)) = (&storage, window().scroll_y()) {
                // Ignores an error: the page would be at its top again, which is no reason not to reload.
                _ = storage.set_item(PLACE, &whole(place).to_string());
            }
            !(kept && window().location().reload().is_ok())
        }
    }
}

/// Scrolls to the position from before a reload. Call it once the tiles are there: before that the page is too short,
/// which is why the browser cannot do it.
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
        assert_eq!(verdict("a", "a", false), Verdict::Same);
        assert_eq!(verdict("a", "a", true), Verdict::Same);
        assert_eq!(verdict("a", "b", false), Verdict::Reload);
        assert_eq!(verdict("a", "b", true), Verdict::Tell);
    }
}
