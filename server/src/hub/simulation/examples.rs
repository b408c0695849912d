//! Fixed schedules, each for one promise of the hub.

use std::collections::BTreeMap;

use shared::board::Etag;
use shared::{BoardEdition, Event};

use super::browser::as_told;
use super::world::{EPOCH, READERS, World};
use crate::hub::Step;

/// Reads all frames that are ready for a subscriber, as events.
fn hear(world: &mut World, reader: usize) -> Vec<Event> {
    let browser = &mut world.browsers[reader];
    let mut events = Vec::new();
    while let Step::Send(frame) = world.hub.next(&mut browser.topic, &mut browser.reader, world.now) {
        for message in browser.parser.feed(frame.text().content()) {
            browser.last_id.clone_from(&message.id);
            events.push(serde_json::from_str(&message.data).unwrap());
        }
    }
    events
}

#[test]
fn the_first_change_after_a_quiet_time_goes_out_at_once_and_the_next_at_the_rate() {
    let mut world = World::new();
    hear(&mut world, 0);
    world.pass(1_000);
    world.push(1, 1, 0);
    assert_eq!(hear(&mut world, 0).len(), 1, "at once");
    world.push(1, 2, 0);
    world.pass(20);
    world.push(2, 1, 0);
    assert_eq!(hear(&mut world, 0).len(), 0, "not before 50 ms have gone by");
    world.pass(30);
    let events = hear(&mut world, 0);
    let [Event::Update { series, now, pushed }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(series.len(), 2, "all that changed meanwhile");
    assert_eq!(now.since(*pushed), 50, "and how long the oldest of it waited");
}

#[test]
fn with_hz_0_each_point_of_a_batch_has_a_frame_of_its_own() {
    let mut world = World::new();
    hear(&mut world, 1);
    world.push(1, 3, 0);
    assert_eq!(hear(&mut world, 1).len(), 3);
}

#[test]
fn a_silent_stream_has_a_heartbeat_and_a_lively_one_has_none() {
    let mut world = World::new();
    hear(&mut world, 0);
    world.pass(14_999);
    assert_eq!(hear(&mut world, 0), []);
    world.pass(1);
    assert!(matches!(hear(&mut world, 0)[..], [Event::Heartbeat { .. }]));
    world.pass(10_000);
    world.push(1, 1, 0);
    assert!(matches!(hear(&mut world, 0)[..], [Event::Update { .. }]));
    world.pass(10_000);
    assert_eq!(hear(&mut world, 0), []);
}

#[test]
fn a_reader_that_never_reads_costs_bounded_memory_and_then_skips_ahead_with_a_gap() {
    let mut world = World::new();
    hear(&mut world, 0);
    for _ in 0..500 {
        world.push(1, 1, 0);
        world.pass(50);
    }
    let events = hear(&mut world, 0);
    assert!(matches!(events[..], [Event::Gap { .. }, Event::Snapshot { .. }]), "{} events", events.len());
    assert_eq!(world.browsers[0].last_id, format!("{EPOCH}-500"));
}

#[test]
fn a_reader_that_comes_back_hears_what_it_missed_in_one_update_and_no_snapshot() {
    let mut world = World::new();
    world.push(1, 1, 0);
    hear(&mut world, 0);
    world.push(1, 2, 0);
    world.push(3, 1, 0);
    world.restart();
    let events = hear(&mut world, 0);
    let [Event::Hello { .. }, Event::Update { series, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(series.len(), 2);
    world.cut(0);
    let events = hear(&mut world, 0);
    assert!(
        matches!(events[..], [Event::Hello { .. }, Event::Heartbeat { .. }]),
        "nothing was missed, and it is told so"
    );
}

#[test]
fn readers_of_a_removed_series_begin_anew_and_others_go_on() {
    let mut world = World::new();
    world.push(1, 1, 0);
    world.push(2, 1, 0);
    world.push(0, 1, 0);
    (0..READERS).for_each(|reader| _ = hear(&mut world, reader));
    world.remove(2, false);
    for reader in [0, 1, 3, 4] {
        let events = hear(&mut world, reader);
        let [Event::Snapshot { series, .. }] = &events[..] else { panic!("{events:?}") };
        assert_eq!(series.len(), 2, "without the removed one");
        assert_eq!(world.browsers[reader].last_id, format!("{EPOCH}-4"));
    }
    assert_eq!(hear(&mut world, 2), [], "it does not read the series");
    // A client that was away with a cursor from before begins anew, also after a restart.
    for restart in [false, true] {
        if restart {
            world.restart();
        }
        world.browsers[0].last_id = format!("{EPOCH}-3");
        world.cut(0);
        assert!(matches!(hear(&mut world, 0)[..], [Event::Hello { .. }, Event::Snapshot { .. }]));
        world.cut(0);
        assert!(
            matches!(hear(&mut world, 0)[..], [Event::Hello { .. }, Event::Heartbeat { .. }]),
            "nothing was missed"
        );
    }
    world.push(2, 1, 0);
    world.pass(100);
    let events = hear(&mut world, 0);
    let [Event::Update { series, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(series[0].name.as_str(), "s/2", "the name begins a new series");
    assert_eq!(world.hub.counts().series, 3);
}

#[test]
fn warnings_are_sent_when_they_change_and_to_new_readers_after_the_snapshot() {
    let mut world = World::new();
    hear(&mut world, 0);
    let clock = || vec!["the clock jumped".to_owned()];
    assert_eq!(world.hub.warn(clock()).len(), world.hub.counts().topics);
    assert_eq!(world.hub.warn(clock()), [], "no news");
    assert_eq!(hear(&mut world, 0), [Event::Warnings { warnings: clock() }]);
    assert_eq!(hear(&mut world, 0), []);
    world.cut(0);
    assert!(matches!(hear(&mut world, 0)[..], [Event::Hello { .. }, Event::Snapshot { .. }, Event::Warnings { .. }]));
    world.hub.warn(Vec::new());
    assert_eq!(hear(&mut world, 0), [Event::Warnings { warnings: Vec::new() }]);
}

#[test]
fn reader_with_a_cursor_from_a_lost_future_gets_a_gap_and_others_resume() {
    let mut world = World::new();
    world.push(1, 1, 0);
    (0..3).for_each(|reader| _ = hear(&mut world, reader));
    let known = world.browsers[0].last_id.clone();
    world.copy = world.stored.clone();
    world.push(1, 1, 0);
    world.restart();
    world.push(1, 2, 0);
    hear(&mut world, 0);
    let lost = world.browsers[0].last_id.clone();
    world.restore();
    // As many seqs as before, and more, but of other points.
    world.push(2, 5, 0);
    assert!(matches!(hear(&mut world, 0)[..], [Event::Hello { .. }, Event::Gap { .. }, Event::Snapshot { .. }]));
    for (id, is_lost) in [(known, false), (lost, true), (format!("{EPOCH}-2"), true), (format!("{EPOCH}-1"), false)] {
        world.browsers[0].last_id = id.clone();
        world.restart();
        let events = hear(&mut world, 0);
        assert_eq!(events.iter().any(|event| matches!(event, Event::Gap { .. })), is_lost, "{id}: {events:?}");
    }
}

#[test]
fn reader_that_saw_a_lost_edit_of_its_board_gets_a_gap() {
    let mut world = World::new();
    world.push(1, 1, 0);
    world.push(2, 1, 0);
    hear(&mut world, 3);
    world.copy = world.stored.clone();
    world.edit(Some(1), true);
    hear(&mut world, 3);
    world.restore();
    let events = hear(&mut world, 3);
    let [Event::Hello { .. }, Event::Gap { .. }, Event::Snapshot { series, .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(series.len(), 2, "of what is selected again");
}

#[test]
fn reader_that_missed_two_changes_of_its_board_resumes_right_in_a_copy_from_in_between() {
    let mut world = World::new();
    world.read(4, 2).unwrap();
    world.edit(Some(1), false);
    world.push(0, 1, 0);
    world.copy = world.stored.clone();
    world.edit(None, false);
    world.read(4, 1).unwrap();
    world.restore();
    assert!(!world.read(4, 10).unwrap());
    assert_eq!(as_told(&world.browsers[4].picture), BTreeMap::new(), "the text is not on the board");
}

#[test]
fn a_cursor_that_is_of_no_use_is_a_gap_and_a_snapshot() {
    for (id, wanted) in [
        ("nonsense", shared::GapReason::Malformed),
        ("0000beef-1", shared::GapReason::OtherEpoch),
        ("0badcafe-99", shared::GapReason::Ahead),
    ] {
        let mut world = World::new();
        world.push(1, 1, 0);
        world.browsers[0].last_id = id.to_owned();
        world.cut(0);
        let events = hear(&mut world, 0);
        let [Event::Hello { .. }, Event::Gap { from, reason, to }, Event::Snapshot { .. }] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!((from.as_str(), *reason, to.as_str()), (id, wanted, "0badcafe-1"));
    }
}

#[test]
fn a_reader_of_a_board_hears_of_its_edits_and_gets_a_snapshot_only_where_other_series_are_selected() {
    let mut world = World::new();
    world.push(1, 1, 0);
    hear(&mut world, 3);
    world.edit(Some(0), true);
    let events = hear(&mut world, 3);
    let [Event::Board(BoardEdition { etag: Some(_), .. })] = &events[..] else { panic!("the same series: {events:?}") };
    world.push(2, 1, 0);
    world.edit(Some(1), true);
    let events = hear(&mut world, 3);
    let [Event::Board(_), Event::Snapshot { series, .. }] = &events[..] else { panic!("others: {events:?}") };
    assert_eq!(series.len(), 1);
    world.edit(None, true);
    let events = hear(&mut world, 3);
    let [Event::Board(BoardEdition { etag: None, .. }), Event::Snapshot { .. }] = &events[..] else {
        panic!("none any more: {events:?}")
    };
    assert_eq!(world.hub.counts().readers, READERS);
}

#[test]
fn a_reader_that_was_away_while_its_board_changed_begins_with_a_snapshot_and_knows_the_edition() {
    let mut world = World::new();
    world.push(1, 1, 0);
    hear(&mut world, 3);
    world.edit(Some(2), true);
    world.push(0, 1, 0);
    world.restart();
    let events = hear(&mut world, 3);
    let [Event::Hello { boards, .. }, Event::Snapshot { .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(boards[0].etag, Some(Etag::stored(0)));
    world.push(1, 1, 0);
    world.restart();
    let events = hear(&mut world, 3);
    assert!(matches!(events[..], [Event::Hello { .. }, Event::Update { .. }]), "nothing changed: {events:?}");
}
