//! The control in the masthead that chooses the range.

use crate::dynamic::RwSignal;
use crate::part::{Part, written};
use shared::Millis;
use shared::board::parse_duration;
use wasm_bindgen::JsValue;

use super::Range;
use super::view::View;

/// Live ranges to choose from: value and label.
const OFFERED: [(&str, &str); 8] = [
    ("5m", "5 min"),
    ("15m", "15 min"),
    ("1h", "1 h"),
    ("6h", "6 h"),
    ("24h", "24 h"),
    ("7d", "7 d"),
    ("30d", "30 d"),
    ("365d", "1 year"),
];

/// Builds the control: a list of live ranges, and a form for a fixed one.
#[must_use]
pub fn picker(view: View, now: RwSignal<u64>) -> Part {
    let open = RwSignal::new(false);
    let wrong = RwSignal::new(None::<&'static str>);
    let from = RwSignal::new(String::new());
    let to = RwSignal::new(String::new());
    let chosen = move || match view.range.get() {
        Range::Live(span) => span.to_string(),
        Range::Fixed { .. } => "fixed".to_owned(),
    };
    let known = move |value: &str| {
        OFFERED.iter().any(|(span, _)| parse_duration(span).is_ok_and(|known| known.to_string() == value))
    };
    let fill = move || {
        let (low, high) = view.range.get_untracked().at(now.get_untracked());
        from.set(local(low));
        to.set(local(high));
        wrong.set(None);
    };
    let choose = move |event| {
        let value = written(&event);
        if value == "fixed" {
            fill();
            open.set(true);
        } else if let Ok(span) = parse_duration(&value) {
            open.set(false);
            view.choose(Range::Live(span));
        }
    };
    let apply = move |event: web_sys::Event| {
        event.prevent_default();
        let moments = (moment(&from.get_untracked()), moment(&to.get_untracked()));
        match moments {
            (Some(low), Some(high)) => match Range::fixed(low, high) {
                Some(range) => {
                    wrong.set(None);
                    open.set(false);
                    view.choose(range);
                }
                None => wrong.set(Some("The end must be after the start")),
            },
            _ => wrong.set(Some("Give a date and a time for both")),
        }
    };
    let live = move || {
        open.set(false);
        view.live();
    };
    let option = |value: &str, label: &str| Part::new("option", "").with("value", value).text(label);
    let offered = OFFERED
        .iter()
        .map(|(span, label)| option(&parse_duration(span).map(|known| known.to_string()).unwrap_or_default(), label));
    // The range of the document need not be in the list.
    let other = move || Some(chosen()).filter(|span| span != "fixed" && !known(span)).unwrap_or_default();
    let label = move || with_space(&other());
    let other = option("", "").live("value", other).live_text(label).hidden(move || other().is_empty());
    let span = Part::new("select", "range-span")
        .with("aria-label", "Range of time")
        .with("data-testid", "range-span")
        .put_all(offered)
        .put(&other)
        .put(&option("fixed", "from … to"))
        .live_value(chosen)
        .on("change", choose);
    let told = move || match view.range.get() {
        Range::Live(_) => String::new(),
        Range::Fixed { from, to } => told(from.0, to.0),
    };
    let change = move || {
        fill();
        open.update(|open| *open = !*open);
    };
    let told = Part::button("", "range-told", change)
        .with("class", "button range-told")
        .with("title", "Change from when to when")
        .live_text(told);
    let live = Part::button("Live", "range-live", live).hidden(move || chosen() != "fixed");
    let field = |label: &str, testid: &str, value: RwSignal<String>| {
        let input = Part::new("input", "").with("type", "datetime-local").with("step", "1").with("data-testid", testid);
        let input = input.live("aria-invalid", move || wrong.with(Option::is_some).to_string());
        let input = input.with("aria-describedby", "range-wrong").live_value(move || value.get());
        let input = input.on("input", move |event| value.set(written(&event)));
        Part::new("label", "").text(label).put(&input)
    };
    let show = Part::new("button", "button").with("type", "submit").with("data-testid", "range-show").text("Show");
    let wrong_words = Part::new("p", "range-wrong").with("id", "range-wrong").with("role", "alert");
    let wrong_words = wrong_words.with("data-testid", "range-wrong");
    let fixed = Part::new("form", "range-fixed")
        .hidden(move || !open.get())
        .on("submit", apply)
        .put(&field("From ", "range-from", from))
        .put(&field("To ", "range-to", to))
        .put(&show)
        .put(&wrong_words.live_text(move || wrong.get().unwrap_or_default().to_owned()));
    Part::new("div", "range-picker")
        .with("data-testid", "range")
        .put(&span)
        .put(&told.hidden(move || chosen() != "fixed"))
        .put(&live)
        .put(&fixed)
}

#[expect(clippy::cast_precision_loss, reason = "times stay below 2^53")]
fn date(ms: u64) -> js_sys::Date {
    js_sys::Date::new(&JsValue::from_f64(ms as f64))
}

/// Formats a moment for an input of type `datetime-local`, in the user's time zone.
fn local(ms: u64) -> String {
    let date = date(ms);
    let (year, month, day) = (date.get_full_year(), date.get_month() + 1, date.get_date());
    let (h, m, s) = (date.get_hours(), date.get_minutes(), date.get_seconds());
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}")
}

/// Writes a length of time as the list does: `3 h` for `3h`.
fn with_space(span: &str) -> String {
    let unit = span.find(|c: char| !c.is_ascii_digit()).unwrap_or(span.len());
    let (number, unit) = span.split_at(unit);
    [number, unit].join(if unit.is_empty() { "" } else { " " })
}

/// Formats a fixed range. The second date is left out where both are the same.
fn told(from: u64, to: u64) -> String {
    let (from, to) = (local(from), local(to));
    let same = from.split('T').next();
    let end = to.split('T').filter(|part| Some(*part) != same);
    end.fold(format!("{} –", from.replace('T', " ")), |told, part| told + " " + part)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn moment(local: &str) -> Option<Millis> {
    let ms = js_sys::Date::parse(local);
    ms.is_finite().then_some(Millis(ms as u64))
}
