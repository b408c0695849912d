//! Tests of tables: cells, sorting by click and by document, and the pace of sorting.
use leptos::task::tick;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::HtmlElement;

use super::{Shown, number, word};

const ALL: &str = r#""type": "table", "series": ["shop/*/ms"], "expect": "30s",
    "columns": ["name", "value", "change", "min", "mean", "max", "age", "sparkline"],
    "thresholds": [{"above": 100, "level": "bad"}]"#;

async fn three(widget: &str) -> Shown {
    let points = [
        ("shop/cart/ms", 48_000, number(10.0)),
        ("shop/cart/ms", 50_000, number(30.0)),
        ("shop/find/ms", 59_000, number(200.0)),
        ("shop/pay/ms", 20_000, number(20.0)),
    ];
    Shown::with(widget, &points).await
}

fn names(shown: &Shown) -> Vec<String> {
    shown.texts("tbody .name").iter().map(|name| name.split(' ').next().unwrap_or_default().to_owned()).collect()
}

async fn click(shown: &Shown, head: usize) {
    shown.all(".head")[head].unchecked_ref::<HtmlElement>().click();
    tick().await;
}

#[wasm_bindgen_test]
async fn a_row_tells_all_of_its_series() {
    let shown = three(ALL).await;
    assert_eq!(shown.texts("thead th").len(), 8);
    let first = shown.texts("tbody tr:first-child > *");
    let ms = |text: &str| format!("{text}\u{a0}ms");
    assert_eq!(first[1..7], [ms("30"), ms("+20"), ms("10"), ms("20"), ms("30"), "10 s ago".into()]);
    assert_eq!(shown.all("tbody [data-testid=spark]").len(), 3);
    assert_eq!(shown.text("tr[data-series='shop/find/ms'] td .unseen"), "bad: ");
    assert!(shown.text("tr[data-stale=true] [data-testid=stale]").contains("stale since "));
    assert_eq!(shown.attribute("tr[data-stale=true]", "data-series").as_deref(), Some("shop/pay/ms"));
}

#[wasm_bindgen_test]
async fn a_click_on_a_head_sorts_and_another_turns_it_around() {
    let shown = three(ALL).await;
    assert_eq!(names(&shown), ["cart", "find", "pay"]);
    let sorts = |shown: &Shown| -> Vec<_> {
        shown.all("thead th").iter().filter_map(|head| head.get_attribute("aria-sort")).collect()
    };
    assert_eq!(sorts(&shown)[..2], ["ascending", "none"]);
    click(&shown, 1).await;
    assert_eq!(names(&shown), ["find", "cart", "pay"]);
    assert_eq!(sorts(&shown)[..2], ["none", "descending"]);
    click(&shown, 1).await;
    assert_eq!(names(&shown), ["pay", "cart", "find"]);
}

#[wasm_bindgen_test]
async fn the_document_says_how_rows_are_sorted_and_how_many_there_are() {
    let shown =
        three(r#""type": "table", "series": ["shop/*/ms"], "sort": "value", "order": "falling", "rows": 2"#).await;
    assert_eq!(names(&shown), ["find", "cart"]);
    assert_eq!(shown.texts("thead th").len(), 4, "name, value, change and age where it names no columns");
}

#[wasm_bindgen_test]
async fn rows_change_their_places_once_a_second_and_texts_have_rows_too() {
    let widget = r#""type": "table", "series": ["a/*"], "sort": "value", "order": "falling""#;
    let points = [("a/x", 50_000, number(1.0)), ("a/y", 50_000, number(2.0)), ("a/z", 50_000, word("up"))];
    let mut shown = Shown::with(widget, &points).await;
    assert_eq!(names(&shown), ["z", "y", "x"]);
    shown.push("a/x", 59_000, number(3.0)).await;
    assert_eq!(names(&shown), ["z", "y", "x"], "not before the second is over");
    shown.at(61_000).await;
    assert_eq!(names(&shown), ["z", "x", "y"]);
    assert_eq!(shown.texts("[data-testid=value]"), ["up", "3", "2"]);
}

#[wasm_bindgen_test]
async fn numbers_stand_below_each_other_at_their_decimal_signs_each_in_its_own_unit() {
    let points = [
        ("net/a/bytes_per_s", 58_000, number(790.0)),
        ("net/b/bytes_per_s", 58_000, number(79_542_268.6)),
        ("net/c/bytes_per_s", 58_000, number(999_999.9)),
    ];
    let shown = Shown::with(r#""type": "table", "series": ["net/**"], "columns": ["name", "value"]"#, &points).await;
    assert_eq!(shown.texts("[data-testid=value]"), ["790\u{a0}B/s", "79.5\u{a0}MB/s", "1.00\u{a0}MB/s"]);
    let parts = shown.texts("[data-testid=value] .figure-part");
    assert_eq!(parts, ["", "\u{a0}B/s", ".5", "\u{a0}MB/s", ".00", "\u{a0}MB/s"]);
    let styles: Vec<_> =
        shown.all("[data-testid=value] .figure-part").iter().filter_map(|part| part.get_attribute("style")).collect();
    assert_eq!(styles, ["--characters: 3;", "--characters: 5;"].repeat(3));
}

#[wasm_bindgen_test]
async fn text_of_a_series_is_isolated_and_has_no_figures() {
    let points = [("a/x", 50_000, word("two\nlines")), ("a/y", 50_000, number(2.5))];
    let shown = Shown::with(r#""type": "table", "series": ["a/*"], "columns": ["name", "value"]"#, &points).await;
    assert_eq!(shown.texts("bdi.cell-text"), ["two\nlines"]);
    assert_eq!(shown.texts("[data-testid=value]"), ["two\nlines", "2.5"]);
}
