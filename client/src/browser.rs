//! Wrappers of browser functions: the clock, random numbers, the page's address, and times of day.

use leptos::prelude::{document, window};

use crate::route;

/// The time by the clock of this machine, in milliseconds since 1970.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
pub fn now() -> u64 {
    js_sys::Date::now() as u64
}

/// A random number in `0.0..1.0`.
#[must_use]
pub fn random() -> f64 {
    js_sys::Math::random()
}

/// A random name of 16 or more hex digits, practically unique.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 2^32")]
pub fn random_name() -> String {
    format!("{:08x}{:x}", (random() * f64::from(u32::MAX)) as u32, now())
}

/// Returns the server's address as the browser reaches it, without a slash at the end, such as
/// `http://localhost:7878` or `https://example.org/pulse`.
#[must_use]
pub fn base() -> String {
    let origin = window().location().origin().unwrap_or_default();
    format!("{origin}{}", root().trim_end_matches('/'))
}

/// Returns the path that starts all addresses of the server: `/`, or `/pulse/` if a proxy serves it below a path.
#[must_use]
pub fn root() -> String {
    split().0
}

/// Returns the address of `path` on the server, such as `api/series`. A slash at its start is ignored.
#[must_use]
pub fn address(path: &str) -> String {
    root() + path.trim_start_matches('/')
}

/// Returns the path of the page below [`root`], with percent-escapes decoded if that gives text.
#[must_use]
pub fn path() -> String {
    let (_, page) = split();
    js_sys::decode_uri_component(&page).map_or(page, Into::into)
}

/// Splits the path of the page at the root, which the document names in `data-root` (`index.html`, `tools/split.sh`).
fn split() -> (String, String) {
    let path = window().location().pathname().unwrap_or_default();
    let up = document().document_element().and_then(|html| html.get_attribute("data-root"));
    let (root, page) = route::split(&path, up.as_deref().unwrap_or("/"));
    (root.to_owned(), page.to_owned())
}

/// Returns the query of the page's address, `?` included, with percent-escapes decoded if that gives text.
#[must_use]
pub fn query() -> String {
    let query = window().location().search().unwrap_or_default();
    js_sys::decode_uri_component(&query).map_or(query, Into::into)
}

/// Returns true if the query of the page's address has the key.
#[must_use]
pub fn query_has(key: &str) -> bool {
    query().trim_start_matches('?').split('&').any(|part| part.split('=').next() == Some(key))
}

/// Returns true if the page is not visible.
#[must_use]
pub fn is_hidden() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Hidden
}

/// Formats a moment as a local time of day.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "times stay below 2^53")]
pub fn time_of_day(ms: u64) -> String {
    let date = js_sys::Date::new(&(ms as f64).into());
    format!("{:02}:{:02}:{:02}", date.get_hours(), date.get_minutes(), date.get_seconds())
}

/// The distance from now, in milliseconds, from which on a time of day needs its date.
const CLEAR_MS: u64 = 12 * 60 * 60 * 1_000;
/// The length of a time range, in milliseconds, beyond which seconds are left out.
const LONG_MS: u64 = 24 * 60 * 60 * 1_000;

/// Formats a moment for a reader at `now`: as a time of day, with the date if the moment is far away.
#[must_use]
pub fn moment(ms: u64, now: u64) -> String {
    let time = time_of_day(ms);
    if now.abs_diff(ms) < CLEAR_MS { time } else { format!("{} {}", date(ms), minute(&time)) }
}

/// Formats a moment within a range of `length` milliseconds for a reader at `now`. Shows seconds if the range is
/// short, and the date if the time of day alone would be unclear.
#[must_use]
pub fn moment_of(ms: u64, length: u64, now: u64) -> String {
    let (long, time) = (length > LONG_MS, time_of_day(ms));
    let time = if long { minute(&time) } else { &time };
    if long || now.abs_diff(ms) >= CLEAR_MS { format!("{} {time}", date(ms)) } else { time.to_owned() }
}

/// Formats the local date of a moment, as `2026-11-25`.
#[expect(clippy::cast_precision_loss, reason = "times stay below 2^53")]
fn date(ms: u64) -> String {
    let date = js_sys::Date::new(&(ms as f64).into());
    format!("{}-{:02}-{:02}", date.get_full_year(), date.get_month() + 1, date.get_date())
}

/// Removes the seconds from a time of day.
fn minute(time: &str) -> &str {
    // Avoids `[..5]`: its panic message and the code for it add kilobytes to the page.
    time.get(..5).unwrap_or(time)
}
