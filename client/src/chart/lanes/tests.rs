//! Tests of state timelines.

use super::*;
use crate::chart::trace::tests::cells;
use proptest::prelude::*;
use shared::board::threshold::Limit;

fn style(colours: &BTreeMap<String, Colour>, expect: Option<u64>) -> StateStyle<'_> {
    StateStyle { colours, thresholds: &[], expect }
}

fn lane(states: &[(u64, &str)], expect: Option<u64>) -> Lane {
    let colours = BTreeMap::from([("up".to_owned(), Colour::Green), ("1".to_owned(), Colour::Green)]);
    Lane::new(states.iter().map(|&state| BucketStates::of_text(state)), 100, style(&colours, expect))
}

fn stretches(lane: &Lane) -> Vec<(u64, u64, &str)> {
    lane.states.iter().map(|s| (s.from, s.to, s.state().unwrap_or("?"))).collect()
}

#[test]
fn state_lasts_until_the_next_one_and_nothing_is_before_the_first() {
    let lane = lane(&[(10, "up"), (20, "up"), (30, "down"), (60, "up")], None);
    assert_eq!(stretches(&lane), [(10, 30, "up"), (30, 60, "down"), (60, 100, "up")]);
    assert_eq!([5, 29, 30, 99].map(|at| lane.at(at)), [None, Some("up"), Some("down"), Some("up")]);
    assert_eq!([100, 101].map(|at| lane.at(at)), [Some("up"), None], "nothing is known after the end");
    assert_eq!(lane.stale_since, None);
}

#[test]
fn silence_begins_when_the_next_report_is_overdue() {
    let lane = lane(&[(10, "up"), (18, "up"), (50, "up")], Some(10));
    assert_eq!(stretches(&lane), [(10, 28, "up"), (28, 50, "?"), (50, 60, "up"), (60, 100, "?")]);
    assert_eq!((lane.at(40), lane.newest(), lane.stale_since), (None, Some("up"), Some(50)));
}

#[test]
fn state_of_a_number_begins_at_its_first_point() {
    let colours = BTreeMap::new();
    let cells = cells(&[(40_000, 1.0), (90_000, 1.0)], 60_000);
    let lane = Lane::new(cells.iter().map(BucketStates::of_cell), 120_000, style(&colours, None));
    assert_eq!(stretches(&lane), [(40_000, 120_000, "1")]);
}

#[test]
fn outage_within_a_bucket_is_shown() {
    let colours = BTreeMap::from([("1".to_owned(), Colour::Green), ("0".to_owned(), Colour::Red)]);
    let cells = cells(&[(0, 1.0), (20_000, 0.0), (40_000, 1.0), (60_000, 1.0)], 60_000);
    let lane = Lane::new(cells.iter().map(BucketStates::of_cell), 120_000, style(&colours, None));
    assert_eq!(stretches(&lane), [(0, 40_000, "0"), (40_000, 120_000, "1")]);
}

#[test]
fn within_a_pixel_the_worst_state_wins_and_else_the_rarest() {
    let minute_down = lane(&[(0, "up"), (50, "down"), (51, "up")], None);
    let x = |at: u64| f64::from(u32::try_from(at).unwrap()) / 10.0;
    let drawn = |lane: &Lane| {
        let columns = lane.columns(10, &x);
        columns
            .into_iter()
            .map(|at| at.and_then(|at| lane.states[at].state()).unwrap_or("?").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(drawn(&minute_down).concat(), "upupupupupdownupupupup");
    let phases = lane(&[(0, "phase-1"), (50, "phase-2"), (51, "phase-1")], None);
    assert_eq!(drawn(&phases)[5], "phase-2");
}

#[test]
fn colours_come_from_the_document_then_from_thresholds_then_from_the_word() {
    let colours = BTreeMap::from([("up".to_owned(), Colour::Teal)]);
    let thresholds = [Threshold { limit: Limit::Above(5.0), level: Level::Bad }];
    let style = StateStyle { colours: &colours, thresholds: &thresholds, expect: None };
    let colour = |state: &str| Colour::ALL[style.colour(state)].1;
    assert_eq!((colour("up"), colour("DOWN"), colour("7")), (Colour::Teal, Colour::Red, Colour::Red));
    assert_eq!(colour("phase-7"), colour("phase-7"));
}

proptest! {
    /// The law of a lane: at the pixel of each report, its state is drawn, or a worse one from within that pixel or
    /// bucket. Before the first report nothing is drawn.
    #[test]
    fn each_report_is_drawn_at_its_pixel_at_any_zoom(
        points in prop::collection::vec((1..40_000_u64, 0..3_u32), 1..200),
        width in prop::sample::select(vec![1_000_u64, 60_000, 3_600_000]),
        count in 1..300_usize,
        expect in prop::option::of(1_000..60_000_u64),
    ) {
        let colours = BTreeMap::from([("1".to_owned(), Colour::Green), ("0".to_owned(), Colour::Red)]);
        let mut ts = 5_000;
        let points: Vec<(u64, f64)> = points.into_iter().map(|(gap, value)| { ts += gap; (ts, f64::from(value)) }).collect();
        let cells = cells(&points, width);
        let end = ts + 10_000;
        let lane = Lane::new(cells.iter().map(BucketStates::of_cell), end, style(&colours, expect));
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let x = |at: u64| at as f64 / end as f64 * count as f64;
        let columns = lane.columns(count, &x);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
        let column = |at: u64| columns[(x(at) as usize).min(count - 1)];
        for &(ts, value) in &points {
            let drawn = &lane.states[column(ts).expect("a state is drawn at each report")];
            let own = Content::State(value.to_string(), style(&colours, None).colour(&value.to_string()));
            prop_assert!(severity(&drawn.content) >= severity(&own), "{drawn:?} in the place of {own:?}");
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
        let first = x(points[0].0) as usize;
        prop_assert!(columns[..first.min(count)].iter().all(Option::is_none));
        prop_assert!(lane.states.windows(2).all(|pair| pair[0].to <= pair[1].from && pair[0].content != pair[1].content));
    }
}
