//! The theme of the page: light, dark, or the system's.
//!
//! A script in `index.html` sets the saved theme before the first paint. This module changes it.

use leptos::ev;
use leptos::prelude::*;

use crate::dom::on_window;

/// Key of the theme in the local storage; `index.html` reads it too.
const KEY: &str = "pulseboard.theme";

/// Event on the window after a change of the theme: canvases have to be painted again.
pub const CHOSEN: &str = "pulseboard-theme";

/// A theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// The system's theme.
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// Parses the word that is saved.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// Returns the word that is saved, and shown on the page.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Returns the next theme in the switch's order.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }

    /// Returns the theme of the page.
    #[must_use]
    pub fn current() -> Self {
        root().and_then(|root| root.get_attribute("data-theme")).map_or(Self::System, |word| Self::of(&word))
    }

    /// Switches to the next theme.
    pub fn turn() {
        Self::current().next().choose();
    }

    /// Applies the theme, and saves it where the browser allows it.
    pub fn choose(self) {
        if let Some(root) = root() {
            _ = match self {
                Self::System => root.remove_attribute("data-theme"),
                chosen => root.set_attribute("data-theme", chosen.word()),
            };
        }
        if let Ok(Some(storage)) = window().local_storage() {
            // Ignores an error: the theme then lasts until the page is reloaded.
            _ = storage.set_item(KEY, self.word());
        }
        if let Ok(event) = web_sys::Event::new(CHOSEN) {
            _ = window().dispatch_event(&event);
        }
    }
}

/// The button that switches to the next theme.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let theme = RwSignal::new(Theme::current());
    on_window(ev::Custom::<web_sys::Event>::new(CHOSEN), move |_| theme.set(Theme::current()));
    view! {
        <button
            class="quiet"
            type="button"
            data-testid="theme"
            title="Light, dark, or as the system has it (t)"
            on:click=|_| Theme::turn()
        >
            {move || theme.get().word()}
            " theme"
        </button>
    }
}

fn root() -> Option<web_sys::Element> {
    document().document_element()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_switch_comes_round_and_each_theme_is_remembered_as_itself() {
        let mut theme = Theme::System;
        for _ in 0..3 {
            assert_eq!(Theme::of(theme.word()), theme);
            theme = theme.next();
        }
        assert_eq!(theme, Theme::System);
        assert_eq!(Theme::of("sepia"), Theme::System);
    }
}
