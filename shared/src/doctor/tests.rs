//! Synthetic measurements, and what the doctor makes of them.

use super::mend::Proxy;
use super::probe::Echo;
use super::*;

fn head() -> Head {
    Head {
        status: 200,
        content_type: Some("text/event-stream".into()),
        cache_control: Some("no-cache".into()),
        accel_buffering: Some("no".into()),
        ..Head::default()
    }
}

/// A probe whose frames come at these times.
fn exchange(every_ms: u64, at: &[u64]) -> Exchange {
    let arrival = |(n, &at_ms)| Arrival { sent: Some(Millis(10_000 + every_ms * n as u64)), at_ms };
    Exchange {
        frames: u32::try_from(at.len()).unwrap(),
        every_ms,
        last_event_id: Some("here".into()),
        answer: Ok(head()),
        echo: Some(Echo { last_event_id: Some("here".into()), ..Echo::default() }),
        arrivals: at.iter().enumerate().map(arrival).collect(),
        end: End::Whole,
        ended_ms: at.last().copied().unwrap_or_default(),
    }
}

fn flowing() -> Exchange {
    exchange(200, &[2, 202, 402, 602, 802, 1_002, 1_202, 1_402, 1_602, 1_802])
}

fn held() -> Exchange {
    exchange(200, &[1_802; 10])
}

/// All is well.
fn measured() -> Measurements {
    Measurements {
        base: "http://127.0.0.1:7878".into(),
        loopback: true,
        redirects: Vec::new(),
        knock: exchange(0, &[2]),
        clock: (Millis(9_998), Millis(10_004)),
        protocol: Some("http/1.1".into()),
        live: Some(Live { answer: Ok(head()), heartbeat_ms: Some(15_000), waited_ms: 3 }),
        plain: Some(flowing()),
        compressed: Some(flowing()),
        idle: Some(exchange(20_000, &[2, 20_002])),
    }
}

/// The only thing that is not well.
fn trouble(measured: &Measurements) -> (Check, Level, String, Vec<Mend>) {
    let mut findings: Vec<Finding> = judge(measured).into_iter().filter(|finding| finding.level != Level::Ok).collect();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let Finding { check, level, what, why, mend } = findings.remove(0);
    assert!(!why.is_empty());
    (check, level, what, mend)
}

#[test]
fn where_all_is_well_each_check_says_so() {
    let findings = judge(&measured());
    let checks: Vec<&str> = findings.iter().map(|finding| finding.check.word()).collect();
    let all = ["reach", "headers", "resume", "stream", "buffering", "compression", "idle", "protocol", "clock"];
    assert_eq!(checks, all);
    assert!(findings.iter().all(|finding| finding.level == Level::Ok), "{findings:#?}");
}

#[test]
fn findings_can_be_written_and_read() {
    let measured = Measurements { plain: Some(held()), ..measured() };
    let json = serde_json::to_string(&judge(&measured)).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Finding>>(&json).unwrap(), judge(&measured));
    let json = serde_json::to_string(&measured).unwrap();
    assert_eq!(serde_json::from_str::<Measurements>(&json).unwrap(), measured);
}

#[test]
fn a_buffer_is_told_with_the_line_of_the_proxy_that_names_itself() {
    let mut measured = Measurements { plain: Some(held()), compressed: Some(held()), ..measured() };
    measured.knock.answer.as_mut().unwrap().server = Some("nginx/1.22.1".into());
    let (check, level, what, mend) = trouble(&measured);
    assert_eq!((check, level), (Check::Buffering, Level::Fail));
    assert!(what.contains("1.8 s"), "{what}");
    assert_eq!((mend[0].proxy, mend[0].lines[0].as_str()), (Proxy::Nginx, "proxy_buffering off;"));
    assert_eq!(mend.len(), 4);
}

#[test]
fn compression_is_at_fault_only_where_it_holds_events_back() {
    let mut compressed = flowing();
    compressed.answer.as_mut().unwrap().content_encoding = Some("gzip".into());
    compressed.arrivals.iter_mut().for_each(|arrival| arrival.sent = None);
    let flows = Measurements { compressed: Some(compressed.clone()), ..measured() };
    let mut late = compressed.clone();
    late.arrivals.iter_mut().for_each(|arrival| arrival.at_ms = 1_802);
    let buffered = Measurements { plain: Some(held()), compressed: Some(late), ..measured() };
    assert_eq!(trouble(&buffered).0, Check::Buffering, "the buffer alone is to blame");
    assert!(judge(&flows).iter().all(|finding| finding.level == Level::Ok));

    compressed.arrivals.iter_mut().skip(1).for_each(|arrival| arrival.at_ms = 1_802);
    let (check, level, what, _) = trouble(&Measurements { compressed: Some(compressed), ..measured() });
    assert_eq!(
        (check, level, what.as_str()),
        (Check::Compression, Level::Fail, "gzip holds events back, here for 1.8 s")
    );
}

#[test]
fn an_idle_time_out_matters_where_it_is_shorter_than_the_heartbeat() {
    let cut_after = |ms: u64| {
        let idle = Exchange { end: End::Cut, ended_ms: 2 + ms, frames: 2, ..exchange(120_000, &[2]) };
        Measurements { idle: Some(idle), ..measured() }
    };
    let (check, level, what, mend) = trouble(&cut_after(2_000));
    assert_eq!((check, level), (Check::Idle, Level::Fail));
    assert_eq!(what, "a silent stream is cut after 2 s; the server says something every 15 s");
    assert_eq!(mend[0].lines, ["proxy_read_timeout 1h;"]);
    assert_eq!(trouble(&cut_after(16_000)).1, Level::Warn);
    assert!(judge(&cut_after(60_000)).iter().all(|finding| finding.level == Level::Ok));
}

#[test]
fn a_proxy_that_waits_in_vain_for_a_head_answers_504_and_that_is_an_idle_time_out_too() {
    let mut idle = Exchange { end: End::Cut, ended_ms: 2_000, arrivals: Vec::new(), ..exchange(8_000, &[0, 0]) };
    idle.answer.as_mut().unwrap().status = 504;
    assert_eq!(trouble(&Measurements { idle: Some(idle), ..measured() }).0, Check::Idle);
}

#[test]
fn six_connections_are_worth_a_word_only_off_this_machine_and_without_http_2() {
    let far = Measurements { loopback: false, ..measured() };
    let (check, level, what, mend) = trouble(&far);
    assert_eq!((check, level), (Check::Protocol, Level::Warn));
    assert!(what.contains("six connections"));
    assert_eq!(mend[0].lines, ["listen 443 ssl http2;"]);
    let h2 = Measurements { protocol: Some("h2".into()), ..far };
    assert!(judge(&h2).iter().all(|finding| finding.level == Level::Ok));
}

#[test]
fn a_clock_is_off_only_by_what_the_way_cannot_explain() {
    let of = |before: u64, after: u64| Measurements { clock: (Millis(before), Millis(after)), ..measured() };
    assert!(judge(&of(7_000, 13_000)).iter().all(|finding| finding.level == Level::Ok), "a slow way");
    let (check, level, what, _) = trouble(&of(4_000, 5_000));
    assert_eq!(
        (check, level, what.as_str()),
        (Check::Clock, Level::Warn, "the server's clock is 5 s ahead of this machine's")
    );
    let (_, level, what, _) = trouble(&of(400_000, 400_010));
    assert_eq!((level, what.as_str()), (Level::Fail, "the server's clock is 6 min behind this machine's"));
}

#[test]
fn headers_that_got_lost_are_named() {
    let with = |change: fn(&mut Head)| {
        let mut measured = measured();
        change(measured.knock.answer.as_mut().unwrap());
        trouble(&measured)
    };
    let (check, level, what, _) = with(|head| head.content_type = Some("text/plain".into()));
    assert_eq!((check, level), (Check::Headers, Level::Fail));
    assert!(what.contains("text/plain"));
    assert_eq!(with(|head| head.cache_control = Some("max-age=3600".into())).1, Level::Warn);
    assert_eq!(with(|head| head.age = Some("12".into())).1, Level::Fail);
    let mut measured = measured();
    measured.knock.echo.as_mut().unwrap().last_event_id = None;
    assert_eq!(trouble(&measured).0, Check::Resume);
}

#[test]
fn what_is_no_pulseboard_ends_the_visit() {
    let failing = |failure| {
        let mut measured = measured();
        measured.knock = Exchange { answer: Err(failure), echo: None, ..measured.knock };
        trouble(&measured).2
    };
    assert_eq!(failing(Failure::Refused), "nothing listens at http://127.0.0.1:7878");
    assert!(failing(Failure::Tls("expired".into())).contains("expired"));
    for (status, word) in
        [(302, "log in"), (401, "who asks"), (404, "not a pulseboard"), (421, "--host"), (502, "proxy_pass")]
    {
        let mut measured = measured();
        let answer = Ok(Head { status, location: Some("/login".into()), ..Head::default() });
        measured.knock = Exchange { answer, echo: None, ..measured.knock };
        let findings = judge(&measured);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].why.contains(word), "{findings:?}");
    }
}

#[test]
fn a_stream_that_does_not_begin_is_told_even_where_the_probe_flows() {
    let live = Live { answer: Ok(head()), heartbeat_ms: None, waited_ms: 5_000 };
    let (check, level, what, _) = trouble(&Measurements { live: Some(live), ..measured() });
    assert_eq!((check, level, what.as_str()), (Check::Stream, Level::Fail, "/sse says nothing for 5 s"));
}

#[test]
fn a_stream_that_is_cut_says_how_far_it_came() {
    let plain = Exchange { end: End::Cut, frames: 10, ..exchange(200, &[2, 202, 402]) };
    let (check, _, what, _) = trouble(&Measurements { plain: Some(plain), ..measured() });
    assert_eq!((check, what.as_str()), (Check::Buffering, "the stream is cut after 402 ms, 3 of 10 events"));
}
