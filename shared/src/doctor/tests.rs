//! Tests the doctor's findings with synthetic measurements.

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

/// A probe whose frames arrive at these times.
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

/// Measurements without any problem.
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
        lasting: Some(exchange(1_000, &[2, 1_002, 2_002, 3_002])),
        through: None,
        certificate: Certificate::Checked,
        pages: ["/", "/b/doctor"].map(|path| fetched(path, "text/html; charset=utf-8", Content::Page)).into(),
        assets: vec![
            fetched("/a.js", "text/javascript", Content::Other),
            fetched("/a.wasm", "application/wasm", Content::Other),
        ],
        saving: Some(Saving { with_fetch_site: Some(Ok(refusal(412))), origin_only: Some(Ok(refusal(412))) }),
        bodies: [1 << 18, 1 << 22]
            .map(|bytes| Pushed { bytes, answer: Ok(Head { status: 204, ..Head::default() }) })
            .into(),
    }
}

fn fetched(path: &str, kind: &str, content: Content) -> Fetched {
    let answer = Ok(Head { status: 200, content_type: Some(kind.into()), ..Head::default() });
    Fetched { path: path.into(), answer, content }
}

/// An answer with which the server itself refuses.
fn refusal(status: u16) -> Head {
    Head { status, content_type: Some("application/problem+json".into()), ..Head::default() }
}

/// Returns the only finding that is not ok.
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
    let of_stream =
        ["reach", "headers", "resume", "stream", "buffering", "compression", "idle", "lifetime", "protocol", "clock"];
    let of_the_rest = ["page", "assets", "saving", "bodies"];
    assert_eq!(checks, [&of_stream[..], &of_the_rest].concat());
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
    assert_eq!(mend.len(), Proxy::ALL.len());
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
    for close in [14_900, 15_000, 15_040, 16_500] {
        assert_eq!(trouble(&cut_after(close)).1, Level::Fail, "a heartbeat may come too late for {close} ms");
    }
    assert_eq!(trouble(&cut_after(18_000)).1, Level::Warn);
    assert!(judge(&cut_after(60_000)).iter().all(|finding| finding.level == Level::Ok));
}

#[test]
fn a_stream_that_is_cut_though_it_is_not_silent_is_told_once_with_lines_for_that() {
    let cut = |ms: u64| Measurements {
        lasting: Some(Exchange { end: End::Cut, ended_ms: ms, frames: 21, ..exchange(1_000, &[2, 1_002]) }),
        idle: Some(Exchange { end: End::Cut, ended_ms: ms, frames: 2, ..exchange(20_000, &[2]) }),
        ..measured()
    };
    let (check, level, what, mend) = trouble(&cut(15_010));
    assert_eq!((check, level), (Check::Lifetime, Level::Fail));
    assert_eq!(what, "a stream is cut after 15 s, though it is not silent");
    let of_envoy = mend.iter().find(|mend| mend.proxy == Proxy::Envoy).unwrap();
    assert_eq!(of_envoy.lines, ["timeout: 0s"]);
    assert_eq!(trouble(&cut(300_000)).1, Level::Warn);
}

#[test]
fn a_page_or_a_file_that_is_not_there_is_told_with_the_lines_for_a_path() {
    let mut measured = measured();
    measured.pages[1] = fetched("/pulse/b/doctor", "text/html", Content::Other);
    let (check, level, what, mend) = trouble(&measured);
    assert_eq!((check, level), (Check::Page, Level::Fail));
    assert!(what.starts_with("/pulse/b/doctor is answered with 200 (text/html)"), "{what}");
    assert!(mend[0].lines.concat().contains("proxy_pass http://127.0.0.1:7878/;"));
    measured.pages[1].content = Content::Page;
    measured.assets[1] = fetched("/a.wasm", "text/html", Content::Page);
    assert_eq!(trouble(&measured).0, Check::Assets);
    measured.assets[1] = fetched("/a.wasm", "application/wasm", Content::Cut);
    assert!(trouble(&measured).2.ends_with("and not all of it"));
    measured.assets.clear();
    measured.pages = vec![fetched("/", "text/plain; charset=utf-8", Content::NotBuilt)];
    let (check, level, _, mend) = trouble(&measured);
    assert_eq!((check, level, mend.len()), (Check::Page, Level::Warn, 0), "a server without a page");
}

#[test]
fn saving_is_judged_as_the_browser_of_that_address_would_find_it() {
    let of = |with_fetch_site: Option<u16>, origin_only: Option<u16>, loopback, base: &str| {
        let [with_fetch_site, origin_only] =
            [with_fetch_site, origin_only].map(|status| status.map(|status| Ok(refusal(status))));
        let saving = Some(Saving { with_fetch_site, origin_only });
        let protocol = Some("h2".to_owned());
        judge(&Measurements { saving, loopback, base: base.into(), protocol, ..measured() })
            .into_iter()
            .find(|finding| finding.check == Check::Saving)
            .unwrap()
    };
    let (http, https) = ("http://board.lan", "https://board.lan");
    assert_eq!(of(None, Some(412), false, http).level, Level::Ok);
    assert_eq!(of(Some(412), None, false, https).level, Level::Ok);
    let refused = of(None, Some(403), false, http);
    assert_eq!((refused.level, refused.mend[0].lines[0].as_str()), (Level::Fail, "proxy_set_header Host $http_host;"));
    let here = of(Some(412), Some(403), true, "http://127.0.0.1:80");
    assert!(here.level == Level::Warn && here.what.contains("on this machine"), "{here:?}");
    assert_eq!(of(Some(403), None, false, https).level, Level::Fail);
    let saving = Saving { with_fetch_site: None, origin_only: Some(Ok(Head { status: 405, ..Head::default() })) };
    let (check, level, what, _) = trouble(&Measurements { saving: Some(saving), ..measured() });
    assert_eq!((check, level), (Check::Saving, Level::Fail));
    assert!(what.contains("a PUT is answered with 405"), "{what}");
}

#[test]
fn bodies_that_something_on_the_way_refuses_are_told_by_their_size() {
    let of = |bytes: u64, answer: Result<Head, Failure>| {
        let bodies = vec![Pushed { bytes, answer }];
        judge(&Measurements { bodies, ..measured() })
            .into_iter()
            .find(|finding| finding.check == Check::Bodies)
            .unwrap()
    };
    let proxy = |status| Ok(Head { status, content_type: Some("text/html".into()), ..Head::default() });
    let small = of(256 << 10, proxy(413));
    assert_eq!((small.level, small.what.as_str()), (Level::Fail, "a push of 256 KiB is answered with 413 (text/html)"));
    assert_eq!(small.mend[0].lines, ["client_max_body_size 5m;"]);
    assert_eq!(of((4 << 20) - 1_024, proxy(413)).level, Level::Warn);
    assert_eq!(of(1 << 20, Err(Failure::Other("reset".into()))).level, Level::Warn);
    for fine in [Ok(refusal(413)), Ok(refusal(400)), proxy(204), Err(Failure::TimedOut)] {
        assert_eq!(of(4 << 20, fine).level, Level::Ok);
    }
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
    let mut fresh = measured();
    fresh.knock.answer.as_mut().unwrap().age = Some("0".into());
    assert!(judge(&fresh).iter().all(|finding| finding.level == Level::Ok), "Varnish says so of each answer");
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
        [(302, "log in"), (401, "requires a login"), (404, "not a pulseboard"), (421, "--host"), (502, "proxy_pass")]
    {
        let mut measured = measured();
        let answer = Ok(Head { status, location: Some("/login".into()), ..Head::default() });
        measured.knock = Exchange { answer, echo: None, ..measured.knock };
        let findings = judge(&measured);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].why.contains(word), "{findings:?}");
    }
    let mut measured = measured();
    let authenticate = Some("Basic realm=\"board\"".into());
    measured.knock.answer = Ok(Head { status: 401, authenticate, ..Head::default() });
    measured.knock.echo = None;
    let (_, _, what, _) = trouble(&measured);
    assert!(what.contains("Basic realm"), "{what}");
    assert!(judge(&measured)[0].why.contains("USER:PASSWORD@"));
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

#[test]
fn exchange_without_an_answer_is_never_reported_as_fine() {
    let failed = |every_ms, at: &[u64]| Exchange {
        answer: Err(Failure::Other("connection reset".to_owned())),
        arrivals: Vec::new(),
        ..exchange(every_ms, at)
    };
    let refused = |status, every_ms, at: &[u64]| {
        let answer = Ok(Head { status, content_type: Some("text/html".into()), ..Head::default() });
        Exchange { answer, arrivals: Vec::new(), end: End::Cut, ended_ms: 3, ..exchange(every_ms, at) }
    };
    for end in [End::Whole, End::Cut] {
        let idle = Exchange { end, ..failed(20_000, &[2, 20_002]) };
        let (check, _, what, _) = trouble(&Measurements { idle: Some(idle), ..measured() });
        assert_eq!((check, what.contains("connection reset")), (Check::Idle, true), "{what}");
        let lasting = Exchange { end, ..failed(1_000, &[2, 1_002]) };
        let (check, ..) = trouble(&Measurements { lasting: Some(lasting), ..measured() });
        assert_eq!(check, Check::Lifetime);
        let compressed = Exchange { end, ..failed(200, &[2, 202]) };
        let (check, ..) = trouble(&Measurements { compressed: Some(compressed), ..measured() });
        assert_eq!(check, Check::Compression);
    }
    for status in [403, 429, 500, 503] {
        let (check, _, what, mend) =
            trouble(&Measurements { idle: Some(refused(status, 20_000, &[2, 20_002])), ..measured() });
        assert_eq!((check, mend.len()), (Check::Idle, 0), "no advice about idle time-outs for {status}");
        assert!(what.contains(&status.to_string()), "{what}");
        let compressed = Some(refused(status, 200, &[2, 202]));
        assert_eq!(trouble(&Measurements { compressed, ..measured() }).0, Check::Compression);
    }
    // Cut after two of ten large events, without an encoding.
    let compressed = Some(Exchange { end: End::Cut, frames: 10, ..exchange(200, &[2, 202]) });
    let (check, _, what, _) = trouble(&Measurements { compressed, ..measured() });
    assert_eq!((check, what.contains("2 of 10 events")), (Check::Compression, true), "{what}");
}
