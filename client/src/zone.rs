//! The time zone in which the page shows times: the one of the system, or UTC.

use std::cell::Cell;
use std::sync::LazyLock;

use leptos::prelude::*;
use leptos::reactive::graph::Observer;

use crate::browser;
use crate::calendar::offset_words;

/// Key of the zone in the local storage.
const KEY: &str = "pulseboard.zone";

/// A time zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// The zone of the system.
    #[default]
    Local,
    /// UTC.
    Utc,
}

/// Counts the changes of the zone. Texts with times track it.
static CHANGES: LazyLock<ArcRwSignal<u64>> = LazyLock::new(|| ArcRwSignal::new(0));

thread_local! {
    static CURRENT: Cell<Option<Zone>> = const { Cell::new(None) };
}

impl Zone {
    /// Parses the word that is saved.
    fn of(word: &str) -> Self {
        if word == "utc" { Self::Utc } else { Self::Local }
    }

    /// Returns the word that is saved.
    fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Utc => "utc",
        }
    }

    /// Returns the zone of the page; tracked within views.
    #[must_use]
    pub fn current() -> Self {
        if Observer::get().is_some() {
            CHANGES.track();
        }
        if let Some(zone) = CURRENT.get() {
            return zone;
        }
        let saved = window().local_storage().ok().flatten().and_then(|storage| storage.get_item(KEY).ok().flatten());
        let zone = saved.map_or(Self::Local, |word| Self::of(&word));
        CURRENT.set(Some(zone));
        zone
    }

    /// Shows times in this zone from now on, and saves it where the browser allows it.
    pub fn choose(self) {
        CURRENT.set(Some(self));
        if let Ok(Some(storage)) = window().local_storage() {
            // Ignores an error: the zone then lasts until the page is reloaded.
            _ = storage.set_item(KEY, self.word());
        }
        CHANGES.update(|changes| *changes += 1);
    }

    fn other(self) -> Self {
        match self {
            Self::Local => Self::Utc,
            Self::Utc => Self::Local,
        }
    }
}

/// The milliseconds by which the clocks of the page's zone are ahead of UTC at a moment.
#[must_use]
pub fn offset(at: u64) -> i64 {
    match Zone::current() {
        Zone::Local => system_offset(at),
        Zone::Utc => 0,
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "times stay below 2^53, offsets below a day"
)]
fn system_offset(at: u64) -> i64 {
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at as f64));
    -(date.get_timezone_offset() * 60_000.0) as i64
}

/// The button that shows the zone, and switches between the system's zone and UTC.
#[component]
pub fn ZoneSwitch() -> impl IntoView {
    let words = move || match Zone::current() {
        Zone::Local => format!("local, {}", offset_words(system_offset(browser::now()))),
        Zone::Utc => "UTC".to_owned(),
    };
    let title = move || match Zone::current() {
        Zone::Local => "Times are in the time zone of this computer. Click for UTC.",
        Zone::Utc => "Times are in UTC. Click for the time zone of this computer.",
    };
    view! {
        <button
            class="quiet zone"
            type="button"
            data-testid="zone"
            title=title
            on:click=|_| untrack(Zone::current).other().choose()
        >
            {move || words()}
        </button>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_zone_is_saved_as_itself() {
        for zone in [Zone::Local, Zone::Utc] {
            assert_eq!((Zone::of(zone.word()), zone.other().other()), (zone, zone));
        }
    }
}
