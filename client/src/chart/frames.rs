//! The single loop of animation frames for everything that moves on the page.

use leptos::prelude::*;

use crate::zone::Zone;

/// A painter, called before each paint. It draws if there is something new.
type Painter = Box<dyn FnMut(Frame)>;

/// The state of a frame that painters need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// True if the page is dark; it can change at any time.
    pub dark: bool,
    /// The time zone of the page; it can change at any time.
    pub zone: Zone,
}

/// The loop. It runs while there are painters, and ends with the reactive owner that made it. A hidden page has no
/// frames, so nothing is painted there.
#[derive(Clone, Copy)]
pub struct Frames {
    painters: StoredValue<Painters, LocalStorage>,
}

#[derive(Default)]
struct Painters {
    all: Vec<(u64, Painter)>,
    next: u64,
    running: bool,
}

impl Frames {
    /// Makes a loop without painters.
    #[must_use]
    pub fn new() -> Self {
        Self { painters: StoredValue::new_local(Painters::default()) }
    }

    /// Calls `painter` in each frame, as long as the current reactive owner lives.
    pub fn paint(self, painter: impl FnMut(Frame) + 'static) {
        let registered = self.painters.try_update_value(|painters| {
            let key = painters.next;
            painters.next += 1;
            painters.all.push((key, Box::new(painter)));
            (key, std::mem::replace(&mut painters.running, true))
        });
        let Some((key, running)) = registered else { return };
        if !running {
            request_animation_frame(move || self.frame());
        }
        on_cleanup(move || {
            self.painters.try_update_value(|painters| painters.all.retain(|(other, _)| *other != key));
        });
    }

    fn frame(self) {
        let (dark, zone) = (is_dark(), Zone::current());
        let more = self.painters.try_update_value(|painters| {
            for (_, painter) in &mut painters.all {
                painter(Frame { dark, zone });
            }
            painters.running = !painters.all.is_empty();
            painters.running
        });
        if more == Some(true) {
            request_animation_frame(move || self.frame());
        }
    }
}

/// Returns true if the page is dark: by the user's choice (`data-theme` of the document element), else by the
/// system's setting.
#[must_use]
pub fn is_dark() -> bool {
    let chosen = document().document_element().and_then(|root| root.get_attribute("data-theme"));
    match chosen.as_deref() {
        Some("dark") => true,
        Some("light") => false,
        _ => window().match_media("(prefers-color-scheme: dark)").ok().flatten().is_some_and(|q| q.matches()),
    }
}

impl Default for Frames {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Frames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frames").finish_non_exhaustive()
    }
}
