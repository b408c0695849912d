//! Choosing the range, in the masthead.

use leptos::prelude::*;
use shared::Millis;
use shared::board::Span;
use wasm_bindgen::JsValue;

use super::Range;
use super::view::View;

/// The ranges that are offered, live.
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

/// Which range is shown: one that moves with the time, or from one moment to another.
#[component]
pub fn RangePicker(
    /// What is shown.
    view: View,
    /// The server's time in milliseconds.
    now: Signal<u64>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let wrong = RwSignal::new(None::<&'static str>);
    let from = RwSignal::new(String::new());
    let to = RwSignal::new(String::new());
    let chosen = move || match view.range.get() {
        Range::Live(span) => span.to_string(),
        Range::Fixed { .. } => "fixed".to_owned(),
    };
    let known =
        move |value: &str| OFFERED.iter().any(|(span, _)| span.parse::<Span>().is_ok_and(|s| s.to_string() == value));
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
        } else if let Ok(span) = value.parse() {
            open.set(false);
            view.choose(Range::Live(span));
        }
    };
    let apply = move |event: web_sys::SubmitEvent| {
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
    let live = move |_| {
        open.set(false);
        view.live();
    };
    view! {
        <div class="range-picker" data-testid="range">
            <select
                class="range-span"
                aria-label="Range of time"
                data-testid="range-span"
                prop:value=chosen
                on:change=choose
            >
                {OFFERED
                    .map(|(span, label)| {
                        let value = span.parse::<Span>().map(|span| span.to_string()).unwrap_or_default();
                        let own = value.clone();
                        view! { <option value=value selected=move || chosen() == own>{label}</option> }
                    })
                    .collect_view()}
                {move || {
                    let value = chosen();
                    (value != "fixed" && !known(&value))
                        .then(|| view! { <option value=value.clone() selected=true>{value.clone()}</option> })
                }}
                <option value="fixed" selected=move || chosen() == "fixed">
                    "from … to"
                </option>
            </select>
            <button
                class="button"
                type="button"
                data-testid="range-told"
                title="Change from when to when"
                hidden=move || chosen() != "fixed"
                on:click=move |_| {
                    fill();
                    open.update(|open| *open = !*open);
                }
            >
                {move || match view.range.get() {
                    Range::Live(_) => String::new(),
                    Range::Fixed { from, to } => format!("{} – {}", told(from.0), told(to.0)),
                }}
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
            <form class="range-fixed" hidden=move || !open.get() on:submit=apply>
                <label>
                    "From " <input
                        type="datetime-local"
                        step="1"
                        data-testid="range-from"
                        prop:value=from
                        on:input=move |event| from.set(event_target_value(&event))
                    />
                </label>
                <label>
                    "To " <input
                        type="datetime-local"
                        step="1"
                        data-testid="range-to"
                        aria-invalid=move || wrong.with(Option::is_some).to_string()
                        aria-describedby="range-wrong"
                        prop:value=to
                        on:input=move |event| to.set(event_target_value(&event))
                    />
                </label>
                <button class="button" type="submit" data-testid="range-show">
                    "Show"
                </button>
                <p id="range-wrong" class="range-wrong" role="alert" data-testid="range-wrong">
                    {move || wrong.get()}
                </p>
            </form>
        </div>
    }
}

#[expect(clippy::cast_precision_loss, reason = "times stay below 2^53")]
fn date(ms: u64) -> js_sys::Date {
    js_sys::Date::new(&JsValue::from_f64(ms as f64))
}

/// A moment as an input of a date and a time has it, by the clock of the reader.
fn local(ms: u64) -> String {
    let date = date(ms);
    let (year, month, day) = (date.get_full_year(), date.get_month() + 1, date.get_date());
    let (h, m, s) = (date.get_hours(), date.get_minutes(), date.get_seconds());
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}")
}

/// A moment as it is told.
fn told(ms: u64) -> String {
    local(ms).replace('T', " ")
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn moment(local: &str) -> Option<Millis> {
    let ms = js_sys::Date::parse(local);
    ms.is_finite().then_some(Millis(ms as u64))
}
