//! Findings about the network path: reachability, headers, resuming, protocol and clock.

use super::super::mend::{Proxy, Trouble, mend};
use super::super::{Certificate, Check, Failure, Finding, Head, Measurements};
use super::{fail, ok, span, warn};
use crate::sse;

/// A smaller clock difference is not reported.
const CLOCK_OFF_MS: u64 = 1_000;

/// From this difference on, points with their own timestamps land outside of the visible range.
const CLOCK_FAR_OFF_MS: u64 = 5 * 60_000;

pub(super) fn reach(measured: &Measurements) -> Finding {
    let base = &measured.base;
    let head = match &measured.knock.answer {
        Ok(head) => head,
        Err(failure) => return unreachable(base, failure),
    };
    if measured.knock.echo.is_none() {
        return stranger(base, head);
    }
    if let Some(hop) = measured.redirects.last() {
        return warn(
            Check::Reach,
            format!("redirects to {hop}; all below is measured there"),
            "Each new connection goes the long way, and a push is not sent on. Give out the last address.",
            Vec::new(),
        );
    }
    let by = measured.proxy().map_or_else(String::new, |proxy| format!(" through {}", proxy.name()));
    let over = measured.through.as_ref().map_or_else(String::new, |through| format!(" over {through}"));
    let blind = match measured.certificate {
        Certificate::Ignored => "; its certificate was not looked at (--insecure)",
        Certificate::Checked => "",
    };
    ok(Check::Reach, format!("a pulseboard answers{by}{over} in {}{blind}", span(measured.knock.ended_ms)))
}

fn unreachable(base: &str, failure: &Failure) -> Finding {
    let (what, why) = match failure {
        Failure::Refused => (
            format!("nothing listens at {base}"),
            "The server or the proxy is not running, or listens at another address or port.",
        ),
        Failure::NoSuchHost => (format!("{base} does not resolve"), "The name is not known here; look for a typo."),
        Failure::TimedOut => (
            format!("{base} does not answer"),
            "A firewall drops the packets, the machine is off, or a proxy waits for a server that is.",
        ),
        Failure::Tls(detail) => (
            format!("the certificate of {base} is not trusted: {detail}"),
            "A browser refuses such a certificate, too, unless it knows who signed it. SSL_CERT_FILE names a file of \
             signers to trust here; with --insecure any certificate will do.",
        ),
        Failure::Other(detail) => {
            (format!("{base} cannot be reached: {detail}"), "Without a connection nothing flows.")
        }
    };
    fail(Check::Reach, what, why, Vec::new())
}

/// Reports an answer that does not come from a Pulseboard, or from something in front of one.
fn stranger(base: &str, head: &Head) -> Finding {
    let kind = head.content_type.as_deref().unwrap_or("no content type");
    let named = [&head.server, &head.authenticate].into_iter().flatten();
    let server: String = named.map(|name| format!(", {name}")).collect();
    let what = format!("{base} answers {} ({kind}{server})", head.status);
    let why = match head.status {
        301..=308 => {
            let to = head.location.as_deref().unwrap_or("nowhere");
            let why = format!("The stream is sent away to {to}, most likely to log in: EventSource cannot.");
            return fail(Check::Reach, what, &why, Vec::new());
        }
        401 if head.is_basic() => {
            "The way asks for a user and a password. Look on with http://USER:PASSWORD@… as the address, or with --header \
             'Authorization: …'. A browser asks its user, and sends both to the stream, too; a page on another site \
             cannot."
        }
        407 => {
            "The forward proxy asks for a user and a password: write them into HTTP_PROXY, as http://USER:PASSWORD@…."
        }
        401 | 403 => {
            "Something on the way requires a login. EventSource sends cookies, but no header: let /sse and \
             /sse/probe through. With --header 'NAME: VALUE' the doctor sends what is wanted."
        }
        421 => {
            "The server does not answer to the name in the request: start it with --host and that name, or let the proxy \
             pass on one that it has."
        }
        429 => "Something on the way limits the request rate; let /sse through.",
        502..=504 => "The proxy is there, and does not get to the server: is it running, and is proxy_pass right?",
        404 | 200 if head.content_type.as_deref() != Some(sse::CONTENT_TYPE) => {
            "That is not a pulseboard, or one from before it could be probed, or /sse leads elsewhere."
        }
        _ => "A pulseboard would answer 200 with a text/event-stream that it signs.",
    };
    fail(Check::Reach, what, why, Vec::new())
}

pub(super) fn headers(measured: &Measurements, proxy: Option<Proxy>) -> Vec<Finding> {
    let Ok(head) = &measured.knock.answer else { return Vec::new() };
    let mut findings = Vec::new();
    let kind = head.content_type.as_deref().unwrap_or_default();
    if head.status != 200 {
        let why = "EventSource gives up for good on any other status than 200.";
        findings.push(fail(
            Check::Headers,
            format!("the status is {} by the time it arrives", head.status),
            why,
            vec![],
        ));
    }
    if kind.split(';').next().is_none_or(|kind| kind.trim() != sse::CONTENT_TYPE) {
        findings.push(fail(
            Check::Headers,
            format!("the content type arrives as {kind:?}, not as {}", sse::CONTENT_TYPE),
            "EventSource gives up for good on any other content type.",
            mend(Trouble::ContentType, proxy),
        ));
    }
    // Varnish sends `Age: 0` with an answer that it fetched just now.
    if let Some(age) = head.age.as_deref().filter(|age| age.trim() != "0") {
        findings.push(fail(
            Check::Headers,
            format!("a cache answers, {age} s old"),
            "Readers get a stream of the past, which then ends.",
            mend(Trouble::Caching, proxy),
        ));
    } else if !head.cache_control.as_deref().unwrap_or_default().contains("no-cache") {
        let came = head.cache_control.as_deref().unwrap_or("nothing");
        findings.push(warn(
            Check::Headers,
            format!("Cache-Control arrives as {came}, not as no-cache"),
            "A cache on the way, or the browser's own, may answer with an old stream.",
            mend(Trouble::Caching, proxy),
        ));
    }
    if findings.is_empty() {
        // nginx consumes X-Accel-Buffering. Only an nginx behind another nginx would need to pass it on.
        let used = if head.accel_buffering.is_none() { "; X-Accel-Buffering ends at a proxy" } else { "" };
        findings.push(ok(Check::Headers, format!("they arrive as they were sent{used}")));
    }
    findings
}

pub(super) fn resume(measured: &Measurements, proxy: Option<Proxy>) -> Finding {
    let arrived = measured.knock.echo.as_ref().and_then(|echo| echo.last_event_id.as_ref());
    if arrived == measured.knock.last_event_id.as_ref() {
        return ok(Check::Resume, "Last-Event-ID gets to the server");
    }
    warn(
        Check::Resume,
        "Last-Event-ID does not get to the server",
        "A reader that comes back is sent all again instead of what it missed.",
        mend(Trouble::Resume, proxy),
    )
}

pub(super) fn protocol(measured: &Measurements, proxy: Option<Proxy>) -> Option<Finding> {
    let protocol = measured.protocol.as_deref()?;
    if !protocol.starts_with("http/1") {
        return Some(ok(Check::Protocol, format!("{protocol}: any number of streams over one connection")));
    }
    let what = "HTTP/1.1: six connections for a browser, over all its tabs";
    if measured.loopback {
        return Some(ok(Check::Protocol, format!("{what}; the page needs one of them")));
    }
    Some(warn(
        Check::Protocol,
        what,
        "Pulseboard's page shares one stream among all tabs of a browser. A page of your own that opens one in each \
         tab hangs in the seventh. HTTP/2 has no such limit; browsers speak it over TLS only.",
        mend(Trouble::Protocol, proxy),
    ))
}

pub(super) fn clock(measured: &Measurements) -> Finding {
    let (before, after) = measured.clock;
    // The server read its clock at some moment between the two.
    let server = measured.knock.arrivals.first().and_then(|arrival| arrival.sent).unwrap_or(before);
    let (behind, ahead) = (before.since(server), server.since(after));
    let (off, which) = if ahead > 0 { (ahead, "ahead of") } else { (behind, "behind") };
    if off < CLOCK_OFF_MS {
        return ok(Check::Clock, format!("both ends have the same time, to {}", span(after.since(before).max(1))));
    }
    let what = format!("the server's clock is {} {which} this machine's", span(off));
    let why = "Points with a time of their own land in the wrong place, and certificates may count as expired. One of \
               the two needs time from the network: timedatectl set-ntp true";
    let report = if off < CLOCK_FAR_OFF_MS { warn } else { fail };
    report(Check::Clock, what, why, Vec::new())
}
