//! What the browser knows: the time, chance, where the page is, and the like.

use leptos::prelude::{document, window};

use crate::route;

/// The time by the clock of this machine, in milliseconds since 1970.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
pub fn now() -> u64 {
    js_sys::Date::now() as u64
}

/// A random number of `0.0..1.0`.
#[must_use]
pub fn random() -> f64 {
    js_sys::Math::random()
}

/// A name by chance, of 16 hex digits and more: no two are alike.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 2^32")]
pub fn random_name() -> String {
    format!("{:08x}{:x}", (random() * f64::from(u32::MAX)) as u32, now())
}

/// Returns the address of the server as others reach it, without a slash at its end, such as `http://localhost:7878` or
/// `https://example.org/pulse`.
#[must_use]
pub fn base() -> String {
    let origin = window().location().origin().unwrap_or_default();
    format!("{origin}{}", root().trim_end_matches('/'))
}

/// Returns the path that all addresses of the server begin with: `/`, or `/pulse/` where a proxy serves it below a path.
#[must_use]
pub fn root() -> String {
    split().0
}

/// Returns the address of `path` on the server, such as `api/series`. A slash at its start means the root of the server,
/// too.
#[must_use]
pub fn address(path: &str) -> String {
    root() + path.trim_start_matches('/')
}

/// Returns the path of the page below [`root`], with percent-escapes resolved where that gives text.
#[must_use]
pub fn path() -> String {
    let (_, page) = split();
    js_sys::decode_uri_component(&page).map_or(page, Into::into)
}

/// Splits the path of the page where the document says (`index.html`, `tools/split.sh`).
fn split() -> (String, String) {
    let path = window().location().pathname().unwrap_or_default();
    let up = document().document_element().and_then(|html| html.get_attribute("data-root"));
    let (root, page) = route::split(&path, up.as_deref().unwrap_or("/"));
    (root.to_owned(), page.to_owned())
}

/// The query of the page's address, `?` included, with percent-escapes resolved where that gives text.
#[must_use]
pub fn query() -> String {
    let query = window().location().search().unwrap_or_default();
    js_sys::decode_uri_component(&query).map_or(query, Into::into)
}

/// Whether the query of the page's address has that key.
#[must_use]
pub fn query_has(key: &str) -> bool {
    query().trim_start_matches('?').split('&').any(|part| part.split('=').next() == Some(key))
}

/// Whether nobody can see the page.
#[must_use]
pub fn is_hidden() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Hidden
}

/// A moment as a time of day, as it is told where the page is read.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "times stay below 2^53")]
pub fn time_of_day(ms: u64) -> String {
    let date = js_sys::Date::new(&(ms as f64).into());
    format!("{:02}:{:02}:{:02}", date.get_hours(), date.get_minutes(), date.get_seconds())
}

/// After how long a time of day alone is not clear any more, in milliseconds.
const CLEAR_MS: u64 = 12 * 60 * 60 * 1_000;
/// Of a stretch that is longer than this, in milliseconds, seconds say nothing.
const LONG_MS: u64 = 24 * 60 * 60 * 1_000;

/// A moment as it is told at `now`: as a time of day, with its date before where that is not clear.
#[must_use]
pub fn moment(ms: u64, now: u64) -> String {
    let time = time_of_day(ms);
    if now.abs_diff(ms) < CLEAR_MS { time } else { format!("{} {}", date(ms), minute(&time)) }
}

/// A moment within a stretch of `length` milliseconds, as it is told at `now`: to the second where the stretch is short, with
/// its date where a time of day alone would not be clear.
#[must_use]
pub fn moment_of(ms: u64, length: u64, now: u64) -> String {
    let (long, time) = (length > LONG_MS, time_of_day(ms));
    let time = if long { minute(&time) } else { &time };
    if long || now.abs_diff(ms) >= CLEAR_MS { format!("{} {time}", date(ms)) } else { time.to_owned() }
}

/// The date of a moment where the page is read, as `2026-11-25`.
#[expect(clippy::cast_precision_loss, reason = "times stay below 2^53")]
fn date(ms: u64) -> String {
    let date = js_sys::Date::new(&(ms as f64).into());
    format!("{}-{:02}-{:02}", date.get_full_year(), date.get_month() + 1, date.get_date())
}

/// A time of day without its seconds.
fn minute(time: &str) -> &str {
    // Not `[..5]`: what that says of other texts, with what is around them, takes kilobytes.
    time.get(..5).unwrap_or(time)
}
