//! What someone does to a chart with a pointer.

/// A drag that has begun.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drag {
    /// What it does.
    pub aim: Aim,
    /// Where it began, in pixels from the left.
    pub start: f64,
    /// Where it is now.
    pub now: f64,
    /// The stretch of time that was shown when it began.
    pub range: (u64, u64),
}

/// What a drag does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// It marks what will be shown.
    Zoom,
    /// It moves what is shown.
    Pan,
}

/// A drag over less than this, in pixels, is a click.
const CLICK: f64 = 4.0;

impl Drag {
    /// The stretch that it marks, in pixels; nothing where it is a click, or moves.
    #[must_use]
    pub fn marked(&self) -> Option<(f64, f64)> {
        let marks = self.aim == Aim::Zoom && (self.start - self.now).abs() >= CLICK;
        marks.then_some((self.start.min(self.now), self.start.max(self.now)))
    }

    /// By which part of what is shown it has moved that, later where positive.
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
        assert_eq!(drag(Aim::Pan, 40.0).moved(600.0), 0.1);
    }
}
