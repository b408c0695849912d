//! The single loop of animation frames for everything that moves on the page.
//!
//! The loop of a board pauses while nothing can have changed: sixty frames a second in which every painter finds
//! nothing to do are most of the work of an idle board. New data and the user's input wake it at once.

use std::time::Duration;

use leptos::prelude::*;

use crate::browser;
use crate::live::Live;
use crate::zone::Zone;

/// Time in milliseconds for which each frame is painted after the loop was woken.
const AWAKE_MS: u64 = 300;

/// Events of the user's input.
const INPUTS: [&str; 6] = ["pointermove", "pointerdown", "pointerup", "wheel", "keydown", "resize"];

/// Interval of frames in a pause, for what moves with time and for history that has arrived.
const PAUSE: Duration = Duration::from_millis(250);

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
    /// Time until which each frame is painted, by the browser's clock; `None` for a loop that never pauses.
    awake_until: Option<u64>,
    /// Counts the pauses that began or ended. A timer of an earlier pause does nothing.
    pauses: u64,
    /// True while the loop waits for a timer instead of a frame.
    pausing: bool,
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

    /// Lets the loop pause while no data arrives and the user does nothing.
    pub fn pause_when_idle(self, live: Live) {
        self.painters.update_value(|painters| painters.awake_until = Some(browser::now() + AWAKE_MS));
        Effect::new(move |_| {
            live.changes.track();
            self.wake();
        });
        for input in INPUTS {
            let listener = window_event_listener_untyped(input, move |_| self.wake());
            on_cleanup(move || listener.remove());
        }
    }

    /// Paints each of the next frames.
    fn wake(self) {
        let paused = self.painters.try_update_value(|painters| {
            if let Some(until) = &mut painters.awake_until {
                *until = browser::now() + AWAKE_MS;
            }
            painters.pauses += u64::from(painters.pausing);
            std::mem::take(&mut painters.pausing)
        });
        if paused == Some(true) {
            request_animation_frame(move || self.frame());
        }
    }

    fn frame(self) {
        let (dark, zone) = (is_dark(), Zone::current());
        let next = self.painters.try_update_value(|painters| {
            for (_, painter) in &mut painters.all {
                painter(Frame { dark, zone });
            }
            painters.running = !painters.all.is_empty();
            painters.pausing = painters.running && painters.awake_until.is_some_and(|until| browser::now() > until);
            painters.pauses += u64::from(painters.pausing);
            (painters.running, painters.pausing, painters.pauses)
        });
        match next {
            Some((true, true, pause)) => set_timeout(move || self.end_pause(pause), PAUSE),
            Some((true, false, _)) => request_animation_frame(move || self.frame()),
            _ => {}
        }
    }

    fn end_pause(self, pause: u64) {
        let ends = self.painters.try_update_value(|painters| {
            let ends = painters.pausing && painters.pauses == pause;
            painters.pausing &= !ends;
            ends
        });
        if ends == Some(true) {
            request_animation_frame(move || self.frame());
        }
    }
}

/// Returns true if the page is dark: by the user's choice (`data-theme` of the document element), else by the
/// system's setting. Paper is always light.
#[must_use]
pub fn is_dark() -> bool {
    let chosen = document().document_element().and_then(|root| root.get_attribute("data-theme"));
    let query = match chosen.as_deref() {
        Some("light") => return false,
        Some("dark") => "screen",
        _ => "screen and (prefers-color-scheme: dark)",
    };
    window().match_media(query).ok().flatten().is_some_and(|query| query.matches())
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
