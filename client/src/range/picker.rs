//! The control in the masthead that chooses the range.

use leptos::prelude::*;
use shared::Millis;
use shared::board::parse_duration;
use wasm_bindgen::JsValue;

use super::Range;
use super::view::View;
use crate::dom::on_leave;
use crate::zone::{self, Zone};

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

/// The control: a list of live ranges, and a form for a fixed one.
#[component]
pub fn RangePicker(
    /// The shown range.
    view: View,
    /// The server's time in milliseconds.
    now: RwSignal<u64>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    on_leave(".range-picker", move || open.set(false));
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
        let value = event_target_value(&event);
        if value == "fixed" {
            fill();
            open.set(true);
        } else if let Ok(span) = parse_duration(&value) {
            open.set(false);
            view.choose(Range::Live(span));
        }
    };
    let apply = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let moments = (moment(&from.get_untracked()), moment(&to.get_untracked()));
        match moments {
            (Some(low), Some(_)) if low.0 >= now.get_untracked() => {
                wrong.set(Some("The start must not be in the future"));
            }
            (Some(low), Some(high)) => match Range::fixed(low, high) {
                Some(range) => {
                    wrong.set(None);
                    open.set(false);
                    // There is nothing to show of the future.
                    view.choose(if high.0 > now.get_untracked() {
                        Range::fixed(low, Millis(now.get_untracked())).unwrap_or(range)
                    } else {
                        range
                    });
                }
                None => wrong.set(Some("The end must be after the start")),
            },
            _ => wrong.set(Some("Give a date and a time for both")),
        }
    };
    let live = move |_| {
        open.set(false);
        view.live();
    };
    let earlier = move |_| view.choose(view.range.get_untracked().moved(now.get_untracked(), -1.0));
    let offered = OFFERED.iter().map(|(span, label)| {
        let value = parse_duration(span).map(|span| span.to_string()).unwrap_or_default();
        view! { <option value=value>{*label}</option> }.into_any()
    });
    let offered = offered.collect_view();
    // The range of the document need not be in the list.
    let other = move || Some(chosen()).filter(|span| span != "fixed" && !known(span)).unwrap_or_default();
    let fixed_label = move || match view.range.get() {
        Range::Live(_) => String::new(),
        Range::Fixed { from, to } => format_fixed(from.0, to.0),
    };
    let change = move |_| {
        fill();
        open.update(|open| *open = !*open);
    };
    view! {
        <div class="range-picker" data-testid="range">
            // The bar of the past has both steps.
            <button
                class="button range-step"
                type="button"
                data-testid="range-earlier"
                aria-label="Earlier by the length of the range"
                title="Earlier by the length of the range"
                hidden=move || chosen() == "fixed"
                on:click=earlier
            >
                "◀"
            </button>
            <select
                class="range-span"
                aria-label="Range of time"
                data-testid="range-span"
                prop:value=chosen
                on:change=choose
            >
                {offered}
                <option value=other hidden=move || other().is_empty()>
                    {move || with_space(&other())}
                </option>
                <option value="fixed">"from … to"</option>
            </select>
            <button
                class="button range-fixed"
                type="button"
                data-testid="range-fixed"
                title="Change from when to when"
                hidden=move || chosen() != "fixed"
                on:click=change
            >
                {move || fixed_label()}
            </button>
            <button
                class="button"
                type="button"
                data-testid="range-live"
                hidden=move || chosen() != "fixed"
                on:click=live
            >
                "Live"
            </button>
            <form class="range-form" hidden=move || !open.get() on:submit=apply>
                <Moment label="From " testid="range-from" value=from wrong/>
                <Moment label="To " testid="range-to" value=to wrong/>
                <button class="button" type="submit" data-testid="range-show">
                    "Show"
                </button>
                <p class="range-wrong" id="range-wrong" role="alert" data-testid="range-wrong">
                    {move || wrong.get().unwrap_or_default()}
                </p>
            </form>
        </div>
    }
}

#[component]
fn Moment(
    label: &'static str,
    testid: &'static str,
    value: RwSignal<String>,
    wrong: RwSignal<Option<&'static str>>,
) -> impl IntoView {
    view! {
        <label>
            {label}
            <input
                type="datetime-local"
                step="1"
                data-testid=testid
                aria-invalid=move || wrong.with(Option::is_some).to_string()
                aria-describedby="range-wrong"
                bind:value=value
            />
        </label>
    }
}

#[expect(clippy::cast_precision_loss, reason = "times stay below 2^53")]
fn date(ms: u64) -> js_sys::Date {
    js_sys::Date::new(&JsValue::from_f64(ms as f64))
}

/// Formats a moment for an input of type `datetime-local`, in the page's time zone.
fn local(ms: u64) -> String {
    let iso = String::from(date(ms.saturating_add_signed(zone::offset(ms))).to_iso_string());
    // Without the milliseconds and the `Z`.
    iso.split('.').next().unwrap_or_default().to_owned()
}

/// Writes a length of time as the list does: `3 h` for `3h`.
fn with_space(span: &str) -> String {
    let unit = span.find(|c: char| !c.is_ascii_digit()).unwrap_or(span.len());
    let (number, unit) = span.split_at(unit);
    [number, unit].join(if unit.is_empty() { "" } else { " " })
}

/// Formats a fixed range. The second date is left out where both are the same.
fn format_fixed(from: u64, to: u64) -> String {
    let (from, to) = (local(from), local(to));
    let same = from.split('T').next();
    let end = to.split('T').filter(|part| Some(*part) != same);
    end.fold(format!("{} –", from.replace('T', " ")), |label, part| label + " " + part)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn moment(local: &str) -> Option<Millis> {
    let ms = match Zone::current() {
        Zone::Local => js_sys::Date::parse(local),
        Zone::Utc => js_sys::Date::parse(&format!("{local}Z")),
    };
    ms.is_finite().then_some(Millis(ms as u64))
}
