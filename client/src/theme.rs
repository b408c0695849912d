//! Light, dark, or as the system has it.
//!
//! A script in `index.html` sets what was chosen before anything is painted; here it is chosen.

use leptos::prelude::*;

use crate::part::{Part, on_window};

/// Under which name the browser remembers what was chosen; `index.html` reads it too.
const KEY: &str = "pulseboard.theme";

/// The event that tells the page of another choice: what is painted on a canvas has to be painted anew.
pub const CHOSEN: &str = "pulseboard-theme";

/// What was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// As it is remembered.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// How it is remembered, and called on the page.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }

    /// What the page shows now.
    #[must_use]
    pub fn current() -> Self {
        root().and_then(|root| root.get_attribute("data-theme")).map_or(Self::System, |word| Self::of(&word))
    }

    /// Chooses the one after what the page shows now.
    pub fn turn() {
        Self::current().next().choose();
    }

    /// Shows it, and remembers it where the browser lets it.
    pub fn choose(self) {
        if let Some(root) = root() {
            _ = match self {
                Self::System => root.remove_attribute("data-theme"),
                chosen => root.set_attribute("data-theme", chosen.word()),
            };
        }
        if let Ok(Some(storage)) = window().local_storage() {
            // Without a memory it holds until the page is loaded anew.
            _ = storage.set_item(KEY, self.word());
        }
        if let Ok(event) = web_sys::Event::new(CHOSEN) {
            _ = window().dispatch_event(&event);
        }
    }
}

/// The button that goes from one to the next.
#[must_use]
pub fn switch() -> Part {
    let button = Part::new("button", "quiet")
        .with("type", "button")
        .with("data-testid", "theme")
        .with("title", "Light, dark, or as the system has it (t)")
        .on("click", |_| Theme::turn());
    let tell = {
        let button = button.clone();
        move || button.element().set_text_content(Some(&format!("{} theme", Theme::current().word())))
    };
    tell();
    on_window(CHOSEN, move |_| tell());
    button
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
