//! Findings about everything but the stream: the page and its files, saving, and large pushes.

use super::super::mend::{Proxy, Trouble, mend};
use super::super::{Check, Content, Failure, Fetched, Finding, Head, Measurements};
use super::{fail, ok, warn};
use crate::problem::CONTENT_TYPE as PROBLEM;

/// The size of a push, in bytes, that every proxy should let through: the most that a board document may have.
const COMMON_BODY: u64 = crate::board::document::MAX_DOCUMENT as u64;

pub(super) fn page(measured: &Measurements, proxy: Option<Proxy>) -> Option<Finding> {
    let Fetched { path, answer, .. } = match measured.pages.iter().find(|page| page.content != Content::Page) {
        Some(wrong) => wrong,
        None if measured.pages.is_empty() => return None,
        None => return Some(ok(Check::Page, "the page is there, of all boards and of one")),
    };
    let what = format!("{path} {}", describe(answer));
    if measured.pages.iter().all(|page| page.content == Content::NotBuilt) {
        let why = "The server was built without the page: `make build` does both.";
        return Some(warn(Check::Page, what, why, Vec::new()));
    }
    let why = "The stream gets through, but nobody sees a board. The proxy has to pass on all paths, not only that of the stream.";
    Some(fail(Check::Page, what, why, mend(Trouble::Path, proxy)))
}

pub(super) fn assets(measured: &Measurements, proxy: Option<Proxy>) -> Option<Finding> {
    if measured.assets.is_empty() {
        return None;
    }
    let is_right = |file: &&Fetched| {
        let right = |head: &Head| head.status == 200 && head.kind().contains(kind_of(&file.path));
        file.content == Content::Other && file.answer.as_ref().is_ok_and(right)
    };
    let Some(wrong) = measured.assets.iter().find(|file| !is_right(file)) else {
        return Some(ok(Check::Assets, format!("the {} files of the page arrive whole", measured.assets.len())));
    };
    let cut = if wrong.content == Content::Cut { ", and not all of it" } else { "" };
    let what = format!("{} {}{cut}", wrong.path, describe(&wrong.answer));
    let why = "Without its files the page stays blank. Below a path, the proxy must take that path away before it passes a \
               request on.";
    Some(fail(Check::Assets, what, why, mend(Trouble::Path, proxy)))
}

/// A word of the content type that a browser requires for a file.
fn kind_of(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "javascript",
        Some("css") => "text/css",
        Some("wasm") => "application/wasm",
        _ => "",
    }
}

pub(super) fn saving(measured: &Measurements, proxy: Option<Proxy>) -> Option<Finding> {
    let saving = measured.saving.as_ref()?;
    let [with_fetch_site, origin_only] =
        [&saving.with_fetch_site, &saving.origin_only].map(|answer| answer.as_ref().map(outcome));
    match (with_fetch_site, origin_only) {
        (None, None) => None,
        (None | Some(Outcome::Arrived), None | Some(Outcome::Arrived)) => {
            Some(ok(Check::Saving, "a change of a board gets to the server"))
        }
        // Over HTTPS no browser sends the request without Sec-Fetch-Site, so its result does not matter.
        (Some(Outcome::Arrived), Some(Outcome::Foreign)) if measured.base.starts_with("https:") => {
            Some(ok(Check::Saving, "a change of a board gets to the server, over HTTPS"))
        }
        (with_fetch_site, Some(Outcome::Foreign)) => {
            let works = with_fetch_site == Some(Outcome::Arrived) && measured.loopback;
            let what = match works {
                true => "only browsers on this machine can save: the server is told another host than theirs",
                false => "boards cannot be saved: the server is told another host than the browser's, and answers 403",
            };
            let why = "A browser that speaks plain HTTP to another machine says only which host its page is of. The server \
                       compares that with the host of the request, which the proxy has changed.";
            let report = if works { warn } else { fail };
            Some(report(Check::Saving, what, why, mend(Trouble::Host, proxy)))
        }
        (Some(Outcome::Foreign), _) => Some(fail(
            Check::Saving,
            "boards cannot be saved: the server takes its own page for one of another site",
            "The headers Origin or Sec-Fetch-Site are changed on the way; let the proxy pass them on as they are.",
            Vec::new(),
        )),
        (Some(Outcome::Stopped(what)), _) | (_, Some(Outcome::Stopped(what))) => Some(fail(
            Check::Saving,
            format!("boards cannot be saved: a PUT {what}"),
            "Something on the way answers in the server's place: let it pass on PUT and DELETE below /api.",
            Vec::new(),
        )),
    }
}

/// The result of a test change of a board.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// It reached the server, which refused it because of its `If-Match`.
    Arrived,
    /// It reached the server, whose csrf check refused it.
    Foreign,
    /// It did not reach the server.
    Stopped(String),
}

fn outcome(answer: &Result<Head, Failure>) -> Outcome {
    match answer {
        Ok(head) if head.status == 412 => Outcome::Arrived,
        Ok(head) if head.status == 403 && head.kind().starts_with(PROBLEM) => Outcome::Foreign,
        other => Outcome::Stopped(describe(other)),
    }
}

pub(super) fn bodies(measured: &Measurements, proxy: Option<Proxy>) -> Option<Finding> {
    let largest = measured.bodies.iter().map(|pushed| pushed.bytes).max()?;
    // A timeout means a slow connection, not a limit on the size of bodies.
    let is_stopped = |answer: &Result<Head, Failure>| match answer {
        // A problem response comes from the server itself, so the body arrived.
        Ok(head) => head.status >= 400 && !head.kind().starts_with(PROBLEM),
        Err(failure) => !matches!(failure, Failure::TimedOut),
    };
    let stopped = measured.bodies.iter().filter(|pushed| is_stopped(&pushed.answer)).min_by_key(|pushed| pushed.bytes);
    let Some(stopped) = stopped else {
        return Some(ok(Check::Bodies, format!("a push of {} gets to the server", size(largest))));
    };
    let what = format!("a push of {} {}", size(stopped.bytes), describe(&stopped.answer));
    let why = "The server takes bodies of up to 4 MiB. A client that sends many points at once is refused, and most drop them.";
    let report = if stopped.bytes <= COMMON_BODY { fail } else { warn };
    Some(report(Check::Bodies, what, why, mend(Trouble::Bodies, proxy)))
}

fn describe(answer: &Result<Head, Failure>) -> String {
    match answer {
        Ok(head) => {
            format!("is answered with {} ({})", head.status, head.content_type.as_deref().unwrap_or("no content type"))
        }
        Err(failure) => format!("gets no answer: {failure:?}"),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}
