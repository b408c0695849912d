//! Findings about the stream: whether events flow, also when compressed, and also after a silence.

use super::super::mend::{Proxy, Trouble, mend};
use super::super::{Check, End, Exchange, Failure, Finding, Measurements, held_ms};
use super::{fail, ok, span, warn};

/// The heartbeat of a server of this version, used if the server did not announce one.
const HEARTBEAT_MS: u64 = 15_000;

/// The margin for a late heartbeat. A proxy that waits no longer than this cuts streams now and then.
const HEARTBEAT_LATE_MS: u64 = 2_000;

/// A stream with a shorter life is reopened all the time.
const SHORT_LIFE_MS: u64 = 60_000;

pub(super) fn live(measured: &Measurements, proxy: Option<Proxy>) -> Option<Finding> {
    let live = measured.live.as_ref()?;
    let came = match (&live.answer, live.heartbeat_ms) {
        (Ok(head), Some(_)) if head.status == 200 => {
            return Some(ok(Check::Stream, format!("/sse says hello in {}", span(live.waited_ms))));
        }
        (Ok(head), _) if head.status != 200 => format!("answers {}", head.status),
        _ => format!("says nothing for {}", span(live.waited_ms)),
    };
    Some(fail(
        Check::Stream,
        format!("/sse {came}"),
        "No board shows anything. /sse/probe works but /sse does not; most likely something buffers it.",
        mend(Trouble::Buffering, proxy),
    ))
}

pub(super) fn buffering(measured: &Measurements, proxy: Option<Proxy>) -> Option<Finding> {
    let plain = measured.plain.as_ref()?;
    if let Some(broken) = broken(Check::Buffering, plain) {
        return Some(broken);
    }
    let Some(held) = held_ms(plain) else {
        let each = span(plain.every_ms);
        return Some(ok(Check::Buffering, format!("{} events, {each} apart, arrive as they are sent", plain.frames)));
    };
    Some(fail(
        Check::Buffering,
        format!("events are held back, here for {}: something on the way buffers", span(held)),
        "Readers see old numbers, or none until the buffer is full.",
        mend(Trouble::Buffering, proxy),
    ))
}

pub(super) fn compression(measured: &Measurements, proxy: Option<Proxy>) -> Option<Finding> {
    let compressed = measured.compressed.as_ref()?;
    if let Some(broken) = broken(Check::Compression, compressed) {
        return Some(broken);
    }
    let Ok(head) = &compressed.answer else { return None };
    let held = held_ms(compressed);
    // If uncompressed events are held back too, a buffer is the cause, which the buffering check reports.
    let buffered = measured.plain.as_ref().is_some_and(|plain| held_ms(plain).is_some());
    let Some(encoding) = &head.content_encoding else {
        let sane = held.is_none() || buffered;
        return if sane { Some(ok(Check::Compression, "none on the way")) } else { unnamed(held, proxy) };
    };
    let Some(held) = held else {
        return Some(ok(Check::Compression, format!("{encoding}, and each event still arrives when it is sent")));
    };
    if buffered {
        return Some(ok(Check::Compression, format!("{encoding}; what holds events back is the buffer")));
    }
    Some(fail(
        Check::Compression,
        format!("{encoding} holds events back, here for {}", span(held)),
        "A compressor that does not flush waits for more to compress: readers see old numbers.",
        mend(Trouble::Compression, proxy),
    ))
}

/// Reports events that are held back only when the request allows compression, although the answer names no encoding.
fn unnamed(held: Option<u64>, proxy: Option<Proxy>) -> Option<Finding> {
    Some(fail(
        Check::Compression,
        format!("large events are held back, here for {}", span(held?)),
        "Something on the way keeps events until it has enough of them, though it does not say that it compresses.",
        mend(Trouble::Buffering, proxy),
    ))
}

/// Reports an exchange without a usable answer, or one that ends too soon.
fn broken(check: Check, exchange: &Exchange) -> Option<Finding> {
    if exchange.answer.as_ref().is_ok_and(|head| head.status == 200) && exchange.end == End::Cut {
        let came = exchange.arrivals.len();
        let what = format!("the stream is cut after {}, {came} of {} events", span(exchange.ended_ms), exchange.frames);
        return Some(now_and_then(check, what));
    }
    unanswered(check, exchange)
}

/// Reports an exchange without a usable answer.
fn unanswered(check: Check, exchange: &Exchange) -> Option<Finding> {
    let what = match &exchange.answer {
        Ok(head) if head.status != 200 => format!("this time the answer is {}", head.status),
        // The strictest buffers look like no answer at all, so a timeout is left to the other checks.
        Ok(_) | Err(Failure::TimedOut) => return None,
        Err(failure) => format!("this time the connection fails: {failure:?}"),
    };
    Some(now_and_then(check, what))
}

fn now_and_then(check: Check, what: String) -> Finding {
    fail(
        check,
        what,
        "The path fails some of the time: several servers behind one name, a limit of requests or connections, or a \
         limit of time or bytes for a whole answer.",
        Vec::new(),
    )
}

pub(super) fn idle(measured: &Measurements, proxy: Option<Proxy>) -> Option<Finding> {
    let idle = measured.idle.as_ref()?;
    let beat = measured.live.as_ref().and_then(|live| live.heartbeat_ms).unwrap_or(HEARTBEAT_MS);
    let heartbeat = format!("the server says something every {}", span(beat));
    let gave_up = idle.answer.as_ref().is_ok_and(|head| matches!(head.status, 408 | 502 | 504));
    if !gave_up && let Some(unanswered) = unanswered(Check::Idle, idle) {
        return Some(unanswered);
    }
    if idle.end == End::Whole && !gave_up {
        let silent = span(idle.every_ms);
        let more = if idle.every_ms > beat { "" } else { ", so try more than that" };
        return Some(ok(Check::Idle, format!("{silent} of silence does no harm; {heartbeat}{more}")));
    }
    if idle.end == End::GivenUp && idle.arrivals.is_empty() {
        // Nothing came and nothing was cut: a buffer, which the buffering check reports.
        return None;
    }
    // If a buffer held back even the first event, the silence began with the request.
    let heard = idle.arrivals.last().map_or(0, |arrival| arrival.at_ms);
    let cut = idle.ended_ms.saturating_sub(heard);
    let what = format!("a silent stream is cut after {}; {heartbeat}", span(cut));
    if cut > beat + beat / 3 {
        return Some(ok(Check::Idle, what));
    }
    let why = "If no value changes for that long, the board loses its connection, again and again.";
    let report = if cut > beat + HEARTBEAT_LATE_MS { warn } else { fail };
    Some(report(Check::Idle, what, why, mend(Trouble::Idle, proxy)))
}

/// Returns `None` if the check was not made, or if a buffer held the events back.
pub(super) fn lifetime(measured: &Measurements, proxy: Option<Proxy>) -> Option<Finding> {
    let lasting = measured.lasting.as_ref()?;
    if let Some(unanswered) = unanswered(Check::Lifetime, lasting) {
        return Some(unanswered);
    }
    if lasting.end == End::Whole {
        let asked = span(lasting.every_ms * u64::from(lasting.frames.saturating_sub(1)));
        return Some(ok(Check::Lifetime, format!("a stream that is not silent stays open for {asked}")));
    }
    // A buffer held the events back, which the buffering check reports.
    if lasting.end == End::GivenUp || lasting.arrivals.is_empty() {
        return None;
    }
    let what = format!("a stream is cut after {}, though it is not silent", span(lasting.ended_ms));
    let why = "Something on the way bounds the time of a whole answer. Each board loses its connection that often; it comes \
               back by itself, and says so each time.";
    let report = if lasting.ended_ms < SHORT_LIFE_MS { fail } else { warn };
    Some(report(Check::Lifetime, what, why, mend(Trouble::Lifetime, proxy)))
}
