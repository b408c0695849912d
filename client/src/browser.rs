//! Wrappers of browser functions: the clock, random numbers, the page's address, and times of day.

use leptos::prelude::{document, window};
use shared::Millis;

use crate::calendar::{self, DAY, Date, HOUR, MINUTE, SECOND};
use crate::{route, zone};

/// The time by the clock of this machine, in milliseconds since 1970.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
pub fn now() -> u64 {
    js_sys::Date::now() as u64
}

/// Sets the title of the tab: these words, and the name of the product.
pub fn set_title(words: &str) {
    document().set_title(&format!("{words} – Pulseboard"));
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

/// Returns the address of the page of the sign-in, which leads back to this page.
#[must_use]
pub fn sign_in_address() -> String {
    let page = split().1 + &window().location().search().unwrap_or_default();
    let to = String::from(js_sys::encode_uri_component(page.trim_start_matches('/')));
    address(&format!("sign-in?to={to}"))
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

/// Returns the value of a key in the query of the page's address, decoded; `None` if it is empty.
#[must_use]
pub fn query_value(key: &str) -> Option<String> {
    let query = window().location().search().unwrap_or_default();
    let pairs = query.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.filter(|(name, _)| *name == key).map(|(_, value)| value).next()?;
    let value = js_sys::decode_uri_component(value).map_or(value.to_owned(), Into::into);
    Some(value).filter(|value| !value.is_empty())
}

/// Returns true if the query of the page's address has the key.
#[must_use]
pub fn query_has(key: &str) -> bool {
    query().trim_start_matches('?').split('&').any(|part| part.split('=').next() == Some(key))
}

/// Reads a date with a time in the notation of RFC 3339.
#[must_use]
pub fn rfc3339(text: &str) -> Option<Millis> {
    // The browser reads other notations too, and some browsers take the 30th of February for the 1st of March.
    let notation = r"^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$";
    let date = js_sys::RegExp::new(notation, "i").exec(text)?.get(1).as_string()?;
    let midnight = js_sys::Date::new(&format!("{date}T00:00:00Z").into());
    let same_date = midnight.get_time().is_finite() && midnight.to_iso_string().starts_with(&date, 0);
    let ms = js_sys::Date::parse(text);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
    (same_date && ms.is_finite()).then_some(Millis(ms as u64))
}

/// Returns true if the page is not visible.
#[must_use]
pub fn is_hidden() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Hidden
}

/// Formats a moment as a time of day in the zone of the page.
#[must_use]
pub fn time_of_day(ms: u64) -> String {
    let local = calendar::local(ms, &zone::offset);
    format!("{:02}:{:02}:{:02}", local / HOUR % 24, local / MINUTE % 60, local / SECOND % 60)
}

/// The distance from now, in milliseconds, from which on a time of day needs its date.
const CLEAR_MS: u64 = 12 * 60 * 60 * 1_000;
/// The length of a time range, in milliseconds, beyond which seconds are left out.
const LONG_MS: u64 = 24 * 60 * 60 * 1_000;
/// The length of a time range, in milliseconds, beyond which a date says enough.
const SEVERAL_DAYS_MS: u64 = 3 * LONG_MS;

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
    let text = if long || now.abs_diff(ms) >= CLEAR_MS { format!("{} {time}", date(ms)) } else { time.to_owned() };
    // Clocks that go back show this time twice, so the offset says which one it is.
    if calendar::is_repeated(ms, &zone::offset) {
        format!("{text} ({})", calendar::offset_words(zone::offset(ms)))
    } else {
        text
    }
}

/// Formats a moment within a range of `length` milliseconds in few words: `14:05`, `26 Nov`, `26 Nov 2026`.
#[must_use]
pub fn short_moment(ms: u64, length: u64, now: u64) -> String {
    let (date, today) = (local_date(ms), local_date(now));
    let time = time_of_day(ms);
    let year = if date.year == today.year { String::new() } else { format!(" {}", date.year) };
    let day = format!("{}{year}", date.day_and_month());
    match (length > SEVERAL_DAYS_MS, now.abs_diff(ms) < CLEAR_MS) {
        (true, _) => day,
        (false, true) => minute(&time).to_owned(),
        (false, false) => format!("{day} {}", minute(&time)),
    }
}

/// Formats the date of a moment in the zone of the page, as `2026-11-25`.
fn date(ms: u64) -> String {
    let Date { year, month, day } = local_date(ms);
    format!("{year}-{month:02}-{day:02}")
}

fn local_date(ms: u64) -> Date {
    Date::of(calendar::local(ms, &zone::offset) / DAY)
}

/// Removes the seconds from a time of day.
fn minute(time: &str) -> &str {
    // Avoids `[..5]`: its panic message and the code for it add kilobytes to the page.
    time.get(..5).unwrap_or(time)
}
