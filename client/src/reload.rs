//! A page that is older than its server.
//!
//! Reloading gets the new page. But where a proxy or a cache keeps giving out the old one, reloading again and again
//! would help nobody: so it is done once for each new version, and after that the reader is told. So is who edits a board: it is
//! for them to say when.

use std::sync::atomic::{AtomicBool, Ordering};

use js_sys::RegExp;
use leptos::prelude::{document, window};
use web_sys::Storage;

use crate::fetch;

/// Under which name, with that of a version behind it, the tab remembers that it was reloaded for it: a contract, or the script
/// of a page.
const KEY: &str = "pulseboard.reloaded-for.";

/// Whether something would be lost by reloading.
static HELD: AtomicBool = AtomicBool::new(false);

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

/// Says whether something would be lost by reloading.
pub fn hold(held: bool) {
    HELD.store(held, Ordering::Relaxed);
}

/// What to do where the server is of version `theirs`, this page of `ours`, and the tab was `reloaded` for theirs before. That it is
/// done once for each version ends also where two servers of different ones take turns.
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

/// Reloads once where the server's contract is not ours; whether the reader must be told instead.
#[must_use]
pub fn is_due(theirs: &str) -> bool {
    once(&shared::contract::hash(), theirs)
}

/// Looks whether the server has another page than this one, which has other parts, and reloads once where it has; whether the
/// reader must be told instead.
pub async fn is_replaced() -> bool {
    let head = document().query_selector("head").ok().flatten();
    let Some(ours) = head.and_then(|head| script(&head.inner_html())) else { return false };
    let Ok(answer) = fetch::get("").await else { return false };
    // What names no script of ours is not our page: a proxy that says that the server is away.
    script(&answer.body).is_some_and(|theirs| once(&ours, &theirs))
}

/// What the script of a page is called. To look for it takes the browser no code of ours.
fn script(page: &str) -> Option<String> {
    RegExp::new("pulseboard-client-\\w+\\.js", "").exec(page)?.get(0).as_string()
}

fn once(ours: &str, theirs: &str) -> bool {
    let (storage, key) = (storage(), format!("{KEY}{theirs}"));
    let remembered = storage.as_ref().and_then(|storage| storage.get_item(&key).ok().flatten());
    match verdict(ours, theirs, remembered.is_some()) {
        Verdict::Same => false,
        Verdict::Tell => true,
        Verdict::Reload if HELD.load(Ordering::Relaxed) => true,
        // Without a memory there is no telling the first time from the hundredth.
        Verdict::Reload => {
            let kept = storage.as_ref().is_some_and(|storage| storage.set_item(&key, "").is_ok());
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
        assert_eq!(verdict("a", "a", false), Verdict::Same);
        assert_eq!(verdict("a", "a", true), Verdict::Same);
        assert_eq!(verdict("a", "b", false), Verdict::Reload);
        assert_eq!(verdict("a", "b", true), Verdict::Tell);
    }
}
