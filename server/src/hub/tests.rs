//! Tests of the hub with many points and many selections.

use shared::{ByeReason, Event, Millis, Number, Seq, Stamp, Value, sse};

use super::simulation::{EPOCH, hub_of, series, subscribe};
use super::*;
use crate::access::ReadScope;
use crate::clock::Uptime;
use crate::log::Committed;
use crate::log::WarmSeries;
use crate::names::Budget;

const NOW: Now = Now { wall: Millis(1_732_399_200_000), up: Uptime(0) };

/// A point of the series `s/{series}`.
fn point(seq: u64, series: u32) -> Committed {
    Committed {
        at: Stamp { ts: NOW.wall, seq: Seq(seq) },
        series: SeriesId(series),
        value: Value::Number(Number::new(1.0).unwrap()),
        begins: format!("s/{series}").parse().ok(),
        declares: None,
    }
}

fn subscription(hz: u32, selectors: &[&str]) -> Subscription {
    let series = selectors.iter().map(|text| text.parse().unwrap()).collect();
    Subscription { series, boards: Vec::new(), rate: Rate::of_hz(hz).unwrap(), scope: ReadScope::everything() }
}

fn hub() -> Hub {
    hub_of(Rollup::new(EPOCH, Seq::ZERO))
}

/// Returns the events that a subscriber gets now.
fn hear(hub: &mut Hub, (topic, reader): &mut (TopicId, Reader)) -> Vec<Event> {
    let mut events = Vec::new();
    while let Step::Send(frame) = hub.next(topic, reader, NOW) {
        for message in sse::Parser::default().feed(frame.text().content()) {
            events.push(serde_json::from_str(&message.data).unwrap());
        }
    }
    events
}

fn updates(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Update { .. })).count()
}

#[test]
fn hz_0_readers_share_one_frame_for_each_point_across_selections() {
    let mut hub = hub();
    let mut readers: Vec<_> = (0..20)
        .map(|n| hub.subscribe(&subscription(0, &["s/**", &format!("other/{n}")]), &Resume::Fresh, NOW).unwrap())
        .collect();
    readers.iter_mut().for_each(|reader| assert_eq!(hear(&mut hub, reader).len(), 2));
    hub.publish((1..=300).map(|seq| point(seq, 1)).collect(), NOW);
    for reader in &mut readers {
        let events = hear(&mut hub, reader);
        assert_eq!((events.len(), updates(&events)), (300, 300), "every change by itself");
    }
    assert_eq!((hub.counts().topics, hub.counts().frames), (20, 300), "each is encoded once");
}

#[test]
fn oversized_group_is_a_gap_only_for_hz_0_readers_of_its_series() {
    let mut hub = hub();
    let mut flooded = hub.subscribe(&subscription(0, &["s/1"]), &Resume::Fresh, NOW).unwrap();
    let mut other = hub.subscribe(&subscription(0, &["s/2"]), &Resume::Fresh, NOW).unwrap();
    for reader in [&mut flooded, &mut other] {
        hear(&mut hub, reader);
    }
    let mut points: Vec<_> = (1..20_000).map(|seq| point(seq, 1)).collect();
    points.push(point(20_000, 2));
    hub.publish(points, NOW);
    assert_eq!(hub.counts().frames, 1, "none is made in vain");
    let events = hear(&mut hub, &mut flooded);
    let [Event::Gap { .. }, Event::Snapshot { series, .. }] = &events[..] else { panic!("{} events", events.len()) };
    assert_eq!(series[0].track.changed(), Seq(19_999));
    assert_eq!(updates(&hear(&mut hub, &mut other)), 1);
    hub.publish(vec![point(20_001, 1)], NOW);
    assert_eq!(updates(&hear(&mut hub, &mut flooded)), 1, "and it goes on");
}

#[test]
fn large_group_is_published_in_bounded_steps() {
    let mut hub = hub();
    let _reader = hub.subscribe(&subscription(20, &["s/**"]), &Resume::Fresh, NOW).unwrap();
    let points: Vec<_> = (1..=10_000).map(|seq| point(seq, u32::try_from(seq).unwrap())).collect();
    let mut group = publishing::Group::new(&points);
    let mut steps = 0;
    while !group.is_done() {
        let before = hub.rollup.head().0;
        let drafts = hub.draft(&mut group, NOW);
        assert!(hub.rollup.head().0 - before <= WORK as u64);
        hub.finish(drafts.encode());
        steps += 1;
    }
    assert!((10..40).contains(&steps), "{steps} steps");
    assert_eq!(hub.counts().frames, 1, "all of it in one frame");
}

#[test]
fn many_selections_stay_within_the_memory_bound() {
    const MOST: usize = 4 << 20;
    let mut hub = hub().with_memory(MOST, usize::MAX);
    hub.publish((1..=50).map(|seq| point(seq, u32::try_from(seq).unwrap())).collect(), NOW);
    let mut readers = Vec::new();
    let refused = loop {
        let wanted = subscription(20, &["s/*", &format!("other/{}", readers.len())]);
        let matched = hub.names().select(&wanted.series, Budget::UNLIMITED).unwrap();
        hub.rollup.warm_series(&matched.series).iter().for_each(|absent| hub.rehydrate(absent.series, None));
        let found = Match { selection: Boards::default().selection(&wanted), matched };
        match hub.admit(&wanted, Some(&found), &Resume::Fresh, NOW) {
            Ok(reader) => readers.push(reader),
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused, Refused::NoRoom);
    assert!(readers.len() > 50, "{} readers", readers.len());
    readers.iter_mut().for_each(|reader| assert_eq!(hear(&mut hub, reader).len(), 2));
    assert!(hub.counts().topic_bytes <= MOST);
    for round in 1..=40 {
        let now = Now { up: Uptime(round * 50), ..NOW };
        hub.publish((1..=50).map(|n| point(round * 50 + n, u32::try_from(n).unwrap())).collect(), now);
        hub.tick(now);
        assert!(hub.counts().topic_bytes <= MOST, "{} bytes", hub.counts().topic_bytes);
    }
    for reader in &mut readers {
        let events = hear(&mut hub, reader);
        assert!(
            updates(&events) == events.len() || matches!(events[..], [Event::Gap { .. }, Event::Snapshot { .. }]),
            "{events:?}"
        );
        hub.unsubscribe(reader.0, &reader.1);
    }
    assert_eq!(hub.counts().topic_bytes, 0);
}

#[test]
fn frames_that_nobody_takes_leave_topics_less_room() {
    const MOST: usize = 4 << 20;
    // Returns the bytes of the topics after pushes whose frames a reader does not take, while `unread` bytes of frames
    // wait for sockets.
    let topic_bytes = |unread: usize| {
        let mut hub = hub().with_memory(MOST, usize::MAX);
        let mut reader = hub.subscribe(&subscription(20, &["s/**"]), &Resume::Fresh, NOW).unwrap();
        hear(&mut hub, &mut reader);
        let mut most = 0;
        for round in 0..200 {
            hub.frames_are(unread + hub.counts().topic_bytes);
            let now = Now { up: Uptime(round * 50), ..NOW };
            hub.publish((1..=500).map(|n| point(round * 500 + n, u32::try_from(n).unwrap())).collect(), now);
            hub.tick(now);
            most = most.max(hub.counts().topic_bytes);
        }
        most
    };
    let (alone, beside, full) = (topic_bytes(0), topic_bytes(MOST / 2), topic_bytes(10 * MOST));
    assert!((MOST / 2..=MOST).contains(&alone), "{alone}");
    assert!(beside <= MOST / 2 && full <= MOST / 4 + MOST / 8, "{beside} {full}");
    assert!(full >= MOST / 16, "readers that take their frames keep some: {full}");
}

#[test]
fn new_series_dissolve_the_largest_topic_and_its_readers_return_later() {
    let mut hub = hub().with_memory(64 << 10, usize::MAX);
    let mut wide = hub.subscribe(&subscription(20, &["s/**"]), &Resume::Fresh, NOW).unwrap();
    let mut narrow = hub.subscribe(&subscription(20, &["s/1"]), &Resume::Fresh, NOW).unwrap();
    for reader in [&mut wide, &mut narrow] {
        hear(&mut hub, reader);
    }
    let flushed = hub.publish((1..=1_000).map(|seq| point(seq, u32::try_from(seq).unwrap())).collect(), NOW);
    assert!(flushed.contains(&wide.0), "its readers are woken");
    let events = hear(&mut hub, &mut wide);
    assert!(matches!(events[..], [Event::Bye { reason: ByeReason::Moved, retry_ms: 1.. }]), "{events:?}");
    assert_eq!(updates(&hear(&mut hub, &mut narrow)), 1);
    hub.unsubscribe(wide.0, &wide.1);
    assert_eq!((hub.counts().readers, hub.counts().topics), (1, 1));
    hub.unsubscribe(narrow.0, &narrow.1);
    assert_eq!(hub.counts().topic_bytes, 0);
}

#[test]
fn no_more_tracks_are_rehydrated_while_those_in_memory_take_too_much() {
    let mut hub = hub().with_memory(usize::MAX, 128 << 10);
    hub.publish((1..=41).map(|seq| point(seq, u32::try_from(seq).unwrap())).collect(), NOW);
    let at = |second: u64| Stamp { ts: NOW.wall.plus(second * 1_000), seq: Seq(second) };
    let mut track = Track::of(at(0), point(1, 1).value);
    (1..300).for_each(|second| track.push(at(second), point(1, 1).value));
    (1..=40).for_each(|row| hub.rehydrate(SeriesId(row), Some(track.clone())));
    let wanted = subscription(20, &["s/41"]);
    let matched = hub.names().select(&wanted.series, Budget::UNLIMITED).unwrap();
    let found = Match { selection: Boards::default().selection(&wanted), matched };
    assert_eq!(hub.admit(&wanted, Some(&found), &Resume::Fresh, NOW).unwrap_err(), Refused::NoRoom);
    (0..4).for_each(|_| hub.evict_idle(100));
    let refused = hub.admit(&wanted, Some(&found), &Resume::Fresh, NOW).unwrap_err();
    assert!(matches!(refused, Refused::Warm(_)), "nobody reads them, so they were forgotten: {refused:?}");
}

#[test]
fn series_that_begins_between_match_and_subscription_is_read_once() {
    let mut hub = hub();
    hub.publish(vec![point(1, 1)], NOW);
    hub.rehydrate(SeriesId(1), None);
    let wanted = subscription(20, &["s/*", "s/2"]);
    let selection = Boards::default().selection(&wanted);
    assert_eq!(hub.admit(&wanted, None, &Resume::Fresh, NOW).unwrap_err(), Refused::Unmatched(selection.clone()));
    let mut found = Match { matched: hub.names().select(&selection.selectors, Budget::UNLIMITED).unwrap(), selection };
    hub.publish((2..=3).map(|seq| point(seq, u32::try_from(seq).unwrap())).collect(), NOW);
    let missing = hub.admit(&wanted, Some(&found), &Resume::Fresh, NOW).unwrap_err();
    let Refused::Warm(missing) = missing else { panic!("{missing:?}") };
    assert_eq!(missing.iter().map(|absent| absent.series.0).collect::<Vec<_>>(), [2, 3], "those that began since");
    missing.iter().for_each(|absent| hub.rehydrate(absent.series, None));
    hub.publish((4..=500).map(|seq| point(seq, u32::try_from(seq).unwrap())).collect(), NOW);
    assert_eq!(hub.admit(&wanted, Some(&found), &Resume::Fresh, NOW).unwrap_err(), Refused::Behind);
    hub.names().catch_up(&mut found.matched, &found.selection.selectors, Budget::UNLIMITED).unwrap();
    (4..=500).for_each(|row| hub.rehydrate(SeriesId(row), None));
    let mut reader = hub.admit(&wanted, Some(&found), &Resume::Fresh, NOW).unwrap();
    let events = hear(&mut hub, &mut reader);
    let [Event::Hello { .. }, Event::Snapshot { series, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(series.len(), 500);
    hub.publish((1..=500).map(|seq| point(500 + seq, u32::try_from(seq).unwrap())).collect(), NOW);
    let events = hear(&mut hub, &mut reader);
    let [Event::Update { series, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(series.len(), 500, "each once");
}

#[test]
fn readers_of_one_selection_share_each_frame_and_the_last_takes_the_topic_along() {
    let mut hub = hub_of(Rollup::new(EPOCH, Seq::ZERO));
    let now = Now { wall: Millis(0), up: Uptime(0) };
    let mut readers: Vec<_> =
        (0..100).map(|_| subscribe(&mut hub, &[], &series(20, "s/**"), &Resume::Fresh, now)).collect();
    for (topic, reader) in &mut readers {
        while let Step::Send(_) = hub.next(topic, reader, now) {}
    }
    let value = Value::Number(Number::new(1.0).unwrap());
    let at = shared::Stamp { ts: Millis(0), seq: Seq(1) };
    let point = Committed { at, series: SeriesId(1), value, begins: "s/1".parse().ok(), declares: None };
    hub.publish(vec![point], now);
    let frames: Vec<_> = readers.iter_mut().map(|(topic, reader)| hub.next(topic, reader, now)).collect();
    let place = |step: &Step| match step {
        Step::Send(frame) => frame.text().whole().as_ptr(),
        other => panic!("{other:?}"),
    };
    assert!(frames.iter().all(|frame| place(frame) == place(&frames[0])), "the very same bytes");
    let topic_bytes = hub.counts().topic_bytes;
    assert_eq!(hub.counts(), Counts { series: 1, readers: 100, topics: 1, frames: 1, topic_bytes });
    assert!(topic_bytes > frames.len(), "they are counted");
    for (topic, reader) in readers {
        hub.unsubscribe(topic, &reader);
    }
    assert_eq!(hub.counts(), Counts { series: 1, readers: 0, topics: 0, frames: 1, topic_bytes: 0 });
}

#[test]
fn of_a_series_that_nobody_reads_only_the_newest_entry_stays_and_a_reader_has_it_rehydrated() {
    let mut hub = hub_of(Rollup::new(EPOCH, Seq::ZERO));
    let now = Now { wall: Millis(0), up: Uptime(0) };
    let mut points = Vec::new();
    let push = |hub: &mut Hub, points: &mut Vec<Committed>, seq: u64| {
        let (at, value) =
            (shared::Stamp { ts: Millis(seq * 1_000), seq: Seq(seq) }, Value::Number(Number::new(1.5).unwrap()));
        let point = Committed { at, series: SeriesId(1), value, begins: "s/1".parse().ok(), declares: None };
        points.push(point.clone());
        hub.publish(vec![point], now);
    };
    (1..=50).for_each(|seq| push(&mut hub, &mut points, seq));
    let wanted = series(20, "s/**");
    let absent = WarmSeries { series: SeriesId(1), kind: shared::point::Kind::Number };
    assert_eq!(hub.subscribe(&wanted, &Resume::Fresh, now).unwrap_err(), vec![absent]);
    let (topic, reader) = subscribe(&mut hub, &points, &wanted, &Resume::Fresh, now);
    (51..=60).for_each(|seq| push(&mut hub, &mut points, seq));
    (0..5).for_each(|_| hub.evict_idle(10));
    let (again, other) = hub.subscribe(&wanted, &Resume::Fresh, now).expect("what is read stays");
    for (topic, reader) in [(topic, reader), (again, other)] {
        hub.unsubscribe(topic, &reader);
    }
    hub.evict_idle(10);
    push(&mut hub, &mut points, 61);
    let (topic, reader) = hub.subscribe(&wanted, &Resume::Fresh, now).expect("who comes right back finds it");
    hub.unsubscribe(topic, &reader);
    (0..3).for_each(|_| hub.evict_idle(10));
    assert!(hub.subscribe(&wanted, &Resume::Fresh, now).is_err(), "and it is gone in the end");
}

#[test]
fn a_reader_that_is_to_leave_hears_bye_and_the_stream_ends() {
    let mut hub = hub();
    let (mut topic, mut reader) = hub.subscribe(&series(20, "s/**"), &Resume::Fresh, NOW).unwrap();
    reader.leave(ByeReason::Shutdown, 750);
    let Step::Send(bye) = hub.next(&mut topic, &mut reader, NOW) else { panic!("it is told") };
    let mut parser = sse::Parser::default();
    let message = parser.feed(bye.text().content()).remove(0);
    assert!(matches!(serde_json::from_str(&message.data).unwrap(), Event::Bye { retry_ms: 750, .. }));
    assert_eq!(parser.retry(), Some(750), "browsers that know nothing of bye wait as long");
    reader.leave(ByeReason::Shutdown, 1);
    assert_eq!(hub.next(&mut topic, &mut reader, NOW), Step::End);
}
