//! What the hub does with many points and many selections.

use shared::{ByeReason, Event, Millis, Number, Seq, Stamp, Value, sse};

use super::simulation::{EPOCH, hub_of};
use super::*;
use crate::clock::Uptime;
use crate::names::Budget;
use crate::store::commit::Committed;

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

fn interest(hz: u32, selectors: &[&str]) -> Interest {
    let series = selectors.iter().map(|text| text.parse().unwrap()).collect();
    Interest { series, boards: Vec::new(), rate: Rate::of_hz(hz).unwrap() }
}

fn hub() -> Hub {
    hub_of(Rollup::new(EPOCH, Seq::ZERO))
}

/// What a reader has to hear now.
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
fn readers_of_every_change_share_one_frame_for_each_whatever_they_select() {
    let mut hub = hub();
    let mut readers: Vec<_> = (0..20)
        .map(|n| hub.subscribe(&interest(0, &["s/**", &format!("other/{n}")]), &Resume::Fresh, NOW).unwrap())
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
fn a_group_beyond_what_a_topic_keeps_is_a_gap_for_its_readers_and_for_no_others() {
    let mut hub = hub();
    let mut flooded = hub.subscribe(&interest(0, &["s/1"]), &Resume::Fresh, NOW).unwrap();
    let mut other = hub.subscribe(&interest(0, &["s/2"]), &Resume::Fresh, NOW).unwrap();
    for reader in [&mut flooded, &mut other] {
        hear(&mut hub, reader);
    }
    let mut points: Vec<_> = (1..20_000).map(|seq| point(seq, 1)).collect();
    points.push(point(20_000, 2));
    hub.publish(points, NOW);
    assert!(hub.counts().frames < 8_200, "{} frames", hub.counts().frames);
    let events = hear(&mut hub, &mut flooded);
    let [Event::Gap { .. }, Event::Snapshot { series, .. }] = &events[..] else { panic!("{} events", events.len()) };
    assert_eq!(series[0].track.changed(), Seq(19_999));
    assert_eq!(updates(&hear(&mut hub, &mut other)), 1);
    hub.publish(vec![point(20_001, 1)], NOW);
    assert_eq!(updates(&hear(&mut hub, &mut flooded)), 1, "and it goes on");
}

#[test]
fn a_large_group_is_taken_in_a_bounded_number_of_points_at_a_time() {
    let mut hub = hub();
    let _reader = hub.subscribe(&interest(20, &["s/**"]), &Resume::Fresh, NOW).unwrap();
    let mut group = publishing::Group::new((1..=10_000).map(|seq| point(seq, u32::try_from(seq).unwrap())).collect());
    let mut steps = 0;
    while !group.is_done() {
        let before = hub.rollup.head().0;
        let drafts = hub.draft(&mut group, NOW);
        assert!(hub.rollup.head().0 - before <= publishing::WORK as u64);
        hub.finish(drafts.encode());
        steps += 1;
    }
    assert!((10..40).contains(&steps), "{steps} steps");
    assert_eq!(hub.counts().frames, 1, "all of it in one frame");
}

#[test]
fn many_selections_of_the_same_series_stay_within_their_memory() {
    const MOST: usize = 4 << 20;
    let mut hub = hub().with_memory(MOST);
    hub.publish((1..=50).map(|seq| point(seq, u32::try_from(seq).unwrap())).collect(), NOW);
    let mut readers = Vec::new();
    let refused = loop {
        let wanted = interest(20, &["s/*", &format!("other/{}", readers.len())]);
        let matched = hub.names().select(&wanted.series, Budget::UNLIMITED).unwrap();
        hub.rollup.lacking(&matched.series).iter().for_each(|absent| hub.recall(absent.series, None));
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
fn where_series_that_begin_make_the_topics_too_large_the_largest_is_dissolved_and_its_readers_come_back_later() {
    let mut hub = hub().with_memory(64 << 10);
    let mut wide = hub.subscribe(&interest(20, &["s/**"]), &Resume::Fresh, NOW).unwrap();
    let mut narrow = hub.subscribe(&interest(20, &["s/1"]), &Resume::Fresh, NOW).unwrap();
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
fn a_series_that_begins_between_the_match_and_the_subscription_is_read_once() {
    let mut hub = hub();
    hub.publish(vec![point(1, 1)], NOW);
    hub.recall(SeriesId(1), None);
    let wanted = interest(20, &["s/*", "s/2"]);
    let selection = Boards::default().selection(&wanted);
    assert_eq!(hub.admit(&wanted, None, &Resume::Fresh, NOW).unwrap_err(), Refused::Unmatched(selection.clone()));
    let mut found = Match { matched: hub.names().select(&selection.selectors, Budget::UNLIMITED).unwrap(), selection };
    hub.publish((2..=3).map(|seq| point(seq, u32::try_from(seq).unwrap())).collect(), NOW);
    let lacking = hub.admit(&wanted, Some(&found), &Resume::Fresh, NOW).unwrap_err();
    let Refused::Lacking(Lacking(lacking)) = lacking else { panic!("{lacking:?}") };
    assert_eq!(lacking.iter().map(|absent| absent.series.0).collect::<Vec<_>>(), [2, 3], "those that began since");
    lacking.iter().for_each(|absent| hub.recall(absent.series, None));
    hub.publish((4..=500).map(|seq| point(seq, u32::try_from(seq).unwrap())).collect(), NOW);
    assert_eq!(hub.admit(&wanted, Some(&found), &Resume::Fresh, NOW).unwrap_err(), Refused::Behind);
    hub.names().catch_up(&mut found.matched, &found.selection.selectors, Budget::UNLIMITED).unwrap();
    (4..=500).for_each(|row| hub.recall(SeriesId(row), None));
    let mut reader = hub.admit(&wanted, Some(&found), &Resume::Fresh, NOW).unwrap();
    let events = hear(&mut hub, &mut reader);
    let [Event::Hello { .. }, Event::Snapshot { series, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(series.len(), 500);
    hub.publish((1..=500).map(|seq| point(500 + seq, u32::try_from(seq).unwrap())).collect(), NOW);
    let events = hear(&mut hub, &mut reader);
    let [Event::Update { series, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(series.len(), 500, "each once");
}
