//! Pointer gestures on a chart.

/// A drag in progress.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drag {
    /// The effect of the drag.
    pub aim: Aim,
    /// The start, in pixels from the left.
    pub start: f64,
    /// The present position, in pixels from the left.
    pub now: f64,
    /// The time range that was shown when the drag began.
    pub range: (u64, u64),
}

/// The effect of a drag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// Marks the range to show.
    Zoom,
    /// Moves the shown range.
    Pan,
    /// Reads the values under a finger.
    Read,
}

/// The distance in pixels below which a drag is a click.
const CLICK: f64 = 4.0;

impl Drag {
    /// The marked interval in pixels; `None` for a click or a pan.
    #[must_use]
    pub fn marked(&self) -> Option<(f64, f64)> {
        let marks = self.aim == Aim::Zoom && (self.start - self.now).abs() >= CLICK;
        marks.then_some((self.start.min(self.now), self.start.max(self.now)))
    }

    /// Returns true for a click: the pointer hardly moved.
    #[must_use]
    pub fn is_click(&self) -> bool {
        (self.start - self.now).abs() < CLICK
    }

    /// The distance of the drag as a share of the shown range; positive towards later times.
    #[must_use]
    pub fn moved(&self, width: f64) -> f64 {
        (self.start - self.now) / width.max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_drag_is_a_click_and_marks_nothing() {
        let drag = |aim, now| Drag { aim, start: 100.0, now, range: (0, 1) };
        assert_eq!(drag(Aim::Zoom, 102.0).marked(), None);
        assert_eq!(drag(Aim::Zoom, 40.0).marked(), Some((40.0, 100.0)));
        assert_eq!(drag(Aim::Pan, 40.0).marked(), None);
        assert_eq!(drag(Aim::Read, 40.0).marked(), None, "a finger that rested reads values");
        assert_eq!([102.0, 40.0].map(|now| drag(Aim::Zoom, now).is_click()), [true, false]);
        assert_eq!(drag(Aim::Pan, 40.0).moved(600.0), 0.1);
    }
}
