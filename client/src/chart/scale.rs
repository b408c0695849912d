//! The coordinates of a sparkline: its time range and its range of values.

use super::trace::Dot;

/// The widths of a sparkline in seconds. They are steps, since a width that grew with every point would make the line
/// creep. They are close to each other, so that little of a sparkline is empty.
const WIDTHS_S: [u64; 12] = [60, 90, 120, 180, 240, 300, 450, 600, 900, 1_350, 2_000, 3_000];
/// A width may cut off the oldest fifth of a track instead of being a step too wide. So a track of five minutes that
/// missed a second now and then is still drawn as five minutes.
const CROP: f64 = 0.8;
/// The interval in milliseconds up to which a series counts as frequent, so that it is drawn up to now.
const OFTEN_MS: u64 = 10_000;
/// A line breaks at a gap of this many usual intervals.
const BREAK: u64 = 6;
/// The shortest gap in milliseconds at which a line breaks.
const LEAST_BREAK_MS: u64 = 5_000;

/// The time range of a sparkline, in milliseconds, by the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The left edge.
    pub from: u64,
    /// The right edge.
    pub to: u64,
    /// A line breaks at a gap longer than this.
    pub break_ms: u64,
}

impl Window {
    /// The window for a track of `count` buckets, from its oldest to its newest point, at `now`. For a frequent
    /// series the right edge is now, so that a series which stopped visibly moves away. For a sparse series the
    /// window is the track.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "times stay below 2^53")]
    pub fn of((oldest, newest): (u64, u64), count: usize, now: u64) -> Self {
        let span = newest - oldest.min(newest);
        let usual = span / (count as u64).saturating_sub(1).max(1);
        let break_ms = (usual * BREAK).max(LEAST_BREAK_MS);
        let width =
            WIDTHS_S.map(|s| s * 1_000).into_iter().find(|&width| width as f64 >= span as f64 * CROP).unwrap_or(span);
        let now = now.max(newest);
        if usual <= OFTEN_MS && now > newest {
            // A series that stopped long ago stays beyond the left edge. It never comes back to look as if it were
            // new.
            let from = if now - newest < width { now.saturating_sub(width) } else { oldest };
            Self { from, to: now, break_ms }
        } else {
            // A single point, or several of one moment, stand at the right edge.
            Self { from: if span == 0 { newest.saturating_sub(60_000) } else { oldest }, to: newest, break_ms }
        }
    }

    /// The window for a range of `range_ms` milliseconds at `now`, in buckets of `width`.
    #[must_use]
    pub fn over(range_ms: u64, width: u64, now: u64) -> Self {
        Self { from: now.saturating_sub(range_ms), to: now, break_ms: (width * BREAK).max(LEAST_BREAK_MS) }
    }

    /// The window of a sparkline on a board that shows the last `range_ms` milliseconds: that range, if the series is
    /// older and still reports within it; else the series. `ends` are its oldest and newest known point, `is_older` is
    /// true if there may be older ones, and `width` is the width of its buckets.
    #[must_use]
    pub fn for_range(ends: (u64, u64), count: usize, is_older: bool, range_ms: u64, width: u64, now: u64) -> Self {
        let (oldest, newest) = ends;
        let reports = now.saturating_sub(newest) < range_ms;
        let is_older = is_older || oldest < now.saturating_sub(range_ms);
        if reports && is_older { Self::over(range_ms, width, now.max(newest)) } else { Self::of(ends, count, now) }
    }

    /// The position of a moment from left (0) to right (1).
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "times stay below 2^53")]
    pub fn x(&self, ts: u64) -> f64 {
        (ts as f64 - self.from as f64) / (self.to - self.from).max(1) as f64
    }
}

/// The range of values of a sparkline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The lower edge.
    pub low: f64,
    /// The upper edge.
    pub high: f64,
}

impl Range {
    /// The range of the values in a window, with a margin. It covers at least 2 % of the greatest value, so that
    /// noise does not look like a mountain.
    #[must_use]
    pub fn of(dots: &[Dot], window: &Window) -> Self {
        let inside = || dots.iter().filter(|dot| dot.to.max(dot.at) >= window.from);
        let low = inside().map(|dot| dot.low).fold(f64::INFINITY, f64::min);
        let high = inside().map(|dot| dot.high).fold(f64::NEG_INFINITY, f64::max);
        if low > high {
            return Self { low: 0.0, high: 1.0 };
        }
        // Halves before subtracting, since the distance of the greatest floats exceeds a float.
        let half = high / 2.0 - low / 2.0;
        let least = (low.abs().max(high.abs()) / 100.0).max(f64::MIN_POSITIVE);
        let (middle, half) = (low / 2.0 + high / 2.0, half.max(least) * 1.15);
        let half = if middle == 0.0 && half < 1e-300 { 1.0 } else { half };
        Self { low: (middle - half).max(f64::MIN), high: (middle + half).min(f64::MAX) }
    }

    /// The position of a value from top (0) to bottom (1).
    #[must_use]
    pub fn y(&self, value: f64) -> f64 {
        let height = self.high / 2.0 - self.low / 2.0;
        if height > 0.0 { (self.high / 2.0 - value / 2.0) / height } else { 0.5 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparkline_covers_the_range_of_the_board_or_a_younger_series() {
        let window = |ends, is_older, range_ms| {
            let window = Window::for_range(ends, 300, is_older, range_ms, 1_000, 1_000_000);
            (window.from, window.to)
        };
        assert_eq!(window((700_000, 1_000_000), false, 60_000), (940_000, 1_000_000), "the range is shorter");
        assert_eq!(window((700_000, 1_000_000), true, 600_000), (400_000, 1_000_000), "history has the rest");
        assert_eq!(window((700_000, 1_000_000), false, 600_000), (700_000, 1_000_000), "the series is younger");
        assert_eq!(window((200_000, 500_000), false, 60_000).0, 200_000, "it stopped before the range");
    }

    fn track(points: impl IntoIterator<Item = (u64, f64)>) -> Vec<Dot> {
        points.into_iter().map(|(at, value)| Dot::new(at, value)).collect()
    }

    fn shown(dots: &[Dot], now: u64) -> Window {
        Window::of((dots[0].at, dots.last().unwrap().at), dots.len(), now)
    }

    #[test]
    fn the_right_edge_is_now_where_points_come_often() {
        let buckets = track((0..100).map(|s| (s * 1_000, 1.0)));
        let window = shown(&buckets, 100_500);
        assert_eq!((window.from, window.to), (10_500, 100_500), "the oldest fifth may be left out");
        let later = shown(&buckets, 160_500);
        assert_eq!(later.to - later.from, 90_000);
        assert!(later.x(99_000) < 0.5, "a series that stopped is seen to move away");
    }

    #[test]
    fn a_series_that_is_long_over_is_left_behind_and_never_comes_back_to_look_new() {
        let buckets = track((0..100).map(|s| (s * 1_000, 1.0)));
        let end = |now| shown(&buckets, now).x(99_000);
        let ends: Vec<f64> = (100..5_000).step_by(10).map(|s| end(s * 1_000)).collect();
        assert!(ends.is_sorted_by(|earlier, later| earlier > later || *later < 0.6), "{ends:?}");
        assert!(end(999_000) < 0.11 && end(86_400_000) < 0.01);
    }

    #[test]
    fn a_sparse_series_fits_its_window_and_is_one_line() {
        let window = shown(&track((0..5).map(|h| (h * 3_600_000, 1.0))), 4 * 3_600_000 + 60_000);
        assert_eq!((window.from, window.to), (0, 4 * 3_600_000));
        assert!(window.break_ms > 3_600_000);
    }

    #[test]
    fn a_single_point_is_somewhere() {
        let window = shown(&track([(500_000, 1.0)]), 501_000);
        assert!((0.0..=1.0).contains(&window.x(500_000)));
    }

    #[test]
    fn values_lie_within_the_range_with_air() {
        let buckets = track([(0, 10.0), (1_000, 20.0)]);
        let range = Range::of(&buckets, &shown(&buckets, 1_000));
        assert!(range.y(20.0) > 0.0 && range.y(20.0) < 0.2);
        assert!(range.y(10.0) < 1.0 && range.y(10.0) > 0.8);
        assert!((range.y(15.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_flat_line_is_in_the_middle_and_extremes_stay_finite() {
        for value in [0.0, 5.0, -5.0, 1e-320, f64::MAX, f64::MIN] {
            let buckets = track([(0, value), (1_000, value)]);
            let range = Range::of(&buckets, &shown(&buckets, 1_000));
            assert!((0.0..=1.0).contains(&range.y(value)), "{value}: {range:?}");
        }
        let buckets = track([(0, f64::MIN), (1_000, f64::MAX)]);
        let range = Range::of(&buckets, &shown(&buckets, 1_000));
        assert!((range.y(0.0) - 0.5).abs() < 1e-9);
    }
}
