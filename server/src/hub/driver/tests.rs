//! Tests of the hub with several threads.

use std::sync::Barrier;
use std::thread;

use shared::{Epoch, Number, Stamp, Value};

use super::super::{Boards, Rate, Rollup};
use super::*;
use crate::access::ReadScope;
use crate::log::Epochs;

fn handle() -> HubHandle {
    let rollup = Rollup::new(Epochs::from(Epoch(1)), Seq::ZERO);
    // The frames of all tests of this process count.
    let limits = Limits { topic_memory: usize::MAX, ..Limits::default() };
    HubHandle::new(Hub::new(rollup, Boards::default(), Duration::from_secs(15)), &limits)
}

/// The first point of the series `s/{seq}`.
fn begin(seq: u64) -> Committed {
    Committed {
        at: Stamp { ts: clock::now().wall, seq: Seq(seq) },
        series: SeriesId(u32::try_from(seq).unwrap()),
        value: Value::Number(Number::new(1.0).unwrap()),
        begins: format!("s/{seq}").parse().ok(),
        declares: None,
    }
}

/// Subscribes to all series `s/…`, for a task of its own.
fn listen(hub: &HubHandle) -> Listener {
    let subscription = Subscription {
        series: vec!["s/**".parse().unwrap()],
        boards: Vec::new(),
        rate: Rate::of_hz(0).unwrap(),
        scope: ReadScope::everything(),
    };
    let selection = super::super::Selection::new(subscription.series.clone(), subscription.rate);
    let matched = hub.selecting().names().select(&selection.selectors, Budget::UNLIMITED).unwrap();
    let found = Match { selection, matched };
    hub.subscribe(&subscription, Some(&found), &Resume::Fresh, LimitedClient(None)).unwrap().listen()
}

/// Runs two actions at the same moment, on a thread each.
fn at_once<A: Send, B: Send>(first: impl FnOnce() -> A + Send, second: impl FnOnce() -> B + Send) -> (A, B) {
    let start = Barrier::new(2);
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            start.wait();
            first()
        });
        start.wait();
        let second = second();
        (other.join().unwrap(), second)
    })
}

#[test]
fn last_two_listeners_of_a_topic_that_leave_at_once_leave_no_waker() {
    let hub = handle();
    for round in 0..2_000 {
        let (first, second) = (listen(&hub), listen(&hub));
        at_once(|| drop(first), || drop(second));
        assert!(hub.0.wakers.lock().is_empty(), "round {round}");
        assert_eq!(hub.counts().topics, 0, "round {round}");
    }
}

#[test]
fn listener_that_joins_while_the_last_one_leaves_is_woken() {
    let hub = handle();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for round in 1..=1_000 {
        let leaving = listen(&hub);
        let ((), mut joined) = at_once(|| drop(leaving), || listen(&hub));
        let topic = joined.subscriber.topic;
        let wakes = |hub: &HubHandle| hub.0.wakers.lock().get(&topic).map(watch::Sender::receiver_count);
        assert_eq!(wakes(&hub), Some(1), "round {round}: nothing would wake the listener");
        runtime.block_on(async {
            // `hello` and a snapshot; then the listener waits until it is woken.
            for _ in 0..2 {
                joined.next().await.unwrap();
            }
            let (update, ()) = tokio::join!(joined.next(), async { hub.publish(&[begin(round)]) });
            assert!(update.unwrap().text().content().windows(6).any(|text| text == b"update"), "round {round}");
        });
        drop(joined);
        assert!(hub.0.wakers.lock().is_empty(), "round {round}");
    }
}

#[test]
fn names_are_visited_a_bounded_number_in_one_hold_of_the_lock() {
    let hub = handle();
    let names = 5 * NAMES_AT_ONCE + 7;
    hub.publish(&(1..=names as u64).map(begin).collect::<Vec<_>>());
    let (mut next, mut holds) = (Some(0), Vec::new());
    while let Some(from) = next {
        let mut seen = 0;
        next = hub.some_names(from, &mut |_, _| seen += 1);
        assert!(hub.0.hub.try_lock().is_some(), "the lock is free after each hold");
        holds.push(seen);
    }
    assert_eq!(holds, [[NAMES_AT_ONCE; 5].as_slice(), &[7]].concat());
    let mut all = 0;
    hub.each_name(|_, _| all += 1);
    assert_eq!(all, names);
}
