//! Detects events that were held back, from the times at which they were sent and at which they arrived.

use super::{End, Exchange};

/// Returns the time for which events were held back, in milliseconds; `None` if they came as they were sent.
///
/// Only the pattern counts; no clock is compared with another. On a connection that is slow, jumps or stalls for a
/// moment, most events still arrive apart from each other. From a buffer they arrive together, or each one with the
/// next.
#[must_use]
pub fn held_ms(exchange: &Exchange) -> Option<u64> {
    if exchange.frames < 2 {
        return None;
    }
    let expected = usize::try_from(exchange.frames).unwrap_or(usize::MAX);
    if exchange.arrivals.is_empty() {
        // Even the end of the stream did not bring them.
        return (exchange.end == End::GivenUp).then_some(exchange.ended_ms);
    }
    if exchange.arrivals.iter().any(|arrival| arrival.sent.is_none()) {
        return held_pieces(exchange, expected);
    }
    let pauses = exchange
        .arrivals
        .windows(2)
        .map(|pair| (since(pair[1].sent, pair[0].sent), pair[1].at_ms.saturating_sub(pair[0].at_ms)));
    let pauses: Vec<(u64, u64)> = pauses.collect();
    let together = pauses.iter().filter(|(sent, came)| *sent >= exchange.every_ms / 8 && *came < sent / 4).count();
    if let Some(held) = held_by_one(&pauses) {
        return Some(held);
    }
    let first = exchange.arrivals[0];
    let late =
        exchange.arrivals.iter().map(|arrival| i128::from(arrival.at_ms) - i128::from(since(arrival.sent, first.sent)));
    let hold = late.clone().max().unwrap_or_default() - late.min().unwrap_or_default();
    let most = together * 2 >= exchange.arrivals.len() - 1 && together > 0;
    most.then(|| u64::try_from(hold).unwrap_or_default())
}

/// Detects a buffer that releases an event when the next one comes: each pause is then the one of the next event.
/// Even pauses would hide it. `pauses` has the pauses of sending and of arriving.
fn held_by_one(pauses: &[(u64, u64)]) -> Option<u64> {
    let is_near = |one: u64, other: u64| one.abs_diff(other) <= one.max(other) / 8 + 5;
    let shifted = pauses.windows(2).filter(|pair| is_near(pair[0].1, pair[1].0)).count();
    let in_place = pauses.iter().filter(|(sent, came)| is_near(*sent, *came)).count();
    let is_held = pauses.len() >= 4 && shifted * 4 >= (pauses.len() - 1) * 3 && in_place * 2 <= pauses.len();
    is_held.then(|| pauses.iter().map(|(sent, _)| *sent).max().unwrap_or_default())
}

/// Judges pieces without sending times. If nothing is held back, nearly every event arrives as its own piece.
fn held_pieces(exchange: &Exchange, expected: usize) -> Option<u64> {
    let mut before = 0;
    let mut bursts = 0;
    let mut longest = 0;
    for (i, arrival) in exchange.arrivals.iter().enumerate() {
        let gap = arrival.at_ms.saturating_sub(before);
        bursts += usize::from(i == 0 || gap >= exchange.every_ms / 4);
        longest = gap.max(longest);
        before = arrival.at_ms;
    }
    (bursts * 2 <= expected).then_some(longest)
}

fn since(later: Option<crate::Millis>, earlier: Option<crate::Millis>) -> u64 {
    later.unwrap_or_default().since(earlier.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::Arrival;
    use super::super::probe::due_ms;
    use super::*;
    use crate::Millis;

    fn exchange(arrivals: Vec<Arrival>, end: End) -> Exchange {
        let ended_ms = arrivals.last().map_or(9_000, |arrival| arrival.at_ms);
        Exchange {
            frames: 10,
            every_ms: 200,
            last_event_id: None,
            answer: Ok(super::super::Head::default()),
            echo: None,
            arrivals,
            end,
            ended_ms,
        }
    }

    /// Ten events, each sent 200 ms after the one before by a clock that is far off, arriving at the times that `at`
    /// returns.
    fn arriving(at: impl Fn(u64) -> u64) -> Option<u64> {
        let arrival = |n: u64| Arrival { sent: Some(Millis(77_000 + 200 * n)), at_ms: at(n) };
        held_ms(&exchange((0..10).map(arrival).collect(), End::Whole))
    }

    fn pieces(at: &[u64]) -> Option<u64> {
        held_ms(&exchange(at.iter().map(|&at_ms| Arrival { sent: None, at_ms }).collect(), End::Whole))
    }

    #[test]
    fn events_that_come_as_they_are_sent_are_not_held() {
        assert_eq!(arriving(|n| 3 + 200 * n), None);
        assert_eq!(arriving(|n| 900 + 200 * n), None, "a long way is no buffer");
        assert_eq!(arriving(|n| 30 + 200 * n + n * 7919 % 120), None, "nor is one whose length changes");
    }

    #[test]
    fn a_line_that_stalls_once_is_not_a_buffer() {
        assert_eq!(arriving(|n| (3 + 200 * n).max(if n > 3 { 1_400 } else { 0 })), None);
    }

    #[test]
    fn events_that_come_all_at_the_end_were_held() {
        assert_eq!(arriving(|_| 1_805), Some(1_800));
    }

    #[test]
    fn events_that_come_in_pairs_or_threes_were_held() {
        assert_eq!(arriving(|n| 200 * (n / 2 * 2 + 1)), Some(200));
        assert_eq!(arriving(|n| 200 * (n / 3 * 3 + 2)), Some(400));
    }

    /// Ten events of an uneven probe. `at` maps the sending time of an event and that of the next event to the
    /// arrival time.
    fn uneven(at: impl Fn(u64, u64) -> u64) -> Option<u64> {
        let due = |n| due_ms(n, 200, true);
        let arrival = |n| Arrival { sent: Some(Millis(77_000 + due(n))), at_ms: at(due(n), due(n + 1)) };
        held_ms(&exchange((0..10).map(arrival).collect(), End::Whole))
    }

    #[test]
    fn uneven_events_that_come_as_they_are_sent_are_not_held() {
        assert_eq!(uneven(|sent, _| 3 + sent), None);
        assert_eq!(uneven(|sent, _| 900 + sent), None, "a long way is no buffer");
        assert_eq!(uneven(|sent, _| 30 + sent + sent * 7919 % 40), None, "nor is one whose length changes");
    }

    /// `HAProxy` does this without `option http-no-delay`: it waits for more data for up to 200 ms.
    #[test]
    fn events_that_are_held_for_as_long_as_the_pause_between_them_are_noticed() {
        for hold in [120, 150, 200, 250, 300] {
            for start in (0..400).step_by(7) {
                // The hold begins with the first event that is held, wherever in it the probe begins.
                let mut open: Option<u64> = u64::checked_sub(start, 100).map(|ahead| ahead.min(hold));
                let arrivals = (0..10).map(|n| {
                    let sent = due_ms(n, 200, true);
                    let until = open.filter(|until| *until >= sent).unwrap_or(sent + hold);
                    open = Some(until);
                    Arrival { sent: Some(Millis(77_000 + sent)), at_ms: until }
                });
                let held = held_ms(&exchange(arrivals.collect(), End::Whole));
                assert!(held.is_some(), "held for {hold} ms from {start}");
            }
        }
    }

    #[test]
    fn events_that_come_with_the_next_one_were_held() {
        assert_eq!(uneven(|_, next| 3 + next), Some(490));
    }

    #[test]
    fn a_stream_that_never_brought_an_event_was_held_for_as_long_as_one_waited() {
        assert_eq!(held_ms(&exchange(Vec::new(), End::GivenUp)), Some(9_000));
        assert_eq!(held_ms(&exchange(Vec::new(), End::Cut)), None, "cut is another matter");
    }

    #[test]
    fn pieces_that_cannot_be_read_tell_it_as_well() {
        assert_eq!(pieces(&[2, 202, 402, 602, 802, 1_002, 1_202, 1_402, 1_602, 1_802, 1_802]), None);
        assert_eq!(pieces(&[2, 1_802, 1_803]), Some(1_800), "the head of the compressed stream, then all");
        assert_eq!(pieces(&[1_802]), Some(1_802));
    }
}
